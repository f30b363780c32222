/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fax event, fax provider, fax simulate. */
#include "config.h"

#include <stdlib.h>

#include "server/base/log.h"
#include "web/cli/cli.h"
#include "web/cli/client.h"
#include "web/cli/listing.h"
#include "web/cli/resource.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

/* --- event --- */

static const struct column event_columns[] = {
    {"At", "timestamp", .is_time = true},    {.head = "Event", .path = "type"},
    {.head = "Id", .path = "data.id"},       {.head = "Status", .path = "data.status"},
    {.head = "Error", .path = "data.error"}, {.head = NULL},
};

static int list_events(struct cli *cli)
{
    char *id = cli->count > 0 ? client_escape(cli->words[0]) : NULL;
    char *path = id != NULL ? xasprintf("/v1/faxes/%s/events", id) : xstrdup("/v1/events");
    int verdict = listing_print(cli, path, event_columns);
    free(path);
    free(id);
    return verdict;
}

static const struct cli_command event_commands[] = {
    {"list", "[ID]", "list events of a fax, or of the last 30 days, oldest first", .also = listing_options,
     .run = list_events, .complete = "/v1/faxes id to"},
    {.name = NULL},
};

const struct cli_command event_command = {"event", .summary = "what happened",
                                          .more = "fax watch tells it as it happens.", .commands = event_commands};

/* --- provider --- */

static const struct column provider_columns[] = {
    {.head = "Provider", .path = "name"},
    {.head = "Module", .path = "module"},
    {.head = "State", .path = "state"},
    {.head = "Reason", .path = "reason"},
    {.head = NULL},
};

static const struct resource providers = {.path = "/v1/providers", .noun = "provider", .columns = provider_columns};

static const struct cli_command provider_commands[] = {
    {"list", NULL, "list providers", .run = resource_list, .resource = &providers},
    {.name = NULL},
};

const struct cli_command provider_command = {"provider", .summary = "the programs that make the calls",
                                             .commands = provider_commands};

/* --- simulate --- */

static const struct cli_option simulated[] = {
    {"from", 0, CLI_TEXT, "NUMBER", "who calls", .field = "from"},
    {"to", 0, CLI_TEXT, "NUMBER", "which number is called", .field = "to"},
    {"station-id", 0, CLI_TEXT, "TEXT", "what the caller's machine is called", .field = "station_id"},
    {"pages", 0, CLI_NUMBER, "N", "so many pages", .field = "pages"},
    {.name = NULL},
};

static int simulate(struct cli *cli)
{
    json_t *body, *reply = NULL;
    int verdict = resource_body(&body, cli);
    if (verdict == VERDICT_OK)
        verdict = cli_request(&reply, cli, "POST", "/v1/test/inbound", body);
    if (reply != NULL) {
        char *line = text_at(reply, "line");
        text_print(stdout, "a fax comes in on %s\n", line);
        free(line);
    }
    json_decref(reply);
    json_decref(body);
    return verdict;
}

const struct cli_command simulate_command = {"simulate",
                                             NULL,
                                             "receive a made-up fax, to try what becomes of it",
                                             "The key has to be a test key (fax key create --test).",
                                             .options = simulated,
                                             .run = simulate};
