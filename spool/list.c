/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of faxes. The query is put together from constants on the loop, run on the reader thread's connection, where
 * the page is also made into JSON, and handed back on the loop.
 *
 * A cursor is the row that the last page ended with: rows that are added meanwhile come before it and shift nothing.
 */
#include "spool/list.h"

#include "db/reader.h"
#include "db/stmt.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "spool/fax_json.h"
#include "spool/fax_row.h"
#include "spool/spool_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT_MAX 1000
#define SQL_SIZE  2048
#define BINDS_MAX 12
#define STATES    (FAX_ROUTE_FAILED + 1)

struct bind {
    char *text; /* NULL = number */
    int64_t number;
};

struct list {
    char sql[SQL_SIZE];
    struct bind binds[BINDS_MAX];
    int bind_count;
    int limit;
    char *tag; /* JSON text of it, for an exact look; NULL = any */
    void (*done)(void *context, int error, json_t *page);
    void *context;
    /* the result */
    json_t *page;
    int error;
    char *message;
};

static void list_free(struct list *list)
{
    for (int i = 0; i < list->bind_count; i++)
        free(list->binds[i].text);
    free(list->tag);
    free(list->message);
    json_decref(list->page);
    free(list);
}

/* ---- the query ---- */

static void add(struct list *list, const char *clause)
{
    size_t length = strlen(list->sql);
    str_copy(list->sql + length, sizeof(list->sql) - length, clause);
}

static void where_text(struct list *list, const char *clause, const char *value)
{
    if (!value || !*value)
        return;
    add(list, clause);
    list->binds[list->bind_count++] = (struct bind){.text = xstrdup(value)};
}

static void where_number(struct list *list, const char *clause, int64_t value)
{
    add(list, clause);
    list->binds[list->bind_count++] = (struct bind){.number = value};
}

static int where_direction(struct list *list, const char *word)
{
    if (!word || !*word)
        return 0;
    if (strcmp(word, "outbound") != 0 && strcmp(word, "inbound") != 0)
        return err_set(ERR_INVALID, "direction: outbound or inbound");
    where_number(list, " AND direction = ?", *word == 'i' ? FAX_INBOUND : FAX_OUTBOUND);
    return 0;
}

/* Marks the states that a word shows. */
static bool mark_states(bool *wanted, const char *word, size_t length)
{
    bool known = false;
    for (int state = 1; state < STATES; state++) {
        const char *name = fax_state_name((enum fax_state)state);
        if (strlen(name) != length || strncmp(name, word, length) != 0 || strcmp(name, "unknown") == 0)
            continue;
        wanted[state] = known = true;
    }
    return known;
}

static int where_status(struct list *list, const char *words)
{
    bool wanted[STATES] = {false};
    char number[16];
    if (!words || !*words)
        return 0;
    for (const char *word = words;; word++) {
        size_t length = strcspn(word, ",");
        if (!mark_states(wanted, word, length))
            return err_set(ERR_INVALID, "status: %.*s is not known", length > 40 ? 40 : (int)length, word);
        word += length;
        if (!*word)
            break;
    }
    add(list, " AND state IN (0");
    for (int state = 1; state < STATES; state++) {
        if (!wanted[state])
            continue;
        snprintf(number, sizeof(number), ", %d", state);
        add(list, number);
    }
    add(list, ")");
    return 0;
}

static int where_error(struct list *list, const char *word)
{
    if (!word || !*word)
        return 0;
    enum fax_outcome outcome = outcome_from_code(word);
    if (outcome == OUTCOME_NONE)
        return err_set(ERR_INVALID, "error: %.40s is not known", word);
    where_number(list, " AND outcome = ?", outcome);
    return 0;
}

/* The column holds a JSON array. LIKE finds the candidates (it ignores case, and % and _ stand for anything); each is
 * looked at exactly in has_tag(). */
static int where_tag(struct list *list, const char *tag)
{
    if (!tag || !*tag)
        return 0;
    json_t *text = json_string(tag);
    if (!text)
        return err_set(ERR_INVALID, "tag: not UTF-8");
    char *quoted = json_dumps(text, JSON_ENCODE_ANY | JSON_COMPACT);
    char *pattern = xasprintf("%%%s%%", quoted);
    where_text(list, " AND tags LIKE ?", pattern);
    list->tag = xstrdup(tag);
    free(pattern);
    free(quoted);
    json_decref(text);
    return 0;
}

static int where_cursor(struct list *list, const char *cursor)
{
    int64_t before;
    if (!cursor || !*cursor)
        return 0;
    if (str_to_int(&before, cursor, 1, INT64_MAX))
        return err_set(ERR_INVALID, "cursor: not one of ours");
    where_number(list, " AND id < ?", before);
    return 0;
}

static int make_query(struct list *list, const struct list_query *query)
{
    if (query->limit < 1 || query->limit > LIMIT_MAX)
        return err_set(ERR_INVALID, "limit: 1 to %d", LIMIT_MAX);
    list->limit = query->limit;
    add(list, "SELECT " FAX_COLUMNS " FROM fax WHERE 1 = 1");
    int error = where_direction(list, query->direction);
    if (!error)
        error = where_status(list, query->status);
    if (!error)
        error = where_error(list, query->error);
    if (!error)
        error = where_tag(list, query->tag);
    if (!error)
        error = where_cursor(list, query->cursor);
    where_text(list, " AND destination = ?", query->to);
    where_text(list, " AND sender = ?", query->from);
    /* The second condition lets the planner see that the index, which leaves out empty ones, will do. */
    where_text(list, " AND client_reference <> '' AND client_reference = ?", query->client_reference);
    if (query->created_gte > 0)
        where_number(list, " AND created_at >= ?", query->created_gte);
    if (query->created_lt > 0)
        where_number(list, " AND created_at < ?", query->created_lt);
    if (query->owner > 0)
        where_number(list, " AND owner = ?", query->owner);
    /* As for the reference. */
    if (query->user > 0)
        where_number(list, " AND user_id > 0 AND user_id = ?", query->user);
    add(list, " ORDER BY id DESC");
    return error;
}

/* ---- on the reader thread ---- */

static bool has_tag(const char *tags, const char *tag)
{
    json_t *list = json_loads(tags, 0, NULL);
    bool found = false;
    for (size_t i = 0; i < json_array_size(list) && !found; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        found = text && strcmp(text, tag) == 0;
    }
    json_decref(list);
    return found;
}

static int read_page(struct list *list, struct stmt *stmt)
{
    struct fax fax;
    int64_t last = 0;
    int error;
    json_t *data = json_array();
    while ((error = stmt_step(stmt)) == 1) {
        if (list->tag && !has_tag(stmt_text(stmt, "tags"), list->tag))
            continue;
        if (json_array_size(data) == (size_t)list->limit)
            break;
        fax_row_read(&fax, stmt);
        last = fax.id;
        json_array_append_new(data, fax_json(&fax));
        fax_clear(&fax);
    }
    if (error < 0) {
        json_decref(data);
        return error;
    }
    list->page = json_pack("{s:o, s:b, s:o}", "data", data, "has_more", error == 1, "next_cursor",
                           error == 1 ? json_sprintf("%lld", (long long)last) : json_null());
    return 0;
}

static void run(void *context, struct db *db)
{
    struct list *list = context;
    struct stmt *stmt;
    list->error = stmt_open_once(&stmt, db, list->sql);
    if (!list->error) {
        for (int i = 0; i < list->bind_count; i++)
            if (list->binds[i].text)
                stmt_bind_text(stmt, list->binds[i].text);
            else
                stmt_bind_int(stmt, list->binds[i].number);
        list->error = read_page(list, stmt);
        stmt_close(stmt);
    }
    if (list->error)
        list->message = xstrdup(err_message()); /* the message is this thread's */
}

static void finished(void *context, int error)
{
    struct list *list = context;
    if (!error && list->error)
        error = err_set(list->error, "%s", list->message);
    list->done(list->context, error, error ? NULL : list->page);
    list_free(list);
}

int list_start(struct spool *spool, const struct list_query *query,
               void (*done)(void *context, int error, json_t *page), void *context)
{
    spool_assert_loop(spool);
    struct list *list = xcalloc(1, sizeof(*list));
    list->done = done;
    list->context = context;
    int error = make_query(list, query);
    if (!error)
        error = reader_post(spool->reader, run, finished, list);
    if (error)
        list_free(list);
    return error;
}
