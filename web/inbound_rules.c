/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /v1/routes/inbound: what is done with received faxes; and what would be done with one. */
#include "spool/inbound_rule.h"
#include "spool/route_fax.h"
#include "web/api.h"
#include "web/member.h"
#include "web/page.h"
#include "web/request.h"
#include "web/web_private.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"

#include <stdlib.h>
#include <string.h>

/* --- the body --- */

/* What a PATCH does not bring is borrowed from the rule that there is; what was read here is owned. */
struct body {
    struct inbound_rule rule;
    const struct inbound_rule *before; /* NULL = a new one */
    struct spool *spool;
    struct inbound_match match;
    struct route_method methods[ROUTE_METHODS_MAX];
    int method_count;
    int then;
    bool has_methods;
};

static void body_clear(struct body *body)
{
    inbound_match_clear(&body->match);
    for (int i = 0; i < body->method_count; i++)
        route_method_clear(&body->methods[i]);
}

static void tell(void *context, const char *pointer, const char *code, const char *message)
{
    problem_add(context, pointer, code, "%s", message);
}

static void take_match(void *into, json_t *value, const char *pointer, struct problems *problems)
{
    struct body *body = into;
    struct route_faults faults = {tell, problems, 0};

    (void)pointer;
    inbound_match_clear(&body->match);
    inbound_match_read(&body->match, value, &faults);
    body->rule.match = body->match;
}

static void take_methods(void *into, json_t *value, const char *pointer, struct problems *problems)
{
    struct body *body = into;
    struct route_faults faults = {tell, problems, 0};
    const struct route_policy policy = inbound_rule_policy(body->spool, false);

    (void)pointer;
    body->has_methods = true;
    body->method_count = route_methods_read(body->methods, value, &policy, body->before ? body->before->methods : NULL,
                                            body->before ? body->before->method_count : 0, &faults);
    memcpy(body->rule.methods, body->methods, sizeof body->rule.methods);
    body->rule.method_count = body->method_count;
}

static void take_position(void *into, json_t *value, const char *pointer, struct problems *problems)
{
    struct body *body = into;
    json_int_t position = json_integer_value(value);

    if (!json_is_integer(value) || position < 1 || position > 2 * INBOUND_RULES_MAX)
        problem_add(problems, pointer, "out_of_range", "a number from 1 to %d is needed here", 2 * INBOUND_RULES_MAX);
    else
        body->rule.position = (int)position;
}

#define AT(member) .offset = offsetof(struct body, member)

static const char *const thens[] = {"stop", "continue", NULL};

static const struct member members[] = {
    {"position", .kind = MEMBER_OTHER, .take = take_position},
    {"name", .kind = MEMBER_TEXT, .high = INBOUND_NAME_SIZE - 1, AT(rule.name)},
    {"match", .kind = MEMBER_OTHER, .take = take_match},
    {"then", .kind = MEMBER_WORD, .words = thens, AT(then)},
    {"methods", .kind = MEMBER_OTHER, .take = take_methods, .required = true},
    {"enabled", .kind = MEMBER_BOOL, AT(rule.enabled)},
    {NULL, .kind = MEMBER_TEXT},
};

/* False and the reply is made. The caller clears `body` in any case. */
static bool read_body(struct body *body, struct request *request, bool whole)
{
    struct problems problems = {0};
    json_t *root = request_json(request);

    if (!root)
        return false;
    body->spool = request_spool(request);
    body->then = body->rule.goes_on;
    member_read(body, members, root, whole, &problems);
    body->rule.goes_on = body->then == 1;
    json_decref(root);
    if (!problem_any(&problems))
        return true;
    request_problems(request, &problems);
    return false;
}

/* --- the resource --- */

static void reply_rule(struct request *request, int status, const char *id, bool with_secrets)
{
    const struct inbound_rule *rule = inbound_rule_find(request_spool(request), id);

    if (request_found(request, rule ? 0 : ERR_NOT_FOUND, "rule"))
        request_reply(request, status, inbound_rule_json(rule, with_secrets));
}

/* As request_found, and what stands in the configuration is told so. */
static bool is_done(struct request *request, int result)
{
    if (result != ERR_CONFLICT)
        return request_found(request, result, "rule");
    request_problem(request, 409, "from_config", "%s", err_message());
    return false;
}

void inbound_rules_list(struct request *request)
{
    page_read(request, inbound_rule_page);
}

void inbound_rules_post(struct request *request)
{
    struct body body = {.rule = {.enabled = true, .owner = request->key.id, .match = {.anonymous = -1}}};

    if (read_body(&body, request, true) && is_done(request, inbound_rule_create(&body.rule, request_spool(request)))) {
        request->location = xasprintf("/v1/routes/inbound/%s", body.rule.public_id);
        reply_rule(request, 201, body.rule.public_id, true);
    }
    body_clear(&body);
}

void inbound_rules_get(struct request *request)
{
    reply_rule(request, 200, request->params[0], false);
}

void inbound_rules_patch(struct request *request)
{
    const struct inbound_rule *rule = inbound_rule_find(request_spool(request), request->params[0]);
    struct body body = {.before = rule};

    if (!request_found(request, rule ? 0 : ERR_NOT_FOUND, "rule"))
        return;
    body.rule = *rule;
    if (read_body(&body, request, false) && is_done(request, inbound_rule_update(&body.rule, request_spool(request))))
        reply_rule(request, 200, body.rule.public_id, body.has_methods);
    body_clear(&body);
}

void inbound_rules_delete(struct request *request)
{
    if (is_done(request, inbound_rule_delete(request_spool(request), request->params[0])))
        request_reply_empty(request, 204);
}

/* --- the dry run --- */

struct test_body {
    char did[64], from[64], station_id[64], subaddress[64], line[INBOUND_LINE_SIZE];
    int pages, outcome;
    int64_t at_ms;
};

static void take_pages(void *into, json_t *value, const char *pointer, struct problems *problems)
{
    struct test_body *body = into;
    json_int_t pages = json_integer_value(value);

    if (!json_is_integer(value) || pages < 1 || pages > INBOUND_PAGES_MAX)
        problem_add(problems, pointer, "out_of_range", "a number from 1 to %d is needed here", INBOUND_PAGES_MAX);
    else
        body->pages = (int)pages;
}

static const char *const outcomes[] = {"received", "partially_received", NULL};

#undef AT
#define AT(member) .offset = offsetof(struct test_body, member)

static const struct member test_members[] = {
    {"did", .kind = MEMBER_TEXT, .high = 63, AT(did)},
    {"from", .kind = MEMBER_TEXT, .high = 63, AT(from)},
    {"station_id", .kind = MEMBER_TEXT, .high = 63, AT(station_id)},
    {"subaddress", .kind = MEMBER_TEXT, .high = 63, AT(subaddress)},
    {"line", .kind = MEMBER_TEXT, .high = INBOUND_LINE_SIZE - 1, AT(line)},
    {"pages", .kind = MEMBER_OTHER, .take = take_pages},
    {"outcome", .kind = MEMBER_WORD, .words = outcomes, AT(outcome)},
    {"at", .kind = MEMBER_TIME, AT(at_ms)},
    {NULL, .kind = MEMBER_TEXT},
};

static void reply_test(struct request *request, const struct test_body *body)
{
    const struct inbound_facts facts = {.did = body->did,
                                        .from = body->from,
                                        .station_id = body->station_id,
                                        .subaddress = body->subaddress,
                                        .line = body->line,
                                        .pages = body->pages,
                                        .partial = body->outcome == 1,
                                        .at_ms = body->at_ms ? body->at_ms : clock_now_ms(),
                                        .in_group = inbound_rule_in_group,
                                        .context = request_spool(request)};

    request_reply(request, 200, route_fax_dry_run(request_spool(request), &facts));
}

void inbound_rules_test(struct request *request)
{
    struct test_body body = {.pages = 1};
    struct problems problems = {0};
    json_t *root = request_json(request);
    bool good;

    if (!root)
        return;
    good = member_read(&body, test_members, root, true, &problems);
    json_decref(root);
    if (good)
        reply_test(request, &body);
    else
        request_problems(request, &problems);
}
