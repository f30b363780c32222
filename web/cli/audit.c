/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fax audit. */
#include "config.h"

#include <stdlib.h>

#include "server/base/log.h"
#include "web/cli/cli.h"
#include "web/cli/client.h"
#include "web/cli/file.h"
#include "web/cli/listing.h"
#include "web/cli/resource.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

#define PATH "/v1/audit-log"

/* "user bob" */
static char *actor_text(const json_t *entry)
{
    char *kind = text_at(entry, "actor.kind"), *name = text_at(entry, "actor.name"), *id = text_at(entry, "actor.id");
    char *text = xasprintf("%s%s%s", kind, *name || *id ? " " : "", *name ? name : id);
    free(id);
    free(name);
    free(kind);
    return text;
}

static char *detail_text(const json_t *entry)
{
    const json_t *detail = json_object_get(entry, "detail");
    return json_object_size(detail) > 0 ? json_dumps(detail, JSON_COMPACT) : xstrdup("");
}

static const struct column columns[] = {
    {.head = "No", .path = "sequence"},    {"At", "at", .is_time = true},
    {"Who", NULL, .cell = actor_text},     {.head = "From", .path = "address"},
    {.head = "Action", .path = "action"},  {.head = "Object", .path = "object"},
    {"Detail", NULL, .cell = detail_text}, {.head = NULL},
};

static const struct resource log_resource = {.path = PATH, .noun = "entry", .is_paged = true, .columns = columns};

static const struct cli_option filters[] = {
    {"actor", 0, CLI_TEXT, "ID", "what this user or key did", .field = "?actor"},
    {"action", 0, CLI_TEXT, "NAME", "entries of this action", .field = "?action"},
    {"object", 0, CLI_TEXT, "ID", "what was done to this fax, user, rule ...", .field = "?object"},
    {"from", 0, CLI_TEXT, "TIME", "from then on: 2026-11-01T00:00:00Z", .field = "?from"},
    {"to", 0, CLI_TEXT, "TIME", "up to then", .field = "?to"},
    {.name = NULL},
};

static const struct cli_option output[] = {
    {"output", 'o', CLI_TEXT, "FILE", "where to (default standard output)", .complete = "@file"},
    {.name = NULL},
};

/* The exit status tells, for a script that looks every night. */
static int verify(struct cli *cli)
{
    json_t *reply = NULL;
    int verdict = cli_client(cli);
    bool ok = false;
    if (verdict == VERDICT_OK)
        verdict = client_request(&reply, cli->client, "GET", PATH "/verify", NULL);
    if (reply != NULL) {
        char *entries = text_at(reply, "entries"), *hash = text_at(reply, "head.hash");
        char *at = text_at(reply, "broken.sequence"), *why = text_at(reply, "broken.reason");
        ok = json_is_true(json_object_get(reply, "ok"));
        if (cli->json)
            text_json(reply);
        else if (ok)
            text_print(stdout, "in order: %s entries, the last has the hash %s\n", entries, hash);
        else
            text_print(stdout, "not in order: entry %s is %s\n", at, why);
        free(why);
        free(at);
        free(hash);
        free(entries);
    }
    json_decref(reply);
    return verdict == VERDICT_OK && !ok ? VERDICT_ERROR : verdict;
}

static int export(struct cli *cli)
{
    return file_save_csv(cli, PATH);
}

static const struct cli_command commands[] = {
    {"list", .summary = "list entries, newest first", .options = filters, .also = listing_options, .run = resource_list,
     .resource = &log_resource},
    {"verify", NULL, "look whether the log is what was written", "The exit status is 0 when it is, else 1.",
     .run = verify},
    {"export", NULL, "write entries as CSV, newest first", .options = filters, .also = output, .run = export},
    {.name = NULL},
};

const struct cli_command audit_command = {"audit", .summary = "who did what",
                                          .more = "Entries are chained by hashes, so that none can be changed unseen.",
                                          .commands = commands};
