/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fax line. */
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

#define PATIENCE_MS 180000 /* a modem that answers nothing is asked, reset, and asked again */
#define LOOK_MS     200
#define COLUMNS     7

static const char help[] = "Usage: fax line list\n"
                           "       fax line test PROVIDER/NAME\n"
                           "Lines: what they do, the devices that they stand on, and why they cannot send if not.\n"
                           "test asks a line's modem what it is and can, waits for the result and prints it. A name\n"
                           "alone will do where only one line has it.\n"
                           "Exit status of test 0: in order; 1: not; 8: there is no server.\n";

static void print_lines(const json_t *lines)
{
    static const char *const head[] = {"LINE", "NUMBER", "STATE", "DEVICE", "MODEL", "SINCE", "REASON"};
    static const char *const paths[] = {"id",           "number",       "state", "device.path",
                                        "device.model", "device.since", "reason"};
    struct text_table *table = text_table_new(COLUMNS);
    size_t index;
    json_t *line;
    text_table_add(table, head);
    json_array_foreach((json_t *)lines, index, line)
    {
        char *cells[COLUMNS];
        for (int i = 0; i < COLUMNS; i++) {
            char *value = text_at(line, paths[i]);
            cells[i] = i == 5 && *value != '\0' ? text_time(value) : xstrdup(value);
            free(value);
        }
        text_table_add(table, (const char *const *)cells);
        for (int i = 0; i < COLUMNS; i++)
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
    verdict = cli_request(&reply, cli, "GET", "/v1/lines", NULL);
    if (reply != NULL)
        print_lines(json_object_get(reply, "data"));
    json_decref(reply);
    return verdict;
}

/* --- test --- */

static int get_line(json_t **line, struct cli *cli, const char *name)
{
    char *escaped = client_escape(name), *path = xasprintf("/v1/lines/%s", escaped);
    int verdict = client_request(line, cli->client, "GET", path, NULL);
    free(path);
    free(escaped);
    return verdict;
}

static int begin_test(struct cli *cli, const json_t *line)
{
    char *provider = client_escape(json_string_value(json_object_get(line, "provider")));
    char *name = client_escape(json_string_value(json_object_get(line, "name")));
    char *path = xasprintf("/v1/lines/%s/%s/test", provider, name);
    json_t *reply = NULL;
    int verdict = client_request(&reply, cli->client, "POST", path, NULL);
    json_decref(reply);
    free(path);
    free(name);
    free(provider);
    return verdict;
}

static json_t *last_test(const json_t *line)
{
    return json_object_get(json_object_get(line, "device"), "last_test");
}

static void pause_ms(int ms)
{
    const struct timespec time = {ms / 1000, ms % 1000 * 1000000L};
    nanosleep(&time, NULL);
}

/* `*line` becomes what it is once its last test is another than it was. */
static int wait_for_result(json_t **line, struct cli *cli)
{
    json_t *before = json_incref(last_test(*line));
    char *id = text_at(*line, "id");
    int64_t until = clock_mono_ms() + PATIENCE_MS;
    int verdict = VERDICT_OK;
    while (verdict == VERDICT_OK && (last_test(*line) == NULL || json_equal(before, last_test(*line)))) {
        json_t *now = NULL;
        if (clock_mono_ms() >= until) {
            text_complain("no result within %d s: is the line in a call?", PATIENCE_MS / 1000);
            verdict = VERDICT_ERROR;
            break;
        }
        pause_ms(LOOK_MS);
        verdict = get_line(&now, cli, id);
        if (now != NULL) {
            json_decref(*line);
            *line = now;
        }
    }
    free(id);
    json_decref(before);
    return verdict;
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
    bool ok = json_is_true(json_object_get(last_test(line), "ok"));
    char *id = text_at(line, "id"), *report = text_at(last_test(line), "report");
    if (cli->json)
        text_json(line);
    else {
        text_print(stdout, "%s: %s\n", id, ok ? "in order" : "not in order");
        print_report(report);
    }
    free(report);
    free(id);
    return ok ? VERDICT_OK : VERDICT_ERROR;
}

static int test(struct cli *cli, int argc, char **argv)
{
    int operands = 0;
    json_t *line = NULL;
    int verdict = cli_parse(&operands, cli, NULL, argc, argv, help, 1, 1);
    if (verdict >= 0)
        return verdict;
    verdict = cli_client(cli);
    if (verdict == VERDICT_OK)
        verdict = get_line(&line, cli, argv[operands]);
    if (verdict == VERDICT_OK)
        verdict = begin_test(cli, line);
    if (verdict == VERDICT_OK)
        verdict = wait_for_result(&line, cli);
    if (verdict == VERDICT_OK)
        verdict = print_result(cli, line);
    json_decref(line);
    return verdict;
}

int line_run(struct cli *cli, int argc, char **argv)
{
    static const struct command commands[] = {{"list", NULL, list}, {"test", NULL, test}, {NULL, NULL, NULL}};
    return cli_sub(cli, commands, argc, argv, help);
}
