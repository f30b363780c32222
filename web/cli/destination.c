/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fax destination. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "server/base/log.h"
#include "web/cli/cli.h"
#include "web/cli/client.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

static const char help[] =
    "Usage: fax destination list [--limit N]\n"
    "       fax destination show NUMBER\n"
    "       fax destination forget NUMBER...\n"
    "What calls over the network have taught of a number: whether the next one is T.38 or G.711,\n"
    "and how each has done. It is forgotten 90 days after the last such call, or by forget.\n";

static void print_destinations(const json_t *list)
{
    static const char *const head[] = {"NUMBER",   "TRANSPORT", "T.38 OK",   "FAILED",
                                       "G.711 OK", "FAILED",    "LAST CALL", "REASON"};
    static const char *const paths[] = {"number",  "transport",   "t38.ok",  "t38.failed",
                                        "g711.ok", "g711.failed", "last_at", "reason"};
    struct text_table *table = text_table_new(8);
    size_t index;
    json_t *destination;
    text_table_add(table, head);
    json_array_foreach((json_t *)list, index, destination)
    {
        char *cells[8];
        for (int i = 0; i < 8; i++) {
            char *value = text_at(destination, paths[i]);
            cells[i] = i == 6 ? text_time(value) : xstrdup(value);
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
    struct cli_option options[] = {{"limit", CLI_VALUE, 0, NULL, NULL, 0}, {NULL, CLI_FLAG, 0, NULL, NULL, 0}};
    int operands = 0;
    json_t *reply = NULL;
    int verdict = cli_parse(&operands, cli, options, argc, argv, help, 0, 0);
    if (verdict >= 0)
        return verdict;
    char *limit = client_escape(options[0].value != NULL ? options[0].value : "50");
    char *path = xasprintf("/v1/destinations?limit=%s", limit);
    verdict = cli_request(&reply, cli, "GET", path, NULL);
    if (reply != NULL)
        print_destinations(json_object_get(reply, "data"));
    json_decref(reply);
    free(path);
    free(limit);
    return verdict;
}

static int request(json_t **reply, struct cli *cli, const char *method, const char *number)
{
    char *escaped = client_escape(number), *path = xasprintf("/v1/destinations/%s", escaped);
    int verdict = cli_request(reply, cli, method, path, NULL);
    free(path);
    free(escaped);
    return verdict;
}

static int show(struct cli *cli, int argc, char **argv)
{
    static const char *const rows[][2] = {
        {"Number", "number"},
        {"Transport", "transport"},
        {"Reason", "reason"},
        {"T.38 ok", "t38.ok"},
        {"T.38 failed", "t38.failed"},
        {"G.711 ok", "g711.ok"},
        {"G.711 failed", "g711.failed"},
        {"Last outcome", "last_outcome"},
        {"Last call", "last_at"},
    };
    int operands = 0;
    json_t *reply = NULL;
    int verdict = cli_parse(&operands, cli, NULL, argc, argv, help, 1, 1);
    if (verdict >= 0)
        return verdict;
    verdict = request(&reply, cli, "GET", argv[operands]);
    for (size_t i = 0; reply != NULL && i < sizeof rows / sizeof rows[0]; i++) {
        char *value = text_at(reply, rows[i][1]), *shown = text_time(value);
        if (value[0] != '\0')
            printf("%-12s %s\n", rows[i][0], shown);
        free(shown);
        free(value);
    }
    json_decref(reply);
    return verdict;
}

static int forget(struct cli *cli, int argc, char **argv)
{
    int operands = 0, worst = VERDICT_OK;
    int verdict = cli_parse(&operands, cli, NULL, argc, argv, help, 1, 1000);
    if (verdict >= 0)
        return verdict;
    for (int i = operands; i < argc && worst != VERDICT_UNREACHABLE; i++) {
        json_t *reply = NULL;
        verdict = request(&reply, cli, "DELETE", argv[i]);
        if (verdict != VERDICT_OK)
            worst = verdict;
        json_decref(reply);
    }
    return worst;
}

int destination_run(struct cli *cli, int argc, char **argv)
{
    static const struct command commands[] = {
        {"list", NULL, list}, {"show", NULL, show}, {"forget", NULL, forget}, {NULL, NULL, NULL}};
    return cli_sub(cli, commands, argc, argv, help);
}
