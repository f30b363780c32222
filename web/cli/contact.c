/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fax contact. */
#include "config.h"

#include <stddef.h>
#include <stdlib.h>

#include "web/cli/cli.h"
#include "web/cli/client.h"
#include "web/cli/file.h"
#include "web/cli/resource.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

static const struct column columns[] = {
    {.head = "Id", .path = "id"},
    {.head = "Name", .path = "name"},
    {.head = "Organization", .path = "organization"},
    {.head = "Number", .path = "number"},
    {.head = "E-mail", .path = "email"},
    {"Notes", "notes", .is_detail = true},
    {"Groups", "groups", .is_detail = true},
    {"Created", "created_at", .is_time = true, .is_detail = true},
    {"Changed", "updated_at", .is_time = true, .is_detail = true},
    {.head = NULL},
};

static const struct resource contacts = {
    .path = "/v1/contacts", .noun = "contact", .prefix = "con_", .query = "q", .is_paged = true, .columns = columns};

static const struct cli_option listed[] = {
    {"q", 'q', CLI_TEXT, "TEXT", "those of which a word of the name or the number begins so", .field = "?q"},
    {"group", 0, CLI_TEXT, "GROUP", "those of a group", .field = "?group", .of = &group_resource},
    {.name = NULL},
};

#define FIELDS                                                                                                         \
    {"organization", 0, CLI_TEXT, "TEXT", "where they work", .field = "organization"},                                 \
        {"email", 0, CLI_TEXT, "ADDRESS", "e-mail address", .field = "email"},                                         \
        {"notes", 0, CLI_TEXT, "TEXT", "anything else", .field = "notes"},                                             \
    {                                                                                                                  \
        "group", 0, CLI_LIST, "GROUP", "in this group; may be repeated, and replaces those before",                    \
            .field = "groups", .of = &group_resource                                                                   \
    }

static const struct cli_option added[] = {FIELDS, {.name = NULL}};

static const struct cli_option changed[] = {
    {"name", 0, CLI_TEXT, "TEXT", "another name", .field = "name"},
    {"number", 0, CLI_TEXT, "NUMBER", "another number", .field = "number"},
    FIELDS,
    {.name = NULL},
};

static const struct cli_option exported[] = {
    {"q", 'q', CLI_TEXT, "TEXT", "those of which a word of the name or the number begins so", .field = "?q"},
    {"group", 0, CLI_TEXT, "GROUP", "those of a group", .field = "?group", .of = &group_resource},
    {"output", 'o', CLI_TEXT, "FILE", "where to (default standard output)", .complete = "@file"},
    {.name = NULL},
};

static int import(struct cli *cli)
{
    char *text;
    size_t size;
    json_t *reply = NULL;
    int verdict = file_read(&text, &size, cli->words[0]);
    if (verdict == VERDICT_OK)
        verdict = cli_client(cli);
    if (verdict == VERDICT_OK)
        verdict = client_send(&reply, cli->client, "POST", "/v1/contacts/import", "text/csv", text, size);
    if (reply != NULL && cli->json) {
        text_json(reply);
    } else if (reply != NULL) {
        char *made = text_at(reply, "created"), *changed_ones = text_at(reply, "updated");
        char *groups = text_at(reply, "groups_created");
        text_print(stdout, "%s added, %s changed, %s groups made\n", made, changed_ones, groups);
        free(groups);
        free(changed_ones);
        free(made);
    }
    json_decref(reply);
    free(text);
    return verdict;
}

static int export(struct cli *cli)
{
    return file_save_csv(cli, "/v1/contacts");
}

static const struct cli_command commands[] = {
    {"list", .summary = "list contacts by name", .options = listed, .also = listing_options, .run = resource_list,
     .resource = &contacts},
    {"show", "CONTACT", "show a contact", .run = resource_show, .resource = &contacts},
    {"add", "NAME NUMBER", "make a contact and print its id", .options = added, .run = resource_add,
     .resource = &contacts, .fields = "name number"},
    {"change", "CONTACT", "change a contact", "An empty value takes away what there was.", .options = changed,
     .run = resource_change, .resource = &contacts},
    {"remove", "CONTACT...", "remove contacts", .run = resource_remove, .resource = &contacts},
    {"import", "FILE", "take contacts from a file of CSV",
     "FILE (- is standard input) has a first line with the columns name, number and perhaps organization, email, notes "
     "and groups. A contact of the same name and number is changed. With a fault in any line nothing is stored, and "
     "all "
     "faults are told.",
     .run = import, .complete = "@file"},
    {"export", NULL, "write contacts as CSV", .options = exported, .run = export},
    {.name = NULL},
};

const struct cli_command contact_command = {"contact", .summary = "whom to send to",
                                            .more = "A contact is named by its id or its name.", .commands = commands};
