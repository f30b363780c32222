/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists may be longer than memory is wide: rows are printed as they come, some hundred at a time. */
#include "config.h"

#include "web/cli/listing.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/base/log.h"
#include "server/base/str.h"
#include "web/cli/cli.h"
#include "web/cli/client.h"
#include "web/cli/resource.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

#define PAGE_ROWS    100 /* no list has a smaller limit than this */
#define LIMIT        50
#define LIMIT_MAX    1000000
#define ROWS_AT_ONCE 1000
#define COLUMNS_MAX  16

const struct cli_option listing_options[] = {
    {"limit", 'n', CLI_NUMBER, "N", "so many (default 50)", .field = NULL},
    {"all", 'a', CLI_FLAG, NULL, "all of them", .field = NULL},
    {.name = NULL},
};

/* --- asking --- */

static char *add_query(char *path, const char *name, const char *value)
{
    char *escaped = client_escape(value);
    char *longer = xasprintf("%s%c%s=%s", path, strchr(path, '?') != NULL ? '&' : '?', name, escaped);
    free(escaped);
    free(path);
    return longer;
}

char *listing_query(int *verdict, struct cli *cli, const char *path)
{
    char *query = xstrdup(path);
    *verdict = VERDICT_OK;
    for (int i = 0; i < cli->given_count && *verdict == VERDICT_OK; i++) {
        const struct cli_given *given = &cli->given[i];
        const char *field = given->option->field;
        if (given->value == NULL || field == NULL || field[0] != '?')
            continue;
        const char *equal = strchr(field, '=');
        char *name = equal != NULL ? xasprintf("%.*s", (int)(equal - field - 1), field + 1) : xstrdup(field + 1);
        char *value = NULL;
        if (given->option->kind == CLI_FLAG)
            value = xstrdup(equal != NULL ? equal + 1 : "true");
        else
            *verdict = resource_value(&value, cli, given->option, given->value);
        if (value != NULL)
            query = add_query(query, name, value);
        free(value);
        free(name);
    }
    if (*verdict == VERDICT_OK)
        return query;
    free(query);
    return NULL;
}

int listing_walk(struct cli *cli, const char *path, bool is_paged, int64_t limit, listing_fn take, void *context)
{
    char *cursor = NULL;
    bool more = true;
    int64_t count = 0;
    int verdict = cli_client(cli);
    while (verdict == VERDICT_OK && more) {
        char rows[24], *asked = xstrdup(path);
        json_t *page = NULL, *object;
        size_t index;
        int64_t left = limit > 0 ? limit - count : PAGE_ROWS;
        snprintf(rows, sizeof rows, "%d", left < PAGE_ROWS ? (int)left : PAGE_ROWS);
        if (is_paged)
            asked = add_query(asked, "limit", rows);
        if (cursor != NULL)
            asked = add_query(asked, "cursor", cursor);
        verdict = client_request(&page, cli->client, "GET", asked, NULL);
        const json_t *data = json_object_get(page, "data");
        more = json_is_true(json_object_get(page, "has_more"));
        json_array_foreach((json_t *)data, index, object)
        {
            if (!take(object, context) || (++count == limit)) {
                more = false;
                break;
            }
        }
        free(cursor);
        cursor = text_at(page, "next_cursor");
        more = more && cursor != NULL;
        json_decref(page);
        free(asked);
    }
    free(cursor);
    return verdict;
}

/* --- printing --- */

static char *cell_of(const json_t *object, const struct column *column)
{
    if (column->cell != NULL)
        return column->cell(object);
    char *value = text_at(object, column->path);
    if (!column->is_time)
        return value;
    char *shown = text_time(value);
    free(value);
    return shown;
}

static int count_of(const struct column *columns)
{
    int count = 0;
    for (; columns->head != NULL; columns++)
        count += !columns->is_detail;
    return count < COLUMNS_MAX ? count : COLUMNS_MAX;
}

static void add_row(struct text_table *table, const struct column *columns, const json_t *object)
{
    char *cells[COLUMNS_MAX] = {NULL};
    int count = 0;
    for (; columns->head != NULL && count < COLUMNS_MAX; columns++) {
        if (!columns->is_detail)
            cells[count++] = cell_of(object, columns);
    }
    text_table_add(table, (const char *const *)cells);
    while (count > 0)
        free(cells[--count]);
}

static struct text_table *begin_table(const struct column *columns)
{
    char heads[COLUMNS_MAX][32];
    const char *cells[COLUMNS_MAX] = {NULL};
    int count = 0;
    struct text_table *table = text_table_new(count_of(columns));
    for (; columns->head != NULL && count < COLUMNS_MAX; columns++) {
        if (columns->is_detail)
            continue;
        str_copy(heads[count], sizeof heads[count], columns->head);
        for (char *c = heads[count]; *c != '\0'; c++)
            *c = (char)toupper((unsigned char)*c);
        cells[count] = heads[count];
        count++;
    }
    text_table_add(table, cells);
    return table;
}

void listing_table(const json_t *array, const struct column *columns)
{
    struct text_table *table = begin_table(columns);
    size_t index;
    json_t *object;
    json_array_foreach((json_t *)array, index, object) add_row(table, columns, object);
    text_table_print(table);
    text_table_free(table);
}

void listing_object(const json_t *object, const struct column *columns)
{
    for (; columns->head != NULL; columns++) {
        char *value = cell_of(object, columns), *clean = text_clean(value);
        if (value[0] != '\0')
            printf("%-12s %s\n", columns->head, clean);
        free(clean);
        free(value);
    }
}

struct printing {
    const struct column *columns;
    struct text_table *table; /* NULL: JSON */
    int64_t count;
};

static bool print_one(const json_t *object, void *context)
{
    struct printing *printing = context;
    printing->count++;
    if (printing->table == NULL) {
        putchar(printing->count > 1 ? ',' : '[');
        text_json_part(object);
        return ferror(stdout) == 0;
    }
    add_row(printing->table, printing->columns, object);
    if (printing->count % ROWS_AT_ONCE == 0)
        text_table_print(printing->table);
    return ferror(stdout) == 0;
}

static bool has_option(const struct cli *cli, const char *name)
{
    for (int i = 0; i < cli->given_count; i++) {
        if (strcmp(cli->given[i].option->name, name) == 0)
            return true;
    }
    return false;
}

/* An array that was broken off is not closed, so that no program takes it for the whole. */
static int print_json(struct cli *cli, const char *path, bool is_paged, int64_t limit)
{
    struct printing printing = {NULL, NULL, 0};
    int verdict = listing_walk(cli, path, is_paged, limit, print_one, &printing);
    if (verdict == VERDICT_OK)
        puts(printing.count > 0 ? "]" : "[]");
    else if (printing.count > 0)
        putchar('\n');
    return verdict;
}

int listing_print(struct cli *cli, const char *path, const struct column *columns)
{
    bool is_paged = has_option(cli, "limit");
    int64_t limit = is_paged ? LIMIT : 0;
    int verdict = cli_client(cli);
    if (is_paged && cli_value(cli, "limit") != NULL && str_to_int(&limit, cli_value(cli, "limit"), 1, LIMIT_MAX) != 0) {
        text_complain("--limit wants a number from 1 to 1000000; --all lists all");
        verdict = VERDICT_ERROR;
    }
    if (is_paged && cli_value(cli, "all") != NULL)
        limit = 0;
    if (verdict != VERDICT_OK)
        return verdict;
    if (cli->json)
        return print_json(cli, path, is_paged, limit);
    struct printing printing = {columns, begin_table(columns), 0};
    verdict = listing_walk(cli, path, is_paged, limit, print_one, &printing);
    if (verdict == VERDICT_OK || printing.count > 0)
        text_table_print(printing.table);
    text_table_free(printing.table);
    return verdict;
}
