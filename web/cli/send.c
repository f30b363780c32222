/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fax send. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "web/cli/cli.h"
#include "web/cli/client.h"
#include "web/cli/progress.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

#define STDIN_MAX (64 << 20)

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
    char **files;
    int file_count;
    char *standard_input; /* its octets, when a file is "-" */
    size_t standard_input_size;
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

static int add_file(curl_mime *form, const struct sending *sending, const char *path)
{
    curl_mimepart *part = curl_mime_addpart(form);
    if (part == NULL || curl_mime_name(part, "file") != CURLE_OK)
        return 1;
    if (strcmp(path, "-") != 0)
        return curl_mime_filedata(part, path) != CURLE_OK || curl_mime_type(part, "image/tiff") != CURLE_OK;
    return curl_mime_data(part, sending->standard_input, sending->standard_input_size) != CURLE_OK ||
           curl_mime_filename(part, "standard-input.tif") != CURLE_OK || curl_mime_type(part, "image/tiff") != CURLE_OK;
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
    for (int i = 0; i < sending->file_count && !bad; i++)
        bad = add_file(form, sending, sending->files[i]);
    return bad;
}

static int read_standard_input(struct sending *sending)
{
    size_t room = 1 << 16, got;
    if (sending->standard_input != NULL) {
        text_complain("standard input can be sent once");
        return VERDICT_ERROR;
    }
    sending->standard_input = xmalloc(room);
    while ((got = fread(sending->standard_input + sending->standard_input_size, 1, room - sending->standard_input_size,
                        stdin)) > 0) {
        sending->standard_input_size += got;
        if (sending->standard_input_size > STDIN_MAX) {
            text_complain("standard input is too long for a fax");
            return VERDICT_DOCUMENT;
        }
        if (sending->standard_input_size == room)
            sending->standard_input = xrealloc(sending->standard_input, room *= 2);
    }
    return VERDICT_OK;
}

/* Look at the words before the network is used. */
static int check(struct sending *sending)
{
    const struct cli_option *set = cli_find(sending->options, "set");
    if (cli_value(sending->options, "to") == NULL) {
        text_complain("--to is missing: the number to send to");
        return VERDICT_ERROR;
    }
    for (int i = 0; i < set->count; i++) {
        if (strchr(set->values[i], '=') == NULL) {
            text_complain("--set wants KEY=VALUE, not \"%s\"", set->values[i]);
            return VERDICT_ERROR;
        }
    }
    int verdict = VERDICT_OK;
    for (int i = 0; i < sending->file_count && verdict == VERDICT_OK; i++) {
        if (strcmp(sending->files[i], "-") == 0) {
            verdict = read_standard_input(sending);
        } else if (access(sending->files[i], R_OK) != 0) {
            text_complain("cannot read %s: %s", sending->files[i], strerror(errno));
            verdict = VERDICT_DOCUMENT;
        }
    }
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
    int verdict = cli_parse(&operands, cli, options, argc, argv, help, 1, 20);
    struct sending sending = {.options = options, .files = argv + operands, .file_count = argc - operands};
    if (verdict < 0)
        verdict = check(&sending);
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
    free(sending.standard_input);
    cli_options_free(options);
    return verdict;
}
