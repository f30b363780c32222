/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fax watch. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "web/cli/cli.h"
#include "web/cli/client.h"
#include "web/cli/progress.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

#define TICK_MS 60000

static bool on_event(const char *type, const json_t *event, void *context)
{
    const struct cli *cli = context;
    if (cli->json) {
        json_dumpf(event, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
        putchar('\n');
    } else {
        static const char *const paths[] = {"timestamp", "data.id", "data.status", "data.to", "data.error"};
        char *cells[5];
        for (int i = 0; i < 5; i++)
            cells[i] = text_at(event, paths[i]);
        char *at = text_time(cells[0]);
        text_print(stdout, "%s  %s  %s  %s  %s  %s\n", at, type, cells[1], cells[2], cells[3], cells[4]);
        free(at);
        for (int i = 0; i < 5; i++)
            free(cells[i]);
    }
    return fflush(stdout) != 0; /* nobody reads any more */
}

static int watch(struct cli *cli)
{
    int verdict = cli_client(cli);
    if (verdict != VERDICT_OK)
        return verdict;
    if (cli->count > 0)
        return progress_follow(cli, cli->words[0], NULL);
    return client_follow(cli->client, on_event, NULL, TICK_MS, cli);
}

const struct cli_command watch_command = {
    "watch",
    "[ID]",
    "follow a fax to its end, or all events",
    "The exit status tells the outcome of the fax. Without ID every event of the server is printed until interrupted, "
    "with --json one object a line.",
    .run = watch,
    .complete = "/v1/faxes id to"};
