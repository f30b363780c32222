/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that commands read and write.
 *
 * Thread: one.
 */
#ifndef FAXD_CLI_FILE_H
#define FAXD_CLI_FILE_H

#include <jansson.h>
#include <stddef.h>

struct cli;

/* A file as a whole ("-" is standard input), at most FILE_MAX octets. The caller frees. An exit status, with the reason
 * said and `*text` NULL. */
#define FILE_MAX (32 << 20)
int file_read(char **text, size_t *size, const char *path);

/* The same as JSON. */
int file_read_json(json_t **json, const char *path);

/* Download `path` to the file called `name` ("-" is standard output, if that is no terminal). The file appears when it
 * is whole. */
int file_save(struct cli *cli, const char *path, const char *name);

/* Download the list at `path`, with the options that are queries, as CSV to where --output says, or to standard
 * output. */
int file_save_csv(struct cli *cli, const char *path);

#endif
