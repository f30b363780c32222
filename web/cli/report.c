/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fax report. */
#include "config.h"

#include <stdlib.h>

#include "server/base/log.h"
#include "web/cli/cli.h"
#include "web/cli/file.h"
#include "web/cli/listing.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

#define PATH "/v1/reports/usage"

static const struct column columns[] = {
    {.head = "Key", .path = "key"},
    {.head = "Faxes", .path = "faxes"},
    {.head = "Sent", .path = "sent"},
    {.head = "Delivered", .path = "delivered"},
    {.head = "Failed", .path = "failed"},
    {.head = "Received", .path = "received"},
    {.head = "Pages sent", .path = "pages_sent"},
    {.head = "Pages received", .path = "pages_received"},
    {.head = "Seconds", .path = "call_s"},
    {.head = NULL},
};

static const struct cli_option options[] = {
    {"group-by", 'g', CLI_TEXT, "NAME", "day, hour, destination, user, provider or error (default day)",
     .field = "?group_by", .complete = "day hour destination user provider error"},
    {"from", 0, CLI_TEXT, "TIME", "from then on: 2026-11-01T00:00:00Z (default 30 days, of hours 2 days)",
     .field = "?from"},
    {"to", 0, CLI_TEXT, "TIME", "up to then (default now)", .field = "?to"},
    {"csv", 0, CLI_FLAG, NULL, "as CSV", .field = NULL},
    {"output", 'o', CLI_TEXT, "FILE", "as CSV to this file", .complete = "@file"},
    {.name = NULL},
};

static int usage(struct cli *cli)
{
    json_t *reply = NULL;
    int verdict;
    if (cli_value(cli, "csv") != NULL || cli_value(cli, "output") != NULL)
        return file_save_csv(cli, PATH);
    char *path = listing_query(&verdict, cli, PATH);
    if (verdict == VERDICT_OK)
        verdict = cli_request(&reply, cli, "GET", path, NULL);
    if (reply != NULL)
        listing_table(json_object_get(reply, "data"), columns);
    if (reply != NULL && !json_is_true(json_object_get(reply, "complete")))
        text_complain("there is more than that: narrow it with --from and --to");
    json_decref(reply);
    free(path);
    return verdict;
}

static const struct cli_command commands[] = {
    {"usage", NULL, "count faxes, pages and seconds of calls", .options = options, .run = usage},
    {.name = NULL},
};

const struct cli_command report_command = {"report", .summary = "what was sent and received", .commands = commands};
