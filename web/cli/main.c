/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fax: send and follow faxes from the command line, through faxd's REST API. One file for each command; web/cli/fax.1
 * is the manual.
 */
#include "config.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/log.h"
#include "web/cli/cli.h"
#include "web/cli/client.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

static const struct command commands[] = {
    {"send", "send documents, and wait for the outcome if wanted", send_run},
    {"preview", "what a fax would be, without sending it", preview_run},
    {"list", "list faxes, newest first", list_run},
    {"show", "one fax with its calls", show_run},
    {"trace", "what was said in a call: SIP and T.30", trace_run},
    {"watch", "follow a fax to its end, or all events", watch_run},
    {"cancel", "cancel faxes", cancel_run},
    {"retry", "call again for faxes that were not delivered", retry_run},
    {"resend", "send a fax anew", resend_run},
    {"forward", "send the pages of a fax to somebody", forward_run},
    {"inbox", "received faxes: list, read, assign, label, junk, note", inbox_run},
    {"batch", "one document to many: send, list, show, cancel", batch_run},
    {"purge", "delete the documents of faxes that have ended, or the faxes", purge_run},
    {"get", "save a fax as PDF or TIFF, a page as PNG, or its receipt", get_run},
    {"link", "a link to the document of a fax, for a short time", link_run},
    {"lines", "the lines and what they do", lines_run},
    {"line", "lines and their modems: list, test", line_run},
    {"trunk", "trunks: list, test", trunk_run},
    {"destination", "what is remembered of a number: list, show, forget", destination_run},
    {"key", "API keys: create, rotate, list, revoke", key_run},
    {"webhook", "webhooks: add, list, remove, deliveries, replay", webhook_run},
    {"health", "whether the server is ready", health_run},
    {NULL, NULL, NULL},
};

static const char help_tail[] =
    "\n"
    "Options of every command:\n"
    "  --server URL     the server (default FAXD_URL, else http://127.0.0.1:8080)\n"
    "  --key-file FILE  a file with the API key (default FAXD_KEY, else ~/.config/faxd/key)\n"
    "  --state DIR      take the key from DIR/admin.key of a server on this machine\n"
    "  --json           print JSON for programs\n"
    "  --help           more about a command: fax COMMAND --help\n"
    "\n"
    "Exit status:\n"
    "  0  done; the fax was delivered            5  sent, but the last confirmation was lost\n"
    "  1  wrong usage, or the server failed      6  canceled or expired\n"
    "  2  busy, no answer, no line: try again    7  the document cannot be read or converted\n"
    "  3  bad number, rejected, not a fax        8  the server cannot be reached\n"
    "  4  the fax failed during the call\n";

static int print_help(FILE *file)
{
    fputs("Usage: fax COMMAND [OPTION...] [WORD...]\n\n", file);
    for (const struct command *command = commands; command->name != NULL; command++)
        fprintf(file, "  %-11s  %s\n", command->name, command->summary);
    return fputs(help_tail, file) >= 0 ? VERDICT_OK : VERDICT_ERROR;
}

/* The value of option `name` at argv[*at], as "--name VALUE" or "--name=VALUE"; NULL when it is another word. */
static const char *early_value(const char *name, int *at, int argc, char **argv)
{
    size_t length = strlen(name);
    if (strncmp(argv[*at], name, length) != 0)
        return NULL;
    if (argv[*at][length] == '=')
        return argv[*at] + length + 1;
    return argv[*at][length] == '\0' && *at + 1 < argc ? argv[++*at] : NULL;
}

/* Options may stand before the command too; only those that all commands share. */
static int skip_options(struct cli *cli, int argc, char **argv)
{
    const struct {
        const char *name, **value;
    } early[] = {{"--server", &cli->server}, {"--key-file", &cli->key_file}, {"--state", &cli->state}};
    int at = 1;
    for (; at < argc && argv[at][0] == '-'; at++) {
        const char *value = NULL;
        if (strcmp(argv[at], "--json") == 0) {
            cli->json = true;
            continue;
        }
        for (size_t i = 0; i < sizeof early / sizeof early[0] && value == NULL; i++) {
            value = early_value(early[i].name, &at, argc, argv);
            if (value != NULL)
                *early[i].value = value;
        }
        if (value == NULL)
            break;
    }
    return at;
}

static int run(struct cli *cli, int argc, char **argv)
{
    int at = skip_options(cli, argc, argv);
    if (at >= argc) {
        print_help(stderr);
        return VERDICT_ERROR;
    }
    if (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0 || strcmp(argv[at], "help") == 0)
        return print_help(stdout);
    if (strcmp(argv[at], "--version") == 0)
        return puts("fax " PACKAGE_VERSION) >= 0 ? VERDICT_OK : VERDICT_ERROR;
    for (const struct command *command = commands; command->name != NULL; command++) {
        if (strcmp(argv[at], command->name) == 0)
            return command->run(cli, argc - at, argv + at);
    }
    text_complain("%s is not known: see fax --help", argv[at]);
    return VERDICT_ERROR;
}

int main(int argc, char **argv)
{
    struct cli cli = {0};
    setlocale(LC_CTYPE, "");
    log_open("fax", LOG_LEVEL_ERROR);
    int verdict = run(&cli, argc, argv);
    client_close(cli.client);
    if (fflush(stdout) != 0 || ferror(stdout) != 0)
        return VERDICT_ERROR;
    return verdict;
}
