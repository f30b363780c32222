/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages of the audit log. A cursor is time and number of the entry that the last page ended with: entries are in the
 * order of their times, and those of one millisecond in that of their numbers.
 */
#include "spool/audit_list.h"

#include "db/reader.h"
#include "db/stmt.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "spool/audit.h"
#include "spool/nullable.h"
#include "spool/spool_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SQL_SIZE    1024
#define ACTOR_SIZE  64
#define CURSOR_SIZE 48
#define SERVER      "server"

struct audit_list {
    char sql[SQL_SIZE];
    char actor[ACTOR_SIZE], action[AUDIT_ACTION_MAX + 1], object[AUDIT_OBJECT_MAX + 1]; /* "" = any */
    size_t action_prefix; /* of an action that ends with *, how much of it counts; 0 = all */
    int64_t from_ms, to_ms, before_ms, before;
    int limit;
    void (*done)(void *context, int error, json_t *page);
    void *context;
    /* the result */
    json_t *page;
    int error;
    char *message;
};

static void list_free(struct audit_list *list)
{
    free(list->message);
    json_decref(list->page);
    free(list);
}

/* ---- the query ---- */

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

/* The filter that leaves the fewest rows has the index. */
static const char *narrow(const struct audit_list *list)
{
    if (list->object[0])
        return " object <> '' AND object = ?";
    if (list->actor[0])
        return " actor = ?";
    if (list->action[0] && list->action_prefix == 0)
        return " action = ?";
    return NULL;
}

/* Entries of the server have no id, as those of strangers. */
static const char *narrowed_by(const struct audit_list *list)
{
    if (list->object[0])
        return list->object;
    if (list->actor[0])
        return strcmp(list->actor, SERVER) == 0 ? "" : list->actor;
    return list->action;
}

static int make_query(struct audit_list *list, const struct audit_query *query)
{
    const char *narrowed;
    if (query->limit < 1 || query->limit > AUDIT_LIST_MAX)
        return err_set(ERR_INVALID, "limit: 1 to %d", AUDIT_LIST_MAX);
    list->limit = query->limit;
    list->from_ms = query->from_ms;
    list->to_ms = query->to_ms;
    int error = take_text(list->actor, sizeof(list->actor), query->actor, "actor");
    if (!error)
        error = take_action(list, query->action);
    if (!error)
        error = take_text(list->object, sizeof(list->object), query->object, "object");
    if (!error)
        error = take_cursor(list, query->cursor);
    narrowed = narrow(list);
    snprintf(list->sql, sizeof(list->sql),
             "SELECT sequence, at, actor_kind, actor, actor_name, address, action, object, detail, hash,"
             " (SELECT p.hash FROM audit p WHERE p.sequence = audit.sequence - 1) AS previous"
             " FROM audit WHERE%s%s (at, sequence) < (?, ?) AND at >= ? ORDER BY at DESC, sequence DESC",
             narrowed ? narrowed : "", narrowed ? " AND" : "");
    return error;
}

/* ---- on the reader thread ---- */

static const char *of_actor(struct stmt *stmt)
{
    return stmt_int(stmt, "actor_kind") == AUDIT_SERVER ? SERVER : stmt_text(stmt, "actor");
}

static bool is_wanted(const struct audit_list *list, struct stmt *stmt)
{
    const char *action = stmt_text(stmt, "action");
    if (list->actor[0] && strcmp(of_actor(stmt), list->actor) != 0)
        return false;
    if (list->action_prefix)
        return strncmp(action, list->action, list->action_prefix) == 0;
    return !list->action[0] || strcmp(action, list->action) == 0;
}

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

static int read_page(struct audit_list *list, struct stmt *stmt)
{
    json_t *data = json_array();
    int64_t at_ms = 0, sequence = 0;
    int error = 0, looked = 0;
    while (json_array_size(data) < (size_t)list->limit && looked < AUDIT_LIST_LOOKED &&
           (error = stmt_step(stmt)) == 1) {
        looked++;
        at_ms = stmt_int(stmt, "at");
        sequence = stmt_int(stmt, "sequence");
        if (is_wanted(list, stmt))
            json_array_append_new(data, entry_json(stmt));
    }
    if (error == 1)
        error = stmt_step(stmt); /* is there another? */
    if (error < 0) {
        json_decref(data);
        return error;
    }
    list->page = json_pack("{s:o, s:b, s:o}", "data", data, "has_more", error == 1, "next_cursor",
                           error == 1 ? json_sprintf("%" PRId64 "-%" PRId64, at_ms, sequence) : json_null());
    return 0;
}

static void run(void *context, struct db *db)
{
    struct audit_list *list = context;
    struct stmt *stmt;
    list->error = stmt_open_once(&stmt, db, list->sql);
    if (!list->error) {
        if (narrow(list))
            stmt_bind_text(stmt, narrowed_by(list));
        stmt_bind_int(stmt, list->before_ms);
        stmt_bind_int(stmt, list->before);
        stmt_bind_int(stmt, list->from_ms);
        list->error = read_page(list, stmt);
        stmt_close(stmt);
    }
    if (list->error)
        list->message = xstrdup(err_message()); /* the message is this thread's */
}

static void finished(void *context, int error)
{
    struct audit_list *list = context;
    if (!error && list->error)
        error = err_set(list->error, "%s", list->message);
    list->done(list->context, error, error ? NULL : list->page);
    list_free(list);
}

int audit_list_start(struct spool *spool, const struct audit_query *query,
                     void (*done)(void *context, int error, json_t *page), void *context)
{
    spool_assert_loop(spool);
    struct audit_list *list = xcalloc(1, sizeof(*list));
    list->done = done;
    list->context = context;
    int error = make_query(list, query);
    if (!error)
        error = reader_post(spool->reader, run, finished, list);
    if (error)
        list_free(list);
    return error;
}
