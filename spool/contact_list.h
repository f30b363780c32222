/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of contacts and groups, and the directory as a file, on the reader thread.
 *
 * Thread: loop.
 */
#ifndef FAXD_SPOOL_CONTACT_LIST_H
#define FAXD_SPOOL_CONTACT_LIST_H

#include "spool/query.h"

struct contact_query {
    int limit;          /* 1..1000 */
    const char *cursor; /* from next_cursor, or NULL */
    const char *q;      /* beginning of a name, an organization or a number, or NULL */
    int64_t group;      /* members of this group (row) only, 0 = all */
};

/* A page: those whose name begins with `q` by name, then those whose organization does, then those whose number does;
 * members of a group in the order in which they were stored. 0, ERR_INVALID (message names the parameter), ERR_FULL. */
int contact_list(struct spool *spool, const struct contact_query *query, query_done done, void *context);

/* All of them as CSV with a line of names, the answer being one text; `limit` and `cursor` are left alone. */
int contact_export(struct spool *spool, const struct contact_query *query, query_done done, void *context);

/* A page of groups by name. */
int contact_list_groups(struct spool *spool, const char *cursor, int limit, query_done done, void *context);

#endif
