/* SPDX-License-Identifier: GPL-2.0-or-later */
/* POST /v1/contacts/import: a file of contacts. It is read twice: to find every fault, and, when there is none, to
 * store what it says, so that 20,000 contacts need not be held in memory. */
#include "web/api.h"
#include "web/contact_body.h"
#include "web/multipart.h"
#include "web/request.h"
#include "web/web_private.h"
#include "server/base/csv.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LINES_MAX    20000
#define POINTER_SIZE 80

/* Which column is which member; its other names are those of common address books. */
static const struct {
    const char *column, *member;
} names[] = {
    {"name", "name"},
    {"organization", "organization"},
    {"organisation", "organization"},
    {"company", "organization"},
    {"number", "number"},
    {"fax", "number"},
    {"fax number", "number"},
    {"email", "email"},
    {"e-mail", "email"},
    {"notes", "notes"},
    {"groups", "groups"},
};

/* `joined`: members that are not counted yet. */
struct import_group {
    char name[CONTACT_NAME_SIZE];
    int64_t id;
    int joined;
};

struct import {
    struct request *request;
    struct spool *spool;
    const char *text;
    size_t size;
    const struct member *columns[CSV_CELLS_MAX];
    int column_count;
    struct problems problems;
    int created, updated, groups_created;
    struct import_group *groups;
    int group_count;
};

static const struct member *member_named(const char *name)
{
    const struct member *member = contact_members;

    while (strcmp(member->name, name) != 0)
        member++;
    return member;
}

static const struct member *member_of(const char *column)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcasecmp(names[i].column, column) == 0)
            return member_named(names[i].member);
    }
    return NULL;
}

static bool has_column(const struct import *import, const char *name)
{
    for (int i = 0; i < import->column_count; i++) {
        if (import->columns[i] == member_named(name))
            return true;
    }
    return false;
}

static const char *pointer_to(char pointer[POINTER_SIZE], int line, const char *column)
{
    snprintf(pointer, POINTER_SIZE, "/lines/%d%s%.40s", line, *column ? "/" : "", column);
    return pointer;
}

/* --- the first line --- */

static char *trim(char *text)
{
    char *end;

    text += strspn(text, " \t");
    end = text + strlen(text);
    while (end > text && strchr(" \t", end[-1]))
        *--end = '\0';
    return text;
}

static void read_columns(struct import *import, const struct csv *csv)
{
    char pointer[POINTER_SIZE];

    for (int i = 0; i < csv->count; i++) {
        const struct member *member = member_of(trim(csv->cells[i]));
        pointer_to(pointer, csv->line, "");
        if (!member)
            problem_add(&import->problems, pointer, "unknown_column",
                        "the column \"%.60s\" is none of: name, organization, number, email, notes, groups",
                        csv->cells[i]);
        else if (has_column(import, member->name))
            problem_add(&import->problems, pointer, "twice", "the column \"%.60s\" is there twice", csv->cells[i]);
        import->columns[import->column_count++] = member;
    }
    pointer_to(pointer, csv->line, "");
    if (!has_column(import, "name"))
        problem_add(&import->problems, pointer, "missing", "the first line has to name a column \"name\"");
    if (!has_column(import, "number"))
        problem_add(&import->problems, pointer, "missing", "the first line has to name a column \"number\"");
}

/* --- a line --- */

static void check_groups(const char *text, const char *pointer, struct problems *problems)
{
    int count = 0;

    while (*text) {
        size_t length = strcspn(text, ";");
        if (length >= CONTACT_NAME_SIZE)
            problem_add(problems, pointer, "too_long", "the name of a group has at most %d octets",
                        CONTACT_NAME_SIZE - 1);
        if (++count > CONTACT_GROUPS_OF)
            break;
        text += length + (text[length] == ';');
    }
    if (count > CONTACT_GROUPS_OF)
        problem_add(problems, pointer, "wrong_count", "a contact is in at most %d groups", CONTACT_GROUPS_OF);
}

/* `*groups` points to their cell. */
static void read_line(struct contact_body *body, const char **groups, const struct import *import,
                      const struct csv *csv, struct problems *problems)
{
    char pointer[POINTER_SIZE];

    *body = (struct contact_body){.spool = import->spool, .contact = {.owner = import->request->key.id}};
    *groups = "";
    if (csv->count > import->column_count)
        problem_add(problems, pointer_to(pointer, csv->line, ""), "too_many_cells",
                    "the line has %d cells, and the first line names %d columns", csv->count, import->column_count);
    for (int i = 0; i < import->column_count; i++) {
        const struct member *member = import->columns[i];
        char *text = i < csv->count ? trim(csv->cells[i]) : "";
        pointer_to(pointer, csv->line, member->name);
        if (member->kind != MEMBER_OTHER) {
            member_take_text(body, member, text, pointer, problems);
        } else {
            check_groups(text, pointer, problems);
            *groups = text;
        }
    }
    contact_body_check(body, pointer_to(pointer, csv->line, "email"), problems);
}

/* --- both readings --- */

static void tell(struct import *import, const struct csv *csv)
{
    char pointer[POINTER_SIZE];

    problem_add(&import->problems, pointer_to(pointer, csv->line, ""), "malformed_line", "%s", err_message());
}

/* Read on to the next good record; false at the end. `lines` counts what is not good as well. */
static bool next(struct import *import, struct csv *csv, int *lines)
{
    int result;

    while ((result = csv_next(csv)) < 0) {
        tell(import, csv);
        if (result == ERR_TOO_BIG || ++*lines > LINES_MAX)
            return false;
    }
    return result == 1;
}

static void check_all(struct import *import, struct csv *csv)
{
    struct contact_body body;
    const char *groups;
    int lines = 0;

    csv_start(csv, import->text, import->size);
    if (!next(import, csv, &lines)) {
        problem_add(&import->problems, "", "empty", "the file has no lines; the first one names the columns");
        return;
    }
    read_columns(import, csv);
    if (problem_any(&import->problems))
        return;
    while (next(import, csv, &lines) && ++lines <= LINES_MAX)
        read_line(&body, &groups, import, csv, &import->problems);
    if (lines > LINES_MAX)
        problem_add(&import->problems, "", "too_many_lines", "a file has at most %d contacts: import it in parts",
                    LINES_MAX);
}

/* A group of the file, looked up once. */
static int find_group(struct import_group **out, struct import *import, const char *name)
{
    struct contact_group group;
    int at = 0, result;

    while (at < import->group_count && strcmp(import->groups[at].name, name) != 0)
        at++;
    *out = &import->groups[at];
    if (at < import->group_count)
        return 0;
    if (at == CONTACT_GROUPS_MAX)
        return err_set(ERR_FULL, "the file names more than %d groups", CONTACT_GROUPS_MAX);
    result = contact_group_named(&group, import->spool, name);
    if (result == ERR_NOT_FOUND) {
        result = contact_group_create(&group, import->spool, name, import->request->key.id);
        import->groups_created += result == 0;
    }
    if (result != 0)
        return result;
    str_copy(import->groups[at].name, CONTACT_NAME_SIZE, name);
    import->groups[at].id = group.id;
    import->groups[import->group_count++].joined = 0;
    return 0;
}

static int join_group(struct import *import, int64_t contact, const char *name)
{
    struct import_group *group;
    bool joined = false;
    int result = find_group(&group, import, name);

    if (result == 0)
        result = contact_group_join(&joined, import->spool, contact, group->id);
    group->joined += joined;
    return result;
}

static int join_groups(struct import *import, int64_t contact, bool is_new, const char *text)
{
    char name[CONTACT_NAME_SIZE];
    int result = 0;

    while (*text && result == 0) {
        size_t length = strcspn(text, ";");
        snprintf(name, sizeof name, "%.*s", (int)length, text);
        char *trimmed = trim(name);
        if (*trimmed)
            result = join_group(import, contact, trimmed);
        text += length + (text[length] == ';');
    }
    return result != 0 || is_new ? result : contact_group_check(import->spool, contact);
}

/* Who is there already, by number and name, gets what the file says. */
static int store_contact(bool *is_new, struct import *import, struct contact *contact)
{
    struct contact known;
    int result = contact_same(&known, import->spool, contact->number, contact->name);

    *is_new = result == ERR_NOT_FOUND;
    if (*is_new) {
        import->created++;
        return contact_insert(contact, import->spool);
    }
    if (result != 0)
        return result;
    import->updated++;
    for (const struct member *member = contact_members; member->name; member++) {
        if (member->kind == MEMBER_OTHER || !has_column(import, member->name))
            continue;
        size_t offset = member->offset - offsetof(struct contact_body, contact);
        size_t size = member->kind == MEMBER_NUMBER ? NUMBER_SIZE : (size_t)member->high + 1;
        str_copy((char *)&known + offset, size, (const char *)contact + offset);
    }
    *contact = known;
    return contact_update(contact, import->spool);
}

/* What was not counted with each line. */
static int count_all(struct import *import)
{
    int result = contact_reserve(import->spool, import->created);

    for (int i = 0; i < import->group_count && result == 0; i++)
        result = contact_group_grow(import->spool, import->groups[i].id, import->groups[i].joined);
    return result;
}

static int store_all(struct import *import, struct csv *csv)
{
    struct contact_body body;
    const char *groups;
    int result = 0, lines = 0;
    bool is_new;

    csv_start(csv, import->text, import->size);
    next(import, csv, &lines);
    while (result == 0 && next(import, csv, &lines)) {
        read_line(&body, &groups, import, csv, &import->problems);
        result = store_contact(&is_new, import, &body.contact);
        if (result == 0)
            result = join_groups(import, body.contact.id, is_new, groups);
    }
    return result == 0 ? count_all(import) : result;
}

static void reply(struct import *import, const struct csv *csv, int result)
{
    char pointer[POINTER_SIZE];

    if (result == ERR_FULL)
        problem_add(&import->problems, pointer_to(pointer, csv->line, ""), "too_many", "%s", err_message());
    if (problem_any(&import->problems))
        request_problems(import->request, &import->problems);
    else if (result < 0)
        request_error(import->request, result);
    else
        request_reply(import->request, 200,
                      json_pack("{s:i, s:i, s:i}", "created", import->created, "updated", import->updated,
                                "groups_created", import->groups_created));
}

static void import_text(struct import *import)
{
    struct csv *csv = xcalloc(1, sizeof *csv);
    int result = 0;

    import->problems.most = LINES_MAX;
    import->groups = xcalloc(CONTACT_GROUPS_MAX + 1, sizeof *import->groups);
    check_all(import, csv);
    if (!problem_any(&import->problems))
        result = store_all(import, csv);
    reply(import, csv, result);
    free(import->groups);
    free(csv);
}

/* --- the body --- */

static void import_form(struct import *import)
{
    struct multipart form = {0};
    char boundary[MULTIPART_BOUNDARY_SIZE];
    const char *type = request_header_in(import->request, "Content-Type");
    int result = multipart_boundary(boundary, type);

    if (result == 0)
        result = multipart_parse(&form, boundary, import->text, import->size);
    if (result < 0) {
        request_problem(import->request, result == ERR_TOO_BIG ? 413 : 400, "malformed_form",
                        "the form cannot be read: %s", err_message());
    } else if (form.count != 1) {
        request_problem(import->request, 422, "validation", "the form has %d parts: one, the file, is needed",
                        form.count);
    } else {
        import->text = form.parts[0].data;
        import->size = form.parts[0].size;
        import_text(import);
    }
    multipart_clear(&form);
}

void contacts_import(struct request *request)
{
    struct evbuffer *body = gate_body(request->gate);
    struct import import = {.request = request,
                            .spool = request->web->options.spool,
                            .size = evbuffer_get_length(body),
                            .text = (const char *)evbuffer_pullup(body, -1)};

    if (!import.text) {
        import.text = "";
        import.size = 0;
    }
    if (request_is_form(request))
        import_form(&import);
    else
        import_text(&import);
    gate_release(request->gate);
}
