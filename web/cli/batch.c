/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fax batch. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "server/base/log.h"
#include "web/cli/cli.h"
#include "web/cli/client.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

static const char help[] = "Usage: fax batch send FILE\n"
                           "       fax batch list [--limit N]\n"
                           "       fax batch show ID\n"
                           "       fax batch cancel ID\n"
                           "One document set to many numbers. FILE is the request as JSON (see POST /v1/batches).\n"
                           "cancel cancels what has not been called.\n";

/* "delivered 7, failed 1" */
static char *counts_text(const json_t *batch)
{
    char *text = xstrdup("");
    const char *word;
    json_t *count;
    json_object_foreach(json_object_get(batch, "counts"), word, count)
    {
        char *longer = xasprintf("%s%s%s %lld", text, *text ? ", " : "", word, (long long)json_integer_value(count));
        free(text);
        text = longer;
    }
    return text;
}

static void print_batches(const json_t *list)
{
    static const char *const head[] = {"ID", "CREATED", "STATUS", "TOTAL", "FAXES"};
    static const char *const paths[] = {"id", "created_at", "status", "total"};
    struct text_table *table = text_table_new(5);
    size_t index;
    json_t *batch;
    text_table_add(table, head);
    json_array_foreach((json_t *)list, index, batch)
    {
        char *cells[5];
        for (int i = 0; i < 4; i++) {
            char *value = text_at(batch, paths[i]);
            cells[i] = i == 1 ? text_time(value) : xstrdup(value);
            free(value);
        }
        cells[4] = counts_text(batch);
        text_table_add(table, (const char *const *)cells);
        for (int i = 0; i < 5; i++)
            free(cells[i]);
    }
    text_table_print(table);
    text_table_free(table);
}

/* Prints the one batch of a reply, which is freed. */
static void print_one(json_t *reply)
{
    if (reply == NULL)
        return;
    json_t *one = json_pack("[o]", reply);
    print_batches(one);
    json_decref(one);
}

static int list(struct cli *cli, int argc, char **argv)
{
    struct cli_option options[] = {{"limit", CLI_VALUE, 'n', NULL, NULL, 0}, {NULL, CLI_FLAG, 0, NULL, NULL, 0}};
    int operands = 0;
    json_t *reply = NULL;
    int verdict = cli_parse(&operands, cli, options, argc, argv, help, 0, 0);
    if (verdict >= 0)
        return verdict;
    char *limit = client_escape(options[0].value != NULL ? options[0].value : "20");
    char *path = xasprintf("/v1/batches?limit=%s", limit);
    verdict = cli_request(&reply, cli, "GET", path, NULL);
    if (reply != NULL)
        print_batches(json_object_get(reply, "data"));
    json_decref(reply);
    free(path);
    free(limit);
    return verdict;
}

static int one(struct cli *cli, int argc, char **argv, const char *method, const char *tail)
{
    int operands = 0;
    json_t *reply = NULL;
    int verdict = cli_parse(&operands, cli, NULL, argc, argv, help, 1, 1);
    if (verdict >= 0)
        return verdict;
    char *escaped = client_escape(argv[operands]), *path = xasprintf("/v1/batches/%s%s", escaped, tail);
    verdict = cli_request(&reply, cli, method, path, NULL);
    print_one(reply);
    free(path);
    free(escaped);
    return verdict;
}

static int show(struct cli *cli, int argc, char **argv)
{
    return one(cli, argc, argv, "GET", "");
}

static int cancel(struct cli *cli, int argc, char **argv)
{
    return one(cli, argc, argv, "POST", "/cancel");
}

static int send_file(struct cli *cli, int argc, char **argv)
{
    int operands = 0;
    json_t *reply = NULL;
    json_error_t fault;
    int verdict = cli_parse(&operands, cli, NULL, argc, argv, help, 1, 1);
    if (verdict >= 0)
        return verdict;
    json_t *body = json_load_file(argv[operands], JSON_REJECT_DUPLICATES, &fault);
    if (body == NULL) {
        text_complain("%s: %s", argv[operands], fault.text);
        return VERDICT_ERROR;
    }
    verdict = cli_request(&reply, cli, "POST", "/v1/batches", body);
    if (reply != NULL)
        text_print(stdout, "%s\n", json_string_value(json_object_get(reply, "id")));
    json_decref(reply);
    json_decref(body);
    return verdict;
}

int batch_run(struct cli *cli, int argc, char **argv)
{
    static const struct command commands[] = {{"send", NULL, send_file},
                                              {"list", NULL, list},
                                              {"show", NULL, show},
                                              {"cancel", NULL, cancel},
                                              {NULL, NULL, NULL}};
    return cli_sub(cli, commands, argc, argv, help);
}
