/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fax retry, resend, forward. */
#include "config.h"

#include "web/cli/cli.h"
#include "web/cli/resource.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

static const struct cli_option retried[] = {
    {"confirm", 0, CLI_FLAG, NULL, "also one that the far end may have whole: it may arrive twice", .field = "confirm"},
    {.name = NULL},
};

static int retry_one(struct cli *cli, const char *id)
{
    json_t *body = NULL, *reply = NULL;
    int verdict = resource_body(&body, cli);
    if (verdict == VERDICT_OK)
        verdict = resource_request(&reply, cli, "POST", id, "/retry", body);
    if (reply != NULL)
        text_print(stdout, "%s is called again\n", id);
    json_decref(reply);
    json_decref(body);
    return verdict;
}

static int retry(struct cli *cli)
{
    return cli_each(cli, retry_one);
}

const struct cli_command retry_command = {
    "retry",
    "ID...",
    "call again for faxes that were not delivered",
    "They have ended without full delivery. Each goes on with its first page that was not confirmed.",
    .options = retried,
    .run = retry,
    .resource = &fax_resource,
    .complete = "/v1/faxes?status=failed,partially_delivered,unconfirmed,canceled,expired id to"};

static const struct cli_option resent[] = {
    {"to", 't', CLI_TEXT, "NUMBER", "to another number", .field = "to"},
    {.name = NULL},
};

static int resend(struct cli *cli)
{
    return resource_post(cli, "/resend", "id");
}

const struct cli_command resend_command = {"resend",
                                           "ID",
                                           "send a fax anew, as another fax, and print its id",
                                           "Documents, cover and options are the same.",
                                           .options = resent,
                                           .run = resend,
                                           .resource = &fax_resource,
                                           .complete = "/v1/faxes?direction=outbound id to"};

static const struct cli_option forwarded[] = {
    {"to", 't', CLI_TEXT, "NUMBER", "to whom; needed", .field = "to"},
    {"note", 0, CLI_TEXT, "TEXT", "on a cover page before them", .field = "note"},
    {.name = NULL},
};

static int forward(struct cli *cli)
{
    return resource_post(cli, "/forward", "id");
}

const struct cli_command forward_command = {"forward",
                                            "ID",
                                            "send the pages of a fax to somebody and print the new id",
                                            "The fax may be one that was sent or one that was received.",
                                            .options = forwarded,
                                            .run = forward,
                                            .resource = &fax_resource,
                                            .complete = "/v1/faxes id to"};
