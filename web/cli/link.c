/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fax link. */
#include "config.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/base/log.h"
#include "server/base/str.h"
#include "web/cli/cli.h"
#include "web/cli/client.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

static const char help[] =
    "Usage: fax link ID [OPTION...]\n"
    "Print a link to the document of a fax. Whoever has it gets the document, without a key, until\n"
    "the link expires or the documents of the fax are deleted.\n"
    "\n"
    "      --format F     pdf (default), tiff, pdf-searchable\n"
    "      --original     the first upload as it came, instead of the pages as sent\n"
    "      --expires S    seconds that it works, up to 604800 (default 600)\n";

/* NULL, and said, when an option is wrong. New reference. */
static json_t *make_body(const struct cli_option *options)
{
    const char *format = cli_value(options, "format"), *expires = cli_value(options, "expires");
    json_t *body = json_object();
    int64_t seconds;
    if (format != NULL)
        json_object_set_new(body, "format", json_string(format));
    if (cli_value(options, "original") != NULL)
        json_object_set_new(body, "copy", json_string("original"));
    if (expires == NULL)
        return body;
    if (str_to_int(&seconds, expires, 0, INT32_MAX) != 0) {
        text_complain("\"%s\" is not a number", expires);
        json_decref(body);
        return NULL;
    }
    json_object_set_new(body, "expires_s", json_integer(seconds));
    return body;
}

int link_run(struct cli *cli, int argc, char **argv)
{
    struct cli_option options[] = {{"format", CLI_VALUE, 0, NULL, NULL, 0},
                                   {"original", CLI_FLAG, 0, NULL, NULL, 0},
                                   {"expires", CLI_VALUE, 0, NULL, NULL, 0},
                                   {NULL, CLI_FLAG, 0, NULL, NULL, 0}};
    int operands = 0;
    json_t *reply = NULL, *body;
    int verdict = cli_parse(&operands, cli, options, argc, argv, help, 1, 1);
    if (verdict >= 0)
        return verdict;
    if ((body = make_body(options)) == NULL)
        return VERDICT_ERROR;
    char *escaped = client_escape(argv[operands]), *path = xasprintf("/v1/faxes/%s/links", escaped);
    verdict = cli_request(&reply, cli, "POST", path, body);
    if (reply != NULL) {
        char *url = text_at(reply, "url");
        text_print(stdout, "%s%s\n", client_url(cli->client), url);
        free(url);
    }
    json_decref(reply);
    json_decref(body);
    free(path);
    free(escaped);
    return verdict;
}
