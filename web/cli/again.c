/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fax retry, resend, forward. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "server/base/log.h"
#include "web/cli/cli.h"
#include "web/cli/client.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

static const char retry_help[] =
    "Usage: fax retry ID... [OPTION...]\n"
    "Call again for faxes that have ended without full delivery. Each goes on with its first page\n"
    "that was not confirmed.\n"
    "\n"
    "      --confirm      also one that the far end may have whole: it may arrive twice\n";

static const char resend_help[] = "Usage: fax resend ID [OPTION...]\n"
                                  "Send a fax anew, as another fax: documents, cover and options are the same.\n"
                                  "\n"
                                  "      --to NUMBER    to another number\n";

static const char forward_help[] = "Usage: fax forward ID --to NUMBER [OPTION...]\n"
                                   "Send the pages of a fax, sent or received, to somebody.\n"
                                   "\n"
                                   "      --note TEXT    on a cover page before them\n";

static int post(json_t **reply, struct cli *cli, const char *id, const char *verb, const json_t *body)
{
    char *escaped = client_escape(id), *path = xasprintf("/v1/faxes/%s/%s", escaped, verb);
    int verdict = cli_request(reply, cli, "POST", path, body);
    free(path);
    free(escaped);
    return verdict;
}

int retry_run(struct cli *cli, int argc, char **argv)
{
    struct cli_option options[] = {{"confirm", CLI_FLAG, 0, NULL, NULL, 0}, {NULL, CLI_FLAG, 0, NULL, NULL, 0}};
    int operands = 0, worst = VERDICT_OK;
    int verdict = cli_parse(&operands, cli, options, argc, argv, retry_help, 1, 1000);
    if (verdict >= 0)
        return verdict;
    json_t *body = json_pack("{s:b}", "confirm", cli_value(options, "confirm") != NULL);
    for (int i = operands; i < argc && worst != VERDICT_UNREACHABLE; i++) {
        json_t *reply = NULL;
        verdict = post(&reply, cli, argv[i], "retry", body);
        if (reply != NULL)
            text_print(stdout, "%s is called again\n", argv[i]);
        if (verdict != VERDICT_OK)
            worst = verdict;
        json_decref(reply);
    }
    json_decref(body);
    return worst;
}

static void set_text(json_t *body, const char *key, const char *value)
{
    if (value != NULL)
        json_object_set_new(body, key, json_string(value));
}

/* The new fax's id, for programs that read one word. */
static int make(struct cli *cli, const char *id, const char *verb, json_t *body)
{
    json_t *reply = NULL;
    int verdict = post(&reply, cli, id, verb, body);
    if (reply != NULL)
        text_print(stdout, "%s\n", json_string_value(json_object_get(reply, "id")));
    json_decref(reply);
    json_decref(body);
    return verdict;
}

int resend_run(struct cli *cli, int argc, char **argv)
{
    struct cli_option options[] = {{"to", CLI_VALUE, 0, NULL, NULL, 0}, {NULL, CLI_FLAG, 0, NULL, NULL, 0}};
    int operands = 0;
    int verdict = cli_parse(&operands, cli, options, argc, argv, resend_help, 1, 1);
    if (verdict >= 0)
        return verdict;
    json_t *body = json_object();
    set_text(body, "to", cli_value(options, "to"));
    return make(cli, argv[operands], "resend", body);
}

int forward_run(struct cli *cli, int argc, char **argv)
{
    struct cli_option options[] = {
        {"to", CLI_VALUE, 0, NULL, NULL, 0}, {"note", CLI_VALUE, 0, NULL, NULL, 0}, {NULL, CLI_FLAG, 0, NULL, NULL, 0}};
    int operands = 0;
    int verdict = cli_parse(&operands, cli, options, argc, argv, forward_help, 1, 1);
    if (verdict >= 0)
        return verdict;
    json_t *body = json_object();
    set_text(body, "to", cli_value(options, "to"));
    set_text(body, "note", cli_value(options, "note"));
    return make(cli, argv[operands], "forward", body);
}
