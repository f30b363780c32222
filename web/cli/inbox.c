/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fax inbox. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/log.h"
#include "web/cli/cli.h"
#include "web/cli/client.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

static const char help[] =
    "Usage: fax inbox list [--limit N] [--unread] [--all] [--assigned USER|me|none] [--label TEXT] [--q TEXT]\n"
    "       fax inbox read|unread|junk|unjunk ID...\n"
    "       fax inbox assign ID USER|none\n"
    "       fax inbox label ID [LABEL...]\n"
    "       fax inbox note ID TEXT\n"
    "Received faxes and who sees to them. The list leaves junk out unless --all is given. label sets the\n"
    "labels in place of those there were.\n";

/* ---- list ---- */

static char *with(char *path, const char *key, const char *value)
{
    if (value == NULL)
        return path;
    char *escaped = client_escape(value), *longer = xasprintf("%s&%s=%s", path, key, escaped);
    free(escaped);
    free(path);
    return longer;
}

static void print_faxes(const json_t *list)
{
    static const char *const head[] = {"ID", "RECEIVED", "FROM", "STATION", "PAGES", "UNREAD", "ASSIGNED", "LABELS"};
    static const char *const paths[] = {"id",          "timing.ended", "from",     "remote_station_id",
                                        "pages.total", "unread",       "assigned", NULL};
    struct text_table *table = text_table_new(8);
    size_t index;
    json_t *fax;
    text_table_add(table, head);
    json_array_foreach((json_t *)list, index, fax)
    {
        char *cells[8];
        for (int i = 0; i < 7; i++) {
            char *value = text_at(fax, paths[i]);
            cells[i] = i == 1 ? text_time(value) : xstrdup(value);
            free(value);
        }
        cells[7] = json_dumps(json_object_get(fax, "labels"), JSON_COMPACT);
        text_table_add(table, (const char *const *)cells);
        for (int i = 0; i < 8; i++)
            free(cells[i]);
    }
    text_table_print(table);
    text_table_free(table);
}

static int list(struct cli *cli, int argc, char **argv)
{
    struct cli_option options[] = {{"limit", CLI_VALUE, 'n', NULL, NULL, 0}, {"unread", CLI_FLAG, 0, NULL, NULL, 0},
                                   {"all", CLI_FLAG, 0, NULL, NULL, 0},      {"assigned", CLI_VALUE, 0, NULL, NULL, 0},
                                   {"label", CLI_VALUE, 0, NULL, NULL, 0},   {"q", CLI_VALUE, 0, NULL, NULL, 0},
                                   {NULL, CLI_FLAG, 0, NULL, NULL, 0}};
    const char *limit;
    int operands = 0;
    json_t *reply = NULL;
    int verdict = cli_parse(&operands, cli, options, argc, argv, help, 0, 0);
    if (verdict >= 0)
        return verdict;
    limit = cli_value(options, "limit");
    char *path = with(xstrdup("/v1/faxes?direction=inbound"), "limit", limit != NULL ? limit : "20");
    path = with(path, "unread", cli_value(options, "unread") != NULL ? "true" : NULL);
    path = with(path, "junk", cli_value(options, "all") == NULL ? "false" : NULL);
    path = with(path, "assigned", cli_value(options, "assigned"));
    path = with(path, "label", cli_value(options, "label"));
    path = with(path, "q", cli_value(options, "q"));
    verdict = cli_request(&reply, cli, "GET", path, NULL);
    if (reply != NULL)
        print_faxes(json_object_get(reply, "data"));
    json_decref(reply);
    free(path);
    return verdict;
}

/* ---- marks ---- */

/* `body` is taken over. */
static int post(struct cli *cli, const char *id, const char *verb, json_t *body)
{
    char *escaped = client_escape(id), *path = xasprintf("/v1/faxes/%s/%s", escaped, verb);
    json_t *reply = NULL;
    int verdict = cli_request(&reply, cli, "POST", path, body);
    json_decref(reply);
    json_decref(body);
    free(path);
    free(escaped);
    return verdict;
}

static int mark(struct cli *cli, int argc, char **argv, const char *verb, bool value)
{
    int operands = 0, worst = VERDICT_OK;
    int verdict = cli_parse(&operands, cli, NULL, argc, argv, help, 1, 1000);
    if (verdict >= 0)
        return verdict;
    for (int i = operands; i < argc && worst != VERDICT_UNREACHABLE; i++) {
        verdict = post(cli, argv[i], verb, json_pack("{s:b}", verb, value));
        if (verdict != VERDICT_OK)
            worst = verdict;
    }
    return worst;
}

static int mark_read(struct cli *cli, int argc, char **argv)
{
    return mark(cli, argc, argv, "read", true);
}

static int mark_unread(struct cli *cli, int argc, char **argv)
{
    return mark(cli, argc, argv, "read", false);
}

static int mark_junk(struct cli *cli, int argc, char **argv)
{
    return mark(cli, argc, argv, "junk", true);
}

static int unmark_junk(struct cli *cli, int argc, char **argv)
{
    return mark(cli, argc, argv, "junk", false);
}

static int assign(struct cli *cli, int argc, char **argv)
{
    int operands = 0;
    int verdict = cli_parse(&operands, cli, NULL, argc, argv, help, 2, 2);
    if (verdict >= 0)
        return verdict;
    const char *user = argv[operands + 1];
    bool nobody = strcmp(user, "none") == 0;
    return post(cli, argv[operands], "assign", json_pack("{s:o}", "user", nobody ? json_null() : json_string(user)));
}

static int label(struct cli *cli, int argc, char **argv)
{
    int operands = 0;
    int verdict = cli_parse(&operands, cli, NULL, argc, argv, help, 1, 1000);
    if (verdict >= 0)
        return verdict;
    json_t *labels = json_array();
    for (int i = operands + 1; i < argc; i++)
        json_array_append_new(labels, json_string(argv[i]));
    return post(cli, argv[operands], "labels", json_pack("{s:o}", "labels", labels));
}

static int note(struct cli *cli, int argc, char **argv)
{
    int operands = 0;
    int verdict = cli_parse(&operands, cli, NULL, argc, argv, help, 2, 2);
    if (verdict >= 0)
        return verdict;
    return post(cli, argv[operands], "notes", json_pack("{s:s}", "text", argv[operands + 1]));
}

int inbox_run(struct cli *cli, int argc, char **argv)
{
    static const struct command commands[] = {
        {"list", NULL, list},      {"read", NULL, mark_read},     {"unread", NULL, mark_unread},
        {"junk", NULL, mark_junk}, {"unjunk", NULL, unmark_junk}, {"assign", NULL, assign},
        {"label", NULL, label},    {"note", NULL, note},          {NULL, NULL, NULL}};
    return cli_sub(cli, commands, argc, argv, help);
}
