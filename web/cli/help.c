/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Help for a terminal. */
#include "config.h"

#include "web/cli/help.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/log.h"
#include "web/cli/cli.h"
#include "web/cli/verdict.h"

#define LINE_MAX_COLUMNS 98
#define OPTION_COLUMN    28 /* where the text of an option begins */
#define COMMAND_COLUMN   15
#define SUB_COLUMN       28

static const char exit_statuses[] =
    "Exit status:\n"
    "  0  done; the fax was delivered            5  sent, but the last confirmation was lost\n"
    "  1  wrong usage, or the server failed      6  canceled or expired\n"
    "  2  busy, no answer, no line: try again    7  the document cannot be read or converted\n"
    "  3  bad number, rejected, not a fax        8  the server cannot be reached\n"
    "  4  the fax failed during the call\n";

static int end(FILE *file)
{
    return ferror(file) == 0 ? VERDICT_OK : VERDICT_ERROR;
}

/* Words of `text` in lines, from column `at` on; those that follow begin at column `indent`. */
static void print_wrapped(FILE *file, const char *text, int at, int indent)
{
    while (*text != '\0') {
        int length = (int)strcspn(text, " ");
        if (at > indent && at + 1 + length > LINE_MAX_COLUMNS) {
            fprintf(file, "\n%*s", indent, "");
            at = indent;
        } else if (at > indent) {
            putc(' ', file);
            at++;
        }
        fprintf(file, "%.*s", length, text);
        at += length;
        text += length;
        text += strspn(text, " ");
    }
    putc('\n', file);
}

/* A name in its column and what there is to say of it. */
static void print_row(FILE *file, const char *name, int column, const char *text)
{
    int used = fprintf(file, "  %s", name);
    if (used + 2 > column) {
        putc('\n', file);
        used = 0;
    }
    fprintf(file, "%*s", column - used, "");
    print_wrapped(file, text, column, column);
}

static void print_options(FILE *file, const struct cli_option *option)
{
    for (; option != NULL && option->name != NULL; option++) {
        char letter[8] = "    ";
        if (option->letter != 0)
            snprintf(letter, sizeof letter, "-%c, ", option->letter);
        char *name = xasprintf("%s--%s%s%s", letter, option->name, option->word != NULL ? " " : "",
                               option->word != NULL ? option->word : "");
        print_row(file, name, OPTION_COLUMN, option->help);
        free(name);
    }
}

static void print_summary(FILE *file, const struct cli_command *command)
{
    fprintf(file, "%c%s.\n", toupper((unsigned char)command->summary[0]), command->summary + 1);
    if (command->more != NULL) {
        print_wrapped(file, command->more, 0, 0);
    }
}

static bool has_options(const struct cli_command *command)
{
    return command->options != NULL || command->also != NULL;
}

int help_print_command(FILE *file, const char *name, const struct cli_command *command)
{
    fprintf(file, "Usage: fax %s%s%s%s\n", name, command->words != NULL ? " " : "",
            command->words != NULL ? command->words : "", has_options(command) ? " [OPTION...]" : "");
    print_summary(file, command);
    if (has_options(command))
        putc('\n', file);
    print_options(file, command->options);
    print_options(file, command->also);
    return end(file);
}

int help_print_group(FILE *file, const struct cli_command *group)
{
    fprintf(file, "Usage: fax %s COMMAND [OPTION...] [WORD...]\n", group->name);
    print_summary(file, group);
    putc('\n', file);
    for (const struct cli_command *command = group->commands; command->name != NULL; command++) {
        char *name = xasprintf("%s%s%s", command->name, command->words != NULL ? " " : "",
                               command->words != NULL ? command->words : "");
        print_row(file, name, SUB_COLUMN, command->summary);
        free(name);
    }
    fprintf(file, "\nfax %s COMMAND --help lists the options of each.\n", group->name);
    return end(file);
}

/* What a group is about, and the names of its commands. The caller frees. */
static char *group_text(const struct cli_command *group)
{
    char *text = xstrdup(group->summary);
    for (const struct cli_command *command = group->commands; command != NULL && command->name != NULL; command++) {
        char *longer = xasprintf("%s%s %s", text, command == group->commands ? ":" : ",", command->name);
        free(text);
        text = longer;
    }
    return text;
}

int help_print(FILE *file)
{
    fputs("Usage: fax COMMAND [OPTION...] [WORD...]\n\n", file);
    for (const struct cli_command *const *command = cli_commands; *command != NULL; command++) {
        char *text = group_text(*command);
        print_row(file, (*command)->name, COMMAND_COLUMN, text);
        free(text);
    }
    fputs("\nOptions of every command:\n", file);
    print_options(file, cli_shared);
    fprintf(file, "\nfax COMMAND --help tells more about each.\n\n%s", exit_statuses);
    return end(file);
}
