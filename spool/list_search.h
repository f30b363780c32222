/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What faxes are looked for by: the beginning of the number called, of who sent it, of the client's reference, of the
 * far end's station id, and of the name or organization of a contact with that number. Each has an index, which tells
 * at once which faxes begin so, but not in the order of a list. Where few do, they are taken from there; where many do,
 * it is a condition more of rows that something else leads to.
 *
 * Thread: the reader's.
 */
#ifndef FAXD_SPOOL_LIST_SEARCH_H
#define FAXD_SPOOL_LIST_SEARCH_H

#include <stdbool.h>
#include <stdint.h>

#define LIST_SEARCH_MAX      128   /* octets of what is looked for */
#define LIST_SEARCH_FEW      10000 /* so many are sorted */
#define LIST_SEARCH_STEP     200   /* of these are looked at at a time */
#define LIST_SEARCH_BOUNDS   8
#define LIST_SEARCH_CONTACTS 100 /* so many contacts are looked at, the first by name and by organization */

struct db;
struct stmt;

/* Rows, newest first, each once; or, with too_many, none. */
struct list_found {
    int64_t *ids;
    int count;
    bool too_many;
    char *bounds[LIST_SEARCH_BOUNDS]; /* of the ranges, two each */
    char **numbers;                   /* of contacts, lower case */
    int number_count;
};

/* What is looked for: lower case, without spaces around. 0, or ERR_INVALID when it is too long (no message). Thread:
 * any. */
int list_search_text(char q[LIST_SEARCH_MAX + 1], const char *text);

/* All rows from `first` and below `before` that begin so, unless they are more than LIST_SEARCH_FEW. 0 or an error; the
 * caller clears `found` in either case. */
int list_search(struct list_found *found, struct db *db, const char *q, bool contacts, int64_t first, int64_t before);
void list_search_clear(struct list_found *found);

/* " AND (...)", what a row has to be, and its values in that order; the caller frees the text. */
char *list_search_condition(const struct list_found *found);
void list_search_bind(struct stmt *stmt, const struct list_found *found);

/* "fax.id IN (...)" of `count` rows; the caller frees. */
char *list_search_ids(const int64_t *ids, int count);

#endif
