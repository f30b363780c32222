/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options and settings that all commands share. */
#include "config.h"

#include "web/cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/log.h"
#include "web/cli/client.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

#define DEFAULT_URL "http://127.0.0.1:8080"
#define KEY_MAX     256
#define OPTIONS_MAX 40

static const char *const shared[] = {"json", "server", "key-file", "state", "help"};

#define SHARED_COUNT ((int)(sizeof shared / sizeof shared[0]))

static int take_shared(struct cli *cli, int index, const char *value, const char *help)
{
    switch (index) {
    case 0:
        cli->json = true;
        return -1;
    case 1:
        cli->server = value;
        return -1;
    case 2:
        cli->key_file = value;
        return -1;
    case 3:
        cli->state = value;
        return -1;
    }
    return fputs(help, stdout) >= 0 ? VERDICT_OK : VERDICT_ERROR;
}

static void take(struct cli_option *option, const char *value)
{
    option->value = value != NULL ? value : "";
    option->count++;
    if (option->kind != CLI_LIST)
        return;
    option->values = xrealloc(option->values, (size_t)option->count * sizeof *option->values);
    option->values[option->count - 1] = value;
}

/* getopt's tables from ours: long options in order, the shared ones behind; letters in `letters`. */
static int build(struct option *table, char *letters, const struct cli_option *options)
{
    int count = 0;
    for (; options != NULL && options[count].name != NULL && count < OPTIONS_MAX; count++) {
        bool flag = options[count].kind == CLI_FLAG;
        table[count] = (struct option){options[count].name, flag ? no_argument : required_argument, NULL, 256 + count};
        if (options[count].letter != 0)
            letters += sprintf(letters, "%c%s", options[count].letter, flag ? "" : ":");
    }
    for (int i = 0; i < SHARED_COUNT; i++)
        table[count + i] =
            (struct option){shared[i], i == 0 || i == 4 ? no_argument : required_argument, NULL, 256 + count + i};
    strcpy(letters, "h");
    return count;
}

static int index_of_letter(const struct cli_option *options, int count, int letter)
{
    for (int i = 0; i < count; i++) {
        if (options[i].letter == letter)
            return i;
    }
    return letter == 'h' ? count + SHARED_COUNT - 1 : -1;
}

int cli_parse(int *operands, struct cli *cli, struct cli_option *options, int argc, char **argv, const char *help,
              int low, int high)
{
    struct option table[OPTIONS_MAX + SHARED_COUNT + 1] = {{0}};
    char letters[2 * OPTIONS_MAX + 2];
    int count = build(table, letters, options), found;
    optind = 0; /* begin anew: glibc */
    while ((found = getopt_long(argc, argv, letters, table, NULL)) != -1) {
        int index = found >= 256 ? found - 256 : index_of_letter(options, count, found);
        if (index < 0) {
            fprintf(stderr, "Try fax %s --help.\n", argv[0]);
            return VERDICT_ERROR;
        }
        int done = -1;
        if (index < count)
            take(&options[index], optarg);
        else
            done = take_shared(cli, index - count, optarg, help);
        if (done >= 0)
            return done;
    }
    *operands = optind;
    if (argc - optind >= low && argc - optind <= high)
        return -1;
    text_complain(argc - optind < low ? "%s needs more than that" : "%s does not take so many words", argv[0]);
    fprintf(stderr, "Try fax %s --help.\n", argv[0]);
    return VERDICT_ERROR;
}

const struct cli_option *cli_find(const struct cli_option *options, const char *name)
{
    while (strcmp(options->name, name) != 0)
        options++;
    return options;
}

const char *cli_value(const struct cli_option *options, const char *name)
{
    return cli_find(options, name)->value;
}

void cli_options_free(struct cli_option *options)
{
    for (; options->name != NULL; options++)
        free(options->values);
}

static bool is_key(const char *text)
{
    size_t length = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.~+/=");
    return length > 0 && text[length] == '\0';
}

/* The first word of a file. NULL and a reason when it cannot be read; the caller frees. */
static char *read_key(const char *path)
{
    char line[KEY_MAX + 2] = "";
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        text_complain("cannot read the key file %s: %s", path, strerror(errno));
        return NULL;
    }
    char *got = fgets(line, sizeof line, file);
    fclose(file);
    line[strcspn(line, " \t\r\n")] = '\0';
    if (got == NULL || !is_key(line)) {
        text_complain("there is no key in the first line of %s", path);
        return NULL;
    }
    return xstrdup(line);
}

/* ~/.config/faxd/key, where there is one. The caller frees. */
static char *default_key_file(void)
{
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    char *path = NULL;
    if (config != NULL && config[0] == '/')
        path = xasprintf("%s/faxd/key", config);
    else if (home != NULL)
        path = xasprintf("%s/.config/faxd/key", home);
    FILE *file = path != NULL ? fopen(path, "re") : NULL;
    if (file != NULL) {
        fclose(file);
        return path;
    }
    free(path);
    return NULL;
}

/* Options before environment before the file at home; no key at all is fine: some requests need none. */
static int find_key(char **key, const struct cli *cli)
{
    const char *given = getenv("FAXD_KEY");
    char *path = NULL;
    *key = NULL;
    if (cli->key_file != NULL) {
        path = xstrdup(cli->key_file);
    } else if (cli->state != NULL) {
        path = xasprintf("%s/admin.key", cli->state);
    } else if (given != NULL && given[0] != '\0') {
        if (!is_key(given)) {
            text_complain("FAXD_KEY is no key");
            return VERDICT_ERROR;
        }
        *key = xstrdup(given);
    } else {
        path = default_key_file();
    }
    if (path != NULL)
        *key = read_key(path);
    int verdict = path != NULL && *key == NULL ? VERDICT_ERROR : VERDICT_OK;
    free(path);
    return verdict;
}

int cli_client(struct cli *cli)
{
    const char *url = cli->server != NULL ? cli->server : getenv("FAXD_URL");
    char *key = NULL;
    if (cli->client != NULL)
        return VERDICT_OK;
    int verdict = find_key(&key, cli);
    if (verdict == VERDICT_OK)
        verdict = client_open(&cli->client, url != NULL && url[0] != '\0' ? url : DEFAULT_URL, key);
    free(key);
    return verdict;
}

int cli_request(json_t **reply, struct cli *cli, const char *method, const char *path, const json_t *body)
{
    *reply = NULL;
    int verdict = cli_client(cli);
    if (verdict == VERDICT_OK)
        verdict = client_request(reply, cli->client, method, path, body);
    if (verdict == VERDICT_OK && cli->json && *reply != NULL) {
        text_json(*reply);
        json_decref(*reply);
        *reply = NULL;
    }
    return verdict;
}

int cli_sub(struct cli *cli, const struct command *commands, int argc, char **argv, const char *help)
{
    if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
        return fputs(help, stdout) >= 0 ? VERDICT_OK : VERDICT_ERROR;
    for (; argc >= 2 && commands->name != NULL; commands++) {
        if (strcmp(argv[1], commands->name) == 0)
            return commands->run(cli, argc - 1, argv + 1);
    }
    if (argc < 2)
        fputs(help, stderr);
    else
        text_complain("%s %s is not known: see fax %s --help", argv[0], argv[1], argv[0]);
    return VERDICT_ERROR;
}
