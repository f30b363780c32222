/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Faxes by what a text of theirs begins with: the number called, who sent it, the client's reference, the far end's
 * station id. Each has an index, which tells at once which faxes begin so, but not in the order of a list. Where few
 * do, they are taken from there; where many do, the newest faxes are gone through, of which many do.
 *
 * Thread: the reader's.
 */
#ifndef FAXD_SPOOL_LIST_SEARCH_H
#define FAXD_SPOOL_LIST_SEARCH_H

#include <stdbool.h>
#include <stdint.h>

#define LIST_SEARCH_FEW   2000  /* so many are sorted */
#define LIST_SEARCH_STEP  200   /* of these are read at a time */
#define LIST_SEARCH_ROWS  20000 /* of the newest are gone through for a page */
#define LIST_SEARCH_BINDS 8

/* The condition, for LIST_SEARCH_BINDS texts. */
#define LIST_SEARCH                                                                                                    \
    "((destination >= ? AND destination < ?) OR (lower(sender) >= ? AND lower(sender) < ?)"                            \
    " OR (lower(client_reference) >= ? AND lower(client_reference) < ?)"                                               \
    " OR (lower(remote_station_id) >= ? AND lower(remote_station_id) < ?))"

struct db;

/* Rows, newest first, each once. */
struct list_found {
    int64_t *ids; /* the caller frees */
    int count;
    bool too_many; /* then there are no ids */
};

/* What is looked for: lower case, without spaces around. The caller frees. Thread: any. */
char *list_search_text(const char *text);

/* The bounds of the condition, each the caller's. */
void list_search_bounds(char *bounds[LIST_SEARCH_BINDS], const char *q);
void list_search_bounds_free(char *bounds[LIST_SEARCH_BINDS]);

/* All rows below `before` that begin so, unless they are more than LIST_SEARCH_FEW. 0 or an error. */
int list_search(struct list_found *found, struct db *db, const char *q, int64_t before);

/* "fax.id IN (...)"; the caller frees. */
char *list_search_ids(const struct list_found *found);

/* The newest row of all. 0 or an error. */
int list_search_newest(int64_t *id, struct db *db);

#endif
