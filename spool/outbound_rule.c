/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of outbound rules, and the list in memory that is read anew when they have changed.
 */
#include "spool/outbound_rule.h"

#include "db/stmt.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "spool/fax_row.h"
#include "spool/spool_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS "id, public_id, position, name, prefix, line_groups, time_window, enabled, retired, owner, created_at"

struct rule_store {
    struct outbound_rule *rules;
    int count;    /* retired ones as well */
    int living;   /* without them; they stand first */
    bool changed; /* in this turn */
    bool stale;
};

/* ---- memory ---- */

static void read_groups(struct outbound_rule *rule, const char *text)
{
    json_t *list = json_loads(text, 0, NULL);
    for (size_t i = 0; i < json_array_size(list) && rule->group_count < OUTBOUND_GROUPS_MAX; i++) {
        const char *group = json_string_value(json_array_get(list, i));
        str_copy(rule->groups[rule->group_count++], OUTBOUND_GROUP_SIZE, group);
    }
    json_decref(list);
}

static void read_row(struct outbound_rule *rule, struct stmt *stmt)
{
    *rule = (struct outbound_rule){.id = stmt_int(stmt, "id"), .position = (int)stmt_int(stmt, "position")};
    str_copy(rule->public_id, sizeof(rule->public_id), stmt_text(stmt, "public_id"));
    str_copy(rule->name, sizeof(rule->name), stmt_text(stmt, "name"));
    str_copy(rule->prefix, sizeof(rule->prefix), stmt_text(stmt, "prefix"));
    read_groups(rule, stmt_text(stmt, "line_groups"));
    rule->enabled = stmt_int(stmt, "enabled") != 0;
    rule->retired = stmt_int(stmt, "retired") != 0;
    rule->owner = stmt_int(stmt, "owner");
    rule->created_at = stmt_int(stmt, "created_at");
    json_t *window = json_loads(stmt_text(stmt, "time_window"), JSON_DECODE_ANY, NULL);
    if (json_is_object(window) && window_read(&rule->window, window)) {
        /* The system's time zones have changed: a rule that is never open is better than one that always is. */
        log_error("outbound rule %s is disabled: %s", rule->public_id, err_message());
        rule->enabled = false;
        window_clear(&rule->window);
    }
    json_decref(window);
}

static void drop_rules(struct rule_store *store)
{
    for (int i = 0; i < store->count; i++)
        window_clear(&store->rules[i].window);
    free(store->rules);
    store->rules = NULL;
    store->count = store->living = 0;
}

static int load(struct spool *spool)
{
    struct rule_store *store = spool->rules;
    struct stmt *stmt;
    int room = 0;
    int error =
        stmt_open(&stmt, spool_db(spool), "SELECT " COLUMNS " FROM outbound_rule ORDER BY retired, position, id");
    if (error)
        return error;
    drop_rules(store);
    while ((error = stmt_step(stmt)) == 1) {
        if (store->count == room) {
            room = room ? 2 * room : 16;
            store->rules = xrealloc(store->rules, (size_t)room * sizeof(*store->rules));
        }
        read_row(&store->rules[store->count], stmt);
        store->living += !store->rules[store->count++].retired;
    }
    stmt_close(stmt);
    store->stale = error != 0;
    return error;
}

static void undone(struct spool *spool)
{
    spool->rules->stale |= spool->rules->changed;
}

static void committed(struct spool *spool)
{
    spool->rules->changed = false;
}

static void close_rules(struct spool *spool)
{
    drop_rules(spool->rules);
    free(spool->rules);
    spool->rules = NULL;
}

static const struct spool_hook hook = {
    .committed = committed, .voided = undone, .part_undo = undone, .close = close_rules};

static struct rule_store *store_of(struct spool *spool)
{
    spool_assert_loop(spool);
    if (spool->rules->stale && load(spool))
        log_error("outbound rules cannot be read: %s", err_message());
    return spool->rules;
}

/* Rows were changed: faxes may have to go elsewhere. */
static int changed(struct spool *spool)
{
    spool->rules->changed = true;
    spool_mark(spool, SPOOL_CHANGE_QUEUE);
    return load(spool);
}

/* What no queued fax names any more goes at last. '0' is the character behind '/'. */
int outbound_rule_start(struct spool *spool)
{
    struct stmt *stmt;
    spool->rules = xcalloc(1, sizeof(*spool->rules));
    spool_hook(spool, &hook);
    int error = stmt_open(&stmt, spool_db(spool),
                          "DELETE FROM outbound_rule WHERE retired = 1 AND NOT EXISTS (SELECT 1 FROM fax WHERE state"
                          " = " SQL_QUEUED " AND line_group >= outbound_rule.public_id || '/'"
                          " AND line_group < outbound_rule.public_id || '0')");
    if (!error)
        error = stmt_run(NULL, stmt);
    return error ? error : load(spool);
}

const struct outbound_rule *outbound_rule_at(struct spool *spool, int index)
{
    const struct rule_store *store = store_of(spool);
    return index >= 0 && index < store->count ? &store->rules[index] : NULL;
}

static const struct outbound_rule *named(struct spool *spool, const char *public_id, size_t length)
{
    const struct rule_store *store = store_of(spool);
    for (int i = 0; i < store->count; i++)
        if (strlen(store->rules[i].public_id) == length && memcmp(store->rules[i].public_id, public_id, length) == 0)
            return &store->rules[i];
    return NULL;
}

const struct outbound_rule *outbound_rule_find(struct spool *spool, const char *public_id)
{
    const struct outbound_rule *rule = named(spool, public_id, strlen(public_id));
    return rule && !rule->retired ? rule : NULL;
}

/* ---- rows ---- */

static char *groups_text(const struct outbound_rule *rule)
{
    json_t *list = json_array();
    for (int i = 0; i < rule->group_count; i++)
        json_array_append_new(list, json_string(rule->groups[i]));
    char *text = json_dumps(list, JSON_COMPACT);
    json_decref(list);
    return text;
}

static char *window_text(const struct outbound_rule *rule)
{
    json_t *window = window_json(&rule->window);
    char *text = json_is_null(window) ? xstrdup("") : json_dumps(window, JSON_COMPACT);
    json_decref(window);
    return text;
}

/* Runs and closes a statement whose first placeholders are those of a rule's own columns. */
static int run_with_rule(struct stmt *stmt, const struct outbound_rule *rule, const char *last_text, int64_t last)
{
    char *groups = groups_text(rule), *window = window_text(rule);
    stmt_bind_text(stmt, rule->name);
    stmt_bind_text(stmt, rule->prefix);
    stmt_bind_text(stmt, groups);
    stmt_bind_text(stmt, window);
    stmt_bind_int(stmt, rule->enabled);
    stmt_bind_int(stmt, rule->position);
    if (last_text)
        stmt_bind_text(stmt, last_text);
    stmt_bind_int(stmt, last);
    if (last_text)
        stmt_bind_int(stmt, rule->created_at);
    int error = stmt_run(NULL, stmt);
    free(groups);
    free(window);
    return error;
}

/* Positions of the others close up or make room: from `low` to `high`, by `step`. */
static int shift(struct spool *spool, int low, int high, int step)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool),
                          "UPDATE outbound_rule SET position = position + ? WHERE retired = 0 AND position >= ?"
                          " AND position <= ?");
    if (error)
        return error;
    stmt_bind_int(stmt, step);
    stmt_bind_int(stmt, low);
    stmt_bind_int(stmt, high);
    return stmt_run(NULL, stmt);
}

static void bound_position(struct outbound_rule *rule, int last)
{
    if (rule->position < 1 || rule->position > last)
        rule->position = last;
}

int outbound_rule_create(struct outbound_rule *rule, struct spool *spool)
{
    char ulid[STR_ULID_SIZE];
    const struct rule_store *store = store_of(spool);
    struct stmt *stmt;
    if (store->living >= OUTBOUND_RULES_MAX)
        return err_set(ERR_FULL, "there are %d rules already", OUTBOUND_RULES_MAX);
    rule->created_at = clock_now_ms();
    snprintf(rule->public_id, sizeof(rule->public_id), "rto_%s", str_ulid(ulid, rule->created_at));
    bound_position(rule, store->living + 1);
    int error = shift(spool, rule->position, OUTBOUND_RULES_MAX, 1);
    if (!error)
        error = stmt_open(&stmt, spool_db(spool),
                          "INSERT INTO outbound_rule (name, prefix, line_groups, time_window, enabled, position,"
                          " public_id, owner, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
    if (!error)
        error = run_with_rule(stmt, rule, rule->public_id, rule->owner);
    return error ? error : changed(spool);
}

static int no_such_rule(const char *public_id)
{
    return err_set(ERR_NOT_FOUND, "there is no rule %.60s", public_id);
}

int outbound_rule_update(struct outbound_rule *rule, struct spool *spool)
{
    const struct outbound_rule *before = outbound_rule_find(spool, rule->public_id);
    struct stmt *stmt;
    int error = 0;
    if (!before)
        return no_such_rule(rule->public_id);
    bound_position(rule, spool->rules->living);
    if (rule->position > before->position)
        error = shift(spool, before->position + 1, rule->position, -1);
    else if (rule->position < before->position)
        error = shift(spool, rule->position, before->position - 1, 1);
    if (!error)
        error = stmt_open(&stmt, spool_db(spool),
                          "UPDATE outbound_rule SET name = ?, prefix = ?, line_groups = ?, time_window = ?,"
                          " enabled = ?, position = ? WHERE id = ?");
    if (!error)
        error = run_with_rule(stmt, rule, NULL, rule->id);
    return error ? error : changed(spool);
}

int outbound_rule_delete(struct spool *spool, const char *public_id)
{
    const struct outbound_rule *rule = outbound_rule_find(spool, public_id);
    struct stmt *stmt;
    if (!rule)
        return no_such_rule(public_id);
    int error = stmt_open(&stmt, spool_db(spool), "UPDATE outbound_rule SET retired = 1, enabled = 0 WHERE id = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, rule->id);
    error = stmt_run(NULL, stmt);
    if (!error)
        error = shift(spool, rule->position + 1, OUTBOUND_RULES_MAX, -1);
    return error ? error : changed(spool);
}

/* ---- use ---- */

const struct outbound_rule *outbound_rule_for(int64_t *opens_at, struct spool *spool, const char *number, int64_t at_ms)
{
    const struct rule_store *store = store_of(spool);
    const struct outbound_rule *later = NULL;
    *opens_at = 0;
    for (int i = 0; i < store->living; i++) {
        const struct outbound_rule *rule = &store->rules[i];
        if (!rule->enabled || strncmp(rule->prefix, number, strlen(rule->prefix)) != 0)
            continue;
        int64_t next = window_next(&rule->window, at_ms);
        if (next == at_ms) {
            *opens_at = 0;
            return rule;
        }
        if (!later || next < *opens_at) {
            later = rule;
            *opens_at = next;
        }
    }
    return later;
}

char *outbound_rule_key(char key[OUTBOUND_KEY_SIZE], const struct outbound_rule *rule, int step)
{
    if (rule)
        snprintf(key, OUTBOUND_KEY_SIZE, "%.38s/%d", rule->public_id, step % OUTBOUND_GROUPS_MAX);
    else
        str_copy(key, OUTBOUND_KEY_SIZE, OUTBOUND_DEFAULT);
    return key;
}

const struct outbound_rule *outbound_rule_of_key(int *step, struct spool *spool, const char *key)
{
    const char *slash = strncmp(key, "rto_", 4) == 0 ? strchr(key, '/') : NULL;
    *step = slash ? atoi(slash + 1) : 0;
    return slash ? named(spool, key, (size_t)(slash - key)) : NULL;
}

const char *outbound_rule_asked(const struct fax *fax)
{
    return fax->routed ? "" : fax->line_group;
}

static int write_group(struct spool *spool, struct fax *fax, const char *key)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "UPDATE fax SET line_group = ? WHERE id = ?");
    if (error)
        return error;
    fax_row_set(&fax->line_group, key);
    stmt_bind_text(stmt, fax->line_group);
    stmt_bind_int(stmt, fax->id);
    return stmt_run(NULL, stmt);
}

int outbound_rule_queue(bool *moved, struct spool *spool, struct fax *fax)
{
    char key[OUTBOUND_KEY_SIZE];
    int64_t opens_at;
    int step = 0;
    const struct outbound_rule *rule = outbound_rule_for(&opens_at, spool, fax->destination, clock_now_ms());
    bool same = rule ? outbound_rule_of_key(&step, spool, fax->line_group) == rule && step < rule->group_count
                     : strcmp(fax->line_group, OUTBOUND_DEFAULT) == 0;
    if (moved)
        *moved = fax->routed && !same;
    if (!fax->routed || same)
        return 0;
    return write_group(spool, fax, outbound_rule_key(key, rule, 0));
}

int outbound_rule_used(struct spool *spool, struct fax *fax, int step)
{
    char key[OUTBOUND_KEY_SIZE];
    int now;
    const struct outbound_rule *rule = outbound_rule_of_key(&now, spool, fax->line_group);
    return rule && now != step ? write_group(spool, fax, outbound_rule_key(key, rule, step)) : 0;
}

/* ---- JSON ---- */

json_t *outbound_rule_json(const struct outbound_rule *rule)
{
    char created[CLOCK_TEXT_SIZE];
    json_t *groups = json_array();
    for (int i = 0; i < rule->group_count; i++)
        json_array_append_new(groups, json_string(rule->groups[i]));
    return json_pack("{s:s, s:i, s:s, s:s, s:o, s:o, s:b, s:s}", "id", rule->public_id, "position", rule->position,
                     "name", rule->name, "prefix", rule->prefix, "groups", groups, "window", window_json(&rule->window),
                     "enabled", rule->enabled, "created_at", clock_format(created, rule->created_at));
}

int outbound_rule_page(json_t **page, struct spool *spool, const char *cursor, int limit)
{
    const struct rule_store *store = store_of(spool);
    int64_t after = 0;
    *page = NULL;
    if (limit < 1 || limit > QUERY_LIMIT_MAX)
        return err_set(ERR_INVALID, "limit: 1 to %d", QUERY_LIMIT_MAX);
    if (cursor && str_to_int(&after, cursor, 1, OUTBOUND_RULES_MAX))
        return err_set(ERR_INVALID, "cursor: not one of ours");
    json_t *data = json_array();
    int i = (int)after;
    for (; i < store->living && i < after + limit; i++)
        json_array_append_new(data, outbound_rule_json(&store->rules[i]));
    bool more = i < store->living;
    *page = json_pack("{s:o, s:b, s:o}", "data", data, "has_more", more, "next_cursor",
                      more ? json_sprintf("%d", i) : json_null());
    return 0;
}
