/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of the audit log, newest first, on the reader thread. An index leads to the entries by object, or by actor and
 * action; what that leaves is looked at one by one. A page ends after AUDIT_LIST_LOOKED entries, so that none is slow:
 * it may have fewer entries than asked for, or none, and still be followed by another.
 *
 * Thread: audit_list_start on the loop; the callback on the loop.
 */
#ifndef FAXD_SPOOL_AUDIT_LIST_H
#define FAXD_SPOOL_AUDIT_LIST_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#define AUDIT_LIST_MAX    10000
#define AUDIT_LIST_LOOKED 10000

struct spool;

struct audit_query {
    int limit;              /* 1..AUDIT_LIST_MAX */
    const char *cursor;     /* from next_cursor, or NULL */
    const char *actor;      /* public id, or NULL: of a key or user; "server" for the server's own */
    const char *action;     /* "fax.sent"; "fax.*" for all that begin with "fax."; or NULL */
    const char *object;     /* exact, or NULL */
    int64_t from_ms, to_ms; /* at or after, before; 0 = open */
    void (*write)(FILE *out, const json_t *data); /* makes text of the entries other than JSON; NULL = JSON; pure */
};

/* 0, or ERR_INVALID (message names the filter), ERR_FULL (too many lists under way). The texts are copied. Then done is
 * called once: error 0 and a page of query_page_text() or query_page_written() (borrowed). */
int audit_list_start(struct spool *spool, const struct audit_query *query,
                     void (*done)(void *context, int error, json_t *page), void *context);

#endif
