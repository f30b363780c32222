/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fax webhook. */
#include "config.h"

#include <stdlib.h>

#include "server/base/log.h"
#include "web/cli/cli.h"
#include "web/cli/client.h"
#include "web/cli/resource.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

static const struct column columns[] = {
    {.head = "Id", .path = "id"},
    {.head = "URL", .path = "url"},
    {.head = "Enabled", .path = "enabled"},
    {.head = "Why not", .path = "disabled_reason"},
    {"Created", "created_at", .is_time = true},
    {"Configured", "from_config", .is_detail = true},
    {"Events", "events", .is_detail = true},
    {.head = NULL},
};

static const struct column delivery_columns[] = {
    {.head = "Id", .path = "id"},
    {.head = "Event", .path = "type"},
    {.head = "Status", .path = "status"},
    {.head = "Tries", .path = "tries"},
    {.head = "HTTP", .path = "http_status"},
    {.head = "Error", .path = "error"},
    {"Tried", "tried_at", .is_time = true},
    {"Next", "next_at", .is_time = true},
    {.head = NULL},
};

static const struct resource endpoints = {.path = "/v1/webhook-endpoints", .noun = "endpoint", .columns = columns};

static const struct cli_option added[] = {
    {"event", 0, CLI_LIST, "TYPE", "these events alone: fax.delivered; may be repeated", .field = "events"},
    {.name = NULL},
};

static const struct cli_option changed[] = {
    {"url", 0, CLI_TEXT, "URL", "another address", .field = "url"},
    {"event", 0, CLI_LIST, "TYPE", "these events instead; may be repeated, \"\" is all events", .field = "events"},
    {.name = NULL},
};

/* The secret is shown this once. */
static void print_secret(const json_t *reply)
{
    if (reply == NULL)
        return;
    char *id = text_at(reply, "id"), *secret = text_at(reply, "secret");
    text_print(stdout, "%s %s\n", id, secret);
    free(id);
    free(secret);
}

static int add(struct cli *cli)
{
    json_t *body, *reply = NULL;
    int verdict = resource_body(&body, cli);
    if (verdict == VERDICT_OK)
        verdict = cli_request(&reply, cli, "POST", endpoints.path, body);
    print_secret(reply);
    json_decref(reply);
    json_decref(body);
    return verdict;
}

static int rotate(struct cli *cli)
{
    json_t *reply;
    int verdict = resource_request(&reply, cli, "POST", cli->words[0], "/rotate-secret", NULL);
    print_secret(reply);
    json_decref(reply);
    return verdict;
}

static int enable(struct cli *cli)
{
    return resource_patch(cli, json_pack("{s:b}", "enabled", 1));
}

static int disable(struct cli *cli)
{
    return resource_patch(cli, json_pack("{s:b}", "enabled", 0));
}

static int test(struct cli *cli)
{
    return resource_post(cli, "/test", NULL);
}

static int deliveries(struct cli *cli)
{
    char *id = client_escape(cli->words[0]), *path = xasprintf("%s/%s/deliveries", endpoints.path, id);
    int verdict = listing_print(cli, path, delivery_columns);
    free(path);
    free(id);
    return verdict;
}

static int replay(struct cli *cli)
{
    char *delivery = client_escape(cli->words[1]), *tail = xasprintf("/deliveries/%s/replay", delivery);
    int verdict = resource_post(cli, tail, NULL);
    free(tail);
    free(delivery);
    return verdict;
}

static const struct cli_command commands[] = {
    {"list", .summary = "list endpoints", .run = resource_list, .resource = &endpoints},
    {"show", "ID", "show an endpoint", .run = resource_show, .resource = &endpoints},
    {"add", "URL", "post events to URL; print the id and the secret that signs them, which is shown this once",
     "Without --event all events are posted.", .options = added, .run = add, .resource = &endpoints, .fields = "url"},
    {"change", "ID", "change an endpoint", .options = changed, .run = resource_change, .resource = &endpoints},
    {"enable", "ID", "post to an endpoint again", .run = enable, .resource = &endpoints},
    {"disable", "ID", "post to an endpoint no more", .run = disable, .resource = &endpoints},
    {"rotate", "ID", "print another secret", "For a while both sign.", .run = rotate, .resource = &endpoints},
    {"test", "ID", "post an event for a test", .run = test, .resource = &endpoints},
    {"deliveries", "ID", "list what was posted, newest first", .also = listing_options, .run = deliveries,
     .resource = &endpoints},
    {"replay", "ID DELIVERY", "post again", .run = replay, .resource = &endpoints},
    {"remove", "ID...", "remove endpoints", .run = resource_remove, .resource = &endpoints},
    {.name = NULL},
};

const struct cli_command webhook_command = {"webhook", .summary = "where the server posts events",
                                            .commands = commands};
