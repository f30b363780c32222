/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Help and manual page from the tables of commands.
 *
 * Thread: one.
 */
#ifndef FAXD_CLI_HELP_H
#define FAXD_CLI_HELP_H

#include <stdio.h>

struct cli_command;

/* All commands; a group and its commands; one command, called `name`, with its options. Return an exit status. */
int help_print(FILE *file);
int help_print_group(FILE *file, const struct cli_command *group);
int help_print_command(FILE *file, const char *name, const struct cli_command *command);

/* The section COMMANDS of the manual page fax(1), which a test compares with it. */
int help_print_manual(FILE *file);

#endif
