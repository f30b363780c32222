/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fax rule. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "server/base/log.h"
#include "web/cli/cli.h"
#include "web/cli/resource.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

#define PATH "/v1/routes/outbound"

/* "08:00-18:00 1, 2, 3, 4, 5 Europe/Berlin" */
static char *window_text(const json_t *rule)
{
    if (!json_is_object(json_object_get(rule, "window")))
        return xstrdup("");
    char *from = text_at(rule, "window.from"), *to = text_at(rule, "window.to"), *days = text_at(rule, "window.days");
    char *zone = text_at(rule, "window.time_zone");
    char *text = xasprintf("%s-%s%s%s%s%s", from, to, *days ? " " : "", days, *zone ? " " : "", zone);
    free(zone);
    free(days);
    free(to);
    free(from);
    return text;
}

static const struct column columns[] = {
    {.head = "Position", .path = "position"},
    {.head = "Id", .path = "id"},
    {.head = "Name", .path = "name"},
    {.head = "Prefix", .path = "prefix"},
    {.head = "Groups", .path = "groups"},
    {"Window", NULL, .cell = window_text},
    {.head = "Enabled", .path = "enabled"},
    {"Created", "created_at", .is_time = true, .is_detail = true},
    {.head = NULL},
};

static const struct resource rules = {.path = PATH, .noun = "rule", .is_paged = true, .columns = columns};

#define FIELDS                                                                                                         \
    {"position", 0, CLI_NUMBER, "N", "where among the rules, from 1", .field = "position"},                            \
        {"name", 0, CLI_TEXT, "TEXT", "what it is for", .field = "name"},                                              \
        {"prefix", 0, CLI_TEXT, "DIGITS", "of numbers that begin so; \"\" is every number", .field = "prefix="},       \
        {"group",          0, CLI_LIST, "NAME", "by this group of lines; may be repeated, the first is tried first",   \
         .field = "groups"},                                                                                           \
        {"from", 0, CLI_TEXT, "HH:MM", "calls wait for this time of day", .field = "window.from"},                     \
        {"to", 0, CLI_TEXT, "HH:MM", "and end at this one", .field = "window.to"},                                     \
        {"day", 0, CLI_WORDS, "N", "on these days, 1 is Monday: 1,2,3,4,5", .field = "window.days"},                   \
        {"time-zone", 0, CLI_TEXT, "NAME", "of these times: Europe/Berlin", .field = "window.time_zone"},              \
    {                                                                                                                  \
        "enabled", 0, CLI_SWITCH, "yes|no", "whether it counts", .field = "enabled", .complete = "yes no"              \
    }

static const struct cli_option added[] = {FIELDS, {.name = NULL}};

static const struct cli_option changed[] = {
    FIELDS,
    {"any-time", 0, CLI_FLAG, NULL, "at any time of day", .field = "window=null"},
    {.name = NULL},
};

static void print_texts(const json_t *list)
{
    size_t i;
    json_t *text;
    json_array_foreach((json_t *)list, i, text)
    {
        const char *said = json_string_value(text);
        text_print(stdout, "  %s\n", said != NULL ? said : "");
    }
}

static void print_groups(const json_t *reply)
{
    size_t i;
    json_t *group;
    json_array_foreach(json_object_get(reply, "groups"), i, group)
    {
        char *name = text_at(group, "name");
        bool can = json_is_true(json_object_get(group, "can_send"));
        text_print(stdout, can ? "  %s has a line for it\n" : "  %s has no line for it now\n", name);
        free(name);
    }
}

static int test(struct cli *cli)
{
    json_t *reply, *body = json_pack("{s:s}", "to", cli->words[0]);
    int verdict = cli_request(&reply, cli, "POST", PATH "/test", body);
    if (reply != NULL) {
        char *to = text_at(reply, "to"), *rule = text_at(reply, "rule.id"), *name = text_at(reply, "rule.name");
        char *opens = text_at(reply, "opens_at"), *at = text_time(opens);
        bool callable = json_is_true(json_object_get(reply, "callable"));
        text_print(stdout, callable ? "%s can be called\n" : "%s cannot be called now\n", to);
        if (*rule)
            text_print(stdout, "  by the rule %s %s\n", rule, name);
        if (*opens)
            text_print(stdout, "  from %s on\n", at);
        print_groups(reply);
        print_texts(json_object_get(reply, "reasons"));
        free(at);
        free(opens);
        free(name);
        free(rule);
        free(to);
    }
    json_decref(reply);
    json_decref(body);
    return verdict;
}

static const struct cli_command commands[] = {
    {"list", .summary = "list the rules in their order", .also = listing_options, .run = resource_list,
     .resource = &rules},
    {"show", "ID", "show a rule", .run = resource_show, .resource = &rules},
    {"add", NULL, "make a rule and print its id", "--group is needed; without --position it is the last.",
     .options = added, .run = resource_add, .resource = &rules},
    {"change", "ID", "change a rule", "Times of day are given all together: what is not given of them is taken away.",
     .options = changed, .run = resource_change, .resource = &rules},
    {"remove", "ID...", "remove rules", .run = resource_remove, .resource = &rules},
    {"test", "NUMBER", "say which rule a call of NUMBER would follow, by which lines, and when", .run = test,
     .complete = "/v1/destinations number last_outcome"},
    {.name = NULL},
};

const struct cli_command rule_command = {
    "rule", .summary = "which lines call which numbers, and when",
    .more =
        "Rules of outbound calls, of which the first that fits counts. Each names groups of lines that are tried in "
        "order. Numbers that no rule fits are called by any line.",
    .commands = commands};
