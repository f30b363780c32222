/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fax trunk. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "web/cli/cli.h"
#include "web/cli/client.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

#define PATIENCE_MS 35000 /* a SIP transaction gives up after 32 s */
#define LOOK_MS     200

static const char help[] = "Usage: fax trunk list\n"
                           "       fax trunk test NAME\n"
                           "Trunks: the ways of the server's lines to the network, and whether they are up.\n"
                           "test sends a probe (SIP OPTIONS) and waits up to 35 s for its result. NAME is a trunk's\n"
                           "name, or PROVIDER/NAME.\n"
                           "Exit status of test 0: answered well; 1: not; 8: there is no server.\n";

/* "ok 200 OK, 3 ms", "failed: no answer", "". The caller frees. */
static char *test_text(const json_t *trunk)
{
    const json_t *test = json_object_get(trunk, "last_test");
    char *status = text_at(test, "status"), *reason = text_at(test, "reason"), *rtt = text_at(test, "rtt_ms");
    char *text;

    if (!json_is_object(test))
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

static void print_trunks(const json_t *trunks)
{
    static const char *const head[] = {"TRUNK", "STATE", "SINCE", "CALLS", "TOTAL", "FAILED", "LAST TEST", "REASON"};
    static const char *const paths[] = {"id", "state", "since", "calls", "calls_total", "failures_total", "", "reason"};
    struct text_table *table = text_table_new(8);
    size_t index;
    json_t *trunk;
    text_table_add(table, head);
    json_array_foreach((json_t *)trunks, index, trunk)
    {
        char *cells[8];
        for (int i = 0; i < 8; i++) {
            char *value = i == 6 ? test_text(trunk) : text_at(trunk, paths[i]);
            cells[i] = i == 2 ? text_time(value) : xstrdup(value);
            free(value);
        }
        text_table_add(table, (const char *const *)cells);
        for (int i = 0; i < 8; i++)
            free(cells[i]);
    }
    text_table_print(table);
    text_table_free(table);
}

static int list(struct cli *cli, int argc, char **argv)
{
    int operands = 0;
    json_t *reply = NULL;
    int verdict = cli_parse(&operands, cli, NULL, argc, argv, help, 0, 0);
    if (verdict >= 0)
        return verdict;
    verdict = cli_request(&reply, cli, "GET", "/v1/trunks", NULL);
    if (reply != NULL)
        print_trunks(json_object_get(reply, "data"));
    json_decref(reply);
    return verdict;
}

/* --- test --- */

/* The trunk that is called so, by its id or by its name where only one has it. New reference, or NULL and the reason is
 * said. */
static json_t *find(const json_t *trunks, const char *name)
{
    json_t *trunk, *found = NULL;
    size_t index;
    int count = 0;
    json_array_foreach((json_t *)trunks, index, trunk)
    {
        const char *id = json_string_value(json_object_get(trunk, "id"));
        const char *own = json_string_value(json_object_get(trunk, "name"));
        if ((id == NULL || strcmp(id, name) != 0) && (own == NULL || strcmp(own, name) != 0))
            continue;
        found = trunk;
        count++;
    }
    if (count == 1)
        return json_incref(found);
    if (count == 0)
        text_complain("there is no trunk %s", name);
    else
        text_complain("several trunks are called %s: say PROVIDER/NAME", name);
    return NULL;
}

static int find_trunk(json_t **trunk, struct cli *cli, const char *name)
{
    json_t *reply = NULL;
    int verdict = cli_client(cli);
    if (verdict == VERDICT_OK)
        verdict = client_request(&reply, cli->client, "GET", "/v1/trunks", NULL);
    if (verdict == VERDICT_OK && (*trunk = find(json_object_get(reply, "data"), name)) == NULL)
        verdict = VERDICT_ERROR;
    json_decref(reply);
    return verdict;
}

/* The path of the trunk. The caller frees. */
static char *path_of(const json_t *trunk)
{
    char *provider = client_escape(json_string_value(json_object_get(trunk, "provider")));
    char *name = client_escape(json_string_value(json_object_get(trunk, "name")));
    char *path = xasprintf("/v1/trunks/%s/%s", provider, name);
    free(name);
    free(provider);
    return path;
}

static void pause_ms(int ms)
{
    const struct timespec time = {ms / 1000, ms % 1000 * 1000000L};
    nanosleep(&time, NULL);
}

/* `*trunk` becomes what it is once its last test is another than it was. */
static int wait_for_result(json_t **trunk, struct cli *cli, const char *path)
{
    json_t *before = json_incref(json_object_get(*trunk, "last_test"));
    int64_t until = clock_mono_ms() + PATIENCE_MS;
    int verdict = VERDICT_OK;
    while (verdict == VERDICT_OK && json_equal(before, json_object_get(*trunk, "last_test"))) {
        json_t *now = NULL;
        if (clock_mono_ms() >= until) {
            text_complain("no result within %s s", "35");
            verdict = VERDICT_ERROR;
            break;
        }
        pause_ms(LOOK_MS);
        verdict = client_request(&now, cli->client, "GET", path, NULL);
        if (now != NULL) {
            json_decref(*trunk);
            *trunk = now;
        }
    }
    json_decref(before);
    return verdict;
}

static int print_result(const struct cli *cli, const json_t *trunk)
{
    char *id = text_at(trunk, "id"), *text = test_text(trunk);
    if (cli->json)
        text_json(trunk);
    else
        text_print(stdout, "%s: %s\n", id, text);
    free(text);
    free(id);
    return json_is_true(json_object_get(json_object_get(trunk, "last_test"), "ok")) ? VERDICT_OK : VERDICT_ERROR;
}

static int test(struct cli *cli, int argc, char **argv)
{
    int operands = 0;
    json_t *trunk = NULL, *reply = NULL;
    int verdict = cli_parse(&operands, cli, NULL, argc, argv, help, 1, 1);
    if (verdict >= 0)
        return verdict;
    verdict = find_trunk(&trunk, cli, argv[operands]);
    if (verdict != VERDICT_OK)
        return verdict;
    char *path = path_of(trunk), *order = xasprintf("%s/test", path);
    verdict = client_request(&reply, cli->client, "POST", order, NULL);
    if (verdict == VERDICT_OK)
        verdict = wait_for_result(&trunk, cli, path);
    if (verdict == VERDICT_OK)
        verdict = print_result(cli, trunk);
    free(order);
    free(path);
    json_decref(reply);
    json_decref(trunk);
    return verdict;
}

int trunk_run(struct cli *cli, int argc, char **argv)
{
    static const struct command commands[] = {{"list", NULL, list}, {"test", NULL, test}, {NULL, NULL, NULL}};
    return cli_sub(cli, commands, argc, argv, help);
}
