/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fax destination. */
#include "config.h"

#include <stddef.h>

#include "web/cli/cli.h"
#include "web/cli/resource.h"
#include "web/cli/verdict.h"

static const struct column columns[] = {
    {.head = "Number", .path = "number"},
    {.head = "Transport", .path = "transport"},
    {"Forced", "forced_transport", .is_detail = true},
    {"Suspended", "suspended.since", .is_time = true},
    {"Suspension", "suspended.reason", .is_detail = true},
    {.head = "Calls ok", .path = "calls.ok"},
    {.head = "Failed", .path = "calls.failed"},
    {.head = "T.38 ok", .path = "t38.ok"},
    {.head = "T.38 failed", .path = "t38.failed"},
    {.head = "G.711 ok", .path = "g711.ok"},
    {.head = "G.711 failed", .path = "g711.failed"},
    {"Success", "success_rate", .is_detail = true},
    {"Last outcome", "last_outcome", .is_detail = true},
    {"Last call", "last_at", .is_time = true},
    {.head = "Reason", .path = "reason"},
    {.head = NULL},
};

static const struct resource destinations = {
    .path = "/v1/destinations", .noun = "destination", .is_paged = true, .columns = columns};

static const struct cli_option suspended[] = {
    {"reason", 0, CLI_TEXT, "TEXT", "why", .field = "reason"},
    {.name = NULL},
};

static const struct cli_option changed[] = {
    {"transport", 0, CLI_TEXT, "NAME", "t38 or g711 from now on, auto as calls teach", .field = "forced_transport",
     .complete = "auto t38 g711"},
    {"reason", 0, CLI_TEXT, "TEXT", "why it is suspended", .field = "reason"},
    {.name = NULL},
};

static int suspend(struct cli *cli)
{
    json_t *body;
    int verdict = resource_body(&body, cli);
    if (verdict != VERDICT_OK)
        return verdict;
    json_object_set_new(body, "suspended", json_true());
    return resource_patch(cli, body);
}

static int resume(struct cli *cli)
{
    return resource_patch(cli, json_pack("{s:b}", "suspended", 0));
}

static const struct cli_command commands[] = {
    {"list", .summary = "list destinations, the last that was called first", .also = listing_options,
     .run = resource_list, .resource = &destinations},
    {"show", "NUMBER", "show a destination", .run = resource_show, .resource = &destinations},
    {"suspend", "NUMBER", "call a number no more", "Faxes to it fail until it is resumed.", .options = suspended,
     .run = suspend, .resource = &destinations},
    {"resume", "NUMBER", "call a suspended number again", .run = resume, .resource = &destinations},
    {"change", "NUMBER", "say how a number is called", .options = changed, .run = resource_change,
     .resource = &destinations},
    {"forget", "NUMBER...", "forget what was learnt of numbers", .run = resource_remove, .resource = &destinations},
    {.name = NULL},
};

const struct cli_command destination_command = {
    "destination", .summary = "what is remembered of a number",
    .more = "What calls have taught of a number: whether the next one is T.38 or G.711, and how each has done. It is "
            "forgotten 90 days after the last such call, or by forget. A number where no fax machine answers is "
            "suspended by itself.",
    .commands = commands};
