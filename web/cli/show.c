/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fax show, fax cancel. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/log.h"
#include "web/cli/cli.h"
#include "web/cli/client.h"
#include "web/cli/progress.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

static const char show_help[] = "Usage: fax show ID\n"
                                "Everything about one fax and the calls made for it.\n"
                                "The exit status is that of the fax: 0 while it is under way.\n";

static const char cancel_help[] = "Usage: fax cancel ID...\n"
                                  "Cancel faxes, also in the middle of a call.\n";

static const char *const rows[][2] = {
    {"Fax", "id"},
    {"Direction", "direction"},
    {"Status", "status"},
    {"Reason", "reason"},
    {"To", "to"},
    {"From", "from"},
    {"Far end", "remote_station_id"},
    {"Own id", "local_station_id"},
    {"Line", "line"},
    {"Pages", "pages.total"},
    {"Confirmed", "pages.confirmed"},
    {"Calls", "attempts"},
    {"Rate", "transport.rate_bps"},
    {"ECM", "transport.ecm"},
    {"Compression", "transport.compression"},
    {"Resolution", "transport.resolution"},
    {"Error", "error.code"},
    {"Message", "error.message"},
    {"Hint", "error.hint"},
    {"Next try", "next_attempt_at"},
    {"Created", "timing.created"},
    {"Connected", "timing.connected"},
    {"Ended", "timing.ended"},
    {"Purged", "documents_purged_at"},
    {"Reference", "client_reference"},
};

static void print_fax(const json_t *fax)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *value = text_at(fax, rows[i][1]), *shown = text_time(value);
        if (value[0] != '\0')
            printf("%-12s %s\n", rows[i][0], shown);
        free(shown);
        free(value);
    }
}

static bool has_trunk(const json_t *attempts)
{
    const json_t *attempt;
    size_t index;
    json_array_foreach(attempts, index, attempt)
    {
        if (json_is_string(json_object_get(attempt, "trunk")))
            return true;
    }
    return false;
}

static void print_attempts(const json_t *attempts)
{
    static const char *const head[] = {"CALL",    "LINE", "DIALED", "FROM PAGE", "CONFIRMED",
                                       "OUTCOME", "RATE", "MODE",   "TRUNK",     "SIP"};
    static const char *const paths[] = {"number",          "line",      "dialed_at",          "first_page",
                                        "pages_confirmed", "outcome",   "transport.rate_bps", "transport.mode",
                                        "trunk",           "sip_status"};
    int columns = has_trunk(attempts) ? 10 : 7;
    struct text_table *table = text_table_new(columns);
    size_t index;
    json_t *attempt;
    text_table_add(table, head);
    json_array_foreach((json_t *)attempts, index, attempt)
    {
        char *cells[10];
        for (int i = 0; i < columns; i++) {
            char *value = text_at(attempt, paths[i]);
            cells[i] = i == 2 ? text_time(value) : xstrdup(value);
            free(value);
        }
        text_table_add(table, (const char *const *)cells);
        for (int i = 0; i < columns; i++)
            free(cells[i]);
    }
    putchar('\n');
    text_table_print(table);
    text_table_free(table);
}

/* The calls of a fax; their absence is no reason to fail. */
static json_t *get_attempts(struct cli *cli, const char *escaped)
{
    json_t *reply = NULL;
    char *path = xasprintf("/v1/faxes/%s/attempts", escaped);
    client_request(&reply, cli->client, "GET", path, NULL);
    json_t *data = json_is_array(reply) ? json_incref(reply) : json_incref(json_object_get(reply, "data"));
    json_decref(reply);
    free(path);
    return data;
}

int show_run(struct cli *cli, int argc, char **argv)
{
    int operands = 0;
    int verdict = cli_parse(&operands, cli, NULL, argc, argv, show_help, 1, 1);
    if (verdict >= 0)
        return verdict;
    char *escaped = client_escape(argv[operands]), *path = xasprintf("/v1/faxes/%s", escaped);
    json_t *fax = NULL, *attempts = NULL;
    verdict = cli_client(cli);
    if (verdict == VERDICT_OK)
        verdict = client_request(&fax, cli->client, "GET", path, NULL);
    if (verdict == VERDICT_OK) {
        attempts = get_attempts(cli, escaped);
        verdict = verdict_of_fax(fax);
        if (cli->json) {
            json_t *both = json_pack("{s:O, s:O*}", "fax", fax, "attempts", attempts);
            text_json(both);
            json_decref(both);
        } else {
            print_fax(fax);
            if (json_array_size(attempts) > 0)
                print_attempts(attempts);
        }
    }
    json_decref(attempts);
    json_decref(fax);
    free(path);
    free(escaped);
    return verdict;
}

int cancel_run(struct cli *cli, int argc, char **argv)
{
    int operands = 0, worst = VERDICT_OK;
    int verdict = cli_parse(&operands, cli, NULL, argc, argv, cancel_help, 1, 1000);
    if (verdict >= 0)
        return verdict;
    for (int i = operands; i < argc && worst != VERDICT_UNREACHABLE; i++) {
        char *escaped = client_escape(argv[i]), *path = xasprintf("/v1/faxes/%s/cancel", escaped);
        json_t *fax = NULL;
        verdict = cli_request(&fax, cli, "POST", path, NULL);
        if (fax != NULL)
            progress_print(fax);
        if (verdict != VERDICT_OK)
            worst = verdict;
        json_decref(fax);
        free(path);
        free(escaped);
    }
    return worst;
}
