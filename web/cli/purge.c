/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fax purge. */
#include "config.h"

#include "web/cli/cli.h"
#include "web/cli/resource.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

static const struct cli_option options[] = {
    {"record", 0, CLI_FLAG, NULL, "delete the records too, with their calls and events", .field = NULL},
    {.name = NULL},
};

static int purge_one(struct cli *cli, const char *id)
{
    bool record = cli_value(cli, "record") != NULL;
    json_t *reply;
    int verdict = resource_request(&reply, cli, "DELETE", id, record ? "?record=true" : "", NULL);
    if (verdict == VERDICT_OK && !cli->json)
        text_print(stdout, record ? "%s record deleted\n" : "%s documents deleted\n", id);
    json_decref(reply);
    return verdict;
}

static int purge(struct cli *cli)
{
    return cli_each(cli, purge_one);
}

const struct cli_command purge_command = {
    "purge",
    "ID...",
    "delete the documents of faxes that have ended, or the faxes",
    "Upload, pages and what was made of them are deleted. The records stay, with the hashes of the pages. What another "
    "fax shares stays for that one.",
    .options = options,
    .run = purge,
    .resource = &fax_resource,
    .complete = "/v1/faxes id to"};
