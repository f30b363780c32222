/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fax trunk. */
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

#define PATIENCE_S 35 /* a SIP transaction gives up after 32 s */

static const json_t *test_of(const json_t *trunk)
{
    const json_t *test = json_object_get(trunk, "last_test");
    return json_is_object(test) ? test : NULL;
}

/* "ok 200 OK, 3 ms", "failed: no answer", "". The caller frees. */
static char *test_text(const json_t *trunk)
{
    const json_t *test = test_of(trunk);
    char *status = text_at(test, "status"), *reason = text_at(test, "reason"), *rtt = text_at(test, "rtt_ms"), *text;
    if (test == NULL)
        text = xstrdup("");
    else if (json_is_true(json_object_get(test, "ok")))
        text = xasprintf("ok %s %s, %s ms", status, reason, rtt);
    else
        text = xasprintf("failed: %s%s%s", status, *status ? " " : "", reason);
    free(rtt);
    free(reason);
    free(status);
    return text;
}

static const struct column columns[] = {
    {.head = "Trunk", .path = "id"},
    {.head = "State", .path = "state"},
    {"Since", "since", .is_time = true},
    {.head = "Calls", .path = "calls"},
    {.head = "Total", .path = "calls_total"},
    {.head = "Failed", .path = "failures_total"},
    {"Last test", NULL, .cell = test_text},
    {"Kind", "kind", .is_detail = true},
    {"Registrar", "registrar", .is_detail = true},
    {.head = "Reason", .path = "reason"},
    {.head = NULL},
};

/* Trunks have ids of the form PROVIDER/NAME. */
static const struct resource trunks = {.path = "/v1/trunks", .noun = "trunk", .columns = columns};

struct search {
    const char *name;
    json_t *found;
    int count;
};

static bool compare(const json_t *trunk, void *context)
{
    struct search *search = context;
    const char *id = json_string_value(json_object_get(trunk, "id"));
    const char *name = json_string_value(json_object_get(trunk, "name"));
    if ((id == NULL || strcmp(id, search->name) != 0) && (name == NULL || strcmp(name, search->name) != 0))
        return true;
    if (search->count++ == 0)
        search->found = json_deep_copy(trunk);
    return true;
}

/* The path of the trunk that is called so, by its id or by its name where only one has it. The caller frees. */
static int find(char **path, struct cli *cli, const char *name)
{
    struct search search = {name, NULL, 0};
    int verdict = listing_walk(cli, trunks.path, false, 0, compare, &search);
    *path = NULL;
    if (verdict == VERDICT_OK && search.count == 1) {
        char *provider = client_escape(json_string_value(json_object_get(search.found, "provider")));
        char *own = client_escape(json_string_value(json_object_get(search.found, "name")));
        *path = xasprintf("%s/%s/%s", trunks.path, provider, own);
        free(own);
        free(provider);
    } else if (verdict == VERDICT_OK) {
        text_complain(search.count == 0 ? "there is no trunk %s" : "several trunks are called %s: say PROVIDER/NAME",
                      name);
        verdict = VERDICT_ERROR;
    }
    json_decref(search.found);
    return verdict;
}

static int show(struct cli *cli)
{
    char *path;
    json_t *reply = NULL;
    int verdict = find(&path, cli, cli->words[0]);
    if (verdict == VERDICT_OK)
        verdict = cli_request(&reply, cli, "GET", path, NULL);
    if (reply != NULL)
        listing_object(reply, columns);
    json_decref(reply);
    free(path);
    return verdict;
}

static int test(struct cli *cli)
{
    char *path;
    json_t *trunk = NULL;
    int verdict = find(&path, cli, cli->words[0]);
    if (verdict == VERDICT_OK)
        verdict = probe_run(&trunk, cli, path, test_of, PATIENCE_S, "");
    if (verdict == VERDICT_OK) {
        char *id = text_at(trunk, "id"), *text = test_text(trunk);
        if (cli->json)
            text_json(trunk);
        else
            text_print(stdout, "%s: %s\n", id, text);
        free(text);
        free(id);
        verdict = json_is_true(json_object_get(test_of(trunk), "ok")) ? VERDICT_OK : VERDICT_ERROR;
    }
    json_decref(trunk);
    free(path);
    return verdict;
}

static const struct cli_command commands[] = {
    {"list", NULL, "list trunks, and whether they are up", .run = resource_list, .resource = &trunks},
    {"show", "TRUNK", "show a trunk", .run = show, .complete = "/v1/trunks id state"},
    {"test", "TRUNK", "send a probe and wait for its result",
     "The probe (SIP OPTIONS) has a result within 35 seconds. Exit status 0: answered well; 1: not; 8: there is no "
     "server.",
     .run = test, .complete = "/v1/trunks id state"},
    {.name = NULL},
};

const struct cli_command trunk_command = {
    "trunk", .summary = "the ways of the lines to the network",
    .more = "A trunk is named by its name, or PROVIDER/NAME where several have that.", .commands = commands};
