/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fax lines, fax health. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "web/cli/cli.h"
#include "web/cli/client.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

static const char lines_help[] = "Usage: fax lines\n"
                                 "The server's lines and what they are doing.\n";

static const char health_help[] = "Usage: fax health\n"
                                  "Whether the server is ready to work, and what is wrong if it is not.\n"
                                  "Exit status 0: ready; 1: not; 8: there is no server.\n";

static void print_lines(const json_t *lines)
{
    static const char *const head[] = {"LINE", "NUMBER", "STATE", "SEND", "RECEIVE", "FAX", "PEER", "PAGE"};
    static const char *const paths[] = {"id",       "number",    "state",    "send_enabled", "receive_enabled",
                                        "call.fax", "call.peer", "call.page"};
    struct text_table *table = text_table_new(8);
    size_t index;
    json_t *line;
    text_table_add(table, head);
    json_array_foreach((json_t *)lines, index, line)
    {
        char *cells[8];
        for (int i = 0; i < 8; i++)
            cells[i] = text_at(line, paths[i]);
        text_table_add(table, (const char *const *)cells);
        for (int i = 0; i < 8; i++)
            free(cells[i]);
    }
    text_table_print(table);
    text_table_free(table);
}

int lines_run(struct cli *cli, int argc, char **argv)
{
    int operands = 0;
    json_t *reply = NULL;
    int verdict = cli_parse(&operands, cli, NULL, argc, argv, lines_help, 0, 0);
    if (verdict >= 0)
        return verdict;
    verdict = cli_request(&reply, cli, "GET", "/v1/lines", NULL);
    if (reply != NULL)
        print_lines(json_object_get(reply, "data"));
    json_decref(reply);
    return verdict;
}

static void print_checks(const json_t *checks)
{
    const char *name;
    json_t *check;
    json_object_foreach((json_t *)checks, name, check)
    {
        char *text =
            json_is_object(check) ? json_dumps(check, JSON_COMPACT | JSON_ENSURE_ASCII) : text_at(checks, name);
        text_print(stdout, "  %s: %s\n", name, text != NULL ? text : "");
        free(text);
    }
}

static void print_health(const json_t *health)
{
    char *status = text_at(health, "status");
    text_print(stdout, "%s\n", status);
    print_checks(json_object_get(health, "checks"));
    free(status);
}

int health_run(struct cli *cli, int argc, char **argv)
{
    int operands = 0;
    bool ready = false;
    json_t *reply = NULL;
    int verdict = cli_parse(&operands, cli, NULL, argc, argv, health_help, 0, 0);
    if (verdict >= 0)
        return verdict;
    verdict = cli_client(cli);
    if (verdict == VERDICT_OK)
        verdict = client_probe(&reply, &ready, cli->client, "/health/ready");
    if (verdict == VERDICT_OK && cli->json)
        text_json(reply);
    else if (verdict == VERDICT_OK)
        print_health(reply);
    json_decref(reply);
    return verdict == VERDICT_OK && !ready ? VERDICT_ERROR : verdict;
}
