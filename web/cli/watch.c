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

static const char help[] =
    "Usage: fax watch [ID]\n"
    "Follow one fax until its end; the exit status tells the outcome.\n"
    "Without ID print every event of the server until interrupted (--json: one object a line).\n";

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

int watch_run(struct cli *cli, int argc, char **argv)
{
    int operands = 0;
    int verdict = cli_parse(&operands, cli, NULL, argc, argv, help, 0, 1);
    if (verdict >= 0)
        return verdict;
    verdict = cli_client(cli);
    if (verdict != VERDICT_OK)
        return verdict;
    if (operands < argc)
        return progress_follow(cli, argv[operands], NULL);
    return client_follow(cli->client, on_event, NULL, TICK_MS, cli);
}
