/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From tables to requests. */
#include "config.h"

#include "web/cli/resource.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/log.h"
#include "web/cli/cli.h"
#include "web/cli/client.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

/* --- names --- */

struct search {
    const char *member, *name;
    char *id;
    int found;
};

static bool compare(const json_t *object, void *context)
{
    struct search *search = context;
    const char *name = json_string_value(json_object_get(object, search->member));
    if (name == NULL || strcmp(name, search->name) != 0)
        return true;
    search->found++;
    if (search->id == NULL)
        search->id = text_at(object, "id");
    return search->found < 2;
}

/* The id that stands for a name. */
static int find_name(char **id, struct cli *cli, const struct resource *resource, const char *name)
{
    struct search search = {resource->called != NULL ? resource->called : "name", name, NULL, 0};
    char *escaped = client_escape(name);
    char *path = resource->query != NULL ? xasprintf("%s?%s=%s", resource->path, resource->query, escaped)
                                         : xstrdup(resource->path);
    int verdict = listing_walk(cli, path, resource->is_paged, 0, compare, &search);
    free(path);
    free(escaped);
    if (verdict == VERDICT_OK && search.found != 1) {
        char *said =
            xasprintf(search.found == 0 ? "there is no %s called %s" : "more than one %s is called %s: say its id",
                      resource->noun, name);
        text_complain("%s", said);
        free(said);
        verdict = VERDICT_ERROR;
    }
    if (verdict == VERDICT_OK)
        *id = search.id;
    else
        free(search.id);
    return verdict;
}

static int id_of(char **id, struct cli *cli, const struct resource *resource, const char *word)
{
    *id = NULL;
    if (resource->prefix == NULL || strncmp(word, resource->prefix, strlen(resource->prefix)) == 0) {
        *id = xstrdup(word);
        return VERDICT_OK;
    }
    return find_name(id, cli, resource, word);
}

int resource_id(char **id, struct cli *cli, const struct resource *resource, const char *word)
{
    char *plain;
    int verdict = id_of(&plain, cli, resource, word);
    *id = plain != NULL ? client_escape(plain) : NULL;
    free(plain);
    return verdict;
}

static bool is_among(const char *text, const char *words)
{
    size_t length = strlen(text);
    for (; words != NULL && *words != '\0'; words += strspn(words, " ")) {
        size_t of = strcspn(words, " ");
        if (of == length && strncmp(words, text, of) == 0)
            return true;
        words += of;
    }
    return false;
}

int resource_value(char **value, struct cli *cli, const struct cli_option *option, const char *given)
{
    if (option->of != NULL && given[0] != '\0' && !is_among(given, option->complete))
        return id_of(value, cli, option->of, given);
    *value = xstrdup(given);
    return VERDICT_OK;
}

/* --- bodies --- */

void resource_set(json_t *body, const char *path, json_t *value)
{
    const char *dot = strchr(path, '.');
    if (dot == NULL) {
        json_object_set_new(body, path, value);
        return;
    }
    char *head = xasprintf("%.*s", (int)(dot - path), path);
    json_t *inner = json_object_get(body, head);
    if (!json_is_object(inner))
        json_object_set_new(body, head, inner = json_object());
    resource_set(inner, dot + 1, value);
    free(head);
}

/* What is no number stays a text: the server says what it thinks of it. */
static json_t *item_of(const char *text, bool is_number)
{
    char *end = NULL;
    long long number = is_number ? strtoll(text, &end, 10) : 0;
    return is_number && text[0] != '\0' && *end == '\0' ? json_integer(number) : json_string(text);
}

/* One given value of a list, into `list`. */
static int add_items(json_t *list, struct cli *cli, const struct cli_option *option, const char *given)
{
    bool is_number = strcmp(option->word, "N") == 0;
    int verdict = VERDICT_OK;
    do {
        size_t length = option->kind == CLI_WORDS ? strcspn(given, ",") : strlen(given);
        char *one = xasprintf("%.*s", (int)length, given), *value = NULL;
        if (length > 0)
            verdict = resource_value(&value, cli, option, one);
        if (value != NULL)
            json_array_append_new(list, item_of(value, is_number));
        free(value);
        free(one);
        given += length + (given[length] == ',');
    } while (verdict == VERDICT_OK && *given != '\0');
    return verdict;
}

static int set_flag(json_t *body, const char *field)
{
    const char *equal = strchr(field, '=');
    char *path = equal != NULL ? xasprintf("%.*s", (int)(equal - field), field) : xstrdup(field);
    json_t *value = equal == NULL ? json_true() : strcmp(equal, "=false") == 0 ? json_false() : json_null();
    resource_set(body, path, value);
    free(path);
    return VERDICT_OK;
}

/* An empty text takes away what there was, where there may be nothing. */
static void set_text(json_t *body, const char *field, const char *text)
{
    size_t length = strcspn(field, "=");
    char *path = xasprintf("%.*s", (int)length, field);
    resource_set(body, path, text[0] != '\0' || field[length] == '=' ? json_string(text) : json_null());
    free(path);
}

static int set_option(json_t *body, struct cli *cli, const struct cli_given *given)
{
    const struct cli_option *option = given->option;
    char *value = NULL;
    int verdict = VERDICT_OK;
    json_t *list;
    switch (option->kind) {
    case CLI_FLAG:
        return set_flag(body, option->field);
    case CLI_NUMBER:
        resource_set(body, option->field, item_of(given->value, true));
        return VERDICT_OK;
    case CLI_SWITCH:
        resource_set(body, option->field, json_boolean(strcmp(given->value, "yes") == 0));
        return VERDICT_OK;
    case CLI_TEXT:
        verdict = resource_value(&value, cli, option, given->value);
        if (value != NULL)
            set_text(body, option->field, value);
        free(value);
        return verdict;
    case CLI_LIST:
    case CLI_WORDS:
        list = json_array();
        for (int i = 0; i < given->count && verdict == VERDICT_OK; i++)
            verdict = add_items(list, cli, option, given->values[i]);
        resource_set(body, option->field, list);
        return verdict;
    }
    return verdict;
}

/* Operands are the members that the command names, in that order. */
static void set_words(json_t *body, const struct cli *cli)
{
    const char *field = cli->command->fields;
    for (int i = 0; field != NULL && *field != '\0' && i < cli->count; i++) {
        size_t length = strcspn(field, " ");
        char *name = xasprintf("%.*s", (int)length, field);
        resource_set(body, name, json_string(cli->words[i]));
        free(name);
        field += length;
        field += strspn(field, " ");
    }
}

int resource_body(json_t **out, struct cli *cli)
{
    json_t *body = json_object();
    int verdict = VERDICT_OK;
    set_words(body, cli);
    for (int i = 0; i < cli->given_count && verdict == VERDICT_OK; i++) {
        const char *field = cli->given[i].option->field;
        if (cli->given[i].value != NULL && field != NULL && field[0] != '?')
            verdict = set_option(body, cli, &cli->given[i]);
    }
    *out = verdict == VERDICT_OK ? body : NULL;
    if (verdict != VERDICT_OK)
        json_decref(body);
    return verdict;
}

/* --- requests --- */

int resource_request(json_t **reply, struct cli *cli, const char *method, const char *word, const char *tail,
                     const json_t *body)
{
    const struct resource *resource = cli->command->resource;
    char *id = NULL;
    *reply = NULL;
    int verdict = resource_id(&id, cli, resource, word);
    if (verdict == VERDICT_OK) {
        char *path = xasprintf("%s/%s%s", resource->path, id, tail);
        verdict = cli_request(reply, cli, method, path, body);
        free(path);
    }
    free(id);
    return verdict;
}

int resource_list(struct cli *cli)
{
    const struct resource *resource = cli->command->resource;
    int verdict;
    char *path = listing_query(&verdict, cli, resource->path);
    if (verdict == VERDICT_OK)
        verdict = listing_print(cli, path, resource->columns);
    free(path);
    return verdict;
}

int resource_show(struct cli *cli)
{
    json_t *reply;
    int verdict = resource_request(&reply, cli, "GET", cli->words[0], "", NULL);
    if (reply != NULL)
        listing_object(reply, cli->command->resource->columns);
    json_decref(reply);
    return verdict;
}

static void print_member(const json_t *reply, const char *member)
{
    if (reply == NULL || member == NULL)
        return;
    char *text = text_at(reply, member);
    text_print(stdout, "%s\n", text);
    free(text);
}

int resource_add(struct cli *cli)
{
    json_t *body, *reply = NULL;
    int verdict = resource_body(&body, cli);
    if (verdict == VERDICT_OK)
        verdict = cli_request(&reply, cli, "POST", cli->command->resource->path, body);
    print_member(reply, "id");
    json_decref(reply);
    json_decref(body);
    return verdict;
}

int resource_patch(struct cli *cli, json_t *body)
{
    json_t *reply;
    int verdict = resource_request(&reply, cli, "PATCH", cli->words[0], "", body);
    json_decref(reply);
    json_decref(body);
    return verdict;
}

int resource_change(struct cli *cli)
{
    json_t *body;
    int verdict = resource_body(&body, cli);
    return verdict == VERDICT_OK ? resource_change_to(cli, body) : verdict;
}

int resource_change_to(struct cli *cli, json_t *body)
{
    if (json_object_size(body) > 0)
        return resource_patch(cli, body);
    json_decref(body);
    text_complain("%s: nothing to change: see fax %s --help", cli->name, cli->name);
    return VERDICT_ERROR;
}

static int remove_one(struct cli *cli, const char *word)
{
    json_t *reply;
    int verdict = resource_request(&reply, cli, "DELETE", word, "", NULL);
    json_decref(reply);
    return verdict;
}

int resource_remove(struct cli *cli)
{
    return cli_each(cli, remove_one);
}

int resource_post(struct cli *cli, const char *tail, const char *member)
{
    json_t *body, *reply = NULL;
    int verdict = resource_body(&body, cli);
    if (verdict == VERDICT_OK)
        verdict = resource_request(&reply, cli, "POST", cli->words[0], tail, json_object_size(body) > 0 ? body : NULL);
    print_member(reply, member);
    json_decref(reply);
    json_decref(body);
    return verdict;
}
