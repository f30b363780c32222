/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages of the audit log. A cursor is time and number of the entry that the last page ended with: entries are in the
 * order of their times, and those of one millisecond in that of their numbers.
 *
 * Entries are found in one or several indices that are in this order, one for each action that is wanted, which the
 * store merges as they come; then each entry of the page is read.
 */
#include "config.h" /* open_memstream */

#include "spool/audit_list.h"

#include "db/stmt.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "spool/audit.h"
#include "spool/nullable.h"
#include "spool/query.h"
#include "spool/spool.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACTOR_SIZE  64
#define CURSOR_SIZE 48
#define ACTIONS_MAX 128 /* the program knows fewer */
#define SERVER      "server"

struct audit_list {
    char actor[ACTOR_SIZE], action[AUDIT_ACTION_MAX + 1], object[AUDIT_OBJECT_MAX + 1]; /* "" = any */
    size_t action_prefix; /* of an action that ends with *, how much of it counts; 0 = all */
    int64_t from_ms, to_ms, before_ms, before;
    int limit;
    void (*write)(FILE *out, const json_t *data);
    /* as it goes, on the reader thread */
    char *actions[ACTIONS_MAX];
    int action_count;
    int64_t *found; /* numbers of the entries of the page */
    int found_count, looked;
    int64_t last_ms, last; /* entry that was looked at last */
    bool more;
};

/* ---- what is asked for ---- */

static int take_text(char *to, size_t size, const char *text, const char *name)
{
    if (str_copy(to, size, text))
        return 0;
    return err_set(ERR_INVALID, "%s: at most %zu octets", name, size - 1);
}

static int take_action(struct audit_list *list, const char *action)
{
    int error = take_text(list->action, sizeof(list->action), action, "action");
    size_t length = strlen(list->action);
    if (!error && length > 0 && list->action[length - 1] == '*') {
        list->action_prefix = length - 1;
        if (list->action_prefix == 0)
            list->action[0] = '\0';
    }
    return error;
}

static int take_cursor(struct audit_list *list, const char *cursor)
{
    char at[CURSOR_SIZE];
    const char *dash = cursor ? strchr(cursor, '-') : NULL;
    list->before_ms = list->to_ms > 0 ? list->to_ms : CLOCK_LAST_MS;
    list->before = 0; /* nothing of that millisecond */
    if (!cursor || !*cursor)
        return 0;
    if (!dash || (size_t)(dash - cursor) >= sizeof(at))
        return err_set(ERR_INVALID, "cursor: not one of ours");
    snprintf(at, sizeof(at), "%.*s", (int)(dash - cursor), cursor);
    if (str_to_int(&list->before_ms, at, 0, CLOCK_LAST_MS) || str_to_int(&list->before, dash + 1, 1, INT64_MAX))
        return err_set(ERR_INVALID, "cursor: not one of ours");
    return 0;
}

static int make(struct audit_list *list, const struct audit_query *query)
{
    if (query->limit < 1 || query->limit > AUDIT_LIST_MAX)
        return err_set(ERR_INVALID, "limit: 1 to %d", AUDIT_LIST_MAX);
    list->limit = query->limit;
    list->from_ms = query->from_ms;
    list->to_ms = query->to_ms;
    list->write = query->write;
    int error = take_text(list->actor, sizeof(list->actor), query->actor, "actor");
    if (!error)
        error = take_action(list, query->action);
    if (!error)
        error = take_text(list->object, sizeof(list->object), query->object, "object");
    return error ? error : take_cursor(list, query->cursor);
}

/* ---- the actions that are wanted, on the reader thread ---- */

static bool is_action(const struct audit_list *list, const char *action)
{
    if (list->action_prefix)
        return strncmp(action, list->action, list->action_prefix) == 0;
    return !list->action[0] || strcmp(action, list->action) == 0;
}

/* From one to the next in the index, however many entries each has. */
static int next_action(struct audit_list *list, struct db *db, const char *after)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, db, "SELECT action FROM audit WHERE action > ? ORDER BY action LIMIT 1");
    if (error)
        return error;
    stmt_bind_text(stmt, after);
    error = stmt_step(stmt);
    bool wanted = error == 1 && is_action(list, stmt_text(stmt, "action"));
    if (wanted)
        list->actions[list->action_count++] = xstrdup(stmt_text(stmt, "action"));
    stmt_close(stmt);
    return error < 0 ? error : wanted;
}

static int find_actions(struct audit_list *list, struct db *db)
{
    char before[AUDIT_ACTION_MAX + 1];
    int more = 1;
    snprintf(before, sizeof(before), "%.*s", (int)list->action_prefix, list->action);
    while (more == 1 && list->action_count < ACTIONS_MAX)
        more = next_action(list, db, list->action_count ? list->actions[list->action_count - 1] : before);
    return more < 0 ? more : 0;
}

/* ---- the entries ---- */

/* Entries of the server have no id, as those of strangers. */
static const char *stored_actor(const struct audit_list *list)
{
    return strcmp(list->actor, SERVER) == 0 ? "" : list->actor;
}

/* The filter that leaves the fewest entries leads to them. */
static const char *lead_of(const struct audit_list *list)
{
    if (list->object[0])
        return "object <> '' AND object = ?";
    if (list->actor[0])
        return list->action[0] ? "actor = ? AND action = ?" : "actor = ?";
    return list->action[0] ? "action = ?" : NULL;
}

static bool by_action(const struct audit_list *list)
{
    return list->action[0] && !list->object[0];
}

static char *sql_of(const struct audit_list *list)
{
    const char *lead = lead_of(list);
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    for (int i = 0; i < (by_action(list) ? list->action_count : 1); i++)
        fprintf(out,
                "%sSELECT sequence, at, actor_kind, actor, action FROM audit WHERE %s%s (at, sequence) < (?, ?)"
                " AND at >= ?",
                i ? " UNION ALL " : "", lead ? lead : "", lead ? " AND" : "");
    fputs(" ORDER BY at DESC, sequence DESC", out);
    fclose(out);
    return text;
}

static void bind_one(const struct audit_list *list, const char *action, struct stmt *stmt)
{
    if (list->object[0])
        stmt_bind_text(stmt, list->object);
    else if (list->actor[0])
        stmt_bind_text(stmt, stored_actor(list));
    if (action)
        stmt_bind_text(stmt, action);
    stmt_bind_int(stmt, list->before_ms);
    stmt_bind_int(stmt, list->before);
    stmt_bind_int(stmt, list->from_ms);
}

static void bind_all(const struct audit_list *list, struct stmt *stmt)
{
    if (!by_action(list))
        bind_one(list, NULL, stmt);
    for (int i = 0; i < list->action_count && by_action(list); i++)
        bind_one(list, list->actions[i], stmt);
}

static bool is_wanted(const struct audit_list *list, struct stmt *stmt)
{
    bool server = stmt_int(stmt, "actor_kind") == AUDIT_SERVER;
    const char *actor = server ? SERVER : stmt_text(stmt, "actor");
    return (!list->actor[0] || strcmp(actor, list->actor) == 0) && is_action(list, stmt_text(stmt, "action"));
}

static int go_through(struct audit_list *list, struct stmt *stmt)
{
    int error;
    while ((error = stmt_step(stmt)) == 1) {
        if (list->found_count == list->limit || list->looked == AUDIT_LIST_LOOKED) {
            list->more = true;
            return 0;
        }
        list->looked++;
        list->last_ms = stmt_int(stmt, "at");
        list->last = stmt_int(stmt, "sequence");
        if (is_wanted(list, stmt))
            list->found[list->found_count++] = list->last;
    }
    return error;
}

static int find(struct audit_list *list, struct db *db)
{
    struct stmt *stmt = NULL;
    int error = list->action_prefix ? find_actions(list, db) : 0;
    if (list->action[0] && !list->action_prefix)
        list->actions[list->action_count++] = xstrdup(list->action);
    if (error || (by_action(list) && list->action_count == 0))
        return error;
    char *sql = sql_of(list);
    error = sql ? stmt_open_once(&stmt, db, sql) : err_set(ERR_INTERNAL, "no memory for a list");
    if (!error) {
        bind_all(list, stmt);
        error = go_through(list, stmt);
    }
    stmt_close(stmt);
    free(sql);
    return error;
}

/* ---- the page ---- */

static json_t *text_or_empty(const char *text)
{
    json_t *value = json_string(text);
    return value ? value : json_string("");
}

static json_t *entry_json(struct stmt *stmt)
{
    char time[CLOCK_TEXT_SIZE];
    json_t *detail = json_loads(stmt_text(stmt, "detail"), 0, NULL);
    json_t *actor =
        json_pack("{s:s, s:o, s:o}", "kind", audit_actor_name((enum audit_actor)stmt_int(stmt, "actor_kind")), "id",
                  nullable_text(stmt_text(stmt, "actor")), "name", nullable_text(stmt_text(stmt, "actor_name")));
    return json_pack("{s:I, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "sequence",
                     (json_int_t)stmt_int(stmt, "sequence"), "at", clock_format(time, stmt_int(stmt, "at")), "actor",
                     actor, "address", nullable_text(stmt_text(stmt, "address")), "action",
                     text_or_empty(stmt_text(stmt, "action")), "object", nullable_text(stmt_text(stmt, "object")),
                     "detail", json_is_object(detail) ? detail : json_object(), "hash",
                     text_or_empty(stmt_text(stmt, "hash")), "previous", nullable_text(stmt_text(stmt, "previous")));
}

static int read_entry(json_t *data, struct db *db, int64_t sequence)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, db,
                          "SELECT sequence, at, actor_kind, actor, actor_name, address, action, object, detail, hash,"
                          " (SELECT p.hash FROM audit p WHERE p.sequence = audit.sequence - 1) AS previous"
                          " FROM audit WHERE sequence = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, sequence);
    error = stmt_step(stmt);
    if (error == 1)
        json_array_append_new(data, entry_json(stmt));
    stmt_close(stmt);
    return error < 0 ? error : 0;
}

static int run(json_t **answer, void *question, struct db *db)
{
    struct audit_list *list = question;
    json_t *data = json_array(), *next = NULL;
    list->found = xcalloc((size_t)list->limit, sizeof(*list->found));
    int error = find(list, db);
    for (int i = 0; i < list->found_count && !error; i++)
        error = read_entry(data, db, list->found[i]);
    if (list->more)
        next = json_sprintf("%" PRId64 "-%" PRId64, list->last_ms, list->last);
    if (!error)
        *answer = list->write ? query_page_written(data, list->more, next, list->write)
                              : query_page_text(data, list->more, next);
    else
        json_decref(data);
    if (error)
        json_decref(next);
    for (int i = 0; i < list->action_count; i++)
        free(list->actions[i]);
    free(list->found);
    return error;
}

int audit_list_start(struct spool *spool, const struct audit_query *query,
                     void (*done)(void *context, int error, json_t *page), void *context)
{
    struct audit_list *list = xcalloc(1, sizeof(*list));
    int error = make(list, query);
    if (!error)
        return query_start(spool, run, list, done, context);
    free(list);
    return error;
}
