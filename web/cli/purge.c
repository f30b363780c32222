/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fax purge. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "server/base/log.h"
#include "web/cli/cli.h"
#include "web/cli/client.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

static const char help[] = "Usage: fax purge ID... [OPTION...]\n"
                           "Delete the documents of faxes that have ended: upload, pages, what was made of them. The\n"
                           "records stay.\n"
                           "\n"
                           "      --record       delete the records too, with their calls and events\n";

static int purge(struct cli *cli, const char *id, bool record)
{
    char *escaped = client_escape(id), *path = xasprintf("/v1/faxes/%s%s", escaped, record ? "?record=true" : "");
    json_t *reply = NULL;
    int verdict = cli_request(&reply, cli, "DELETE", path, NULL);
    if (verdict == VERDICT_OK && !cli->json)
        text_print(stdout, "%s %s\n", id, record ? "record deleted" : "documents deleted");
    json_decref(reply);
    free(path);
    free(escaped);
    return verdict;
}

int purge_run(struct cli *cli, int argc, char **argv)
{
    struct cli_option options[] = {{"record", CLI_FLAG, 0, NULL, NULL, 0}, {NULL, CLI_FLAG, 0, NULL, NULL, 0}};
    int operands = 0, worst = VERDICT_OK;
    int verdict = cli_parse(&operands, cli, options, argc, argv, help, 1, 1000);
    if (verdict >= 0)
        return verdict;
    for (int i = operands; i < argc && worst != VERDICT_UNREACHABLE; i++) {
        verdict = purge(cli, argv[i], cli_value(options, "record") != NULL);
        if (verdict != VERDICT_OK)
            worst = verdict;
    }
    return worst;
}
