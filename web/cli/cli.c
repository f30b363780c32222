/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the words of the command line to a command, its options and operands. */
#include "config.h"

#include "web/cli/cli.h"

#include <assert.h>
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/log.h"
#include "server/base/str.h"
#include "web/cli/client.h"
#include "web/cli/help.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

#define WORDS_MAX 1000
#define FIRST     256 /* getopt's values of long options, above all letters */

const struct cli_option cli_shared[] = {
    {"server", 0, CLI_TEXT, "URL", "the server (default FAXD_URL, else http://127.0.0.1:8080)", .field = NULL},
    {"key-file", 0, CLI_TEXT, "FILE", "a file with the API key (default FAXD_KEY, else ~/.config/faxd/key)",
     .complete = "@file"},
    {"state", 0, CLI_TEXT, "DIR", "take the key from DIR/admin.key of a server on this machine", .complete = "@file"},
    {"json", 0, CLI_FLAG, NULL, "print JSON for programs", .field = NULL},
    {"help", 'h', CLI_FLAG, NULL, "more about a command", .field = NULL},
    {.name = NULL},
};

const struct cli_command *cli_command_find(const char *name)
{
    for (const struct cli_command *const *command = cli_commands; *command != NULL; command++) {
        if (strcmp((*command)->name, name) == 0)
            return *command;
    }
    return NULL;
}

const struct cli_command *cli_sub_find(const struct cli_command *group, const char *name)
{
    for (const struct cli_command *command = group->commands; command != NULL && command->name != NULL; command++) {
        if (strcmp(command->name, name) == 0)
            return command;
    }
    return NULL;
}

int cli_options(const struct cli_option **all, const struct cli_command *command)
{
    const struct cli_option *const tables[] = {command->options, command->also, cli_shared};
    int count = 0;
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        for (const struct cli_option *option = tables[i]; option != NULL && option->name != NULL; option++) {
            assert(count < CLI_OPTIONS_MAX);
            all[count++] = option;
        }
    }
    return count;
}

void cli_counts(int *low, int *high, const struct cli_command *command)
{
    *low = *high = 0;
    for (const char *word = command->words; word != NULL && *word != '\0'; word += strspn(word, " ")) {
        size_t length = strcspn(word, " ");
        *low += word[0] != '[';
        *high += length > 3 && strncmp(word + length - (word[0] == '[' ? 4 : 3), "...", 3) == 0 ? WORDS_MAX : 1;
        word += length;
    }
}

/* --- options --- */

static bool is_word_of(const char *text, const char *words)
{
    size_t length = strlen(text);
    const char *at = strstr(words, text);
    return length > 0 && at != NULL && (at == words || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0');
}

/* False, and said, when the value is not of the option's kind. What it may be besides the server knows. */
static bool is_of_kind(const struct cli_option *option, const char *value)
{
    int64_t number;
    if (option->kind == CLI_NUMBER && str_to_int(&number, value, 0, INT32_MAX) != 0) {
        text_complain("--%s wants a number, not \"%s\"", option->name, value);
        return false;
    }
    if (option->kind == CLI_SWITCH && !is_word_of(value, "yes no")) {
        text_complain("--%s wants yes or no, not \"%s\"", option->name, value);
        return false;
    }
    return true;
}

static void add_value(struct cli_given *given, const char *value)
{
    given->value = value;
    given->values = xrealloc(given->values, (size_t)(given->count + 1) * sizeof *given->values);
    given->values[given->count++] = value;
}

static void take_shared(struct cli *cli, const char *name, const char *value)
{
    if (strcmp(name, "server") == 0)
        cli->server = value;
    else if (strcmp(name, "key-file") == 0)
        cli->key_file = value;
    else if (strcmp(name, "state") == 0)
        cli->state = value;
    else if (strcmp(name, "json") == 0)
        cli->json = true;
}

bool cli_take_shared(struct cli *cli, int *at, int count, char **words)
{
    const char *word = words[*at];
    for (const struct cli_option *option = cli_shared; option->name != NULL; option++) {
        size_t length = strlen(option->name);
        if (strncmp(word, "--", 2) != 0 || strncmp(word + 2, option->name, length) != 0)
            continue;
        const char *rest = word + 2 + length;
        if (option->kind == CLI_FLAG && rest[0] == '\0' && strcmp(option->name, "help") != 0)
            take_shared(cli, option->name, "");
        else if (option->kind != CLI_FLAG && rest[0] == '=')
            take_shared(cli, option->name, rest + 1);
        else if (option->kind != CLI_FLAG && rest[0] == '\0' && *at + 1 < count)
            take_shared(cli, option->name, words[++*at]);
        else
            continue;
        return true;
    }
    return false;
}

/* getopt's tables from ours. */
static void build(struct option *table, char *letters, const struct cli *cli)
{
    *letters++ = ':'; /* a value that is missing is told apart */
    for (int i = 0; i < cli->given_count; i++) {
        const struct cli_option *option = cli->given[i].option;
        bool flag = option->kind == CLI_FLAG;
        table[i] = (struct option){option->name, flag ? no_argument : required_argument, NULL, FIRST + i};
        if (option->letter != 0)
            letters += sprintf(letters, "%c%s", option->letter, flag ? "" : ":");
    }
}

static struct cli_given *given_of(struct cli *cli, int found)
{
    for (int i = 0; i < cli->given_count; i++) {
        if (found == FIRST + i || (found < FIRST && cli->given[i].option->letter == found))
            return &cli->given[i];
    }
    return NULL;
}

static void refuse_option(const struct cli *cli, int found, const char *word)
{
    char letter[3] = {'-', (char)optopt, '\0'};
    bool is_letter = optopt > 0 && optopt < FIRST;
    if (found == ':')
        text_complain("%s: %s needs a value", cli->name, is_letter ? letter : word);
    else if (optopt >= FIRST)
        text_complain("%s: %s takes no value", cli->name, word);
    else
        text_complain("%s: there is no option %s", cli->name, is_letter ? letter : word);
    text_print(stderr, "See fax %s --help.\n", cli->name);
}

/* The command's words behind its name. -1 to go on, or an exit status when all is said. */
static int parse(struct cli *cli, int argc, char **argv)
{
    const struct cli_option *all[CLI_OPTIONS_MAX];
    struct option table[CLI_OPTIONS_MAX + 1] = {{0}};
    char letters[2 * CLI_OPTIONS_MAX + 2] = "";
    int found, low, high;
    cli->given_count = cli_options(all, cli->command);
    for (int i = 0; i < cli->given_count; i++)
        cli->given[i] = (struct cli_given){.option = all[i]};
    build(table, letters, cli);
    optind = 0; /* begin anew: glibc */
    opterr = 0;
    while ((found = getopt_long(argc, argv, letters, table, NULL)) != -1) {
        struct cli_given *given = found == ':' || found == '?' ? NULL : given_of(cli, found);
        if (given == NULL) {
            refuse_option(cli, found, argv[optind - 1]);
            return VERDICT_ERROR;
        }
        if (strcmp(given->option->name, "help") == 0)
            return help_print_command(stdout, cli->name, cli->command);
        if (optarg != NULL && !is_of_kind(given->option, optarg))
            return VERDICT_ERROR;
        add_value(given, optarg != NULL ? optarg : "");
        take_shared(cli, given->option->name, given->value);
    }
    cli->words = argv + optind;
    cli->count = argc - optind;
    cli_counts(&low, &high, cli->command);
    if (cli->count >= low && cli->count <= high)
        return -1;
    text_complain(cli->count < low ? "%s needs more than that" : "%s does not take so many words", cli->name);
    text_print(stderr, "See fax %s --help.\n", cli->name);
    return VERDICT_ERROR;
}

const struct cli_given *cli_find(const struct cli *cli, const char *name)
{
    int at = 0;
    while (strcmp(cli->given[at].option->name, name) != 0) {
        at++;
        assert(at < cli->given_count);
    }
    return &cli->given[at];
}

const char *cli_value(const struct cli *cli, const char *name)
{
    return cli_find(cli, name)->value;
}

/* --- the command --- */

static int skip_shared(struct cli *cli, int at, int argc, char **argv)
{
    while (at < argc && cli_take_shared(cli, &at, argc, argv))
        at++;
    return at;
}

static bool asks_for_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* The command of a group at argv[*at]; NULL and `*verdict` when there is none. */
static const struct cli_command *find_sub(int *verdict, struct cli *cli, int *at, int argc, char **argv)
{
    const struct cli_command *group = cli->command;
    int next = skip_shared(cli, *at + 1, argc, argv);
    const char *word = next < argc ? argv[next] : NULL;
    const struct cli_command *sub = word != NULL ? cli_sub_find(group, word) : NULL;
    *verdict = VERDICT_ERROR;
    if (sub != NULL) {
        *at = next;
        return sub;
    }
    if (word != NULL && asks_for_help(word))
        *verdict = help_print_group(stdout, group);
    else if (group->run != NULL && (word == NULL || word[0] == '-'))
        return group;
    else if (word == NULL)
        help_print_group(stderr, group);
    else
        text_complain("%s %s is not known: see fax %s --help", group->name, word, group->name);
    return NULL;
}

int cli_run(struct cli *cli, int argc, char **argv)
{
    int at = skip_shared(cli, 1, argc, argv), verdict;
    bool help = at < argc && (asks_for_help(argv[at]) || strcmp(argv[at], "help") == 0);
    if (at >= argc || help) {
        help_print(help ? stdout : stderr);
        return help ? VERDICT_OK : VERDICT_ERROR;
    }
    cli->command = cli_command_find(argv[at]);
    if (cli->command == NULL) {
        text_complain("%s is not known: see fax --help", argv[at]);
        return VERDICT_ERROR;
    }
    const struct cli_command *top = cli->command;
    if (top->commands != NULL && (cli->command = find_sub(&verdict, cli, &at, argc, argv)) == NULL)
        return verdict;
    cli->name = cli->command == top ? xstrdup(top->name) : xasprintf("%s %s", top->name, cli->command->name);
    verdict = parse(cli, argc - at, argv + at);
    return verdict >= 0 ? verdict : cli->command->run(cli);
}

int cli_each(struct cli *cli, int (*one)(struct cli *cli, const char *word))
{
    int worst = VERDICT_OK;
    for (int i = 0; i < cli->count && worst != VERDICT_UNREACHABLE; i++) {
        int verdict = one(cli, cli->words[i]);
        if (verdict != VERDICT_OK)
            worst = verdict;
    }
    return worst;
}

void cli_clear(struct cli *cli)
{
    for (int i = 0; i < cli->given_count; i++)
        free(cli->given[i].values);
    free(cli->name);
    client_close(cli->client);
}
