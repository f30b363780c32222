/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of the API, page by page, as a table or as one JSON array; and one object as rows of name and value.
 *
 * Thread: one.
 */
#ifndef FAXD_CLI_LISTING_H
#define FAXD_CLI_LISTING_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "web/cli/cli.h"

/* A column of a table, or a row of what is shown of one object. A table of them ends with a NULL head. */
struct column {
    const char *head; /* "Last call"; capitals in a table */
    const char *path; /* of keys: "error.code" */
    bool is_time;
    bool is_detail;                      /* only of one object */
    char *(*cell)(const json_t *object); /* instead of path; the caller frees */
};

/* --limit and --all, for a command's `also`. */
extern const struct cli_option listing_options[];

/* `path` with the options that are queries ("?status"). The caller frees; NULL and `*verdict` when one of them names
 * what there is not. */
char *listing_query(int *verdict, struct cli *cli, const char *path);

/* Call `take` for each object of the list at `path`, up to `limit` (0 = all) or until it returns false. `is_paged`: the
 * list is asked for by pages. Returns an exit status. */
typedef bool (*listing_fn)(const json_t *object, void *context);
int listing_walk(struct cli *cli, const char *path, bool is_paged, int64_t limit, listing_fn take, void *context);

/* Print the list at `path`, as much of it as --limit and --all say where the command has them. */
int listing_print(struct cli *cli, const char *path, const struct column *columns);

/* Rows of objects, and one object. */
void listing_table(const json_t *array, const struct column *columns);
void listing_object(const json_t *object, const struct column *columns);

#endif
