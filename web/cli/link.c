/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fax link. */
#include "config.h"

#include <stdlib.h>

#include "web/cli/cli.h"
#include "web/cli/client.h"
#include "web/cli/resource.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

static const struct cli_option options[] = {
    {"format", 0, CLI_TEXT, "NAME", "pdf (default), tiff, pdf-searchable", .field = "format",
     .complete = "pdf tiff pdf-searchable"},
    {"original", 0, CLI_FLAG, NULL, "the first upload as it came, instead of the pages as sent", .field = NULL},
    {"expires", 0, CLI_NUMBER, "SECONDS", "so long it works, up to 604800 (default 600)", .field = "expires_s"},
    {.name = NULL},
};

static int link_to(struct cli *cli)
{
    json_t *body, *reply = NULL;
    int verdict = resource_body(&body, cli);
    if (verdict == VERDICT_OK && cli_value(cli, "original") != NULL)
        json_object_set_new(body, "copy", json_string("original"));
    if (verdict == VERDICT_OK)
        verdict = resource_request(&reply, cli, "POST", cli->words[0], "/links", body);
    if (reply != NULL) {
        char *url = text_at(reply, "url");
        text_print(stdout, "%s%s\n", client_url(cli->client), url);
        free(url);
    }
    json_decref(reply);
    json_decref(body);
    return verdict;
}

const struct cli_command link_command = {
    "link",
    "ID",
    "print a link to the document of a fax, for a short time",
    "Whoever has it gets the document, without a key, until the link expires or the documents of the fax are deleted.",
    .options = options,
    .run = link_to,
    .resource = &fax_resource,
    .complete = "/v1/faxes id to"};
