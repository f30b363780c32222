/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of block rules. A change goes into row and table at once; a turn or a part that is undone has the table read
 * anew, if it had changed any.
 */
#include "spool/block.h"

#include "db/stmt.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "spool/inbound_match.h"
#include "spool/nullable.h"
#include "spool/spool_private.h"

#include <stdio.h>
#include <stdlib.h>

#define COLUMNS                                                                                                        \
    "id, public_id, direction, action, kind, value, reason, expires_at, hits, last_hit_at, owner, created_at"

_Static_assert(BLOCK_NUMBER == 0 && BLOCK_PREFIX == 1 && BLOCK_ANONYMOUS == 2 && BLOCK_STATION == 3 &&
                   BLOCK_STATION_PREFIX == 4,
               "kinds are stored");
_Static_assert(BLOCK_DENY == 0 && BLOCK_ALLOW == 1 && BLOCK_QUARANTINE == 2, "actions are stored");

const char *const block_directions[] = {"outbound", "inbound", NULL};
const char *const block_actions[] = {"deny", "allow", "quarantine", NULL};
const char *const block_kinds[] = {"number", "prefix", "anonymous", "station_id", "station_id_prefix", NULL};

static const char *const verbs[] = {"denies", "allows", "puts into quarantine"};

struct block_store {
    struct block_table *table;
    int count;
    bool changed; /* in this turn */
    bool stale;   /* what it holds was undone */
};

static void read_row(struct block_rule *rule, struct stmt *stmt)
{
    *rule = (struct block_rule){.id = stmt_int(stmt, "id")};
    str_copy(rule->public_id, sizeof(rule->public_id), stmt_text(stmt, "public_id"));
    rule->direction = (enum fax_direction)stmt_int(stmt, "direction");
    rule->action = (enum block_action)stmt_int(stmt, "action");
    rule->kind = (enum block_kind)stmt_int(stmt, "kind");
    str_copy(rule->value, sizeof(rule->value), stmt_text(stmt, "value"));
    str_copy(rule->reason, sizeof(rule->reason), stmt_text(stmt, "reason"));
    rule->expires_at = stmt_int(stmt, "expires_at");
    rule->hits = stmt_int(stmt, "hits");
    rule->last_hit_at = stmt_int(stmt, "last_hit_at");
    rule->owner = stmt_int(stmt, "owner");
    rule->created_at = stmt_int(stmt, "created_at");
}

static int one_row(struct block_rule *rule, struct stmt *stmt)
{
    int error = stmt_step(stmt);
    if (error == 1)
        read_row(rule, stmt);
    stmt_close(stmt);
    return error == 1 ? 0 : error ? error : err_set(ERR_NOT_FOUND, "no such rule");
}

/* ---- the table ---- */

static int load(struct spool *spool)
{
    struct block_store *store = spool->blocks;
    struct block_rule rule;
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "SELECT " COLUMNS " FROM block_rule ORDER BY id");
    if (error)
        return error;
    block_table_free(store->table);
    store->table = block_table_new();
    store->count = 0;
    while ((error = stmt_step(stmt)) == 1) {
        read_row(&rule, stmt);
        block_table_add(store->table, &rule);
        store->count++;
    }
    stmt_close(stmt);
    store->stale = error != 0;
    return error;
}

static void undone(struct spool *spool)
{
    spool->blocks->stale |= spool->blocks->changed;
}

static void committed(struct spool *spool)
{
    spool->blocks->changed = false;
}

static void close_blocks(struct spool *spool)
{
    block_table_free(spool->blocks->table);
    free(spool->blocks);
    spool->blocks = NULL;
}

static const struct spool_hook hook = {
    .committed = committed, .voided = undone, .part_undo = undone, .close = close_blocks};

int block_start(struct spool *spool)
{
    spool->blocks = xcalloc(1, sizeof(*spool->blocks));
    spool_hook(spool, &hook);
    return load(spool);
}

/* The table as it has to be now; NULL when the store fails. */
static struct block_store *store_of(struct spool *spool)
{
    spool_assert_loop(spool);
    if (spool->blocks->stale && load(spool)) {
        log_error("block rules cannot be read: %s", err_message());
        return NULL;
    }
    return spool->blocks;
}

/* ---- rows ---- */

static int conflict(int error, const struct block_rule *rule)
{
    if (error != ERR_CONFLICT)
        return error;
    return err_set(ERR_CONFLICT, "there is a rule already that %s the same", verbs[rule->action]);
}

static int insert(struct block_rule *rule, struct spool *spool)
{
    struct block_rule given = *rule;
    struct stmt *stmt;
    int error =
        stmt_open(&stmt, spool_db(spool),
                  "INSERT INTO block_rule (public_id, direction, action, kind, value, reason, expires_at, owner,"
                  " created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING " COLUMNS);
    if (error)
        return error;
    stmt_bind_text(stmt, given.public_id);
    stmt_bind_int(stmt, given.direction);
    stmt_bind_int(stmt, given.action);
    stmt_bind_int(stmt, given.kind);
    stmt_bind_text(stmt, given.value);
    stmt_bind_text(stmt, given.reason);
    stmt_bind_int(stmt, given.expires_at);
    stmt_bind_int(stmt, given.owner);
    stmt_bind_int(stmt, given.created_at);
    return conflict(one_row(rule, stmt), &given);
}

int block_create(struct block_rule *rule, struct spool *spool)
{
    char ulid[STR_ULID_SIZE];
    struct block_store *store = store_of(spool);
    if (!store)
        return ERR_IO;
    if (store->count >= BLOCK_RULES_MAX)
        return err_set(ERR_FULL, "there are %d rules already", BLOCK_RULES_MAX);
    rule->created_at = clock_now_ms();
    snprintf(rule->public_id, sizeof(rule->public_id), "blk_%s", str_ulid(ulid, rule->created_at));
    int error = insert(rule, spool);
    if (error)
        return error;
    store->changed = true;
    store->count++;
    block_table_add(store->table, rule);
    return 0;
}

int block_find(struct block_rule *rule, struct spool *spool, const char *public_id)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "SELECT " COLUMNS " FROM block_rule WHERE public_id = ?");
    if (error)
        return error;
    stmt_bind_text(stmt, public_id);
    return one_row(rule, stmt);
}

int block_update(struct block_rule *rule, struct spool *spool)
{
    struct block_store *store = store_of(spool);
    struct stmt *stmt;
    if (!store)
        return ERR_IO;
    int error =
        stmt_open(&stmt, spool_db(spool), "UPDATE block_rule SET action = ?, reason = ?, expires_at = ? WHERE id = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, rule->action);
    stmt_bind_text(stmt, rule->reason);
    stmt_bind_int(stmt, rule->expires_at);
    stmt_bind_int(stmt, rule->id);
    error = conflict(stmt_run(NULL, stmt), rule);
    if (error)
        return error;
    store->changed = true;
    block_table_remove(store->table, rule->id);
    block_table_add(store->table, rule);
    return 0;
}

int block_delete(struct spool *spool, const char *public_id)
{
    struct block_store *store = store_of(spool);
    struct block_rule rule;
    struct stmt *stmt;
    int error = store ? block_find(&rule, spool, public_id) : ERR_IO;
    if (!error)
        error = stmt_open(&stmt, spool_db(spool), "DELETE FROM block_rule WHERE id = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, rule.id);
    error = stmt_run(NULL, stmt);
    if (error)
        return error;
    store->changed = true;
    store->count--;
    block_table_remove(store->table, rule.id);
    return 0;
}

/* ---- use ---- */

const struct block_rule *block_denies(struct spool *spool, enum fax_direction direction, const char *number)
{
    struct block_store *store = store_of(spool);
    const struct block_rule *rule = store ? block_table_find(store->table, direction, number, clock_now_ms()) : NULL;
    return rule && rule->action == BLOCK_DENY ? rule : NULL;
}

const struct block_rule *block_quarantines(struct spool *spool, const char *caller, const char *station_id)
{
    char number[NUMBER_SIZE] = "", id[NUMBER_SIZE];
    struct block_store *store = store_of(spool);
    const struct block_rule *rule = NULL;
    int64_t now_ms = clock_now_ms();
    if (!store)
        return NULL;
    if (number_is_withheld(caller) || number_normalise(number, caller) == 0)
        rule = block_table_find(store->table, FAX_INBOUND, number, now_ms);
    if (!rule || rule->action != BLOCK_QUARANTINE)
        rule = block_table_find_station(store->table, inbound_station(id, station_id), now_ms);
    return rule && rule->action == BLOCK_QUARANTINE ? rule : NULL;
}

int block_hit(struct spool *spool, int64_t rule)
{
    struct stmt *stmt;
    int error =
        stmt_open(&stmt, spool_db(spool), "UPDATE block_rule SET hits = hits + 1, last_hit_at = ? WHERE id = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, clock_now_ms());
    stmt_bind_int(stmt, rule);
    return stmt_run(NULL, stmt);
}

struct later {
    struct spool *spool;
    int64_t rule;
};

static void hit_after(void *context, int error)
{
    struct later *later = context;
    if (!error && block_hit(later->spool, later->rule))
        log_warning("a rule's hit was not counted: %s", err_message());
    free(later);
}

void block_hit_later(struct spool *spool, int64_t rule)
{
    struct later *later = xcalloc(1, sizeof(*later));
    *later = (struct later){spool, rule};
    spool_after_commit(spool, hit_after, later);
}

static const char *what_of(const struct block_rule *rule)
{
    switch (rule->kind) {
    case BLOCK_NUMBER:
        return "the number ";
    case BLOCK_PREFIX:
        return *rule->value ? "numbers that begin with " : "all numbers";
    case BLOCK_ANONYMOUS:
        return "calls without a number";
    case BLOCK_STATION:
        return "the station id ";
    case BLOCK_STATION_PREFIX:
        return *rule->value ? "station ids that begin with " : "all station ids";
    }
    return "";
}

char *block_describe(char *text, size_t size, const struct block_rule *rule)
{
    snprintf(text, size, "the rule %s %s %s%s%s%s%s", rule->public_id, verbs[rule->action], what_of(rule), rule->value,
             *rule->reason ? " (" : "", rule->reason, *rule->reason ? ")" : "");
    return text;
}

/* ---- JSON ---- */

json_t *block_json(const struct block_rule *rule)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:I, s:o, s:o}", "id", rule->public_id, "direction",
                     block_directions[rule->direction], "action", block_actions[rule->action], "kind",
                     block_kinds[rule->kind], "value", rule->value, "reason", rule->reason, "expires_at",
                     nullable_time(rule->expires_at), "hits", (json_int_t)rule->hits, "last_hit_at",
                     nullable_time(rule->last_hit_at), "created_at", nullable_time(rule->created_at));
}

struct question {
    int64_t before;
    int direction, limit;
};

static json_t *row_object(void *context, struct stmt *stmt)
{
    struct block_rule rule;
    (void)context;
    read_row(&rule, stmt);
    return block_json(&rule);
}

static json_t *row_cursor(void *context, struct stmt *stmt)
{
    (void)context;
    return json_sprintf("%lld", (long long)stmt_int(stmt, "id"));
}

static int run_list(json_t **answer, void *context, struct db *db)
{
    const struct question *question = context;
    const struct query_page page = {.limit = question->limit, .object = row_object, .cursor = row_cursor};
    struct stmt *stmt;
    int error = stmt_open(&stmt, db,
                          "SELECT " COLUMNS " FROM block_rule WHERE id < ? AND (? < 0 OR direction = ?)"
                          " ORDER BY id DESC LIMIT ?");
    if (error)
        return error;
    stmt_bind_int(stmt, question->before);
    stmt_bind_int(stmt, question->direction);
    stmt_bind_int(stmt, question->direction);
    stmt_bind_int(stmt, question->limit + 1);
    return query_read_page(answer, &page, stmt);
}

int block_list(struct spool *spool, int direction, const char *cursor, int limit, query_done done, void *context)
{
    int64_t before = INT64_MAX;
    if (limit < 1 || limit > QUERY_LIMIT_MAX)
        return err_set(ERR_INVALID, "limit: 1 to %d", QUERY_LIMIT_MAX);
    if (cursor && str_to_int(&before, cursor, 1, INT64_MAX))
        return err_set(ERR_INVALID, "cursor: not one of ours");
    struct question *question = xcalloc(1, sizeof(*question));
    *question = (struct question){.before = before, .direction = direction, .limit = limit};
    return query_start(spool, run_list, question, done, context);
}
