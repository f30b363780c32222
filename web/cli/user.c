/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fax user. */
#include "config.h"

#include <stdlib.h>

#include "web/cli/cli.h"
#include "web/cli/password.h"
#include "web/cli/resource.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

static const struct column columns[] = {
    {.head = "Id", .path = "id"},
    {.head = "Name", .path = "name"},
    {.head = "Full name", .path = "display_name"},
    {.head = "Role", .path = "role"},
    {.head = "Disabled", .path = "disabled"},
    {"E-mail", "email", .is_detail = true},
    {"Created", "created_at", .is_time = true, .is_detail = true},
    {"Last login", "last_login_at", .is_time = true},
    {"Locked until", "locked_until", .is_time = true},
    {.head = NULL},
};

const struct resource user_resource = {
    .path = "/v1/users", .noun = "user", .prefix = "usr_", .is_paged = true, .columns = columns};

#define FIELDS                                                                                                         \
    {"full-name", 0, CLI_TEXT, "TEXT", "the name that people know", .field = "display_name"},                          \
        {"email", 0, CLI_TEXT, "ADDRESS", "e-mail address", .field = "email"},                                         \
    {                                                                                                                  \
        "role", 0, CLI_TEXT, "ROLE", "admin, operator, sender or reader", .field = "role",                             \
                                                                          .complete = "admin operator sender reader"   \
    }

static const struct cli_option added[] = {
    FIELDS,
    {"disabled", 0, CLI_FLAG, NULL, "who may not sign in yet", .field = "disabled"},
    {.name = NULL},
};

static const struct cli_option changed[] = {
    {"name", 0, CLI_TEXT, "NAME", "another name to sign in with", .field = "name"},
    FIELDS,
    {.name = NULL},
};

static int add(struct cli *cli)
{
    char *password, *id;
    json_t *body = NULL, *reply = NULL;
    int verdict = password_take(&password, cli, false);
    if (verdict == VERDICT_OK)
        verdict = resource_body(&body, cli);
    if (verdict == VERDICT_OK && password != NULL)
        json_object_set_new(body, "password", json_string(password));
    if (verdict == VERDICT_OK)
        verdict = cli_request(&reply, cli, "POST", user_resource.path, body);
    if (reply != NULL) {
        id = text_at(reply, "id");
        text_print(stdout, "%s\n", id);
        free(id);
    }
    json_decref(reply);
    json_decref(body);
    password_free(password);
    return verdict;
}

static int set_password(struct cli *cli)
{
    char *password;
    int verdict = password_take(&password, cli, true);
    if (verdict == VERDICT_OK)
        verdict = resource_patch(cli, json_pack("{s:s}", "password", password));
    password_free(password);
    return verdict;
}

static int disable(struct cli *cli)
{
    return resource_patch(cli, json_pack("{s:b}", "disabled", 1));
}

static int enable(struct cli *cli)
{
    return resource_patch(cli, json_pack("{s:b}", "disabled", 0));
}

static const struct cli_command commands[] = {
    {"list", .summary = "list users", .also = listing_options, .run = resource_list, .resource = &user_resource},
    {"show", "USER", "show a user", .run = resource_show, .resource = &user_resource},
    {"add", "NAME", "let somebody in and print the new id",
     "NAME is what they sign in with. Without a password they cannot, until there is one.", .options = added,
     .also = password_options, .run = add, .resource = &user_resource, .fields = "name"},
    {"change", "USER", "change a user", "An empty value takes away what there was.", .options = changed,
     .run = resource_change, .resource = &user_resource},
    {"disable", "USER", "let a user in no more", "Sessions and keys of theirs end.", .run = disable,
     .resource = &user_resource},
    {"enable", "USER", "let a user in again", .run = enable, .resource = &user_resource},
    {"password", "USER", "give a user another password",
     "It is asked for on the terminal, unless an option says where it comes from. Sessions of theirs end.",
     .also = password_options, .run = set_password, .resource = &user_resource},
    {"remove", "USER...", "remove users", .run = resource_remove, .resource = &user_resource},
    {.name = NULL},
};

const struct cli_command user_command = {
    "user", .summary = "who may sign in",
    .more =
        "A user is named by the id or the name. Roles: admin may do everything; operator sees to all faxes, lines and "
        "rules; sender sends and sees what is their own; reader looks.",
    .commands = commands};
