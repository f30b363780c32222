/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fax list. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/log.h"
#include "server/base/str.h"
#include "web/cli/cli.h"
#include "web/cli/client.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

#define PAGE_ROWS 100
#define ROWS_MAX  100000

static const char help[] = "Usage: fax list [OPTION...]\n"
                           "List faxes, newest first.\n"
                           "\n"
                           "  -n, --limit N         so many (default 20)\n"
                           "      --direction NAME  outbound or inbound\n"
                           "      --status NAMES    only these, with commas between: queued,sending\n"
                           "      --to NUMBER  --from NUMBER  --error CODE  --tag TEXT  --reference TEXT\n"
                           "                        only faxes with these\n";

/* Options that are filters of the API. */
static const char *const filters[][2] = {
    {"direction", "direction"},
    {"status", "status"},
    {"to", "to"},
    {"from", "from"},
    {"error", "error"},
    {"tag", "tag"},
    {"reference", "client_reference"},
};

static char *query(const struct cli_option *options, int rows, const char *cursor)
{
    char *path = xasprintf("/v1/faxes?limit=%d", rows);
    for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++) {
        const char *value = cli_value(options, filters[i][0]);
        if (value == NULL)
            continue;
        char *escaped = client_escape(value), *longer = xasprintf("%s&%s=%s", path, filters[i][1], escaped);
        free(escaped);
        free(path);
        path = longer;
    }
    if (cursor != NULL) {
        char *escaped = client_escape(cursor), *longer = xasprintf("%s&cursor=%s", path, escaped);
        free(escaped);
        free(path);
        path = longer;
    }
    return path;
}

static void add_row(struct text_table *table, const json_t *fax)
{
    static const char *const paths[] = {"id", "status", "to", "from", "", "timing.created", "error.code"};
    char *cells[7], pages[48], *total = text_at(fax, "pages.total");
    snprintf(pages, sizeof pages, "%lld/%.20s",
             (long long)json_integer_value(json_object_get(json_object_get(fax, "pages"), "confirmed")),
             total[0] != '\0' ? total : "?");
    for (int i = 0; i < 7; i++)
        cells[i] = i == 4 ? xstrdup(pages) : text_at(fax, paths[i]);
    char *created = text_time(cells[5]);
    free(cells[5]);
    cells[5] = created;
    text_table_add(table, (const char *const *)cells);
    for (int i = 0; i < 7; i++)
        free(cells[i]);
    free(total);
}

/* Up to `limit` faxes into `all`, page by page. */
static int collect(json_t *all, struct cli *cli, const struct cli_option *options, int limit)
{
    char *cursor = NULL;
    bool more = true;
    int verdict = cli_client(cli);
    while (verdict == VERDICT_OK && more && (int)json_array_size(all) < limit) {
        int left = limit - (int)json_array_size(all);
        char *path = query(options, left < PAGE_ROWS ? left : PAGE_ROWS, cursor);
        json_t *page = NULL;
        verdict = client_request(&page, cli->client, "GET", path, NULL);
        json_t *data = json_object_get(page, "data");
        more = json_is_true(json_object_get(page, "has_more")) && json_array_size(data) > 0;
        json_array_extend(all, data);
        free(cursor);
        cursor = text_at(page, "next_cursor");
        json_decref(page);
        free(path);
    }
    free(cursor);
    return verdict;
}

static void print(const json_t *all)
{
    static const char *const head[] = {"ID", "STATUS", "TO", "FROM", "PAGES", "CREATED", "ERROR"};
    struct text_table *table = text_table_new(7);
    size_t index;
    json_t *fax;
    text_table_add(table, head);
    json_array_foreach((json_t *)all, index, fax) add_row(table, fax);
    text_table_print(table);
    text_table_free(table);
}

int list_run(struct cli *cli, int argc, char **argv)
{
    struct cli_option options[] = {
        {"limit", CLI_VALUE, 'n', NULL, NULL, 0}, {"direction", CLI_VALUE, 0, NULL, NULL, 0},
        {"status", CLI_VALUE, 0, NULL, NULL, 0},  {"to", CLI_VALUE, 0, NULL, NULL, 0},
        {"from", CLI_VALUE, 0, NULL, NULL, 0},    {"error", CLI_VALUE, 0, NULL, NULL, 0},
        {"tag", CLI_VALUE, 0, NULL, NULL, 0},     {"reference", CLI_VALUE, 0, NULL, NULL, 0},
        {NULL, CLI_FLAG, 0, NULL, NULL, 0},
    };
    int operands = 0;
    int64_t limit = 20;
    int verdict = cli_parse(&operands, cli, options, argc, argv, help, 0, 0);
    if (verdict >= 0)
        return verdict;
    const char *wanted = cli_value(options, "limit");
    if (wanted != NULL && str_to_int(&limit, wanted, 1, ROWS_MAX) != 0) {
        text_complain("--limit wants a number from 1 to 100000");
        return VERDICT_ERROR;
    }
    json_t *all = json_array();
    verdict = collect(all, cli, options, (int)limit);
    if (verdict == VERDICT_OK && cli->json)
        text_json(all);
    else if (verdict == VERDICT_OK)
        print(all);
    json_decref(all);
    return verdict;
}
