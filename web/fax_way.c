/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a number to the line groups that would carry a fax to it. */
#include "web/fax_way.h"

#include "spool/outbound_rule.h"
#include "web/request.h"
#include "web/web_private.h"
#include "server/base/clock.h"
#include "server/base/number.h"

static bool has_line(const struct request *request, const char *group, bool test)
{
    const struct web_options *options = &request->web->options;

    return !options->has_line || options->has_line(options->server, group, test);
}

/* Rules are not for tests, which only a simulator carries. */
static const struct outbound_rule *rule_for(const struct request *request, const char *to, bool test)
{
    char number[NUMBER_SIZE];
    int64_t opens_at;

    if (test || !to || number_normalise(number, to) < 0)
        return NULL;
    return outbound_rule_for(&opens_at, request_spool(request), number, clock_now_ms());
}

static bool has_any_line(const struct request *request, const struct outbound_rule *rule)
{
    for (int i = 0; i < rule->group_count; i++) {
        if (has_line(request, rule->groups[i], false))
            return true;
    }
    return false;
}

bool fax_way_exists(struct request *request, const char *group, const char *to, bool test)
{
    const struct outbound_rule *rule = group && *group ? NULL : rule_for(request, to, test);
    const char *name = group && *group ? group : OUTBOUND_DEFAULT;
    struct problems problems = {0};

    if (rule ? has_any_line(request, rule) : has_line(request, name, test))
        return true;
    problem_add(&problems, "/route/group", "unknown_group",
                "no line%s carries faxes of the group \"%s\": see /v1/lines",
                test ? " of a simulator, as test keys need," : "", rule ? rule->groups[0] : name);
    request_problems(request, &problems); /* cleared there */
    return false;
}
