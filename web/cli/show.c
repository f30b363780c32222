/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fax show. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "server/base/log.h"
#include "web/cli/cli.h"
#include "web/cli/client.h"
#include "web/cli/listing.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

static const struct column rows[] = {
    {.head = "Fax", .path = "id"},
    {.head = "Direction", .path = "direction"},
    {.head = "Status", .path = "status"},
    {.head = "Reason", .path = "reason"},
    {.head = "To", .path = "to"},
    {.head = "From", .path = "from"},
    {.head = "Far end", .path = "remote_station_id"},
    {.head = "Own id", .path = "local_station_id"},
    {.head = "Line", .path = "line"},
    {.head = "Pages", .path = "pages.total"},
    {.head = "Confirmed", .path = "pages.confirmed"},
    {.head = "Calls", .path = "attempts"},
    {.head = "Rate", .path = "transport.rate_bps"},
    {.head = "ECM", .path = "transport.ecm"},
    {.head = "Compression", .path = "transport.compression"},
    {.head = "Resolution", .path = "transport.resolution"},
    {.head = "Error", .path = "error.code"},
    {.head = "Message", .path = "error.message"},
    {.head = "Hint", .path = "error.hint"},
    {"Next try", "next_attempt_at", .is_time = true},
    {"Created", "timing.created", .is_time = true},
    {"Connected", "timing.connected", .is_time = true},
    {"Ended", "timing.ended", .is_time = true},
    {"Purged", "documents_purged_at", .is_time = true},
    {.head = "Reference", .path = "client_reference"},
    {.head = NULL},
};

static const struct column attempt_columns[] = {
    {.head = "Call", .path = "number"},
    {.head = "Line", .path = "line"},
    {"Dialed", "dialed_at", .is_time = true},
    {.head = "From page", .path = "first_page"},
    {.head = "Confirmed", .path = "pages_confirmed"},
    {.head = "Outcome", .path = "outcome"},
    {.head = "Rate", .path = "transport.rate_bps"},
    {.head = "Mode", .path = "transport.mode"},
    {.head = "Trunk", .path = "trunk"},
    {.head = "SIP", .path = "sip_status"},
    {.head = NULL},
};

/* The calls of a fax; their absence is no reason to fail. */
static json_t *get_attempts(struct cli *cli, const char *escaped)
{
    json_t *reply = NULL;
    char *path = xasprintf("/v1/faxes/%s/attempts", escaped);
    client_request(&reply, cli->client, "GET", path, NULL);
    json_t *data = json_is_array(reply) ? json_incref(reply) : json_incref(json_object_get(reply, "data"));
    json_decref(reply);
    free(path);
    return data;
}

static void print_attempts(const json_t *attempts)
{
    if (json_array_size(attempts) == 0)
        return;
    putchar('\n');
    listing_table(attempts, attempt_columns);
}

static int show(struct cli *cli)
{
    char *escaped = client_escape(cli->words[0]), *path = xasprintf("/v1/faxes/%s", escaped);
    json_t *fax = NULL, *attempts = NULL;
    int verdict = cli_client(cli);
    if (verdict == VERDICT_OK)
        verdict = client_request(&fax, cli->client, "GET", path, NULL);
    if (verdict == VERDICT_OK) {
        attempts = get_attempts(cli, escaped);
        verdict = verdict_of_fax(fax);
        if (cli->json) {
            json_t *both = json_pack("{s:O, s:O*}", "fax", fax, "attempts", attempts);
            text_json(both);
            json_decref(both);
        } else {
            listing_object(fax, rows);
            print_attempts(attempts);
        }
    }
    json_decref(attempts);
    json_decref(fax);
    free(path);
    free(escaped);
    return verdict;
}

const struct cli_command show_command = {"show",
                                         "ID",
                                         "show a fax with its calls",
                                         "The exit status is that of the fax: 0 while it is under way.",
                                         .run = show,
                                         .complete = "/v1/faxes id to"};
