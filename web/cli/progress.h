/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A fax under way: a bar on a terminal, else a line for each change; until its end.
 *
 * Thread: one.
 */
#ifndef FAXD_CLI_PROGRESS_H
#define FAXD_CLI_PROGRESS_H

#include <jansson.h>

struct cli;

/* Follow the fax `id` until it changes no more, then print its outcome (the fax object with --json). `first` is what is
 * known of it, NULL = nothing. Returns its exit status (verdict.h), or why it cannot be followed. */
int progress_follow(struct cli *cli, const char *id, const json_t *first);

/* One line about where a fax stands or how it ended, on standard output. */
void progress_print(const json_t *fax);

#endif
