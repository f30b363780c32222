/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /v1/rules/block: what may not be called, whose calls are not answered, and whose faxes are put aside. */
#include "spool/block.h"
#include "spool/inbound_match.h"
#include "web/api.h"
#include "web/member.h"
#include "web/page.h"
#include "web/request.h"
#include "web/web_private.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"

#include <string.h>

/* --- the body --- */

/* Words are read into ints, and are the rule's afterwards. */
struct body {
    struct block_rule rule;
    int direction, action, kind;
    char value[NUMBER_SIZE];
};

#define AT(member) .offset = offsetof(struct body, member)

static const struct member members[] = {
    {"direction", .kind = MEMBER_WORD, .words = block_directions, AT(direction), .required = true, .fixed = true},
    {"action", .kind = MEMBER_WORD, .words = block_actions, AT(action)},
    {"kind", .kind = MEMBER_WORD, .words = block_kinds, AT(kind), .required = true, .fixed = true},
    {"value", .kind = MEMBER_TEXT, .high = NUMBER_SIZE - 1, AT(value), .fixed = true},
    {"reason", .kind = MEMBER_TEXT, .high = BLOCK_REASON_SIZE - 1, AT(rule.reason)},
    {"expires_at", .kind = MEMBER_TIME, AT(rule.expires_at)},
    {NULL, .kind = MEMBER_TEXT},
};

static void check_value(struct body *body, struct problems *problems)
{
    int result = 0;

    switch ((enum block_kind)body->kind) {
    case BLOCK_NUMBER:
        result = number_normalise(body->rule.value, body->value);
        break;
    case BLOCK_PREFIX:
        result = number_prefix(body->rule.value, body->value);
        break;
    case BLOCK_STATION:
    case BLOCK_STATION_PREFIX:
        inbound_station(body->rule.value, body->value);
        if (body->kind == BLOCK_STATION && !*body->rule.value)
            result = err_set(ERR_INVALID, "a station id has more than blanks");
        break;
    case BLOCK_ANONYMOUS:
        if (*body->value)
            result = err_set(ERR_INVALID, "a call without a number has no value to compare: leave it out");
        break;
    }
    if (result < 0)
        problem_add(problems, "/value", "invalid_number", "%s", err_message());
}

/* What a rule can do depends on when its text is known: a number before the call, a station id when it is answered. */
static void check_action(struct body *body, struct problems *problems)
{
    struct block_rule *rule = &body->rule;
    bool station = rule->kind == BLOCK_STATION || rule->kind == BLOCK_STATION_PREFIX;

    if (body->action < 0)
        body->action = station ? BLOCK_QUARANTINE : BLOCK_DENY;
    rule->action = (enum block_action)body->action;
    if (rule->action == BLOCK_QUARANTINE && rule->direction == FAX_OUTBOUND)
        problem_add(problems, "/action", "not_possible", "only what is received goes into quarantine: take deny");
    if (rule->action == BLOCK_DENY && station)
        problem_add(problems, "/action", "not_possible",
                    "the station id is known when the call has been answered: take quarantine");
}

static void check_kind(const struct body *body, struct problems *problems)
{
    const struct block_rule *rule = &body->rule;

    if (rule->direction == FAX_INBOUND)
        return;
    if (rule->kind == BLOCK_ANONYMOUS)
        problem_add(problems, "/kind", "not_possible", "a call to no number is never made");
    if (rule->kind == BLOCK_STATION || rule->kind == BLOCK_STATION_PREFIX)
        problem_add(problems, "/kind", "not_possible", "station ids are those of machines that call here");
}

static void check_whole(struct body *body, bool whole, struct problems *problems)
{
    struct block_rule *rule = &body->rule;

    if (whole) {
        check_value(body, problems);
        rule->direction = body->direction ? FAX_INBOUND : FAX_OUTBOUND;
        rule->kind = (enum block_kind)body->kind;
        check_kind(body, problems);
    }
    check_action(body, problems);
    if (rule->expires_at && rule->expires_at <= clock_now_ms())
        problem_add(problems, "/expires_at", "in_the_past", "the rule would expire at once");
}

/* False and the reply is made. */
static bool read_body(struct body *body, struct request *request, bool whole)
{
    struct problems problems = {0};
    json_t *root = request_json(request);

    if (!root)
        return false;
    body->action = whole ? -1 : (int)body->rule.action;
    if (member_read(body, members, root, whole, &problems))
        check_whole(body, whole, &problems);
    json_decref(root);
    if (!problem_any(&problems))
        return true;
    request_problems(request, &problems);
    return false;
}

/* --- the resource --- */

void block_rules_list(struct request *request)
{
    static const char *const names[] = {"limit", "cursor", "direction", NULL};
    const char *word = request_query(request, "direction");
    int direction = -1;
    int64_t limit;

    if (!request_check_query(request, names) || !request_query_int(&limit, request, "limit", 1, 1000, 50))
        return;
    for (int i = 0; word && block_directions[i]; i++) {
        if (strcmp(word, block_directions[i]) == 0)
            direction = i ? FAX_INBOUND : FAX_OUTBOUND;
    }
    if (word && direction < 0)
        request_problem(request, 400, "invalid_parameter", "direction: outbound or inbound");
    else
        page_wait(request, block_list(request_spool(request), direction, request_query(request, "cursor"), (int)limit,
                                      page_reply, request));
}

void block_rules_post(struct request *request)
{
    struct body body = {.rule = {.owner = request->key.id}};

    if (!read_body(&body, request, true) ||
        !request_found(request, block_create(&body.rule, request_spool(request)), "rule"))
        return;
    request->location = xasprintf("/v1/rules/block/%s", body.rule.public_id);
    request_reply(request, 201, block_json(&body.rule));
}

void block_rules_get(struct request *request)
{
    struct block_rule rule;

    if (request_found(request, block_find(&rule, request_spool(request), request->params[0]), "rule"))
        request_reply(request, 200, block_json(&rule));
}

void block_rules_patch(struct request *request)
{
    struct body body = {.value = ""};

    if (request_found(request, block_find(&body.rule, request_spool(request), request->params[0]), "rule") &&
        read_body(&body, request, false) &&
        request_found(request, block_update(&body.rule, request_spool(request)), "rule"))
        request_reply(request, 200, block_json(&body.rule));
}

void block_rules_delete(struct request *request)
{
    if (request_found(request, block_delete(request_spool(request), request->params[0]), "rule"))
        request_reply_empty(request, 204);
}
