/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fax group. */
#include "config.h"

#include <stddef.h>

#include "web/cli/cli.h"
#include "web/cli/resource.h"

static const struct column columns[] = {
    {.head = "Id", .path = "id"},
    {.head = "Name", .path = "name"},
    {.head = "Members", .path = "members"},
    {"Created", "created_at", .is_time = true},
    {.head = NULL},
};

const struct resource group_resource = {
    .path = "/v1/groups", .noun = "group", .prefix = "grp_", .is_paged = true, .columns = columns};

static const struct cli_option changed[] = {
    {"name", 0, CLI_TEXT, "TEXT", "another name", .field = "name"},
    {.name = NULL},
};

static const struct cli_command commands[] = {
    {"list", .summary = "list groups", .also = listing_options, .run = resource_list, .resource = &group_resource},
    {"show", "GROUP", "show a group", .run = resource_show, .resource = &group_resource},
    {"add", "NAME", "make a group and print its id", .run = resource_add, .resource = &group_resource,
     .fields = "name"},
    {"change", "GROUP", "rename a group", .options = changed, .run = resource_change, .resource = &group_resource},
    {"remove", "GROUP...", "remove groups", "Their contacts stay.", .run = resource_remove,
     .resource = &group_resource},
    {.name = NULL},
};

const struct cli_command group_command = {"group", .summary = "groups of contacts",
                                          .more = "A group is named by its id or its name.", .commands = commands};
