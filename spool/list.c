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
#include "spool/list_search.h"
#include "spool/spool_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT_MAX 1000
#define SQL_SIZE  4096
#define BINDS_MAX 40
#define STATES    (FAX_ROUTE_FAILED + 1)

#define LIST_HAS_LABEL " AND EXISTS (SELECT 1 FROM fax_label WHERE fax_label.fax = fax.id AND fax_label.label = ?)"

struct bind {
    char *text; /* NULL = number */
    int64_t number;
};

struct list {
    char sql[SQL_SIZE]; /* the conditions, later the query */
    struct bind binds[BINDS_MAX];
    int bind_count;
    int limit;
    int64_t user;
    bool sent, received; /* of a user's */
    int64_t before;      /* the cursor, INT64_MAX = none */
    char *tag;           /* for an exact look; NULL = any */
    char *label;         /* NULL = any */
    char *q;             /* NULL = no search */
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
    free(list->label);
    free(list->q);
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

static int where_direction(struct list *list, const char *word, bool marked)
{
    if (!word || !*word)
        return 0;
    if (strcmp(word, "outbound") != 0 && strcmp(word, "inbound") != 0)
        return err_set(ERR_INVALID, "direction: outbound or inbound");
    /* Not bound: the planner has to see that an index of received faxes holds all that are wanted. The plus keeps it
     * from the index of all of a direction where a mark, which few have, is asked for. */
    add(list, marked ? " AND +direction = " : " AND direction = ");
    add(list, *word == 'i' ? "1" : "0");
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

static int read_cursor(struct list *list, const char *cursor)
{
    list->before = INT64_MAX;
    if (!cursor || !*cursor)
        return 0;
    if (str_to_int(&list->before, cursor, 1, INT64_MAX))
        return err_set(ERR_INVALID, "cursor: not one of ours");
    return 0;
}

/* A mark that few have; it leads to them by its own index, and nothing else is to lead elsewhere. */
static bool is_marked(const struct list_query *query)
{
    return query->unread == LIST_YES || query->junk == LIST_YES || query->assigned > 0 || query->user > 0 ||
           query->batch > 0 || (query->label && *query->label);
}

static void where_marks(struct list *list, const struct list_query *query)
{
    static const char *const unread[] = {"", " AND unread = 1", " AND direction = 1 AND unread = 0",
                                         " AND +direction = 1 AND unread = 0"};
    static const char *const junk[] = {"", " AND junk = 1", " AND direction = 1 AND junk = 0",
                                       " AND +direction = 1 AND +junk = 0"};
    static const char *const assigned[] = {"", " AND assigned > 0", " AND direction = 1 AND assigned = 0",
                                           " AND +direction = 1 AND +assigned = 0"};
    bool marked = is_marked(query);
    add(list, unread[query->unread + (marked && query->unread == LIST_NO)]);
    add(list, junk[query->junk + (marked && query->junk == LIST_NO)]);
    add(list, assigned[query->has_assignee + (marked && query->has_assignee == LIST_NO)]);
    if (query->assigned > 0)
        where_number(list, " AND assigned > 0 AND assigned = ?", query->assigned);
    if (query->label && *query->label)
        list->label = xstrdup(query->label);
}

static int where_words(struct list *list, const struct list_query *query)
{
    int error = where_direction(list, query->direction, is_marked(query));
    if (!error)
        error = where_status(list, query->status);
    if (!error)
        error = where_error(list, query->error);
    if (!error)
        error = where_tag(list, query->tag);
    return error ? error : read_cursor(list, query->cursor);
}

/* Which of one's own faxes can be meant: those sent, those received and one's to see to, or both. */
static void choose_legs(struct list *list, const struct list_query *query)
{
    bool received = query->unread || query->junk || query->has_assignee || query->assigned || list->label;
    bool inbound = query->direction && *query->direction == 'i',
         outbound = query->direction && *query->direction == 'o';
    list->sent = !received && !inbound;
    list->received = !outbound || received;
}

static int where_all(struct list *list, const struct list_query *query)
{
    int error = where_words(list, query);
    where_marks(list, query);
    where_text(list, " AND destination = ?", query->to);
    where_text(list, " AND sender = ?", query->from);
    /* The second condition lets the planner see that the index, which leaves out empty ones, will do. */
    where_text(list, " AND client_reference <> '' AND client_reference = ?", query->client_reference);
    if (query->created_gte > 0)
        where_number(list, " AND created_at >= ?", query->created_gte);
    if (query->created_lt > 0)
        where_number(list, " AND created_at < ?", query->created_lt);
    if (query->batch > 0)
        where_number(list, " AND batch > 0 AND batch = ?", query->batch);
    if (query->owner > 0)
        where_number(list, " AND owner = ?", query->owner);
    list->user = query->user;
    choose_legs(list, query);
    if (query->q && *query->q)
        list->q = list_search_text(query->q);
    return error;
}

/* One leg of the query: binds as those of the conditions, between those of its own. */
static void begin_leg(struct list *leg, const char *head, int64_t number)
{
    add(leg, head);
    if (number > 0)
        leg->binds[leg->bind_count++] = (struct bind){.number = number};
}

static void end_leg(struct list *leg, const struct list *conditions)
{
    add(leg, conditions->sql);
    for (int i = 0; i < conditions->bind_count; i++) {
        const struct bind *bind = &conditions->binds[i];
        leg->binds[leg->bind_count++] =
            (struct bind){.text = bind->text ? xstrdup(bind->text) : NULL, .number = bind->number};
    }
    if (conditions->before < INT64_MAX)
        where_number(leg, " AND fax.id < ?", conditions->before);
}

#define SELECT_FAX "SELECT " FAX_COLUMNS " FROM fax WHERE "

/* Own faxes, and those that are one's own to see to: two legs that are each in order, so that the store merges them as
 * they come instead of sorting them all. */
static void compose_own(struct list *whole, const struct list *conditions)
{
    if (conditions->sent) {
        begin_leg(whole, SELECT_FAX "user_id > 0 AND user_id = ?", conditions->user);
        end_leg(whole, conditions);
    }
    if (conditions->sent && conditions->received)
        add(whole, " UNION ALL ");
    if (conditions->received) {
        begin_leg(whole, SELECT_FAX "assigned > 0 AND assigned = ?", conditions->user);
        where_number(whole, " AND +user_id <> ?", conditions->user);
        where_text(whole, LIST_HAS_LABEL, conditions->label);
        end_leg(whole, conditions);
    }
    add(whole, " ORDER BY id DESC");
}

/* By a label: from the table of labels, which has the faxes of each in order. */
static void compose_label(struct list *whole, const struct list *conditions)
{
    where_text(whole,
               "SELECT " FAX_COLUMNS " FROM fax_label CROSS JOIN fax WHERE fax.id = fax_label.fax"
               " AND fax_label.label = ?",
               conditions->label);
    end_leg(whole, conditions);
    add(whole, " ORDER BY fax_label.fax DESC");
}

static void compose_plain(struct list *whole, const struct list *conditions)
{
    begin_leg(whole, SELECT_FAX "1 = 1", 0);
    where_text(whole, LIST_HAS_LABEL, conditions->label);
    end_leg(whole, conditions);
    add(whole, " ORDER BY id DESC");
}

/* A search looks at few rows, which the conditions then only have to sort out. */
static void restrict_search(struct list *list)
{
    where_text(list, LIST_HAS_LABEL, list->label);
    if (list->user > 0) {
        where_number(list, " AND (user_id = ?", list->user);
        where_number(list, " OR assigned = ?)", list->user);
    }
}

static int make_query(struct list *list, const struct list_query *query)
{
    struct list *conditions;
    if (query->limit < 1 || query->limit > LIMIT_MAX)
        return err_set(ERR_INVALID, "limit: 1 to %d", LIMIT_MAX);
    list->limit = query->limit;
    int error = where_all(list, query);
    if (error)
        return error;
    if (list->q) {
        restrict_search(list);
        return 0;
    }
    conditions = xcalloc(1, sizeof(*conditions));
    *conditions = *list;
    list->sql[0] = '\0';
    list->bind_count = 0;
    memset(list->binds, 0, sizeof(list->binds));
    if (list->user > 0)
        compose_own(list, conditions);
    else if (list->label && query->unread != LIST_YES) /* fewer are unread */
        compose_label(list, conditions);
    else
        compose_plain(list, conditions);
    for (int i = 0; i < conditions->bind_count; i++)
        free(conditions->binds[i].text);
    free(conditions);
    return 0;
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

/* The page as far as it goes. `*last` = the row that it ends with. */
static int read_rows(json_t *data, int64_t *last, const struct list *list, struct stmt *stmt)
{
    struct fax fax;
    int error;
    while ((error = stmt_step(stmt)) == 1) {
        if (list->tag && !has_tag(stmt_text(stmt, "tags"), list->tag))
            continue;
        if (json_array_size(data) == (size_t)list->limit)
            break;
        fax_row_read(&fax, stmt);
        *last = fax.id;
        json_array_append_new(data, fax_json(&fax));
        fax_clear(&fax);
    }
    return error;
}

static void make_page(struct list *list, json_t *data, bool more, int64_t next)
{
    list->page = json_pack("{s:O, s:b, s:o}", "data", data, "has_more", more, "next_cursor",
                           more ? json_sprintf("%lld", (long long)next) : json_null());
}

static void bind_all(const struct list *list, struct stmt *stmt)
{
    for (int i = 0; i < list->bind_count; i++)
        if (list->binds[i].text)
            stmt_bind_text(stmt, list->binds[i].text);
        else
            stmt_bind_int(stmt, list->binds[i].number);
}

static int read_list(struct list *list, struct db *db)
{
    struct stmt *stmt;
    int64_t last = 0;
    int error = stmt_open_once(&stmt, db, list->sql);
    if (error)
        return error;
    bind_all(list, stmt);
    json_t *data = json_array();
    error = read_rows(data, &last, list, stmt);
    stmt_close(stmt);
    if (error >= 0)
        make_page(list, data, error == 1, last);
    json_decref(data);
    return error < 0 ? error : 0;
}

/* ---- a search, on the reader thread ---- */

/* The faxes among `ids` (or, without any, whose number is at least `from`) that the conditions let through. */
static int read_found(json_t *data, int64_t *last, struct list *list, struct db *db, const struct list_found *found,
                      int64_t from)
{
    struct stmt *stmt;
    char *ids = found ? list_search_ids(found) : xasprintf("fax.id >= %lld AND " LIST_SEARCH, (long long)from);
    char *sql = xasprintf("%s%s%s AND fax.id < ? ORDER BY id DESC", SELECT_FAX, ids, list->sql);
    int error = stmt_open_once(&stmt, db, sql);
    if (!error) {
        char *bounds[LIST_SEARCH_BINDS];
        list_search_bounds(bounds, list->q);
        for (int i = 0; i < LIST_SEARCH_BINDS && !found; i++)
            stmt_bind_text(stmt, bounds[i]);
        bind_all(list, stmt);
        stmt_bind_int(stmt, list->before);
        error = read_rows(data, last, list, stmt);
        stmt_close(stmt);
        list_search_bounds_free(bounds);
    }
    free(sql);
    free(ids);
    return error;
}

/* Few begin so: all of them were found, and are looked at newest first, some at a time. */
static int read_few(json_t *data, int64_t *last, struct list *list, struct db *db, const struct list_found *found)
{
    int error = 0;
    for (int at = 0; at < found->count && error == 0; at += LIST_SEARCH_STEP) {
        int count = found->count - at < LIST_SEARCH_STEP ? found->count - at : LIST_SEARCH_STEP;
        struct list_found some = {.ids = found->ids + at, .count = count};
        error = read_found(data, last, list, db, &some, 0);
    }
    return error;
}

/* Many begin so: the newest rows are gone through, so many and no more, which as a rule fills the page. */
static int read_many(json_t *data, int64_t *last, struct list *list, struct db *db)
{
    int64_t top = 0, from;
    int error = list_search_newest(&top, db);
    if (error)
        return error;
    if (list->before > top)
        list->before = top + 1;
    from = list->before > LIST_SEARCH_ROWS ? list->before - LIST_SEARCH_ROWS : 1;
    error = read_found(data, last, list, db, NULL, from);
    if (error == 0 && from > 1) {
        *last = from;
        return 1;
    }
    return error;
}

static int read_search(struct list *list, struct db *db)
{
    struct list_found found = {0};
    int64_t last = 0;
    json_t *data = json_array();
    int error = list_search(&found, db, list->q, list->before);
    if (!error)
        error = found.too_many ? read_many(data, &last, list, db) : read_few(data, &last, list, db, &found);
    if (error >= 0)
        make_page(list, data, error == 1, last);
    free(found.ids);
    json_decref(data);
    return error < 0 ? error : 0;
}

static void run(void *context, struct db *db)
{
    struct list *list = context;
    list->error = list->q ? read_search(list, db) : read_list(list, db);
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
