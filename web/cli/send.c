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
#include "web/cli/progress.h"
#include "web/cli/source.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

#define FILES_MAX 20 /* how many a fax may have is for the server to say */

static const char help[] =
    "Usage: fax send --to NUMBER [OPTION...] FILE\n"
    "Send the TIFF file FILE (- = standard input) as a fax.\n"
    "\n"
    "  -t, --to NUMBER         the number to send to\n"
    "      --from NUMBER       the sender, as the server knows it\n"
    "      --resolution NAME   standard, fine or superfine\n"
    "      --dither NAME       auto, threshold, diffusion or halftone\n"
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

/* Options that are fields of the form. */
static const struct {
    const char *option, *field, *value; /* value: of a flag */
} fields[] = {
    {"to", "to", NULL},
    {"from", "from", NULL},
    {"resolution", "resolution", NULL},
    {"dither", "dither", NULL},
    {"no-ecm", "route.ecm", "false"},
    {"max-rate", "route.max_rate", NULL},
    {"priority", "priority", NULL},
    {"not-before", "not_before", NULL},
    {"expires", "expires_at", NULL},
    {"max-attempts", "retry.max_attempts", NULL},
    {"reference", "client_reference", NULL},
    {"hold", "hold", "true"},
};

struct sending {
    struct cli_option *options;
    struct source sources[FILES_MAX];
    int count; /* of sources */
};

static int add_field(curl_mime *form, const char *name, size_t name_length, const char *value)
{
    char *copy = xasprintf("%.*s", (int)name_length, name);
    curl_mimepart *part = curl_mime_addpart(form);
    int bad = part == NULL || curl_mime_name(part, copy) != CURLE_OK ||
              curl_mime_data(part, value, CURL_ZERO_TERMINATED) != CURLE_OK;
    free(copy);
    return bad;
}

static int add_list(curl_mime *form, const struct cli_option *option, const char *field)
{
    int bad = 0;
    for (int i = 0; i < option->count && !bad; i++) {
        const char *value = option->values[i];
        size_t length = field != NULL ? strlen(field) : strcspn(value, "=");
        bad = add_field(form, field != NULL ? field : value, length, field != NULL ? value : value + length + 1);
    }
    return bad;
}

/* Called for each try. */
static int fill(curl_mime *form, void *context)
{
    const struct sending *sending = context;
    int bad = 0;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0] && !bad; i++) {
        const char *value = cli_value(sending->options, fields[i].option);
        if (value != NULL)
            bad = add_field(form, fields[i].field, strlen(fields[i].field),
                            fields[i].value != NULL ? fields[i].value : value);
    }
    if (!bad)
        bad = add_list(form, cli_find(sending->options, "tag"), "tags");
    if (!bad)
        bad = add_list(form, cli_find(sending->options, "set"), NULL);
    for (int i = 0; i < sending->count && !bad; i++)
        bad = source_add(&sending->sources[i], form);
    return bad;
}

/* Look at the words and the files before the network is used. */
static int check(struct sending *sending, char **files, int count)
{
    const struct cli_option *set = cli_find(sending->options, "set");
    if (cli_value(sending->options, "to") == NULL) {
        text_complain("--to is missing: the number to send to");
        return VERDICT_ERROR;
    }
    for (int i = 0; i < set->count; i++) {
        if (strcspn(set->values[i], "=") == 0 || strchr(set->values[i], '=') == NULL) {
            text_complain("--set wants KEY=VALUE, not \"%s\"", set->values[i]);
            return VERDICT_ERROR;
        }
    }
    int verdict = VERDICT_OK;
    for (int i = 0; i < count && verdict == VERDICT_OK; i++)
        verdict = source_open(&sending->sources[sending->count++], files[i]);
    return verdict;
}

static int post(json_t **fax, struct cli *cli, struct sending *sending)
{
    char fresh[STR_ULID_SIZE];
    const char *key = cli_value(sending->options, "idempotency-key");
    int verdict = cli_client(cli);
    if (verdict == VERDICT_OK)
        verdict = client_post_form(fax, cli->client, "/v1/faxes", key != NULL ? key : str_ulid(fresh, clock_now_ms()),
                                   fill, sending);
    return verdict;
}

int send_run(struct cli *cli, int argc, char **argv)
{
    struct cli_option options[] = {
        {"to", CLI_VALUE, 't', NULL, NULL, 0},
        {"from", CLI_VALUE, 0, NULL, NULL, 0},
        {"resolution", CLI_VALUE, 0, NULL, NULL, 0},
        {"dither", CLI_VALUE, 0, NULL, NULL, 0},
        {"no-ecm", CLI_FLAG, 0, NULL, NULL, 0},
        {"max-rate", CLI_VALUE, 0, NULL, NULL, 0},
        {"priority", CLI_VALUE, 0, NULL, NULL, 0},
        {"not-before", CLI_VALUE, 0, NULL, NULL, 0},
        {"expires", CLI_VALUE, 0, NULL, NULL, 0},
        {"max-attempts", CLI_VALUE, 0, NULL, NULL, 0},
        {"reference", CLI_VALUE, 0, NULL, NULL, 0},
        {"tag", CLI_LIST, 0, NULL, NULL, 0},
        {"hold", CLI_FLAG, 0, NULL, NULL, 0},
        {"set", CLI_LIST, 0, NULL, NULL, 0},
        {"idempotency-key", CLI_VALUE, 0, NULL, NULL, 0},
        {"wait", CLI_FLAG, 'w', NULL, NULL, 0},
        {NULL, CLI_FLAG, 0, NULL, NULL, 0},
    };
    int operands = 0;
    json_t *fax = NULL;
    struct sending sending = {.options = options};
    int verdict = cli_parse(&operands, cli, options, argc, argv, help, 1, FILES_MAX);
    if (verdict < 0)
        verdict = check(&sending, argv + operands, argc - operands);
    else
        goto out;
    if (verdict == VERDICT_OK)
        verdict = post(&fax, cli, &sending);
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
    for (int i = 0; i < sending.count; i++)
        source_close(&sending.sources[i]);
    cli_options_free(options);
    return verdict;
}
