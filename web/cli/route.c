/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fax route. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/log.h"
#include "web/cli/cli.h"
#include "web/cli/client.h"
#include "web/cli/resource.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

#define PATH "/v1/routes/inbound"

/* --- what is shown --- */

/* "did +4930123, pages_max 3": conditions that are asked. */
static char *match_text(const json_t *rule)
{
    const char *key;
    json_t *value;
    char *text = xstrdup("");
    json_object_foreach(json_object_get(rule, "match"), key, value)
    {
        char *one =
            json_is_object(value) ? json_dumps(value, JSON_COMPACT) : text_at(json_object_get(rule, "match"), key);
        if (!json_is_null(value) && strcmp(one, "any") != 0) {
            char *longer = xasprintf("%s%s%s %s", text, *text ? ", " : "", key, one);
            free(text);
            text = longer;
        }
        free(one);
    }
    return text;
}

/* "folder /srv/fax, print office" */
static char *methods_text(const json_t *rule)
{
    static const char *const targets[] = {"folder", "to", "url", "printer", "argv", "user", "labels"};
    char *text = xstrdup("");
    json_t *method;
    size_t i;
    json_array_foreach(json_object_get(rule, "methods"), i, method)
    {
        char *type = text_at(method, "type"), *target = xstrdup("");
        for (size_t k = 0; *target == '\0' && k < sizeof targets / sizeof targets[0]; k++) {
            free(target);
            target = text_at(method, targets[k]);
        }
        char *longer = xasprintf("%s%s%s %s", text, *text ? ", " : "", type, target);
        free(target);
        free(type);
        free(text);
        text = longer;
    }
    return text;
}

static const struct column columns[] = {
    {.head = "Position", .path = "position"},
    {.head = "Id", .path = "id"},
    {.head = "Name", .path = "name"},
    {"Match", NULL, .cell = match_text},
    {"Methods", NULL, .cell = methods_text},
    {.head = "Then", .path = "then"},
    {.head = "Enabled", .path = "enabled"},
    {"From config", "from_config", .is_detail = true},
    {"Created", "created_at", .is_time = true, .is_detail = true},
    {.head = NULL},
};

static const struct resource routes = {.path = PATH, .noun = "rule", .is_paged = true, .columns = columns};

static const struct column delivery_columns[] = {
    {.head = "Id", .path = "id"},         {.head = "Method", .path = "method"},
    {.head = "Target", .path = "target"}, {.head = "Status", .path = "status"},
    {.head = "Tries", .path = "tries"},   {"Next", "next_at", .is_time = true},
    {.head = "Reason", .path = "reason"}, {.head = NULL},
};

/* --- bodies --- */

#define MATCH(option, what, about, member)                                                                             \
    {                                                                                                                  \
        option, 0, CLI_TEXT, what, about, .field = "match." member                                                     \
    }

#define FACTS(prefix)                                                                                                   \
    {"did", 0, CLI_TEXT, "NUMBER", "the number called", .field = prefix "did"},                                         \
        {"from", 0, CLI_TEXT, "NUMBER", "who calls", .field = prefix "from"},                                           \
        {"station-id", 0, CLI_TEXT, "TEXT", "what the far machine calls itself", .field = prefix "station_id"},         \
        {"subaddress", 0, CLI_TEXT, "TEXT", "that the far end asked for", .field = prefix "subaddress"},                \
        {"line", 0, CLI_TEXT, "LINE", "of ours, as provider/line", .field = prefix "line", .complete = "/v1/lines id"}, \
    {                                                                                                                   \
        "outcome", 0, CLI_TEXT, "NAME", "received or partially_received", .field = prefix "outcome",                    \
                                                                          .complete = "received partially_received"     \
    }

#define FIELDS                                                                                                         \
    {"position", 0, CLI_NUMBER, "N", "where among the rules, from 1", .field = "position"},                            \
        {"name", 0, CLI_TEXT, "TEXT", "what it is for", .field = "name"},                                              \
        {"then",                                                                                                       \
         0,                                                                                                            \
         CLI_TEXT,                                                                                                     \
         "WORD",                                                                                                       \
         "stop (default), or continue with the rules behind it",                                                       \
         .field = "then",                                                                                              \
         .complete = "stop continue"},                                                                                 \
        {"enabled", 0, CLI_SWITCH, "yes|no", "whether it counts", .field = "enabled", .complete = "yes no"},           \
        FACTS("match."), MATCH("did-prefix", "DIGITS", "what the number called begins with", "did_prefix"),            \
        MATCH("from-prefix", "DIGITS", "what the caller's number begins with", "from_prefix"),                         \
        MATCH("station-id-prefix", "TEXT", "what the station id begins with", "station_id_prefix"),                    \
        MATCH("group", "NAME", "a group of the line", "group"),                                                        \
        {"anonymous",                                                                                                  \
         0,                                                                                                            \
         CLI_SWITCH,                                                                                                   \
         "yes|no",                                                                                                     \
         "callers who say no number, or only those who do",                                                            \
         .field = "match.anonymous",                                                                                   \
         .complete = "yes no"},                                                                                        \
        {"pages-min", 0, CLI_NUMBER, "N", "at least so many pages", .field = "match.pages_min"},                       \
        {"pages-max", 0, CLI_NUMBER, "N", "at most so many", .field = "match.pages_max"},                              \
        {"since", 0, CLI_TEXT, "HH:MM", "calls that come from this time of day on", .field = "match.window.from"},     \
        {"until", 0, CLI_TEXT, "HH:MM", "and up to this one", .field = "match.window.to"},                             \
        {"day", 0, CLI_WORDS, "N", "on these days, 1 is Monday: 1,2,3,4,5", .field = "match.window.days"},             \
        {"time-zone", 0, CLI_TEXT, "NAME", "of these times: Europe/Berlin", .field = "match.window.time_zone"},        \
        {"folder", 0, CLI_TEXT, "PATH", "store it in this folder of the server", .field = NULL},                       \
        {"file-name", 0, CLI_TEXT, "PATTERN", "under this name: {date}-{from}-{id}", .field = NULL},                   \
        {"mail", 0, CLI_TEXT, "ADDRESS", "mail it to this address", .field = NULL},                                    \
        {"webhook", 0, CLI_TEXT, "URL", "tell this address, with a link to it", .field = NULL},                        \
        {"print", 0, CLI_TEXT, "QUEUE", "print it by this queue of CUPS", .field = NULL},                              \
        {"print-server", 0, CLI_TEXT, "HOST:PORT", "of this server", .field = NULL},                                   \
        {"command",    0, CLI_LIST, "WORD", "run this program of the server; repeated for its arguments: {file}",      \
         .field = NULL},                                                                                               \
        {"user", 0, CLI_TEXT, "USER", "this user sees to it", .of = &user_resource},                                   \
        {"label", 0, CLI_LIST, "TEXT", "label it; may be repeated", .field = NULL},                                    \
        {"format", 0, CLI_TEXT, "NAME", "of all these: pdf or tiff", .complete = "pdf tiff"},                          \
    {                                                                                                                  \
        "methods", 0, CLI_TEXT, "JSON", "what is done, as the API takes it, instead of these", .field = NULL           \
    }

static const struct cli_option fields[] = {FIELDS, {.name = NULL}};

static const struct cli_option facts[] = {
    FACTS(""),
    {"pages", 0, CLI_NUMBER, "N", "how many pages it has", .field = "pages"},
    {"at", 0, CLI_TEXT, "TIME", "when it comes: 2026-11-21T18:00:00Z", .field = "at"},
    {.name = NULL},
};

/* A method of one option, when that was given. */
static json_t *method(struct cli *cli, const char *option, const char *type, const char *member)
{
    const char *value = cli_value(cli, option), *format = cli_value(cli, "format");
    if (value == NULL)
        return NULL;
    json_t *object = json_pack("{s:s, s:s}", "type", type, member, value);
    if (format != NULL)
        json_object_set_new(object, "format", json_string(format));
    return object;
}

static void set_member(json_t *object, const char *member, const char *value)
{
    if (object != NULL && value != NULL)
        json_object_set_new(object, member, json_string(value));
}

static void add_method(json_t *list, json_t *object)
{
    if (object != NULL)
        json_array_append_new(list, object);
}

static json_t *texts_of(const struct cli *cli, const char *option)
{
    const struct cli_given *given = cli_find(cli, option);
    json_t *list = json_array();
    for (int i = 0; i < given->count; i++)
        json_array_append_new(list, json_string(given->values[i]));
    return list;
}

static json_t *command_of(struct cli *cli)
{
    const char *format = cli_value(cli, "format");
    if (cli_value(cli, "command") == NULL)
        return NULL;
    json_t *object = json_pack("{s:s, s:o}", "type", "command", "argv", texts_of(cli, "command"));
    set_member(object, "format", format);
    return object;
}

/* A user is named by his name or his id. */
static int add_inbox(json_t *list, struct cli *cli)
{
    const struct cli_given *user = cli_find(cli, "user");
    char *id = NULL;
    if (user->value == NULL && cli_value(cli, "label") == NULL)
        return VERDICT_OK;
    int verdict = user->value != NULL ? resource_value(&id, cli, user->option, user->value) : VERDICT_OK;
    if (verdict == VERDICT_OK) {
        json_t *object = json_pack("{s:s, s:o}", "type", "inbox", "labels", texts_of(cli, "label"));
        set_member(object, "user", id);
        add_method(list, object);
    }
    free(id);
    return verdict;
}

static int add_methods(json_t *list, struct cli *cli)
{
    json_t *folder = method(cli, "folder", "folder", "folder"), *print = method(cli, "print", "print", "printer");
    set_member(folder, "name", cli_value(cli, "file-name"));
    set_member(print, "server", cli_value(cli, "print-server"));
    add_method(list, folder);
    add_method(list, method(cli, "mail", "email", "to"));
    add_method(list, method(cli, "webhook", "webhook", "url"));
    add_method(list, print);
    add_method(list, command_of(cli));
    return add_inbox(list, cli);
}

static int body_of(json_t **body, struct cli *cli)
{
    const char *text = cli_value(cli, "methods");
    int verdict = resource_body(body, cli);
    if (verdict != VERDICT_OK)
        return verdict;
    json_t *list = text != NULL ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : json_array();
    if (list == NULL) {
        text_complain("--methods: this is no list in JSON");
        verdict = VERDICT_ERROR;
    } else if (text == NULL) {
        verdict = add_methods(list, cli);
    }
    if (verdict == VERDICT_OK && (text != NULL || json_array_size(list) > 0))
        json_object_set(*body, "methods", list);
    json_decref(list);
    if (verdict != VERDICT_OK)
        json_decref(*body);
    return verdict;
}

/* --- commands --- */

static void print_secrets(const json_t *rule)
{
    json_t *one;
    size_t i;
    json_array_foreach(json_object_get(rule, "methods"), i, one)
    {
        char *secret = text_at(one, "secret");
        if (*secret != '\0')
            text_print(stdout, "secret: %s\n", secret);
        free(secret);
    }
}

static int add(struct cli *cli)
{
    json_t *body, *reply = NULL;
    int verdict = body_of(&body, cli);
    if (verdict != VERDICT_OK)
        return verdict;
    verdict = cli_request(&reply, cli, "POST", PATH, body);
    if (reply != NULL) {
        char *id = text_at(reply, "id");
        text_print(stdout, "%s\n", id);
        print_secrets(reply);
        free(id);
    }
    json_decref(reply);
    json_decref(body);
    return verdict;
}

static int change(struct cli *cli)
{
    json_t *body;
    int verdict = body_of(&body, cli);
    return verdict == VERDICT_OK ? resource_change_to(cli, body) : verdict;
}

static int move(struct cli *cli)
{
    char *end;
    long position = strtol(cli->words[1], &end, 10);
    if (*end != '\0' || position < 1) {
        text_complain("%s is no position: they are counted from 1", cli->words[1]);
        return VERDICT_ERROR;
    }
    return resource_patch(cli, json_pack("{s:i}", "position", (int)position));
}

static void print_rules(const json_t *reply)
{
    json_t *rule;
    size_t i;
    json_array_foreach(json_object_get(reply, "rules"), i, rule)
    {
        char *id = text_at(rule, "id"), *name = text_at(rule, "name"), *reason = text_at(rule, "reason");
        if (json_is_true(json_object_get(rule, "matches")))
            text_print(stdout, "  matches: %s %s\n", id, name);
        else
            text_print(stdout, "  not: %s %s: %s\n", id, name, reason);
        free(reason);
        free(name);
        free(id);
    }
}

static void print_deliveries(const json_t *reply)
{
    json_t *delivery;
    size_t i;
    json_array_foreach(json_object_get(reply, "deliveries"), i, delivery)
    {
        char *type = text_at(delivery, "method"), *target = text_at(delivery, "target");
        text_print(stdout, "  %s %s\n", type, target);
        free(target);
        free(type);
    }
}

static int test(struct cli *cli)
{
    json_t *body, *reply = NULL;
    int verdict = resource_body(&body, cli);
    if (verdict == VERDICT_OK)
        verdict = cli_request(&reply, cli, "POST", PATH "/test", body);
    if (reply != NULL) {
        char *status = text_at(reply, "status"), *reason = text_at(reply, "blocked.reason");
        text_print(stdout, "It would be %s.\n", status);
        if (*reason != '\0')
            text_print(stdout, "  %s\n", reason);
        print_rules(reply);
        if (json_array_size(json_object_get(reply, "deliveries")) > 0)
            puts("Done with it:");
        print_deliveries(reply);
        free(reason);
        free(status);
    }
    json_decref(reply);
    json_decref(body);
    return verdict;
}

/* --- faxes --- */

static int again(struct cli *cli)
{
    return resource_post(cli, "/route", "status");
}

static int deliveries(struct cli *cli)
{
    char *id = client_escape(cli->words[0]), *path = xasprintf("/v1/faxes/%s/deliveries", id);
    int verdict = listing_print(cli, path, delivery_columns);
    free(path);
    free(id);
    return verdict;
}

static int retry(struct cli *cli)
{
    char *delivery = client_escape(cli->words[1]), *tail = xasprintf("/deliveries/%s/retry", delivery);
    int verdict = resource_post(cli, tail, "status");
    free(tail);
    free(delivery);
    return verdict;
}

#define METHODS                                                                                                        \
    "Of --folder, --mail, --webhook, --print, --command, --user and --label one is needed, and there may be several. " \
    "Folders and programs have to lie where the configuration of the server allows them."

static const struct cli_command commands[] = {
    {"list", .summary = "list the rules in their order", .also = listing_options, .run = resource_list,
     .resource = &routes},
    {"show", "ID", "show a rule", .run = resource_show, .resource = &routes},
    {"add", NULL, "make a rule and print its id", METHODS, .options = fields, .run = add, .resource = &routes},
    {"change", "ID", "change a rule",
     "Conditions are given all together, and so is what is done: what is not given of them is taken away.",
     .options = fields, .run = change, .resource = &routes},
    {"remove", "ID...", "remove rules", .run = resource_remove, .resource = &routes},
    {"move", "ID POSITION", "put a rule at another place", .run = move, .resource = &routes},
    {"test", .summary = "say which rules a received fax would meet, why not the others, and what would be done",
     .options = facts, .run = test},
    {"deliveries", "FAX", "list where a received fax went", .also = listing_options, .run = deliveries,
     .resource = &fax_resource},
    {"retry", "FAX DELIVERY", "try a delivery again, now", .run = retry, .resource = &fax_resource},
    {"again", "FAX", "route a received fax again, by the rules of now", .run = again, .resource = &fax_resource},
    {.name = NULL},
};

const struct cli_command route_command = {
    "route", .summary = "what is done with received faxes",
    .more = "Rules of received faxes, in their order: a fax goes by the first that it meets, and by the ones behind it "
            "as long as they say continue. What meets none stays in the inbox.",
    .commands = commands};
