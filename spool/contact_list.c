/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A search is a range of an index, one after the other for name, organization and number; a cursor says in which of
 * them the last page ended, and at which keys. What an earlier range has shown is left out of the later ones.
 */
#include "config.h"

#include "spool/contact_list.h"

#include "db/stmt.h"
#include "server/base/csv.h"
#include "server/base/err.h"
#include "server/base/fold.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "spool/contact.h"
#include "spool/contact_group.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_SIZE    CONTACT_NAME_SIZE
#define CURSOR_SIZE (4 * KEY_SIZE + 32)

enum phase { BY_NAME, BY_ORGANIZATION, BY_NUMBER, BY_MEMBER, PHASES };

static const char phase_letters[PHASES] = {'n', 'o', 'p', 'm'};

struct question {
    enum phase phase;
    int64_t group;
    int limit;
    bool search;                                    /* there is a q */
    char from[KEY_SIZE], to[KEY_SIZE + 8];          /* range of q, folded */
    char digits[NUMBER_SIZE], digits_end[KEY_SIZE]; /* the same as a number, "" = it is none */
    char key[KEY_SIZE], second[KEY_SIZE];           /* where the last page ended */
    int64_t id;
};

/* ---- cursors ---- */

static json_t *make_cursor(enum phase phase, int64_t id, const char *key, const char *second)
{
    char hex[2 * KEY_SIZE + 1], second_hex[2 * KEY_SIZE + 1];
    return json_sprintf("%c%lld.%s.%s", phase_letters[phase], (long long)id, str_hex(hex, key, strlen(key)),
                        str_hex(second_hex, second, strlen(second)));
}

static int read_key(char key[KEY_SIZE], const char *text, size_t length)
{
    size_t size = 0;
    const char *end = text;
    if (sodium_hex2bin((unsigned char *)key, KEY_SIZE - 1, text, length, NULL, &size, &end) != 0 ||
        end != text + length || memchr(key, '\0', size) || !str_is_utf8(key, size))
        return ERR_INVALID;
    key[size] = '\0';
    return 0;
}

static int read_cursor(struct question *question, const char *cursor)
{
    char number[24];
    const char *dot = strchr(cursor, '.'), *second = dot ? strchr(dot + 1, '.') : NULL;
    const char *letter = *cursor ? memchr(phase_letters, *cursor, PHASES) : NULL;
    if (!letter || !second || dot - cursor > 20)
        return err_set(ERR_INVALID, "cursor: not one of ours");
    question->phase = (enum phase)(letter - phase_letters);
    snprintf(number, sizeof(number), "%.*s", (int)(dot - cursor - 1), cursor + 1);
    if (str_to_int(&question->id, number, 0, INT64_MAX) || (question->phase == BY_MEMBER) != (question->group != 0) ||
        read_key(question->key, dot + 1, (size_t)(second - dot - 1)) ||
        read_key(question->second, second + 1, strlen(second + 1)))
        return err_set(ERR_INVALID, "cursor: not one of ours");
    return 0;
}

/* ---- the question ---- */

static void set_range(struct question *question, const char *q)
{
    fold_text(question->from, sizeof(question->from), q ? q : "");
    fold_range_end(question->to, sizeof(question->to), question->from);
    question->search = *question->from != '\0';
    if (question->search && number_normalise(question->digits, q) == 0)
        fold_range_end(question->digits_end, sizeof(question->digits_end), question->digits);
    else
        question->digits[0] = '\0';
}

static int make_question(struct question **out, const struct contact_query *query)
{
    struct question *question = xcalloc(1, sizeof(*question));
    int error = 0;
    question->group = query->group;
    question->limit = query->limit;
    question->phase = query->group ? BY_MEMBER : BY_NAME;
    set_range(question, query->q);
    if (query->limit < 1 || query->limit > QUERY_LIMIT_MAX)
        error = err_set(ERR_INVALID, "limit: 1 to %d", QUERY_LIMIT_MAX);
    else if (query->cursor && *query->cursor)
        error = read_cursor(question, query->cursor);
    if (error)
        free(question);
    else
        *out = question;
    return error;
}

/* ---- on the reader thread ---- */

#define SELECT    "SELECT " CONTACT_COLUMNS " FROM contact WHERE "
#define IN_NAME   "(name_key >= ? AND name_key < ?)"
#define IN_ORG    "(organization_key <> '' AND organization_key >= ? AND organization_key < ?)"
#define IN_NUMBER "(number >= ? AND number < ?)"

static const char *const statements[PHASES] = {
    [BY_NAME] = SELECT IN_NAME " AND (name_key, id) > (?, ?) ORDER BY name_key, id",
    [BY_ORGANIZATION] =
        SELECT IN_ORG " AND (organization_key, id) > (?, ?) AND NOT " IN_NAME " ORDER BY organization_key, id",
    [BY_NUMBER] = SELECT IN_NUMBER " AND (number, name_key, id) > (?, ?, ?) AND NOT " IN_NAME " AND NOT " IN_ORG
                                   " ORDER BY number, name_key, id",
    [BY_MEMBER] = SELECT "id IN (SELECT contact FROM contact_member WHERE contact_group = ? AND contact > ?)"
                         " AND (" IN_NAME " OR " IN_ORG " OR " IN_NUMBER ") ORDER BY id",
};

static void bind_range(struct stmt *stmt, const char *from, const char *to)
{
    stmt_bind_text(stmt, from);
    stmt_bind_text(stmt, to);
}

static void bind_digits(struct stmt *stmt, const struct question *question, const char *from)
{
    /* Nothing is below "". */
    bind_range(stmt, from, question->digits[0] ? question->digits_end : "");
}

/* A page after the first begins its range where the last one ended: what comes before is not looked at again. */
static void bind_keys(struct stmt *stmt, const struct question *question, const char *key, const char *second,
                      int64_t id)
{
    switch (question->phase) {
    case BY_NAME:
        bind_range(stmt, *key ? key : question->from, question->to);
        stmt_bind_text(stmt, key);
        stmt_bind_int(stmt, id);
        break;
    case BY_ORGANIZATION:
        bind_range(stmt, *key ? key : question->from, question->to);
        stmt_bind_text(stmt, key);
        stmt_bind_int(stmt, id);
        bind_range(stmt, question->from, question->to);
        break;
    case BY_NUMBER:
        bind_digits(stmt, question, *key ? key : question->digits);
        stmt_bind_text(stmt, key);
        stmt_bind_text(stmt, second);
        stmt_bind_int(stmt, id);
        bind_range(stmt, question->from, question->to);
        bind_range(stmt, question->from, question->to);
        break;
    case BY_MEMBER:
        stmt_bind_int(stmt, question->group);
        stmt_bind_int(stmt, id);
        bind_range(stmt, question->from, question->to);
        bind_range(stmt, question->from, question->to);
        bind_digits(stmt, question, question->digits);
        break;
    case PHASES:
        break;
    }
}

/* Without a q the names are all there is to look at. */
static bool has_next(const struct question *question)
{
    return question->search && question->phase < BY_NUMBER;
}

/* `take` is given row by row until it returns false. */
static int walk(struct question *question, struct db *db, bool (*take)(void *context, struct stmt *stmt), void *context)
{
    struct stmt *stmt;
    bool more = true;
    int error;
    for (;;) {
        error = stmt_open(&stmt, db, statements[question->phase]);
        if (error)
            return error;
        bind_keys(stmt, question, question->key, question->second, question->id);
        while ((error = stmt_step(stmt)) == 1 && more)
            more = take(context, stmt);
        stmt_close(stmt);
        if (error < 0 || !more || !has_next(question))
            return error < 0 ? error : 0;
        question->phase++;
        question->key[0] = question->second[0] = '\0';
        question->id = 0;
    }
}

struct page {
    struct question *question;
    struct db *db;
    json_t *data, *last;
    bool more;
};

static json_t *cursor_at(enum phase phase, const struct contact *contact, struct stmt *stmt)
{
    switch (phase) {
    case BY_ORGANIZATION:
        return make_cursor(phase, contact->id, stmt_text(stmt, "organization_key"), "");
    case BY_NUMBER:
        return make_cursor(phase, contact->id, contact->number, stmt_text(stmt, "name_key"));
    case BY_MEMBER:
        return make_cursor(phase, contact->id, "", "");
    case BY_NAME:
    case PHASES:
        break;
    }
    return make_cursor(BY_NAME, contact->id, stmt_text(stmt, "name_key"), "");
}

static bool take_object(void *context, struct stmt *stmt)
{
    struct page *page = context;
    struct contact contact;
    if (json_array_size(page->data) == (size_t)page->question->limit) {
        page->more = true;
        return false;
    }
    contact_read(&contact, stmt);
    json_decref(page->last);
    page->last = cursor_at(page->question->phase, &contact, stmt);
    json_array_append_new(page->data, contact_json(&contact, contact_group_ids(page->db, contact.id)));
    return true;
}

static int run_list(json_t **answer, void *context, struct db *db)
{
    struct page page = {.question = context, .db = db, .data = json_array()};
    int error = walk(context, db, take_object, &page);
    if (!error)
        *answer = query_page_text(json_incref(page.data), page.more, page.more ? json_incref(page.last) : NULL);
    json_decref(page.data);
    json_decref(page.last);
    return error;
}

/* ---- as a file ---- */

struct export
{
    FILE *out;
    struct db *db;
};

static char *names_of(struct db *db, int64_t contact)
{
    json_t *names = contact_group_names(db, contact), *name;
    char *text = xstrdup("");
    size_t i;
    json_array_foreach(names, i, name)
    {
        char *longer = xasprintf("%s%s%s", text, i ? ";" : "", json_string_value(name));
        free(text);
        text = longer;
    }
    json_decref(names);
    return text;
}

static bool take_line(void *context, struct stmt *stmt)
{
    struct export *export = context;
    struct contact contact;
    contact_read(&contact, stmt);
    char *groups = names_of(export->db, contact.id);
    const char *const cells[] = {contact.name,  contact.organization, contact.number,
                                 contact.email, contact.notes,        groups};
    csv_write(export->out, cells, 6);
    free(groups);
    return !ferror(export->out);
}

static int run_export(json_t **answer, void *context, struct db *db)
{
    static const char *const names[] = {"name", "organization", "number", "email", "notes", "groups"};
    char *text = NULL;
    size_t size = 0;
    struct export export = {.out = open_memstream(&text, &size), .db = db};
    if (!export.out)
        return err_set(ERR_INTERNAL, "no memory for a file");
    csv_write(export.out, names, 6);
    int error = walk(context, db, take_line, &export);
    bool failed = ferror(export.out) != 0;
    if ((fclose(export.out) != 0 || failed) && !error)
        error = err_set(ERR_INTERNAL, "no memory for a file of all contacts");
    if (!error && !(*answer = json_stringn(text, size)))
        error = err_set(ERR_INTERNAL, "a contact is not UTF-8");
    free(text);
    return error;
}

/* ---- groups ---- */

struct group_question {
    int limit;
    char after[KEY_SIZE];
};

static json_t *group_object(void *context, struct stmt *stmt)
{
    struct contact_group group;
    (void)context;
    contact_group_read(&group, stmt);
    return contact_group_json(&group);
}

static json_t *group_cursor(void *context, struct stmt *stmt)
{
    char hex[2 * KEY_SIZE + 1];
    const char *key = stmt_text(stmt, "name_key");
    (void)context;
    return json_string(str_hex(hex, key, strlen(key)));
}

static int run_groups(json_t **answer, void *context, struct db *db)
{
    const struct group_question *question = context;
    const struct query_page page = {.limit = question->limit, .object = group_object, .cursor = group_cursor};
    struct stmt *stmt;
    int error = stmt_open(
        &stmt, db, "SELECT " CONTACT_GROUP_COLUMNS " FROM contact_group WHERE name_key > ? ORDER BY name_key LIMIT ?");
    if (error)
        return error;
    stmt_bind_text(stmt, question->after);
    stmt_bind_int(stmt, question->limit + 1);
    return query_read_page(answer, &page, stmt);
}

/* ---- on the loop ---- */

int contact_list(struct spool *spool, const struct contact_query *query, query_done done, void *context)
{
    struct question *question;
    int error = make_question(&question, query);
    return error ? error : query_start(spool, run_list, question, done, context);
}

int contact_export(struct spool *spool, const struct contact_query *query, query_done done, void *context)
{
    struct contact_query all = {.limit = 1, .q = query->q, .group = query->group};
    struct question *question;
    int error = make_question(&question, &all);
    return error ? error : query_start(spool, run_export, question, done, context);
}

int contact_list_groups(struct spool *spool, const char *cursor, int limit, query_done done, void *context)
{
    struct group_question *question = xcalloc(1, sizeof(*question));
    int error = 0;
    question->limit = limit;
    if (limit < 1 || limit > QUERY_LIMIT_MAX)
        error = err_set(ERR_INVALID, "limit: 1 to %d", QUERY_LIMIT_MAX);
    else if (cursor && read_key(question->after, cursor, strlen(cursor)))
        error = err_set(ERR_INVALID, "cursor: not one of ours");
    if (!error)
        return query_start(spool, run_groups, question, done, context);
    free(question);
    return error;
}
