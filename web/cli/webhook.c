/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fax webhook. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/log.h"
#include "web/cli/cli.h"
#include "web/cli/client.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

#define ENDPOINTS "/v1/webhook-endpoints"

static const char help[] = "Usage: fax webhook add URL [--event TYPE]...\n"
                           "       fax webhook list\n"
                           "       fax webhook remove ID\n"
                           "       fax webhook deliveries ID\n"
                           "       fax webhook replay ID DELIVERY\n"
                           "Where the server posts events. add prints the signing secret, which is shown this once;\n"
                           "without --event all events are posted.\n";

/* A row of a table from the paths of an object; those from `times` on are times. */
static void add_row(struct text_table *table, const json_t *object, const char *const *paths, int count, int times)
{
    char *cells[8];
    for (int i = 0; i < count; i++) {
        char *value = text_at(object, paths[i]);
        cells[i] = i >= times ? text_time(value) : xstrdup(value);
        free(value);
    }
    text_table_add(table, (const char *const *)cells);
    for (int i = 0; i < count; i++)
        free(cells[i]);
}

static void print_rows(const json_t *rows, const char *const *head, const char *const *paths, int count, int times)
{
    struct text_table *table = text_table_new(count);
    size_t index;
    json_t *row;
    text_table_add(table, head);
    json_array_foreach((json_t *)rows, index, row) add_row(table, row, paths, count, times);
    text_table_print(table);
    text_table_free(table);
}

static int add(struct cli *cli, int argc, char **argv)
{
    struct cli_option options[] = {{"event", CLI_LIST, 0, NULL, NULL, 0}, {NULL, CLI_FLAG, 0, NULL, NULL, 0}};
    int operands = 0;
    json_t *reply = NULL;
    int verdict = cli_parse(&operands, cli, options, argc, argv, help, 1, 1);
    if (verdict >= 0)
        goto out;
    json_t *body = json_pack("{s:s}", "url", argv[operands]), *events = json_array();
    for (int i = 0; i < options[0].count; i++)
        json_array_append_new(events, json_string(options[0].values[i]));
    if (json_array_size(events) > 0)
        json_object_set(body, "events", events);
    json_decref(events);
    verdict = cli_request(&reply, cli, "POST", ENDPOINTS, body);
    if (reply != NULL) {
        char *id = text_at(reply, "id"), *secret = text_at(reply, "secret");
        text_print(stdout, "%s %s\n", id, secret);
        free(id);
        free(secret);
    }
    json_decref(body);
    json_decref(reply);
out:
    cli_options_free(options);
    return verdict;
}

static int list(struct cli *cli, int argc, char **argv)
{
    static const char *const head[] = {"ID", "URL", "ENABLED", "WHY NOT", "CREATED"};
    static const char *const paths[] = {"id", "url", "enabled", "disabled_reason", "created_at"};
    int operands = 0;
    json_t *reply = NULL;
    int verdict = cli_parse(&operands, cli, NULL, argc, argv, help, 0, 0);
    if (verdict >= 0)
        return verdict;
    verdict = cli_request(&reply, cli, "GET", ENDPOINTS, NULL);
    if (reply != NULL)
        print_rows(json_object_get(reply, "data"), head, paths, 5, 4);
    json_decref(reply);
    return verdict;
}

/* A request about the endpoint that the first operand names. */
static int request(json_t **reply, struct cli *cli, const char *method, const char *id, const char *rest)
{
    char *escaped = client_escape(id), *path = xasprintf(ENDPOINTS "/%s%s", escaped, rest);
    int verdict = cli_request(reply, cli, method, path, NULL);
    free(path);
    free(escaped);
    return verdict;
}

static int remove_endpoint(struct cli *cli, int argc, char **argv)
{
    int operands = 0;
    json_t *reply = NULL;
    int verdict = cli_parse(&operands, cli, NULL, argc, argv, help, 1, 1);
    if (verdict >= 0)
        return verdict;
    verdict = request(&reply, cli, "DELETE", argv[operands], "");
    json_decref(reply);
    return verdict;
}

static int deliveries(struct cli *cli, int argc, char **argv)
{
    static const char *const head[] = {"ID", "EVENT", "STATUS", "TRIES", "HTTP", "ERROR", "TRIED", "NEXT"};
    static const char *const paths[] = {"id", "type", "status", "tries", "http_status", "error", "tried_at", "next_at"};
    int operands = 0;
    json_t *reply = NULL;
    int verdict = cli_parse(&operands, cli, NULL, argc, argv, help, 1, 1);
    if (verdict >= 0)
        return verdict;
    verdict = request(&reply, cli, "GET", argv[operands], "/deliveries");
    if (reply != NULL)
        print_rows(json_object_get(reply, "data"), head, paths, 8, 6);
    json_decref(reply);
    return verdict;
}

static int replay(struct cli *cli, int argc, char **argv)
{
    int operands = 0;
    json_t *reply = NULL;
    int verdict = cli_parse(&operands, cli, NULL, argc, argv, help, 2, 2);
    if (verdict >= 0)
        return verdict;
    char *escaped = client_escape(argv[operands + 1]), *rest = xasprintf("/deliveries/%s/replay", escaped);
    verdict = request(&reply, cli, "POST", argv[operands], rest);
    json_decref(reply);
    free(rest);
    free(escaped);
    return verdict;
}

int webhook_run(struct cli *cli, int argc, char **argv)
{
    static const struct command commands[] = {{"add", NULL, add},
                                              {"list", NULL, list},
                                              {"remove", NULL, remove_endpoint},
                                              {"deliveries", NULL, deliveries},
                                              {"replay", NULL, replay},
                                              {NULL, NULL, NULL}};
    return cli_sub(cli, commands, argc, argv, help);
}
