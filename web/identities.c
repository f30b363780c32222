/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /v1/identities: who faxes are sent as. */
#include "spool/identity.h"
#include "web/api.h"
#include "web/member.h"
#include "web/page.h"
#include "web/request.h"
#include "web/web_private.h"
#include "server/base/err.h"
#include "server/base/log.h"

#define AT(member) .offset = offsetof(struct identity, member)

_Static_assert(sizeof(enum receipt_on) == sizeof(int), "words are stored as ints");

static const struct member members[] = {
    {"name", MEMBER_TEXT, 1, 127, AT(name), .required = true},
    {"number", MEMBER_NUMBER, 0, 0, AT(number)},
    {"station_id", MEMBER_STATION, 0, 0, AT(station_id)},
    {"header_text", MEMBER_TEXT, 0, 100, AT(header_text)},
    {"time_zone", MEMBER_ZONE, 0, 0, AT(time_zone)},
    {"caller_id", MEMBER_NUMBER, 0, 0, AT(caller_id)},
    {"receipt_email", MEMBER_EMAIL, 0, 0, AT(receipt_email)},
    {"receipt_on", MEMBER_WORD, 0, 0, AT(receipt_on), .words = receipt_on_words},
    {"language", MEMBER_TEXT, 0, MAIL_LANGUAGE_MAX, AT(language)},
    {"default", MEMBER_BOOL, 0, 0, AT(is_default)},
    {NULL, .kind = MEMBER_TEXT},
};

/* False and the reply is made. */
static bool read_body(struct identity *identity, struct request *request, bool whole)
{
    struct problems problems = {0};
    json_t *root = request_json(request);
    bool good;

    if (!root)
        return false;
    good = member_read(identity, members, root, whole, &problems);
    json_decref(root);
    if (!good)
        request_problems(request, &problems);
    return good;
}

static bool found(struct request *request, int result)
{
    if (result == ERR_CONFLICT)
        request_problem(request, 409, "is_default", "%s", err_message());
    return result != ERR_CONFLICT && request_found(request, result, "identity");
}

void identities_list(struct request *request)
{
    static const char *const names[] = {"limit", "cursor", NULL};
    int64_t limit;

    if (request_check_query(request, names) && request_query_int(&limit, request, "limit", 1, 1000, 50))
        page_wait(request, identity_list(request_spool(request), request_query(request, "cursor"), (int)limit,
                                         page_reply, request));
}

void identities_post(struct request *request)
{
    struct identity identity = {.owner = request->key.id};

    if (!read_body(&identity, request, true) || !found(request, identity_create(&identity, request_spool(request))))
        return;
    request->location = xasprintf("/v1/identities/%s", identity.public_id);
    request_reply(request, 201, identity_json(&identity));
}

void identities_get(struct request *request)
{
    struct identity identity;

    if (found(request, identity_find(&identity, request_spool(request), request->params[0])))
        request_reply(request, 200, identity_json(&identity));
}

void identities_patch(struct request *request)
{
    struct identity identity;

    if (found(request, identity_find(&identity, request_spool(request), request->params[0])) &&
        read_body(&identity, request, false) && found(request, identity_update(&identity, request_spool(request))))
        request_reply(request, 200, identity_json(&identity));
}

void identities_delete(struct request *request)
{
    if (found(request, identity_delete(request_spool(request), request->params[0])))
        request_reply_empty(request, 204);
}
