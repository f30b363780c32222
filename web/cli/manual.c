/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The section COMMANDS of fax.1, as man(7) has it. */
#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "web/cli/cli.h"
#include "web/cli/help.h"
#include "web/cli/verdict.h"

/* A text in which nothing is a request or an escape of roff. */
static void print_text(FILE *file, const char *text)
{
    if (text[0] == '.' || text[0] == '\'')
        fputs("\\&", file);
    for (; *text != '\0'; text++) {
        if (*text == '-' || *text == '\\')
            fputs(*text == '-' ? "\\-" : "\\e", file);
        else
            putc(*text, file);
        /* A sentence a line, as the pages are written here. */
        if (text[0] == '.' && text[1] == ' ' && isupper((unsigned char)text[2])) {
            putc('\n', file);
            text++;
        }
    }
}

static void print_options(FILE *file, const struct cli_option *option)
{
    for (; option != NULL && option->name != NULL; option++) {
        fputs(".TP\n", file);
        if (option->letter != 0)
            fprintf(file, "\\fB\\-%c\\fR, ", option->letter);
        fputs("\\fB", file);
        fputs("\\-\\-", file);
        print_text(file, option->name);
        fputs("\\fR", file);
        if (option->word != NULL) {
            fputs(" \\fI", file);
            print_text(file, option->word);
            fputs("\\fR", file);
        }
        putc('\n', file);
        print_text(file, option->help);
        putc('\n', file);
    }
}

static void print_about(FILE *file, const struct cli_command *command)
{
    putc(toupper((unsigned char)command->summary[0]), file);
    print_text(file, command->summary + 1);
    fputs(".\n", file);
    if (command->more != NULL) {
        print_text(file, command->more);
        putc('\n', file);
    }
}

static void print_command(FILE *file, const char *group, const struct cli_command *command)
{
    fprintf(file, ".TP\n\\fBfax %s%s%s\\fR", group != NULL ? group : "", group != NULL ? " " : "", command->name);
    if (command->words != NULL) {
        fputs(" \\fI", file);
        print_text(file, command->words);
        fputs("\\fR", file);
    }
    putc('\n', file);
    print_about(file, command);
    if (command->options == NULL && command->also == NULL)
        return;
    fputs(".RS\n", file);
    print_options(file, command->options);
    print_options(file, command->also);
    fputs(".RE\n", file);
}

int help_print_manual(FILE *file)
{
    fputs(".SH COMMANDS\n", file);
    for (const struct cli_command *const *at = cli_commands; *at != NULL; at++) {
        const struct cli_command *command = *at;
        if (command->commands == NULL) {
            print_command(file, NULL, command);
            continue;
        }
        fprintf(file, ".TP\n\\fBfax %s\\fR \\fICOMMAND\\fR\n", command->name);
        print_about(file, command);
        fputs(".RS\n", file);
        for (const struct cli_command *sub = command->commands; sub->name != NULL; sub++)
            print_command(file, command->name, sub);
        fputs(".RE\n", file);
    }
    return ferror(file) == 0 ? VERDICT_OK : VERDICT_ERROR;
}
