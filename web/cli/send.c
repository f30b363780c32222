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

static const char help[] =
    "Usage: fax send --to NUMBER [OPTION...] FILE...\n"
    "Send files (- = standard input) as one fax: PDF, text, TIFF, JPEG, PNG, GIF, BMP, WebP, HEIC, SVG; PostScript "
    "and\n"
    "office documents where the server has the programs for them.\n"
    "\n"
    "  -t, --to NUMBER         the number to send to\n"
    "      --from NUMBER       the sender, as the server knows it\n"
    "      --resolution NAME   standard, fine or superfine\n"
    "      --dither NAME       auto, threshold, diffusion or halftone\n"
    "      --paper NAME        of texts: a4, letter or legal\n"
    "      --cover NAME        with a cover page: plain, letter, urgent, or one of the server's own\n"
    "      --to-name TEXT  --to-company TEXT  --from-name TEXT  --subject TEXT  --note TEXT\n"
    "                          what the cover page says\n"
    "      --header TEXT       the sender's name in the line on top of each page\n"
    "      --no-header         without that line (the key needs the scope config:*)\n"
    "      --no-ecm            send without error correction\n"
    "      --max-rate N        highest rate in bit/s\n"
    "      --priority NAME     bulk, normal, high or urgent\n"
    "      --not-before TIME   not before 2026-11-21T09:30:00Z\n"
    "      --expires TIME      give up at that time\n"
    "      --max-attempts N    calls at most\n"
    "      --reference TEXT    your own reference\n"
    "      --tag TEXT          a tag; may be repeated\n"
    "      --hold              accept, but wait for a release\n"
    "      --set KEY=VALUE     any other field of the API, \"retry.resume=all\"; may be repeated\n"
    "      --idempotency-key K the same key sends the same fax only once (default: a new one)\n"
    "  -w, --wait              wait for the outcome; the exit status tells it\n"
    "\n"
    "Prints the fax's id. With --wait progress goes to standard error, the outcome to standard output.\n";

static int check(struct form *form, char **files, int count)
{
    if (cli_value(form->options, "to") == NULL) {
        text_complain("--to is missing: the number to send to");
        return VERDICT_ERROR;
    }
    return form_check(form, files, count);
}

static int post(json_t **fax, struct cli *cli, struct form *form)
{
    char fresh[STR_ULID_SIZE];
    const char *key = cli_value(form->options, "idempotency-key");
    int verdict = cli_client(cli);
    if (verdict == VERDICT_OK)
        verdict = client_post_form(fax, cli->client, "/v1/faxes", key != NULL ? key : str_ulid(fresh, clock_now_ms()),
                                   form_fill, form);
    return verdict;
}

int send_run(struct cli *cli, int argc, char **argv)
{
    struct cli_option options[] = {
        FORM_OPTIONS,
        {"idempotency-key", CLI_VALUE, 0, NULL, NULL, 0},
        {"wait", CLI_FLAG, 'w', NULL, NULL, 0},
        {NULL, CLI_FLAG, 0, NULL, NULL, 0},
    };
    int operands = 0;
    json_t *fax = NULL;
    struct form form = {.options = options};
    int verdict = cli_parse(&operands, cli, options, argc, argv, help, 0, FORM_FILES_MAX);
    if (verdict >= 0)
        goto out;
    verdict = check(&form, argv + operands, argc - operands);
    if (verdict == VERDICT_OK)
        verdict = post(&fax, cli, &form);
    if (verdict != VERDICT_OK)
        goto out;
    char *id = text_at(fax, "id");
    if (cli_value(options, "wait") != NULL) {
        verdict = progress_follow(cli, id, fax);
    } else if (cli->json) {
        text_json(fax);
    } else {
        text_print(stdout, "%s\n", id);
    }
    free(id);
out:
    json_decref(fax);
    form_close(&form);
    cli_options_free(options);
    return verdict;
}
