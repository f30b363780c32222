/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fax batch. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "server/base/log.h"
#include "web/cli/cli.h"
#include "web/cli/file.h"
#include "web/cli/resource.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

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

static const struct column columns[] = {
    {.head = "Id", .path = "id"},
    {"Created", "created_at", .is_time = true},
    {.head = "Status", .path = "status"},
    {.head = "Total", .path = "total"},
    {"Faxes", NULL, .cell = counts_text},
    {"Completed", "completed_at", .is_time = true, .is_detail = true},
    {"Canceled", "canceled_at", .is_time = true, .is_detail = true},
    {.head = NULL},
};

static const struct resource batches = {.path = "/v1/batches", .noun = "batch", .is_paged = true, .columns = columns};

static int cancel(struct cli *cli)
{
    return resource_post(cli, "/cancel", "status");
}

static int send_file(struct cli *cli)
{
    json_t *body, *reply = NULL;
    int verdict = file_read_json(&body, cli->words[0]);
    if (verdict == VERDICT_OK)
        verdict = cli_request(&reply, cli, "POST", batches.path, body);
    if (reply != NULL)
        text_print(stdout, "%s\n", json_string_value(json_object_get(reply, "id")));
    json_decref(reply);
    json_decref(body);
    return verdict;
}

static const struct cli_command commands[] = {
    {"send", "FILE", "send what a file says and print the id of the batch",
     "FILE (- is standard input) is the request as JSON, as POST /v1/batches takes it.", .run = send_file,
     .complete = "@file"},
    {"list", .summary = "list batches, newest first", .also = listing_options, .run = resource_list,
     .resource = &batches},
    {"show", "ID", "show a batch", .run = resource_show, .resource = &batches},
    {"cancel", "ID", "cancel what has not been called", .run = cancel, .resource = &batches},
    {.name = NULL},
};

const struct cli_command batch_command = {"batch", .summary = "one document set to up to 20,000 numbers",
                                          .commands = commands};
