/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /v1/groups: groups of contacts. Who is in one is said with the contact. */
#include "spool/contact_group.h"
#include "spool/contact_list.h"
#include "web/api.h"
#include "web/member.h"
#include "web/page.h"
#include "web/request.h"
#include "web/web_private.h"
#include "server/base/err.h"
#include "server/base/log.h"

#include <string.h>

static const struct member members[] = {
    {"name", MEMBER_TEXT, 1, CONTACT_NAME_SIZE - 1, offsetof(struct contact_group, name), .required = true},
    {NULL, .kind = MEMBER_TEXT},
};

/* False and the reply is made. */
static bool read_body(struct contact_group *group, struct request *request, bool whole)
{
    struct problems problems = {0};
    json_t *root = request_json(request);

    if (!root)
        return false;
    /* In a file a contact's groups stand in one cell. */
    if (member_read(group, members, root, whole, &problems) && strchr(group->name, ';'))
        problem_add(&problems, "/name", "invalid_name", "a semicolon cannot stand in the name of a group");
    json_decref(root);
    if (!problem_any(&problems))
        return true;
    request_problems(request, &problems);
    return false;
}

static void reply_group(struct request *request, int status, const char *id)
{
    struct contact_group group;

    if (request_found(request, contact_group_find(&group, request_spool(request), id), "group"))
        request_reply(request, status, contact_group_json(&group));
}

void groups_list(struct request *request)
{
    static const char *const names[] = {"limit", "cursor", NULL};
    int64_t limit;

    if (!request_check_query(request, names) || !request_query_int(&limit, request, "limit", 1, 1000, 50))
        return;
    page_wait(request, contact_list_groups(request_spool(request), request_query(request, "cursor"), (int)limit,
                                           page_reply, request));
}

void groups_post(struct request *request)
{
    struct contact_group group = {0}, made;

    if (!read_body(&group, request, true) ||
        !request_found(request, contact_group_create(&made, request_spool(request), group.name, request->key.id),
                       "group"))
        return;
    request->location = xasprintf("/v1/groups/%s", made.public_id);
    request_reply(request, 201, contact_group_json(&made));
}

void groups_get(struct request *request)
{
    reply_group(request, 200, request->params[0]);
}

void groups_patch(struct request *request)
{
    struct contact_group group;

    if (request_found(request, contact_group_find(&group, request_spool(request), request->params[0]), "group") &&
        read_body(&group, request, false) &&
        request_found(request, contact_group_rename(request_spool(request), group.public_id, group.name), "group"))
        reply_group(request, 200, group.public_id);
}

void groups_delete(struct request *request)
{
    if (request_found(request, contact_group_delete(request_spool(request), request->params[0]), "group"))
        request_reply_empty(request, 204);
}
