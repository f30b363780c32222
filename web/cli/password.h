/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Passwords: from a file, a descriptor or a person, never from the command line, where others could read them.
 *
 * Thread: one.
 */
#ifndef FAXD_CLI_PASSWORD_H
#define FAXD_CLI_PASSWORD_H

#include <stdbool.h>

#include "web/cli/cli.h"

/* The options that say where from, for a command's `also`. */
extern const struct cli_option password_options[];

/* The password that they lead to, its first line; NULL when none was given and `needed` is false, else the person at
 * the terminal is asked, twice. The caller frees with password_free. An exit status, with the reason said. */
int password_take(char **password, struct cli *cli, bool needed);
void password_free(char *password);

#endif
