/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fax identity. */
#include "config.h"

#include <stddef.h>

#include "web/cli/cli.h"
#include "web/cli/resource.h"

static const struct column columns[] = {
    {.head = "Id", .path = "id"},
    {.head = "Name", .path = "name"},
    {.head = "Number", .path = "number"},
    {.head = "Station id", .path = "station_id"},
    {.head = "Header", .path = "header_text"},
    {.head = "Time zone", .path = "time_zone"},
    {.head = "Caller id", .path = "caller_id"},
    {.head = "Default", .path = "default"},
    {"Created", "created_at", .is_time = true, .is_detail = true},
    {.head = NULL},
};

static const struct resource identities = {
    .path = "/v1/identities", .noun = "identity", .prefix = "idn_", .is_paged = true, .columns = columns};

#define FIELDS                                                                                                         \
    {"number", 0, CLI_TEXT, "NUMBER", "the sender's number", .field = "number"},                                       \
        {"station-id", 0, CLI_TEXT, "TEXT", "what the far end is told, at most 20 characters", .field = "station_id"}, \
        {"header", 0, CLI_TEXT, "TEXT", "the sender's name on top of each page", .field = "header_text"},              \
        {"time-zone", 0, CLI_TEXT, "NAME", "of the time on top of each page: Europe/Berlin", .field = "time_zone"},    \
        {"caller-id", 0, CLI_TEXT, "NUMBER", "what calls show, where the trunk lets them", .field = "caller_id"},      \
    {                                                                                                                  \
        "default", 0, CLI_SWITCH, "yes|no", "of faxes that name no sender", .field = "default", .complete = "yes no"   \
    }

static const struct cli_option added[] = {FIELDS, {.name = NULL}};

static const struct cli_option changed[] = {
    {"name", 0, CLI_TEXT, "TEXT", "another name", .field = "name"}, FIELDS, {.name = NULL}};

static const struct cli_command commands[] = {
    {"list", .summary = "list identities", .also = listing_options, .run = resource_list, .resource = &identities},
    {"show", "IDENTITY", "show an identity", .run = resource_show, .resource = &identities},
    {"add", "NAME", "make an identity and print its id", .options = added, .run = resource_add, .resource = &identities,
     .fields = "name"},
    {"change", "IDENTITY", "change an identity", "An empty value takes away what there was.", .options = changed,
     .run = resource_change, .resource = &identities},
    {"remove", "IDENTITY...", "remove identities", .run = resource_remove, .resource = &identities},
    {.name = NULL},
};

const struct cli_command identity_command = {
    "identity", .summary = "senders",
    .more =
        "An identity is a sender's number, name on the page, station id and time zone. It is named by its id or its "
        "name, and by fax send --from by its id.",
    .commands = commands};
