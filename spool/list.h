/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of faxes: by cursor, on the reader thread with a read-only connection, so that the loop never waits for one.
 *
 * Thread: list_start on the loop; the callback on the loop.
 */
#ifndef FAXD_SPOOL_LIST_H
#define FAXD_SPOOL_LIST_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct spool;

enum list_choice { LIST_ALL, LIST_YES, LIST_NO };

struct list_query {
    int limit;             /* 1..LIST_LIMIT_MAX */
    const char *cursor;    /* from next_cursor, or NULL */
    const char *direction; /* "outbound" | "inbound" | NULL */
    const char *status;    /* shown word, or several with commas, or NULL */
    const char *to, *from; /* normalised number, exact */
    const char *error;     /* outcome word */
    const char *tag;
    const char *client_reference;
    int64_t created_gte, created_lt; /* 0 = open */
    int64_t owner;                   /* 0 = everybody's */
    int64_t user;                    /* row of the user whose they are, or who sees to them; 0 = everybody's */
    enum list_choice unread, junk;   /* of received faxes */
    enum list_choice has_assignee;   /* received faxes that somebody, or nobody, sees to */
    int64_t assigned;                /* row of the user who sees to them, 0 = any */
    const char *label;               /* exact */
    int64_t batch;                   /* row, 0 = any or none */
    const char *q;                   /* what a number (to or from), the reference or the far end's station id begins
                                        with; letters' case makes no difference */
    bool contacts;                   /* ... or the name or organization of a contact with a number of the fax */
};

/* A fax is a large row: so many are some 25 ms of the reader's time, in which other lists wait. */
#define LIST_LIMIT_MAX 500
#define LIST_LOOKED    5000 /* rows that are looked at for a page, at most some 25 ms */

/* 0, or ERR_INVALID (message names the filter), ERR_FULL (too many lists under way). The texts are copied. Then done is
 * called once: error 0 and a page of query_page_text() (borrowed). Newest first. A page may hold fewer than `limit`,
 * even none, while has_more says that there are older ones to look at: no more than LIST_LOOKED are looked at for one.
 */
int list_start(struct spool *spool, const struct list_query *query,
               void (*done)(void *context, int error, json_t *page), void *context);

#endif
