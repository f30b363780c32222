/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fax key. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/log.h"
#include "server/base/str.h"
#include "web/cli/cli.h"
#include "web/cli/client.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

static const char help[] = "Usage: fax key create --name TEXT --scopes LIST [--test] [--expires TIME]\n"
                           "                      [--allow-from LIST] [--per-minute N]\n"
                           "       fax key rotate ID [--overlap SECONDS]\n"
                           "       fax key list\n"
                           "       fax key revoke ID...\n"
                           "API keys. create prints the new key, which is shown this once. rotate does so for a key\n"
                           "that goes on: what it was until now works for SECONDS more (a day).\n"
                           "Scopes, with commas between: fax:send, fax:read, fax:cancel, document:read, config:*.\n"
                           "A test key sends without placing calls. --allow-from has networks like 192.0.2.0/24.\n";

/* "a,b" to ["a","b"]. New reference. */
static json_t *split(const char *text)
{
    json_t *list = json_array();
    while (*text != '\0') {
        size_t length = strcspn(text, ",");
        if (length > 0)
            json_array_append_new(list, json_stringn(text, length));
        text += length + (text[length] == ',');
    }
    return list;
}

/* False, and said, when `text` is no number; NULL adds nothing. What it may be the server knows. */
static bool add_number(json_t *body, const char *name, const char *text)
{
    int64_t number;
    if (text == NULL)
        return true;
    if (str_to_int(&number, text, 0, INT32_MAX) != 0) {
        text_complain("\"%s\" is not a number", text);
        return false;
    }
    json_object_set_new(body, name, json_integer(number));
    return true;
}

static void print_token(const json_t *reply)
{
    if (reply == NULL)
        return;
    char *token = text_at(reply, "token");
    text_print(stdout, "%s\n", token);
    free(token);
}

static int create(struct cli *cli, int argc, char **argv)
{
    struct cli_option options[] = {
        {"name", CLI_VALUE, 0, NULL, NULL, 0},       {"scopes", CLI_VALUE, 0, NULL, NULL, 0},
        {"test", CLI_FLAG, 0, NULL, NULL, 0},        {"expires", CLI_VALUE, 0, NULL, NULL, 0},
        {"allow-from", CLI_VALUE, 0, NULL, NULL, 0}, {"per-minute", CLI_VALUE, 0, NULL, NULL, 0},
        {NULL, CLI_FLAG, 0, NULL, NULL, 0},
    };
    int operands = 0;
    json_t *reply = NULL;
    int verdict = cli_parse(&operands, cli, options, argc, argv, help, 0, 0);
    if (verdict >= 0)
        return verdict;
    const char *name = cli_value(options, "name"), *scopes = cli_value(options, "scopes");
    const char *expires = cli_value(options, "expires");
    if (name == NULL || scopes == NULL) {
        text_complain("key create needs --name and --scopes");
        return VERDICT_ERROR;
    }
    json_t *body =
        json_pack("{s:s, s:o, s:b}", "name", name, "scopes", split(scopes), "test", cli_value(options, "test") != NULL);
    if (expires != NULL)
        json_object_set_new(body, "expires_at", json_string(expires));
    if (cli_value(options, "allow-from") != NULL)
        json_object_set_new(body, "allow_from", split(cli_value(options, "allow-from")));
    if (add_number(body, "per_minute", cli_value(options, "per-minute")))
        verdict = cli_request(&reply, cli, "POST", "/v1/api-keys", body);
    else
        verdict = VERDICT_ERROR;
    print_token(reply);
    json_decref(body);
    json_decref(reply);
    return verdict;
}

static int rotate(struct cli *cli, int argc, char **argv)
{
    struct cli_option options[] = {{"overlap", CLI_VALUE, 0, NULL, NULL, 0}, {NULL, CLI_FLAG, 0, NULL, NULL, 0}};
    int operands = 0;
    json_t *reply = NULL;
    int verdict = cli_parse(&operands, cli, options, argc, argv, help, 1, 1);
    if (verdict >= 0)
        return verdict;
    json_t *body = json_object();
    if (!add_number(body, "overlap_s", cli_value(options, "overlap"))) {
        json_decref(body);
        return VERDICT_ERROR;
    }
    char *escaped = client_escape(argv[operands]), *path = xasprintf("/v1/api-keys/%s/rotate", escaped);
    verdict = cli_request(&reply, cli, "POST", path, body);
    print_token(reply);
    free(path);
    free(escaped);
    json_decref(body);
    json_decref(reply);
    return verdict;
}

static void print_keys(const json_t *keys)
{
    static const char *const head[] = {"ID", "NAME", "TEST", "CREATED", "EXPIRES", "REVOKED", "LAST USED", "SCOPES"};
    static const char *const paths[] = {"id",         "name",       "test",         "created_at",
                                        "expires_at", "revoked_at", "last_used_at", ""};
    struct text_table *table = text_table_new(8);
    size_t index;
    json_t *key;
    text_table_add(table, head);
    json_array_foreach((json_t *)keys, index, key)
    {
        char *cells[8], *scopes = json_dumps(json_object_get(key, "scopes"), JSON_COMPACT | JSON_ENCODE_ANY);
        for (int i = 0; i < 7; i++) {
            char *value = text_at(key, paths[i]);
            cells[i] = i >= 3 ? text_time(value) : xstrdup(value);
            free(value);
        }
        cells[7] = scopes != NULL ? scopes : xstrdup("");
        text_table_add(table, (const char *const *)cells);
        for (int i = 0; i < 8; i++)
            free(cells[i]);
    }
    text_table_print(table);
    text_table_free(table);
}

static int list(struct cli *cli, int argc, char **argv)
{
    int operands = 0;
    json_t *reply = NULL;
    int verdict = cli_parse(&operands, cli, NULL, argc, argv, help, 0, 0);
    if (verdict >= 0)
        return verdict;
    verdict = cli_request(&reply, cli, "GET", "/v1/api-keys", NULL);
    if (reply != NULL)
        print_keys(json_object_get(reply, "data"));
    json_decref(reply);
    return verdict;
}

static int revoke(struct cli *cli, int argc, char **argv)
{
    int operands = 0, worst = VERDICT_OK;
    int verdict = cli_parse(&operands, cli, NULL, argc, argv, help, 1, 1000);
    if (verdict >= 0)
        return verdict;
    for (int i = operands; i < argc; i++) {
        char *escaped = client_escape(argv[i]), *path = xasprintf("/v1/api-keys/%s", escaped);
        json_t *reply = NULL;
        verdict = cli_request(&reply, cli, "DELETE", path, NULL);
        if (verdict != VERDICT_OK)
            worst = verdict;
        json_decref(reply);
        free(path);
        free(escaped);
    }
    return worst;
}

int key_run(struct cli *cli, int argc, char **argv)
{
    static const struct command commands[] = {{"create", NULL, create},
                                              {"rotate", NULL, rotate},
                                              {"list", NULL, list},
                                              {"revoke", NULL, revoke},
                                              {NULL, NULL, NULL}};
    return cli_sub(cli, commands, argc, argv, help);
}
