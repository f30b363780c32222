/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /v1/routes/outbound: which line groups carry faxes to which numbers, and when; and what they say of a number. */
#include "spool/callable.h"
#include "spool/outbound_rule.h"
#include "web/api.h"
#include "web/member.h"
#include "web/page.h"
#include "web/request.h"
#include "web/web_private.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the body --- */

struct body {
    struct outbound_rule rule;
    const struct web_options *web; /* which groups there are */
    struct window window;          /* one that was read here */
    char prefix[NUMBER_SIZE];
};

static bool is_group(const struct body *body, const char *name)
{
    return !body->web->has_line || body->web->has_line(body->web->server, name, false);
}

static void take_group(struct body *body, const json_t *value, const char *pointer, struct problems *problems)
{
    const char *name = json_string_value(value);

    if (!name || !*name || strlen(name) >= OUTBOUND_GROUP_SIZE)
        problem_add(problems, pointer, "wrong_type", "the name of a line group is needed here");
    else if (!is_group(body, name))
        problem_add(problems, pointer, "unknown_group", "no line carries faxes of the group \"%s\": see /v1/lines",
                    name);
    else
        str_copy(body->rule.groups[body->rule.group_count++], OUTBOUND_GROUP_SIZE, name);
}

static void take_groups(void *into, json_t *value, const char *pointer, struct problems *problems)
{
    struct body *body = into;
    json_t *item;
    size_t i;

    if (!json_is_array(value) || json_array_size(value) < 1 || json_array_size(value) > OUTBOUND_GROUPS_MAX) {
        problem_add(problems, pointer, "wrong_count", "a list of 1 to %d line groups is needed here",
                    OUTBOUND_GROUPS_MAX);
        return;
    }
    body->rule.group_count = 0;
    json_array_foreach(value, i, item)
    {
        char place[32];
        snprintf(place, sizeof place, "%s/%zu", pointer, i);
        take_group(body, item, place, problems);
    }
}

static void take_window(void *into, json_t *value, const char *pointer, struct problems *problems)
{
    struct body *body = into;

    window_clear(&body->window);
    body->window = (struct window){.place = NULL};
    if (!json_is_null(value) && window_read(&body->window, value) < 0)
        problem_add(problems, pointer, "invalid_window", "%s", err_message());
    body->rule.window = body->window;
}

static void take_position(void *into, json_t *value, const char *pointer, struct problems *problems)
{
    struct body *body = into;
    json_int_t position = json_integer_value(value);

    if (!json_is_integer(value) || position < 1 || position > OUTBOUND_RULES_MAX)
        problem_add(problems, pointer, "out_of_range", "a number from 1 to %d is needed here", OUTBOUND_RULES_MAX);
    else
        body->rule.position = (int)position;
}

#define AT(member) .offset = offsetof(struct body, member)

static const struct member members[] = {
    {"position", .kind = MEMBER_OTHER, .take = take_position},
    {"name", .kind = MEMBER_TEXT, .high = 127, AT(rule.name)},
    {"prefix", .kind = MEMBER_TEXT, .high = NUMBER_SIZE - 1, AT(prefix)},
    {"groups", .kind = MEMBER_OTHER, .take = take_groups, .required = true},
    {"window", .kind = MEMBER_OTHER, .take = take_window},
    {"enabled", .kind = MEMBER_BOOL, AT(rule.enabled)},
    {NULL, .kind = MEMBER_TEXT},
};

/* False and the reply is made. The caller clears body->window in any case. */
static bool read_body(struct body *body, struct request *request, bool whole)
{
    struct problems problems = {0};
    json_t *root = request_json(request);

    if (!root)
        return false;
    body->web = &request->web->options;
    str_copy(body->prefix, sizeof body->prefix, body->rule.prefix);
    member_read(body, members, root, whole, &problems);
    if (number_prefix(body->rule.prefix, body->prefix) < 0)
        problem_add(&problems, "/prefix", "invalid_number", "%s", err_message());
    json_decref(root);
    if (!problem_any(&problems))
        return true;
    request_problems(request, &problems);
    return false;
}

/* --- the resource --- */

static void reply_rule(struct request *request, int status, const char *id)
{
    const struct outbound_rule *rule = outbound_rule_find(request_spool(request), id);

    if (request_found(request, rule ? 0 : ERR_NOT_FOUND, "rule"))
        request_reply(request, status, outbound_rule_json(rule));
}

void outbound_rules_list(struct request *request)
{
    page_read(request, outbound_rule_page);
}

void outbound_rules_post(struct request *request)
{
    struct body body = {.rule = {.enabled = true, .owner = request->key.id}};

    if (read_body(&body, request, true) &&
        request_found(request, outbound_rule_create(&body.rule, request_spool(request)), "rule")) {
        request->location = xasprintf("/v1/routes/outbound/%s", body.rule.public_id);
        reply_rule(request, 201, body.rule.public_id);
    }
    window_clear(&body.window);
}

void outbound_rules_get(struct request *request)
{
    reply_rule(request, 200, request->params[0]);
}

void outbound_rules_patch(struct request *request)
{
    const struct outbound_rule *rule = outbound_rule_find(request_spool(request), request->params[0]);
    struct body body = {.prefix = ""};

    if (!request_found(request, rule ? 0 : ERR_NOT_FOUND, "rule"))
        return;
    body.rule = *rule;
    if (read_body(&body, request, false) &&
        request_found(request, outbound_rule_update(&body.rule, request_spool(request)), "rule"))
        reply_rule(request, 200, body.rule.public_id);
    window_clear(&body.window);
}

void outbound_rules_delete(struct request *request)
{
    if (request_found(request, outbound_rule_delete(request_spool(request), request->params[0]), "rule"))
        request_reply_empty(request, 204);
}

/* --- the dry run --- */

static bool carries(const json_t *line, const char *group)
{
    const json_t *groups = json_object_get(line, "groups");
    size_t i;
    json_t *name;

    json_array_foreach(groups, i, name)
    {
        if (strcmp(json_string_value(name), group) == 0)
            return true;
    }
    return false;
}

static bool can_send(const json_t *line)
{
    const char *state = json_string_value(json_object_get(line, "state"));

    return json_is_true(json_object_get(line, "send_enabled")) && state &&
           (strcmp(state, "idle") == 0 || strcmp(state, "busy") == 0);
}

/* {"name","can_send"} */
static json_t *describe_group(const json_t *lines, const char *name)
{
    bool good = false;
    size_t i;
    json_t *line;

    json_array_foreach(lines, i, line)
    {
        good |= carries(line, name) && can_send(line);
    }
    return json_pack("{s:s, s:b}", "name", name, "can_send", good);
}

static void say(json_t *reasons, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void say(json_t *reasons, const char *fmt, ...)
{
    char text[700];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    json_array_append_new(reasons, json_string(text));
}

static void say_group(json_t *reasons, const json_t *groups)
{
    size_t i;
    json_t *group;

    json_array_foreach(groups, i, group)
    {
        const char *name = json_string_value(json_object_get(group, "name"));
        if (json_is_true(json_object_get(group, "can_send"))) {
            say(reasons, "The group \"%s\" would carry it.", name);
            return;
        }
        say(reasons, "No line of the group \"%s\" can send now.", name);
    }
    say(reasons, "It would wait for a line.");
}

static void say_rule(json_t *reasons, const struct outbound_rule *rule, int64_t opens_at)
{
    char text[CLOCK_TEXT_SIZE], window[WINDOW_TEXT_SIZE];

    if (!rule)
        say(reasons, "No rule is about this number: it goes to the group \"%s\".", OUTBOUND_DEFAULT);
    else
        say(reasons, "Rule %d \"%s\" is about numbers that begin with \"%s\".", rule->position, rule->name,
            rule->prefix);
    if (opens_at)
        say(reasons, "Its window is %s: the fax would wait until %s.",
            window_describe(window, sizeof window, &rule->window), clock_format(text, opens_at));
}

/* The order is that of a fax on its way. */
static void reply_test(struct request *request, const char *number)
{
    int64_t opens_at, now_ms = clock_now_ms();
    const struct outbound_rule *rule = outbound_rule_for(&opens_at, request_spool(request), number, now_ms);
    const struct web_options *options = &request->web->options;
    json_t *lines = options->lines ? options->lines(options->server) : json_array();
    json_t *groups = json_array(), *reasons = json_array();
    struct callable_answer answer = {.callable = CALLABLE_YES};
    char text[CLOCK_TEXT_SIZE];

    for (int i = 0; rule && i < rule->group_count; i++)
        json_array_append_new(groups, describe_group(lines, rule->groups[i]));
    if (!rule)
        json_array_append_new(groups, describe_group(lines, OUTBOUND_DEFAULT));
    if (callable_ask(&answer, request_spool(request), number) == 0 && answer.callable != CALLABLE_YES)
        say(reasons, "%s.", answer.why);
    say_rule(reasons, rule, opens_at);
    say_group(reasons, groups);
    request_reply(request, 200,
                  json_pack("{s:s, s:b, s:o, s:o, s:o, s:o}", "to", number, "callable", answer.callable == CALLABLE_YES,
                            "rule", rule ? outbound_rule_json(rule) : json_null(), "groups", groups, "opens_at",
                            opens_at ? json_string(clock_format(text, opens_at)) : json_null(), "reasons", reasons));
    json_decref(lines);
}

struct test_body {
    char to[NUMBER_SIZE];
};

static const struct member test_members[] = {
    {"to", .kind = MEMBER_NUMBER, .low = 1, .required = true, .offset = offsetof(struct test_body, to)},
    {NULL, .kind = MEMBER_TEXT},
};

void outbound_rules_test(struct request *request)
{
    struct test_body body = {.to = ""};
    struct problems problems = {0};
    json_t *root = request_json(request);
    bool good;

    if (!root)
        return;
    good = member_read(&body, test_members, root, true, &problems);
    json_decref(root);
    if (good)
        reply_test(request, body.to);
    else
        request_problems(request, &problems);
}
