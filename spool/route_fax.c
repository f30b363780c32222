/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a received fax to the deliveries that its rules want. */
#include "spool/route_fax.h"

#include "db/stmt.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "spool/block.h"
#include "spool/fax_state.h"
#include "spool/inbound_rule.h"
#include "spool/inbox.h"
#include "spool/nullable.h"
#include "spool/route_delivery.h"
#include "spool/spool_private.h"

#include <stdio.h>

/* Texts are the fax's. */
static struct inbound_facts facts_of(struct spool *spool, const struct fax *fax, const char *subaddress)
{
    return (struct inbound_facts){.did = fax->destination,
                                  .from = fax->sender,
                                  .station_id = fax->remote_station_id,
                                  .subaddress = subaddress,
                                  .line = fax->line,
                                  .pages = fax->pages_total,
                                  .partial = fax->delivery != FAX_DELIVERY_CONFIRMED,
                                  .at_ms = fax->created_at,
                                  .in_group = inbound_rule_in_group,
                                  .context = spool};
}

/* One whose methods could not be read does nothing: a fax that met it would be routing for ever. */
static bool is_on(const struct inbound_rule *rule)
{
    return rule->enabled && rule->method_count > 0;
}

static bool is_met(const struct inbound_rule *rule, const struct inbound_facts *facts)
{
    char why[INBOUND_WHY_SIZE];
    return is_on(rule) && inbound_match_meets(why, &rule->match, facts);
}

/* How many rules it met, or an error. `again`: it may have met some before. */
static int add_deliveries(struct spool *spool, const struct fax *fax, const struct inbound_facts *facts, bool again)
{
    const struct inbound_rule *rule;
    int64_t round = 1;
    int met = 0, error = again ? route_delivery_round(&round, spool, fax) : 0;
    for (int i = 0; !error && (rule = inbound_rule_at(spool, i)) != NULL; i++) {
        if (!is_met(rule, facts))
            continue;
        met++;
        log_info("fax meets a rule fax=%s rule=%s", fax->public_id, rule->public_id);
        error = route_delivery_add(spool, fax, rule, round);
        if (!rule->goes_on)
            break;
    }
    return error ? error : met;
}

/* Back to what the call made of it, when no rule wants it any more. */
static enum fax_state state_without_rules(const struct fax *fax)
{
    return fax->delivery == FAX_DELIVERY_CONFIRMED ? FAX_RECEIVED : FAX_PARTIALLY_RECEIVED;
}

static int route(struct spool *spool, struct fax *fax, const char *subaddress, bool again)
{
    struct inbound_facts facts = facts_of(spool, fax, subaddress);
    int met = add_deliveries(spool, fax, &facts, again);
    if (met < 0)
        return met;
    enum fax_state next = met > 0 ? FAX_ROUTING : state_without_rules(fax);
    return next == fax->state ? 0 : fax_state_change(spool, fax, next);
}

/* A rule put it aside: it waits for somebody to look at it. */
static int quarantine(struct spool *spool, struct fax *fax, const struct block_rule *rule)
{
    int64_t id = rule->id;
    log_info("fax is put into quarantine fax=%s rule=%s", fax->public_id, rule->public_id);
    int error = inbox_junk_by(spool, fax, rule->public_id);
    return error ? error : block_hit(spool, id);
}

static const char *subaddress_of(const json_t *record)
{
    const char *text = json_string_value(json_object_get(record, "subaddress"));
    return text ? text : "";
}

int route_fax_received(struct spool *spool, struct fax *fax, const json_t *record)
{
    spool_assert_loop(spool);
    if (fax->test || (fax->state != FAX_RECEIVED && fax->state != FAX_PARTIALLY_RECEIVED))
        return 0;
    const struct block_rule *rule = block_quarantines(spool, fax->sender, fax->remote_station_id);
    return rule ? quarantine(spool, fax, rule) : route(spool, fax, subaddress_of(record), false);
}

/* The record of the call that brought it, NULL = none; the caller frees. */
static json_t *record_of(struct spool *spool, const struct fax *fax)
{
    struct stmt *stmt;
    json_t *record = NULL;
    if (stmt_open(&stmt, spool_db(spool), "SELECT record FROM attempt WHERE fax = ? ORDER BY number DESC LIMIT 1"))
        return NULL;
    stmt_bind_int(stmt, fax->id);
    if (stmt_step(stmt) == 1)
        record = json_loads(stmt_text(stmt, "record"), 0, NULL);
    stmt_close(stmt);
    return record;
}

char *route_fax_subaddress(char text[ROUTE_SUBADDRESS_SIZE], struct spool *spool, const struct fax *fax)
{
    json_t *record = record_of(spool, fax);
    str_copy(text, ROUTE_SUBADDRESS_SIZE, subaddress_of(record));
    json_decref(record);
    return text;
}

static int route_by_record(struct spool *spool, struct fax *fax)
{
    json_t *record = record_of(spool, fax);
    int error = route(spool, fax, subaddress_of(record), true);
    json_decref(record);
    return error;
}

int route_fax_released(struct spool *spool, struct fax *fax)
{
    spool_assert_loop(spool);
    if (fax->test || !*fax->document || route_delivery_any(spool, fax) ||
        (fax->state != FAX_RECEIVED && fax->state != FAX_PARTIALLY_RECEIVED))
        return 0;
    return route_by_record(spool, fax);
}

static int check_again(const struct fax *fax)
{
    int error = inbox_check(fax);
    if (error)
        return error;
    if (fax->test)
        return err_set(ERR_CONFLICT, "it came over a simulator: test faxes are not routed");
    if (fax->purged_at)
        return err_set(ERR_CONFLICT, "the documents of this fax were deleted");
    return *fax->document ? 0 : err_set(ERR_CONFLICT, "this fax has no pages");
}

int route_fax_again(struct spool *spool, struct fax *fax)
{
    spool_assert_loop(spool);
    int error = check_again(fax);
    return error ? error : route_by_record(spool, fax);
}

/* ---- the dry run ---- */

static json_t *rule_answer(const struct inbound_rule *rule, bool evaluated, bool matches, const char *why)
{
    return json_pack("{s:s, s:s, s:i, s:b, s:b, s:o, s:s}", "id", rule->public_id, "name", rule->name, "position",
                     rule->position, "evaluated", evaluated, "matches", matches, "reason", nullable_text(why), "then",
                     rule->goes_on ? "continue" : "stop");
}

static void add_methods(json_t *deliveries, const struct inbound_rule *rule)
{
    char target[ROUTE_TARGET_SIZE];
    for (int i = 0; i < rule->method_count; i++)
        json_array_append_new(deliveries, json_pack("{s:s, s:s, s:o}", "rule", rule->public_id, "method",
                                                    route_kind_name(rule->methods[i].kind), "target",
                                                    nullable_text(route_method_target(target, &rule->methods[i]))));
}

static void try_rules(json_t *rules, json_t *deliveries, struct spool *spool, const struct inbound_facts *facts)
{
    const struct inbound_rule *rule;
    const char *stopped_by = NULL;
    for (int i = 0; (rule = inbound_rule_at(spool, i)) != NULL; i++) {
        char why[INBOUND_WHY_SIZE + 100] = "";
        bool evaluated = !stopped_by && is_on(rule);
        bool matches = evaluated && inbound_match_meets(why, &rule->match, facts);
        if (!rule->enabled)
            str_copy(why, sizeof(why), "It is disabled.");
        else if (!is_on(rule))
            str_copy(why, sizeof(why), "Its methods cannot be read.");
        else if (stopped_by)
            snprintf(why, sizeof(why), "The rule %s came before, and ends the search.", stopped_by);
        json_array_append_new(rules, rule_answer(rule, evaluated, matches, why));
        if (!matches)
            continue;
        add_methods(deliveries, rule);
        if (!rule->goes_on)
            stopped_by = rule->public_id;
    }
}

/* The block rule that comes before all others, NULL = none; `*status` is what the fax becomes by it. */
static const struct block_rule *blocked_by(const char **status, struct spool *spool, const struct inbound_facts *facts)
{
    char number[NUMBER_SIZE] = "";
    const struct block_rule *rule = NULL;
    if (number_is_withheld(facts->from) || number_normalise(number, facts->from) == 0)
        rule = block_denies(spool, FAX_INBOUND, number);
    *status = rule ? "rejected" : "junk";
    return rule ? rule : block_quarantines(spool, facts->from, facts->station_id);
}

json_t *route_fax_dry_run(struct spool *spool, const struct inbound_facts *facts)
{
    json_t *rules = json_array(), *deliveries = json_array(), *blocked = json_null();
    const char *status;
    char why[300];
    const struct block_rule *rule = blocked_by(&status, spool, facts);
    if (rule) {
        blocked = json_pack("{s:s, s:s}", "rule", rule->public_id, "reason", block_describe(why, sizeof(why), rule));
    } else {
        try_rules(rules, deliveries, spool, facts);
        status = json_array_size(deliveries) > 0 ? "routing" : facts->partial ? "partially_received" : "received";
    }
    return json_pack("{s:s, s:o, s:o, s:o}", "status", status, "blocked", blocked, "rules", rules, "deliveries",
                     deliveries);
}
