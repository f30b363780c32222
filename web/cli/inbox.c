/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fax inbox. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "server/base/log.h"
#include "web/cli/cli.h"
#include "web/cli/client.h"
#include "web/cli/resource.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

static const struct column columns[] = {
    {.head = "Id", .path = "id"},
    {"Received", "timing.ended", .is_time = true},
    {.head = "From", .path = "from"},
    {.head = "Station", .path = "remote_station_id"},
    {.head = "Pages", .path = "pages.total"},
    {.head = "Unread", .path = "unread"},
    {.head = "Assigned", .path = "assigned"},
    {.head = "Labels", .path = "labels"},
    {.head = NULL},
};

static const struct column note_columns[] = {
    {"At", "created_at", .is_time = true},
    {.head = "Author", .path = "author"},
    {.head = "Text", .path = "text"},
    {.head = NULL},
};

/* Who a fax can be given to, as the pages call them; operators may not see more of users than that. */
const struct resource assignee_resource = {
    .path = "/v1/assignees", .noun = "user", .prefix = "usr_", .is_paged = true, .called = "display_name"};

static const struct resource faxes = {.path = "/v1/faxes", .noun = "fax", .is_paged = true, .columns = columns};

static const struct cli_option filters[] = {
    {"unread", 'u', CLI_FLAG, NULL, "those that nobody has read", .field = "?unread"},
    {"junk", 0, CLI_FLAG, NULL, "junk too", .field = NULL},
    {"assigned", 0, CLI_TEXT, "USER", "those of a user, of me, or of none", .field = "?assigned", .complete = "me none",
     .of = &assignee_resource},
    {"label", 0, CLI_TEXT, "TEXT", "those with this label", .field = "?label"},
    {"q", 'q', CLI_TEXT, "TEXT", "whose number, reference or station id begins so", .field = "?q"},
    {.name = NULL},
};

static int list(struct cli *cli)
{
    bool junk = cli_value(cli, "junk") != NULL;
    int verdict;
    char *path =
        listing_query(&verdict, cli, junk ? "/v1/faxes?direction=inbound" : "/v1/faxes?direction=inbound&junk=false");
    if (verdict == VERDICT_OK)
        verdict = listing_print(cli, path, columns);
    free(path);
    return verdict;
}

/* --- marks --- */

/* `body` is taken over. */
static int post(struct cli *cli, const char *id, const char *tail, json_t *body)
{
    json_t *reply;
    int verdict = resource_request(&reply, cli, "POST", id, tail, body);
    json_decref(reply);
    json_decref(body);
    return verdict;
}

static int read_one(struct cli *cli, const char *id)
{
    return post(cli, id, "/read", json_pack("{s:b}", "read", 1));
}

static int unread_one(struct cli *cli, const char *id)
{
    return post(cli, id, "/read", json_pack("{s:b}", "read", 0));
}

static int junk_one(struct cli *cli, const char *id)
{
    return post(cli, id, "/junk", json_pack("{s:b}", "junk", 1));
}

static int unjunk_one(struct cli *cli, const char *id)
{
    return post(cli, id, "/junk", json_pack("{s:b}", "junk", 0));
}

static int mark_read(struct cli *cli)
{
    return cli_each(cli, read_one);
}

static int mark_unread(struct cli *cli)
{
    return cli_each(cli, unread_one);
}

static int mark_junk(struct cli *cli)
{
    return cli_each(cli, junk_one);
}

static int unmark_junk(struct cli *cli)
{
    return cli_each(cli, unjunk_one);
}

static int assign(struct cli *cli)
{
    static const struct cli_option user = {"user", .kind = CLI_TEXT, .complete = "none", .of = &assignee_resource};
    char *id = NULL;
    int verdict = resource_value(&id, cli, &user, cli->words[1]);
    if (verdict == VERDICT_OK)
        verdict = post(cli, cli->words[0], "/assign",
                       json_pack("{s:o}", "user", strcmp(id, "none") == 0 ? json_null() : json_string(id)));
    free(id);
    return verdict;
}

static int label(struct cli *cli)
{
    json_t *labels = json_array();
    for (int i = 1; i < cli->count; i++)
        json_array_append_new(labels, json_string(cli->words[i]));
    return post(cli, cli->words[0], "/labels", json_pack("{s:o}", "labels", labels));
}

static int note(struct cli *cli)
{
    return post(cli, cli->words[0], "/notes", json_pack("{s:s}", "text", cli->words[1]));
}

static int notes(struct cli *cli)
{
    char *id = client_escape(cli->words[0]), *path = xasprintf("/v1/faxes/%s/notes", id);
    int verdict = listing_print(cli, path, note_columns);
    free(path);
    free(id);
    return verdict;
}

#define INBOUND "/v1/faxes?direction=inbound id from"

static const struct cli_command commands[] = {
    {"list", .summary = "list received faxes, newest first", .more = "Junk is left out unless --junk is given.",
     .options = filters, .also = listing_options, .run = list, .resource = &faxes},
    {"read", "ID...", "mark as read", .run = mark_read, .resource = &faxes, .complete = INBOUND},
    {"unread", "ID...", "mark as unread", .run = mark_unread, .resource = &faxes, .complete = INBOUND},
    {"junk", "ID...", "put among the junk", .run = mark_junk, .resource = &faxes, .complete = INBOUND},
    {"unjunk", "ID...", "take out of the junk", .run = unmark_junk, .resource = &faxes, .complete = INBOUND},
    {"assign", "ID USER", "give to a user, or to none",
     "USER is none, an id, or the full name of a user (of one without it, the name).", .run = assign,
     .resource = &faxes, .complete = INBOUND "|/v1/assignees display_name id"},
    {"label", "ID [LABEL...]", "set the labels in place of those there were", .run = label, .resource = &faxes,
     .complete = INBOUND},
    {"note", "ID TEXT", "add a note", .run = note, .resource = &faxes, .complete = INBOUND},
    {"notes", "ID", "list the notes", .also = listing_options, .run = notes, .resource = &faxes, .complete = INBOUND},
    {.name = NULL},
};

const struct cli_command inbox_command = {"inbox", .summary = "received faxes and who sees to them",
                                          .commands = commands};
