/* SPDX-License-Identifier: GPL-2.0-or-later */
/* POST /v1/contacts/import: a file of contacts. On the worker thread it is read twice: to find every fault, and, when
 * there is none, to write it as spool/contact_import wants it, which then takes it in a slice at a time. */
#include "config.h" /* open_memstream */

#include "web/api.h"
#include "web/contact_body.h"
#include "web/multipart.h"
#include "web/request.h"
#include "web/web_private.h"
#include "web/worker.h"
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

struct import {
    struct request *request;
    struct spool *spool;
    char *body; /* of the request */
    struct multipart form;
    const char *text; /* the file */
    size_t size;
    const struct member *columns[CSV_CELLS_MAX];
    int column_count;
    struct problems problems;
    char *lines; /* for the spool */
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

/* --- the lines of the spool --- */

static json_t *group_list(const char *text)
{
    char name[CONTACT_NAME_SIZE];
    json_t *list = json_array();

    while (*text) {
        size_t length = strcspn(text, ";");
        snprintf(name, sizeof name, "%.*s", (int)length, text);
        char *trimmed = trim(name);
        if (*trimmed)
            json_array_append_new(list, json_string(trimmed));
        text += length + (text[length] == ';');
    }
    return list;
}

/* What the file has columns for. */
static void write_line(FILE *out, const struct import *import, const struct contact_body *body, const char *groups,
                       int number)
{
    json_t *line = json_pack("{s:i}", "line", number);

    for (int i = 0; i < import->column_count; i++) {
        const struct member *member = import->columns[i];
        if (member->kind == MEMBER_OTHER)
            json_object_set_new(line, "groups", group_list(groups));
        else
            json_object_set_new(line, member->name, json_string((const char *)body + member->offset));
    }
    json_dumpf(line, out, JSON_COMPACT);
    fputc('\n', out);
    json_decref(line);
}

static void write_all(struct import *import, struct csv *csv)
{
    struct contact_body body;
    const char *groups;
    size_t size = 0;
    int lines = 0;
    FILE *out = open_memstream(&import->lines, &size);

    csv_start(csv, import->text, import->size);
    next(import, csv, &lines);
    while (out && next(import, csv, &lines)) {
        read_line(&body, &groups, import, csv, &import->problems);
        write_line(out, import, &body, groups, csv->line);
    }
    if (!out || ferror(out) != 0 || fclose(out) != 0)
        problem_add(&import->problems, "", "too_big", "there is no memory for so many contacts now");
}

/* On the worker thread. */
static void work(void *context)
{
    struct import *import = context;
    struct csv *csv = xcalloc(1, sizeof *csv);

    if (import->form.count == 1) {
        import->text = import->form.parts[0].data;
        import->size = import->form.parts[0].size;
    }
    check_all(import, csv);
    if (!problem_any(&import->problems))
        write_all(import, csv);
    free(csv);
}

/* --- the reply --- */

static void import_free(struct import *import)
{
    problem_clear(&import->problems);
    multipart_clear(&import->form);
    free(import->body);
    free(import->lines);
    free(import);
}

/* In a part of the turn, so that the audit log has it. */
static void reply_done(struct request *request)
{
    const struct contact_imported *imported = &request->imported;

    request_reply(request, 200,
                  json_pack("{s:i, s:i, s:i}", "created", imported->created, "updated", imported->updated,
                            "groups_created", imported->groups_created));
}

static void on_imported(void *context, int error, const struct contact_imported *imported)
{
    struct request *request = context;
    struct problems problems = {0};
    char pointer[POINTER_SIZE];

    if (!error && request->web) {
        request->imported = *imported;
        web_write(request, reply_done);
        return;
    }
    if (!request->web) {
        request_finish(request);
        return;
    }
    if (error == ERR_FULL) {
        problem_add(&problems, pointer_to(pointer, imported->line, ""), "too_many", "%s", err_message());
        request_problems(request, &problems);
    } else {
        request_error(request, error);
    }
    request_finish(request);
}

static void on_read(void *context)
{
    struct import *import = context;
    struct request *request = import->request;
    int result = 0;

    if (problem_any(&import->problems)) {
        request_problems(request, &import->problems);
    } else if (request->web) {
        result = contact_import(import->spool, import->lines, request->key.id, on_imported, request);
        import->lines = NULL;
        if (result < 0)
            request_problem(request, 503, "busy", "%s", err_message());
    }
    if (request->status || !request->web)
        request_finish(request);
    import_free(import);
}

/* --- the body --- */

/* False and the reply is made. */
static bool read_form(struct import *import)
{
    char boundary[MULTIPART_BOUNDARY_SIZE];
    const char *type = request_header_in(import->request, "Content-Type");
    int result = multipart_boundary(boundary, type);

    if (result == 0)
        result = multipart_parse(&import->form, boundary, import->body, import->size);
    if (result < 0)
        request_problem(import->request, result == ERR_TOO_BIG ? 413 : 400, "malformed_form",
                        "the form cannot be read: %s", err_message());
    else if (import->form.count != 1)
        request_problem(import->request, 422, "validation", "the form has %d parts: one, the file, is needed",
                        import->form.count);
    return result == 0 && import->form.count == 1;
}

void contacts_import(struct request *request)
{
    struct evbuffer *body = gate_body(request->gate);
    struct import *import = xcalloc(1, sizeof *import);

    import->request = request;
    import->spool = request_spool(request);
    import->problems.most = LINES_MAX;
    import->size = evbuffer_get_length(body);
    import->body = xmalloc(import->size + 1); /* the client, and the gate with it, may go away meanwhile */
    evbuffer_copyout(body, import->body, import->size);
    gate_release(request->gate);
    import->text = import->body;
    if (request_is_form(request) && !read_form(import)) {
        import_free(import);
        return;
    }
    request_wait(request);
    worker_run(request->web->worker, work, on_read, import);
}
