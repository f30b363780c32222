/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /v1/contacts: people and offices to send to. Import is contact_import.c. */
#include "spool/contact_list.h"
#include "web/api.h"
#include "web/contact_body.h"
#include "web/page.h"
#include "web/request.h"
#include "web/web_private.h"
#include "server/base/err.h"
#include "server/base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define Q_MAX 100

/* --- the body --- */

static void take_group(struct contact_body *body, const json_t *value, const char *pointer, struct problems *problems)
{
    struct contact_group group;
    const char *id = json_string_value(value);

    if (!id)
        problem_add(problems, pointer, "wrong_type", "the id of a group is needed here");
    else if (contact_group_find(&group, body->spool, id) < 0)
        problem_add(problems, pointer, "no_such_group", "there is no group %.60s", id);
    else
        body->groups[body->group_count++] = group.id;
}

static void take_groups(void *into, json_t *value, const char *pointer, struct problems *problems)
{
    struct contact_body *body = into;
    json_t *item;
    size_t i;

    if (!json_is_array(value)) {
        problem_add(problems, pointer, "wrong_type", "a list of ids of groups is needed here");
        return;
    }
    if (json_array_size(value) > CONTACT_GROUPS_OF) {
        problem_add(problems, pointer, "wrong_count", "a contact is in at most %d groups", CONTACT_GROUPS_OF);
        return;
    }
    body->group_count = 0;
    json_array_foreach(value, i, item)
    {
        char place[32];
        snprintf(place, sizeof place, "%s/%zu", pointer, i);
        take_group(body, item, place, problems);
    }
}

#define AT(member) .offset = offsetof(struct contact_body, contact.member)

const struct member contact_members[] = {
    {"name", MEMBER_TEXT, 1, CONTACT_NAME_SIZE - 1, AT(name), .required = true},
    {"organization", MEMBER_TEXT, 0, CONTACT_NAME_SIZE - 1, AT(organization)},
    {"number", MEMBER_NUMBER, 1, 0, AT(number), .required = true},
    {"email", MEMBER_TEXT, 0, CONTACT_EMAIL_SIZE - 1, AT(email)},
    {"notes", MEMBER_LINES, 0, CONTACT_NOTES_SIZE - 1, AT(notes)},
    {"groups", MEMBER_OTHER, .take = take_groups},
    {NULL, .kind = MEMBER_TEXT},
};

void contact_body_check(const struct contact_body *body, const char *pointer, struct problems *problems)
{
    const char *email = body->contact.email, *at = strrchr(email, '@');

    if (*email && (!at || at == email || !at[1] || strpbrk(email, " ,;<>\"")))
        problem_add(problems, pointer, "invalid_email", "\"%.60s\" is not an address like name@example.com", email);
}

/* False and the reply is made. */
static bool read_body(struct contact_body *body, struct request *request, bool whole)
{
    struct problems problems = {0};
    json_t *root = request_json(request);

    if (!root)
        return false;
    body->spool = request_spool(request);
    body->group_count = -1;
    if (member_read(body, contact_members, root, whole, &problems))
        contact_body_check(body, "/email", &problems);
    json_decref(root);
    if (!problem_any(&problems))
        return true;
    request_problems(request, &problems);
    return false;
}

/* --- one contact --- */

static void reply_contact(struct request *request, int status, const struct contact *contact)
{
    json_t *object;

    if (request_found(request, contact_describe(&object, request_spool(request), contact), "contact"))
        request_reply(request, status, object);
}

static int set_groups(const struct contact_body *body)
{
    if (body->group_count < 0)
        return 0;
    return contact_group_set(body->spool, body->contact.id, body->groups, body->group_count);
}

void contacts_post(struct request *request)
{
    struct contact_body body = {.contact = {.owner = request->key.id}};
    int result;

    if (!read_body(&body, request, true))
        return;
    result = contact_create(&body.contact, request_spool(request));
    if (result == 0)
        result = set_groups(&body);
    if (!request_found(request, result, "contact"))
        return;
    request->location = xasprintf("/v1/contacts/%s", body.contact.public_id);
    reply_contact(request, 201, &body.contact);
}

void contacts_get(struct request *request)
{
    struct contact contact;

    if (request_found(request, contact_find(&contact, request_spool(request), request->params[0]), "contact"))
        reply_contact(request, 200, &contact);
}

void contacts_patch(struct request *request)
{
    struct contact_body body;
    int result;

    if (!request_found(request, contact_find(&body.contact, request_spool(request), request->params[0]), "contact") ||
        !read_body(&body, request, false))
        return;
    result = contact_update(&body.contact, request_spool(request));
    if (result == 0)
        result = set_groups(&body);
    if (request_found(request, result, "contact"))
        reply_contact(request, 200, &body.contact);
}

void contacts_delete(struct request *request)
{
    if (request_found(request, contact_delete(request_spool(request), request->params[0]), "contact"))
        request_reply_empty(request, 204);
}

/* --- all of them --- */

static void reply_file(void *context, int error, json_t *answer)
{
    struct request *request = context;

    if (error) {
        request_error(request, error);
    } else {
        request_header(request, "Content-Disposition", "attachment; filename=\"contacts.csv\"");
        request_reply_text(request, 200, "text/csv; charset=utf-8; header=present", json_string_value(answer),
                           json_string_length(answer));
    }
    request_finish(request);
}

/* False and the reply is made. */
static bool read_group(int64_t *row, struct request *request)
{
    const char *id = request_query(request, "group");
    struct contact_group group;
    int result = id ? contact_group_find(&group, request_spool(request), id) : 0;

    if (result == ERR_NOT_FOUND)
        request_problem(request, 404, "no_such_group", "there is no group %.60s", id);
    else if (result < 0)
        request_error(request, result);
    *row = id && result == 0 ? group.id : 0;
    return result == 0;
}

void contacts_list(struct request *request)
{
    static const char *const names[] = {"limit", "cursor", "q", "group", NULL};
    struct contact_query query = {0};
    int64_t limit;

    if (!request_check_query(request, names) || !request_query_int(&limit, request, "limit", 1, 1000, 50) ||
        !read_group(&query.group, request))
        return;
    query.limit = (int)limit;
    query.cursor = request_query(request, "cursor");
    query.q = request_query(request, "q");
    if (query.q && strlen(query.q) > Q_MAX)
        request_problem(request, 400, "invalid_parameter", "q: at most %d octets", Q_MAX);
    else if (request_wants_csv(request))
        page_wait(request, contact_export(request_spool(request), &query, reply_file, request));
    else
        page_wait(request, contact_list(request_spool(request), &query, page_reply, request));
}
