/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fax block. */
#include "config.h"

#include <stddef.h>

#include "web/cli/cli.h"
#include "web/cli/resource.h"

static const struct column columns[] = {
    {.head = "Id", .path = "id"},
    {.head = "Direction", .path = "direction"},
    {.head = "Action", .path = "action"},
    {.head = "Kind", .path = "kind"},
    {.head = "Value", .path = "value"},
    {.head = "Reason", .path = "reason"},
    {"Expires", "expires_at", .is_time = true},
    {.head = "Hits", .path = "hits"},
    {"Last hit", "last_hit_at", .is_time = true},
    {"Created", "created_at", .is_time = true, .is_detail = true},
    {.head = NULL},
};

static const struct resource blocks = {.path = "/v1/rules/block", .noun = "rule", .is_paged = true, .columns = columns};

static const struct cli_option listed[] = {
    {"direction", 0, CLI_TEXT, "NAME", "outbound or inbound alone", .field = "?direction",
     .complete = "outbound inbound"},
    {.name = NULL},
};

#define FIELDS                                                                                                         \
    {"action",                                                                                                         \
     0,                                                                                                                \
     CLI_TEXT,                                                                                                         \
     "NAME",                                                                                                           \
     "deny (default), allow, or of inbound quarantine: kept as junk",                                                  \
     .field = "action",                                                                                                \
     .complete = "deny allow quarantine"},                                                                             \
        {"reason", 0, CLI_TEXT, "TEXT", "why", .field = "reason"},                                                     \
    {                                                                                                                  \
        "expires", 0, CLI_TEXT, "TIME", "when it ends: 2026-12-31T00:00:00Z", .field = "expires_at"                    \
    }

static const struct cli_option added[] = {
    {"direction", 0, CLI_TEXT, "NAME", "outbound or inbound; needed", .field = "direction",
     .complete = "outbound inbound"},
    {"kind", 0, CLI_TEXT, "NAME", "number, prefix, anonymous, station_id or station_id_prefix; needed", .field = "kind",
     .complete = "number prefix anonymous station_id station_id_prefix"},
    FIELDS,
    {.name = NULL},
};

static const struct cli_option changed[] = {FIELDS, {.name = NULL}};

static const struct cli_command commands[] = {
    {"list", .summary = "list block rules", .options = listed, .also = listing_options, .run = resource_list,
     .resource = &blocks},
    {"show", "ID", "show a block rule", .run = resource_show, .resource = &blocks},
    {"add", "[VALUE]", "make a block rule and print its id",
     "VALUE is the number or the station id, or what it begins with.", .options = added, .run = resource_add,
     .resource = &blocks, .fields = "value"},
    {"change", "ID", "change a block rule", .options = changed, .run = resource_change, .resource = &blocks},
    {"remove", "ID...", "remove block rules", .run = resource_remove, .resource = &blocks},
    {.name = NULL},
};

const struct cli_command block_command = {
    "block", .summary = "numbers that are not called, or not answered",
    .more = "The longest value that fits decides; allow makes exceptions from deny.", .commands = commands};
