/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fax key. */
#include "config.h"

#include <stdlib.h>

#include "web/cli/cli.h"
#include "web/cli/resource.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

#define SCOPES "fax:send fax:read fax:cancel document:read inbox:manage config:* audit:read"

static const struct column columns[] = {
    {.head = "Id", .path = "id"},
    {.head = "Name", .path = "name"},
    {.head = "Test", .path = "test"},
    {"Created", "created_at", .is_time = true},
    {"Expires", "expires_at", .is_time = true},
    {"Revoked", "revoked_at", .is_time = true},
    {"Last used", "last_used_at", .is_time = true},
    {"User", "user", .is_detail = true},
    {"From", "allow_from", .is_detail = true},
    {"Per minute", "per_minute", .is_detail = true},
    {"Old until", "old_token_until", .is_time = true, .is_detail = true},
    {.head = "Scopes", .path = "scopes"},
    {.head = NULL},
};

static const struct resource keys = {.path = "/v1/api-keys", .noun = "key", .prefix = "key_", .columns = columns};

static const struct cli_option created[] = {
    {"name", 0, CLI_TEXT, "TEXT", "what it is for; needed", .field = "name"},
    {"scopes", 0, CLI_WORDS, "LIST", "what it may do, with commas between; needed", .field = "scopes",
     .complete = SCOPES},
    {"user", 0, CLI_TEXT, "USER", "it is this user's, and may do no more than they", .field = "user",
     .of = &user_resource},
    {"test", 0, CLI_FLAG, NULL, "it sends without placing calls", .field = "test"},
    {"expires", 0, CLI_TEXT, "TIME", "when it ends: 2026-12-31T00:00:00Z", .field = "expires_at"},
    {"allow-from", 0, CLI_WORDS, "LIST", "it works from these networks alone: 192.0.2.0/24,2001:db8::/32",
     .field = "allow_from"},
    {"per-minute", 0, CLI_NUMBER, "N", "it may make so many requests a minute", .field = "per_minute"},
    {.name = NULL},
};

static const struct cli_option changed[] = {
    {"name", 0, CLI_TEXT, "TEXT", "what it is for", .field = "name"},
    {"scopes", 0, CLI_WORDS, "LIST", "what it may do, with commas between", .field = "scopes", .complete = SCOPES},
    {"expires", 0, CLI_TEXT, "TIME", "when it ends; \"\" is never", .field = "expires_at"},
    {"allow-from", 0, CLI_WORDS, "LIST", "it works from these networks alone; \"\" is from everywhere",
     .field = "allow_from"},
    {"per-minute", 0, CLI_NUMBER, "N", "it may make so many requests a minute; 0 is the server's default",
     .field = "per_minute"},
    {.name = NULL},
};

static const struct cli_option rotated[] = {
    {"overlap", 0, CLI_NUMBER, "SECONDS", "the token of until now works so long (default 86400)", .field = "overlap_s"},
    {.name = NULL},
};

static void print_token(const json_t *reply)
{
    if (reply == NULL)
        return;
    char *token = text_at(reply, "token");
    text_print(stdout, "%s\n", token);
    free(token);
}

static int create(struct cli *cli)
{
    json_t *body, *reply = NULL;
    int verdict = resource_body(&body, cli);
    if (verdict == VERDICT_OK)
        verdict = cli_request(&reply, cli, "POST", keys.path, body);
    print_token(reply);
    json_decref(reply);
    json_decref(body);
    return verdict;
}

static int rotate(struct cli *cli)
{
    json_t *body, *reply = NULL;
    int verdict = resource_body(&body, cli);
    if (verdict == VERDICT_OK)
        verdict = resource_request(&reply, cli, "POST", cli->words[0], "/rotate", body);
    print_token(reply);
    json_decref(reply);
    json_decref(body);
    return verdict;
}

static const struct cli_command commands[] = {
    {"list", .summary = "list keys", .run = resource_list, .resource = &keys},
    {"show", "KEY", "show a key", .run = resource_show, .resource = &keys},
    {"create", NULL, "make a key and print its token, which is shown this once", .options = created, .run = create,
     .resource = &keys},
    {"change", "KEY", "change a key", "Its token stays.", .options = changed, .run = resource_change,
     .resource = &keys},
    {"rotate", "KEY", "print another token for a key", .options = rotated, .run = rotate, .resource = &keys},
    {"revoke", "KEY...", "end keys", .run = resource_remove, .resource = &keys},
    {.name = NULL},
};

const struct cli_command key_command = {"key", .summary = "API keys", .more = "A key is named by its id or its name.",
                                        .commands = commands};
