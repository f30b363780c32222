/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fax send. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "web/cli/cli.h"
#include "web/cli/client.h"
#include "web/cli/form.h"
#include "web/cli/progress.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

static int check(struct form *form)
{
    if (cli_value(form->cli, "to") == NULL) {
        text_complain("--to is missing: the number to send to");
        return VERDICT_ERROR;
    }
    return form_check(form);
}

static int post(json_t **fax, struct cli *cli, struct form *form)
{
    char fresh[STR_ULID_SIZE];
    const char *key = cli_value(cli, "idempotency-key");
    int verdict = cli_client(cli);
    if (verdict == VERDICT_OK)
        verdict = client_post_form(fax, cli->client, "/v1/faxes", key != NULL ? key : str_ulid(fresh, clock_now_ms()),
                                   form_fill, form);
    return verdict;
}

static int send_fax(struct cli *cli)
{
    json_t *fax = NULL;
    struct form form = {.cli = cli};
    int verdict = check(&form);
    if (verdict == VERDICT_OK)
        verdict = post(&fax, cli, &form);
    if (verdict != VERDICT_OK)
        goto out;
    char *id = text_at(fax, "id");
    if (cli_value(cli, "wait") != NULL)
        verdict = progress_follow(cli, id, fax);
    else if (cli->json)
        text_json(fax);
    else
        text_print(stdout, "%s\n", id);
    free(id);
out:
    json_decref(fax);
    form_close(&form);
    return verdict;
}

static const struct cli_option options[] = {
    {"idempotency-key", 0, CLI_TEXT, "K", "the same key sends the same fax only once (default: a new one)",
     .field = NULL},
    {"wait", 'w', CLI_FLAG, NULL, "wait for the outcome; the exit status tells it", .field = NULL},
    {.name = NULL},
};

const struct cli_command send_command = {
    "send",
    "[FILE...]",
    "send documents as one fax and print its id, or wait for the outcome",
    "Each FILE (- is standard input) is PDF, text, TIFF, JPEG, PNG, GIF, BMP, WebP, HEIC or SVG, told by what is in "
    "it; "
    "PostScript and office documents where the server has the programs for them. --to is needed. With --wait progress "
    "goes to standard error, a bar on a terminal and lines elsewhere, and the outcome to standard output. Interrupting "
    "it does not cancel the fax. A request is repeated when a busy server asks for it, and stays one fax.",
    .options = options,
    .also = form_options,
    .run = send_fax,
    .complete = "@file"};
