/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Somebody waits at a key: few rows, and no longer than a moment. */
#include "config.h"

#include "web/cli/complete.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/base/log.h"
#include "web/cli/cli.h"
#include "web/cli/client.h"
#include "web/cli/resource.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

#define MOMENT_MS 1500
#define ROWS      200

/* What is typed. */
struct typed {
    const char *word; /* the part that is completed */
    const char *head; /* what stands before it and is printed with it: "--role=" */
    int head_length;
};

static void offer(const struct typed *typed, const char *word, int length, const char *about)
{
    if ((size_t)length < strlen(typed->word) || strncmp(word, typed->word, strlen(typed->word)) != 0)
        return;
    char *whole = xasprintf("%.*s%.*s", typed->head_length, typed->head, length, word);
    text_print(stdout, about != NULL && *about != '\0' ? "%s\t%s\n" : "%s%s\n", whole, about != NULL ? about : "");
    free(whole);
}

static void offer_words(const struct typed *typed, const char *words)
{
    for (; *words != '\0'; words += strspn(words, " ")) {
        int length = (int)strcspn(words, " ");
        offer(typed, words, length, NULL);
        words += length;
    }
}

/* --- what the server knows --- */

struct live {
    const struct typed *typed;
    const char *member, *about;
};

static bool offer_live(const json_t *object, void *context)
{
    const struct live *live = context;
    char *word = text_at(object, live->member), *about = text_at(object, live->about), *clean = text_clean(word);
    /* What would not be what it looks like is not offered. */
    if (*word != '\0' && strcmp(word, clean) == 0 && strchr(word, '\n') == NULL)
        offer(live->typed, word, (int)strlen(word), about);
    free(clean);
    free(about);
    free(word);
    return true;
}

/* By pages of the server's own size, which also those lists have that come whole. */
static void offer_list(struct cli *cli, const struct typed *typed, const char *path, const char *member,
                       const char *about)
{
    struct live live = {typed, member, about};
    if (cli_client(cli) != VERDICT_OK)
        return;
    client_hurry(cli->client, MOMENT_MS);
    listing_walk(cli, path, false, ROWS, offer_live, &live);
}

static const char *next_word(char *word, size_t size, const char *text)
{
    size_t length = strcspn(text, " |");
    snprintf(word, size, "%.*s", (int)length, text);
    text += length;
    return text + strspn(text, " ");
}

/* Words, files or a list, up to the next |. */
static void offer_said(struct cli *cli, const struct typed *typed, const char *said)
{
    char path[128], member[32], about[32];
    if (strncmp(said, "@file", 5) == 0) {
        puts("@file");
    } else if (said[0] == '/') {
        said = next_word(path, sizeof path, said);
        said = next_word(member, sizeof member, said);
        next_word(about, sizeof about, said);
        offer_list(cli, typed, path, member, about);
    } else {
        size_t length = strcspn(said, "|");
        char *words = xasprintf("%.*s", (int)length, said);
        offer_words(typed, words);
        free(words);
    }
}

/* The ids of things that have no names: what their column "id" has, else the first. */
static void offer_ids(struct cli *cli, const struct typed *typed, const struct resource *resource)
{
    const char *id = NULL, *about = "";
    for (const struct column *column = resource->columns; column->head != NULL; column++) {
        if (column->path != NULL && (id == NULL || strcmp(column->path, "id") == 0))
            id = column->path;
    }
    for (const struct column *column = resource->columns; column->head != NULL && *about == '\0'; column++) {
        if (column->path != NULL && strcmp(column->path, id) != 0)
            about = column->path;
    }
    offer_list(cli, typed, resource->path, id, about);
}

/* Names, unless an id is being typed or things of that kind have none. */
static void offer_resource(struct cli *cli, const struct typed *typed, const struct resource *resource)
{
    const char *prefix = resource->prefix;
    if (prefix == NULL && resource->columns != NULL) {
        offer_ids(cli, typed, resource);
    } else if (prefix != NULL && strncmp(typed->word, prefix, strlen(prefix)) == 0) {
        offer_list(cli, typed, resource->path, "id", "name");
    } else if (prefix != NULL) {
        char *begin = client_escape(typed->word);
        char *path = resource->query != NULL && *begin != '\0'
                         ? xasprintf("%s?%s=%s", resource->path, resource->query, begin)
                         : xstrdup(resource->path);
        offer_list(cli, typed, path, resource->called != NULL ? resource->called : "name", "id");
        free(path);
        free(begin);
    }
}

/* --- what the tables know --- */

static void offer_options(const struct typed *typed, const struct cli_command *command)
{
    const struct cli_option *all[CLI_OPTIONS_MAX];
    int count = cli_options(all, command);
    for (int i = 0; i < count; i++) {
        char *name = xasprintf("--%s", all[i]->name);
        offer(typed, name, (int)strlen(name), all[i]->help);
        free(name);
    }
}

static void offer_value(struct cli *cli, struct typed *typed, const struct cli_option *option)
{
    /* The last of several with commas between. */
    const char *comma = option->kind == CLI_WORDS ? strrchr(typed->word, ',') : NULL;
    char *head = NULL;
    if (comma != NULL) {
        head = xasprintf("%.*s%.*s", typed->head_length, typed->head, (int)(comma + 1 - typed->word), typed->word);
        *typed = (struct typed){comma + 1, head, (int)strlen(head)};
    }
    if (option->complete != NULL)
        offer_said(cli, typed, option->complete);
    if (option->of != NULL)
        offer_resource(cli, typed, option->of);
    free(head);
}

static const struct cli_option *option_called(const struct cli_command *command, const char *name, size_t length)
{
    const struct cli_option *all[CLI_OPTIONS_MAX];
    int count = cli_options(all, command);
    for (int i = 0; i < count; i++) {
        if (strlen(all[i]->name) == length && strncmp(all[i]->name, name, length) == 0)
            return all[i];
    }
    return NULL;
}

/* The option that wants a value and stands last in `word`: "--role", "-n". */
static const struct cli_option *option_open(const struct cli_command *command, const char *word)
{
    const struct cli_option *all[CLI_OPTIONS_MAX];
    int count = cli_options(all, command);
    for (int i = 0; i < count; i++) {
        bool is_long = strncmp(word, "--", 2) == 0 && strcmp(word + 2, all[i]->name) == 0;
        bool is_short = all[i]->letter != 0 && word[0] == '-' && word[1] == all[i]->letter && word[2] == '\0';
        if ((is_long || is_short) && all[i]->kind != CLI_FLAG)
            return all[i];
    }
    return NULL;
}

static void offer_operand(struct cli *cli, const struct typed *typed, const struct cli_command *command, int place)
{
    int low, high;
    const char *said = command->complete;
    cli_counts(&low, &high, command);
    if (place >= high)
        return;
    if (said == NULL) {
        if (command->resource != NULL && command->fields == NULL && place == 0)
            offer_resource(cli, typed, command->resource);
        return;
    }
    for (const char *bar = strchr(said, '|'); place > 0 && bar != NULL; place--, bar = strchr(said, '|'))
        said = bar + 1;
    if (place == 0 || high > 10)
        offer_said(cli, typed, said);
}

/* The words behind the command, the last of them being typed. */
static void complete_words(struct cli *cli, const struct cli_command *command, int count, char **words)
{
    struct typed typed = {words[count - 1], "", 0};
    const struct cli_option *open = NULL;
    bool only_operands = false;
    int place = 0;
    for (int i = 0; i < count - 1; i++) {
        int before = i;
        open = NULL;
        if (only_operands || words[i][0] != '-' || words[i][1] == '\0') {
            place++;
        } else if (strcmp(words[i], "--") == 0) {
            only_operands = true;
        } else if ((open = option_open(command, words[i])) != NULL && i + 1 < count - 1) {
            cli_take_shared(cli, &before, count - 1, words); /* which server is asked */
            open = NULL;
            i++;
        } else {
            cli_take_shared(cli, &before, count - 1, words);
        }
    }
    const char *equal = strchr(typed.word, '=');
    if (open != NULL) {
        offer_value(cli, &typed, open);
    } else if (!only_operands && strncmp(typed.word, "--", 2) == 0 && equal != NULL) {
        const struct cli_option *option = option_called(command, typed.word + 2, (size_t)(equal - typed.word - 2));
        typed = (struct typed){equal + 1, typed.word, (int)(equal + 1 - typed.word)};
        if (option != NULL)
            offer_value(cli, &typed, option);
    } else if (!only_operands && typed.word[0] == '-' && strcmp(typed.word, "-") != 0) {
        offer_options(&typed, command);
    } else {
        offer_operand(cli, &typed, command, place);
    }
}

static void complete_sub(struct cli *cli, const struct cli_command *group, int count, char **words)
{
    const struct typed typed = {words[count - 1], "", 0};
    static const struct cli_command none = {.name = ""};
    int at = 0;
    while (at < count - 1 && cli_take_shared(cli, &at, count - 1, words))
        at++;
    const struct cli_command *command = at < count - 1 ? cli_sub_find(group, words[at]) : NULL;
    if (command != NULL)
        complete_words(cli, command, count - at - 1, words + at + 1);
    else if (typed.word[0] == '-' || at < count - 1)
        complete_words(cli, &none, count - at, words + at);
    for (command = group->commands; at == count - 1 && command->name != NULL; command++)
        offer(&typed, command->name, (int)strlen(command->name), command->summary);
}

/* Before there is a command. */
static void complete_first(struct cli *cli, int count, char **words)
{
    const struct typed typed = {words[count - 1], "", 0};
    static const struct cli_command none = {.name = ""};
    if (typed.word[0] == '-' || count > 1) {
        complete_words(cli, &none, count, words);
        if (typed.word[0] == '-' || option_open(&none, words[count - 2]) != NULL)
            return;
    }
    for (const struct cli_command *const *command = cli_commands; *command != NULL; command++)
        offer(&typed, (*command)->name, (int)strlen((*command)->name), (*command)->summary);
}

int complete_print(struct cli *cli, int count, char **words)
{
    /* What goes wrong is no text to put on somebody's command line, nor in the way of it. */
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC), at = 0;
    if (nowhere >= 0) {
        dup2(nowhere, STDERR_FILENO);
        close(nowhere);
    }
    if (count < 1)
        return VERDICT_OK;
    while (at < count - 1 && cli_take_shared(cli, &at, count - 1, words))
        at++;
    const struct cli_command *command = at < count - 1 ? cli_command_find(words[at]) : NULL;
    if (at >= count - 1)
        complete_first(cli, count, words);
    else if (command != NULL && command->commands != NULL)
        complete_sub(cli, command, count - at - 1, words + at + 1);
    else if (command != NULL)
        complete_words(cli, command, count - at - 1, words + at + 1);
    else
        complete_first(cli, count - at, words + at);
    return VERDICT_OK;
}
