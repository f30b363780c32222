/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A call has ended. On the route: outbound or inbound has the host's last event -> attempt_end() -> retry_decide() ->
 * fax_state_change(). The attempt's row keeps the raw values, so that what was made of them can be made again.
 */
#include "spool/attempt.h"

#include "db/stmt.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "spool/destination.h"
#include "spool/fax_json.h"
#include "spool/fax_row.h"
#include "spool/fax_state.h"
#include "spool/outbound_rule.h"
#include "spool/inbox.h"
#include "spool/route_fax.h"
#include "spool/spool_private.h"

#include <stdlib.h>

/* The open attempt and its fax, which must be in this call: anything else is an event that was acted on before. */
static int load_open(struct attempt *attempt, struct fax *fax, struct spool *spool, int64_t id,
                     enum fax_direction direction)
{
    int error = attempt_get(attempt, spool, id);
    if (error)
        return error;
    if (attempt->ended_at)
        return err_set(ERR_CONFLICT, "attempt %lld has ended already", (long long)id);
    error = fax_get(fax, spool, attempt->fax);
    if (error)
        return error;
    if (fax->attempt == id && fax->direction == direction && fax_state_in_call(fax->state))
        return 0;
    error = err_set(ERR_CONFLICT, "fax %s is %s and not in attempt %lld", fax->public_id, fax_state_name(fax->state),
                    (long long)id);
    fax_clear(fax);
    return error;
}

static int close_row(struct spool *spool, const struct attempt *attempt, const struct attempt_result *result,
                     int64_t ended_at, int64_t connected_at)
{
    struct stmt *stmt;
    char *record = result->record ? json_dumps(result->record, JSON_COMPACT) : NULL;
    int error = stmt_open(&stmt, spool_db(spool),
                          "UPDATE attempt SET ended_at = ?, connected_at = ?, pages_confirmed = ?, outcome = ?,"
                          " message = ?, fs_status = ?, end_sent = ?, final_confirmed = ?, remote_station_id = ?,"
                          " record = ? WHERE ended_at = 0 AND id = ?");
    if (!error) {
        stmt_bind_int(stmt, ended_at);
        stmt_bind_int(stmt, connected_at);
        stmt_bind_int(stmt, result->pages_confirmed);
        stmt_bind_int(stmt, result->outcome);
        stmt_bind_text(stmt, result->message ? result->message : "");
        stmt_bind_int(stmt, result->fs_status);
        stmt_bind_int(stmt, result->end_sent);
        stmt_bind_int(stmt, result->final_confirmed);
        stmt_bind_text(stmt, result->remote_station_id ? result->remote_station_id : "");
        stmt_bind_text(stmt, record ? record : "");
        stmt_bind_int(stmt, attempt->id);
        error = stmt_run(NULL, stmt);
    }
    free(record);
    return error;
}

static void set_error(struct fax *fax, const struct attempt_result *result)
{
    char *text = NULL;
    if (result->outcome != OUTCOME_NONE && result->outcome != OUTCOME_SUCCESS) {
        json_t *error = fax_json_error(result->outcome, result->message, result->fs_status, result->record);
        text = json_dumps(error, JSON_COMPACT);
        json_decref(error);
    }
    fax_row_set(&fax->error, text);
    free(text);
}

/* What the call told about the fax, whichever way it went. */
static void take_result(struct fax *fax, const struct attempt *attempt, const struct attempt_result *result)
{
    const char *local = json_string_value(json_object_get(result->record, "local_station_id"));
    const char *message =
        result->message && *result->message ? result->message : outcome_info(result->outcome)->message;
    fax->attempt = 0;
    fax->outcome = result->outcome;
    fax->connected_at = result->connected_at ? result->connected_at : attempt->connected_at;
    fax_row_set(&fax->message, result->outcome == OUTCOME_SUCCESS ? "" : message);
    set_error(fax, result);
    if (result->remote_station_id && *result->remote_station_id)
        fax_row_set(&fax->remote_station_id, result->remote_station_id);
    if (local && *local)
        fax_row_set(&fax->local_station_id, local);
    if (result->record) {
        json_t *transport = fax_json_transport(result->record);
        char *text = json_dumps(transport, JSON_COMPACT);
        fax_row_set(&fax->transport, text);
        free(text);
        json_decref(transport);
    }
}

static bool is_same_kind(enum fax_outcome outcome, enum fax_outcome earlier)
{
    if (outcome == OUTCOME_NOT_FAX || retry_is_at_once(outcome))
        return earlier == outcome;
    return earlier != OUTCOME_NONE && retry_class_of(earlier) == retry_class_of(outcome);
}

/* Earlier calls of the same class, newest first, as retry.h counts them: those since somebody last had the fax sent
 * again. */
static int count_same(int *count, struct spool *spool, const struct attempt *attempt, enum fax_outcome outcome)
{
    struct stmt *stmt;
    bool in_a_row = retry_class_of(outcome) == RETRY_LINE;
    *count = 0;
    int error =
        stmt_open(&stmt, spool_db(spool),
                  "SELECT outcome FROM attempt WHERE fax = ? AND number > (SELECT calls_before FROM fax WHERE id = ?)"
                  " AND number < ? ORDER BY number DESC LIMIT 1000");
    if (error)
        return error;
    stmt_bind_int(stmt, attempt->fax);
    stmt_bind_int(stmt, attempt->fax);
    stmt_bind_int(stmt, attempt->number);
    while ((error = stmt_step(stmt)) == 1) {
        bool same = is_same_kind(outcome, (enum fax_outcome)stmt_int(stmt, "outcome"));
        if (!same && in_a_row)
            break;
        *count += same;
    }
    stmt_close(stmt);
    return error < 0 ? error : 0;
}

static int decide(struct retry_decision *decision, struct spool *spool, struct fax *fax, const struct attempt *attempt,
                  const struct attempt_result *result)
{
    struct retry_policy policy;
    struct retry_facts facts = {
        .outcome = result->outcome,
        .cancel_wanted = fax->state == FAX_CANCELING,
        .end_sent = result->end_sent,
        .final_confirmed = result->final_confirmed,
        .earlier_unconfirmed = fax->delivery == FAX_DELIVERY_UNCONFIRMED,
        .pages_total = fax->pages_total,
        .pages_confirmed = fax->pages_confirmed,
        .attempts = fax->attempts,
        .calls = fax->calls,
        .now_ms = clock_now_ms(),
        .expires_at = fax->expires_at,
    };
    int error = retry_policy_for(&policy, spool->policy, fax);
    if (!error)
        error = count_same(&facts.same_class_calls, spool, attempt, result->outcome);
    if (!error)
        retry_decide(decision, &policy, &facts);
    return error;
}

/* A test key's call shows nothing of the world. */
static int teach(struct spool *spool, const struct fax *fax, const struct attempt_result *result, int64_t ended_at)
{
    const struct destination_call call = {.outcome = result->outcome,
                                          .record = result->record,
                                          .pages_confirmed = result->pages_confirmed,
                                          .at_ms = ended_at};
    return fax->test ? 0 : destination_take(spool, fax->destination, &call);
}

/* The line or the network failed, and the rule of the fax has another group to try: its queue, NULL = there is none. */
static const char *next_group(char key[OUTBOUND_KEY_SIZE], struct spool *spool, const struct fax *fax,
                              const struct attempt_result *result)
{
    int step;
    const struct outbound_rule *rule = fax->routed ? outbound_rule_of_key(&step, spool, fax->line_group) : NULL;
    if (result->outcome != OUTCOME_LINE_UNAVAILABLE && result->outcome != OUTCOME_CONGESTION)
        return NULL;
    if (!rule || !rule->enabled || step + 1 >= rule->group_count || result->end_sent)
        return NULL;
    return outbound_rule_key(key, rule, step + 1);
}

/* At once, and without counting: what failed was the way, not the number. */
static int take_next_group(struct retry_decision *decided, struct spool *spool, struct fax *fax, const char *key)
{
    int step;
    if (decided->next != FAX_SCHEDULED)
        return 0; /* canceled, expired */
    outbound_rule_of_key(&step, spool, key);
    decided->next = FAX_QUEUED;
    decided->not_before = 0;
    decided->reason = FAX_REASON_NEXT_GROUP;
    return outbound_rule_used(spool, fax, step);
}

int attempt_end(struct retry_decision *decision, struct spool *spool, int64_t id, const struct attempt_result *result)
{
    char key[OUTBOUND_KEY_SIZE];
    struct retry_decision decided;
    struct attempt attempt;
    struct fax fax = {0};
    spool_assert_loop(spool);
    int64_t ended_at = result->ended_at > 0 ? result->ended_at : clock_now_ms();
    int error = load_open(&attempt, &fax, spool, id, FAX_OUTBOUND);
    if (error)
        return error;
    const char *next = next_group(key, spool, &fax, result);
    fax.attempts += !next && outcome_info(result->outcome)->counts;
    fax.pages_confirmed = attempt_document_pages(&attempt, &fax, result->pages_confirmed);
    error = decide(&decided, spool, &fax, &attempt, result);
    if (error)
        goto out;
    take_result(&fax, &attempt, result);
    error = close_row(spool, &attempt, result, ended_at, fax.connected_at);
    if (!error)
        error = teach(spool, &fax, result, ended_at);
    if (!error && fax.routed)
        error = next ? take_next_group(&decided, spool, &fax, next) : outbound_rule_used(spool, &fax, 0);
    if (error)
        goto out;
    fax.delivery = decided.delivery;
    fax.not_before = decided.not_before;
    fax_row_set(&fax.reason, decided.reason);
    if (fax_state_is_final(decided.next))
        fax.ended_at = ended_at;
    error = fax_state_change(spool, &fax, decided.next);
    if (!error && decision)
        *decision = decided;
    log_info("call ended fax=%s line=%s attempt=%lld outcome=%s pages=%d/%d next=%s", fax.public_id, fax.line,
             (long long)id, outcome_info(result->outcome)->code, fax.pages_confirmed, fax.pages_total,
             fax_state_name(decided.next));
out:
    fax_clear(&fax);
    return error;
}

int attempt_end_inbound(struct spool *spool, int64_t id, const struct attempt_result *result, const char *document,
                        int pages, enum fax_state state)
{
    struct attempt attempt;
    struct fax fax = {0};
    spool_assert_loop(spool);
    int64_t ended_at = result->ended_at > 0 ? result->ended_at : clock_now_ms();
    int error = load_open(&attempt, &fax, spool, id, FAX_INBOUND);
    if (error)
        return error;
    take_result(&fax, &attempt, result);
    error = close_row(spool, &attempt, result, ended_at, fax.connected_at);
    if (!error) {
        fax_row_set(&fax.document, document);
        fax.pages_total = fax.pages_confirmed = pages;
        fax.delivery = state == FAX_RECEIVED ? FAX_DELIVERY_CONFIRMED
                       : pages > 0           ? FAX_DELIVERY_PARTIAL
                                             : FAX_DELIVERY_NONE;
        fax.ended_at = ended_at;
        if (pages > 0)
            error = inbox_arrive(spool, &fax);
        if (!error)
            error = fax_state_change(spool, &fax, state);
        /* A fax is never lost by what is to be done with it. */
        if (!error && route_fax_received(spool, &fax, result->record))
            log_error("fax not routed fax=%s: %s", fax.public_id, err_message());
    }
    log_info("call ended fax=%s line=%s attempt=%lld outcome=%s pages=%d", fax.public_id, fax.line, (long long)id,
             outcome_info(result->outcome)->code, pages);
    fax_clear(&fax);
    return error;
}
