/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fax line, fax lines. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "server/base/log.h"
#include "web/cli/cli.h"
#include "web/cli/client.h"
#include "web/cli/probe.h"
#include "web/cli/resource.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

#define PATIENCE_S 180 /* a modem that answers nothing is asked, reset, and asked again */
#define LINE_IDS   "/v1/lines id state"

static const struct column columns[] = {
    {.head = "Line", .path = "id"},
    {.head = "Number", .path = "number"},
    {.head = "State", .path = "state"},
    {"Send", "send_enabled", .is_detail = true},
    {"Receive", "receive_enabled", .is_detail = true},
    {"Groups", "groups", .is_detail = true},
    {.head = "Device", .path = "device.path"},
    {.head = "Model", .path = "device.model"},
    {"Since", "device.since", .is_time = true},
    {.head = "Reason", .path = "reason"},
    {.head = NULL},
};

static const struct column call_columns[] = {
    {.head = "Line", .path = "id"},
    {.head = "Number", .path = "number"},
    {.head = "State", .path = "state"},
    {.head = "Send", .path = "send_enabled"},
    {.head = "Receive", .path = "receive_enabled"},
    {.head = "Fax", .path = "call.fax"},
    {.head = "Peer", .path = "call.peer"},
    {.head = "Page", .path = "call.page"},
    {.head = NULL},
};

static const struct resource lines = {.path = "/v1/lines", .noun = "line", .columns = columns};
static const struct resource calls = {.path = "/v1/lines", .noun = "line", .columns = call_columns};

const struct cli_command lines_command = {"lines", NULL, "list the lines and the calls on them", .run = resource_list,
                                          .resource = &calls};

static const json_t *test_of(const json_t *line)
{
    const json_t *test = json_object_get(json_object_get(line, "device"), "last_test");
    return json_is_object(test) ? test : NULL;
}

/* What a terminal may see of each line is text_print's to say. */
static void print_report(char *report)
{
    char *rest = NULL;
    for (char *line = strtok_r(report, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
        text_print(stdout, "%s\n", line);
}

static int print_result(const struct cli *cli, const json_t *line)
{
    bool ok = json_is_true(json_object_get(test_of(line), "ok"));
    char *id = text_at(line, "id"), *report = text_at(test_of(line), "report");
    if (cli->json) {
        text_json(line);
    } else {
        text_print(stdout, ok ? "%s: in order\n" : "%s: not in order\n", id);
        print_report(report);
    }
    free(report);
    free(id);
    return ok ? VERDICT_OK : VERDICT_ERROR;
}

/* The path of a line, which may be named without its provider. The caller frees. */
static int find(char **path, struct cli *cli, const char *name)
{
    json_t *line = NULL;
    char *escaped = client_escape(name), *asked = xasprintf("/v1/lines/%s", escaped);
    int verdict = cli_client(cli);
    *path = NULL;
    if (verdict == VERDICT_OK)
        verdict = client_request(&line, cli->client, "GET", asked, NULL);
    if (line != NULL) {
        char *provider = client_escape(json_string_value(json_object_get(line, "provider")));
        char *own = client_escape(json_string_value(json_object_get(line, "name")));
        *path = xasprintf("/v1/lines/%s/%s", provider, own);
        free(own);
        free(provider);
    }
    json_decref(line);
    free(asked);
    free(escaped);
    return verdict;
}

static int test(struct cli *cli)
{
    char *path;
    json_t *line = NULL;
    int verdict = find(&path, cli, cli->words[0]);
    if (verdict == VERDICT_OK)
        verdict = probe_run(&line, cli, path, test_of, PATIENCE_S, ": is the line in a call?");
    if (verdict == VERDICT_OK)
        verdict = print_result(cli, line);
    json_decref(line);
    free(path);
    return verdict;
}

static const struct cli_option changed[] = {
    {"send", 0, CLI_SWITCH, "yes|no", "whether it makes calls", .field = "send_enabled", .complete = "yes no"},
    {"receive", 0, CLI_SWITCH, "yes|no", "whether it answers", .field = "receive_enabled", .complete = "yes no"},
    {.name = NULL},
};

static const struct cli_command commands[] = {
    {"list", NULL, "list lines, the devices they stand on, and why they cannot send if not", .run = resource_list,
     .resource = &lines},
    {"show", "LINE", "show a line", .run = resource_show, .resource = &lines, .complete = LINE_IDS},
    {"change", "LINE", "let a line send or receive, or not", "A call under way goes on.", .options = changed,
     .run = resource_change, .resource = &lines, .complete = LINE_IDS},
    {"test", "LINE", "ask a line's modem what it is and can, and print what was said",
     "Exit status 0: in order; 1: not; 8: there is no server. See faxd-class1(7).", .run = test, .complete = LINE_IDS},
    {.name = NULL},
};

const struct cli_command line_command = {
    "line", .summary = "lines and their modems",
    .more = "A line is named PROVIDER/NAME, or by its name alone where only one has it.", .commands = commands};
