/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the audit log is told of a request: that it did or showed something, or was refused. Which requests and in which
 * words stands in one table (witness.c); a handler need not care, but may say more with witness_about() and
 * witness_note().
 *
 * Thread: loop.
 */
#ifndef FAXD_WEB_WITNESS_H
#define FAXD_WEB_WITNESS_H

#include <jansson.h>
#include <stdbool.h>

struct request;
struct route;

struct witness {
    char *object;   /* said by the handler, NULL = it follows from path and Location */
    json_t *detail; /* said by the handler, NULL = nothing */
    bool written;   /* there is an entry, or one that tells the same: the reply waits for its commit */
};

/* "fax.sent" for the route; NULL: it leaves no entry. Pure. */
const char *witness_action(const struct route *route);

/* How many routes leave one. */
int witness_words(void);

/* It is about this: an id, when that is neither in the path nor in Location. */
void witness_about(struct request *request, const char *object);
/* A detail more. Takes `value` over. Never a page, a password or a token. */
void witness_note(struct request *request, const char *name, json_t *value);
/* The body of a request that changes something: names of what is in it, and values that are no texts. For request.c. */
void witness_body(struct request *request, const json_t *root);
void witness_clear(struct witness *witness);

/* The handler was successful: add the entry, in this turn. 0, or an error of the store, and then nothing may be shown.
 */
int witness_done(struct request *request);
/* The reply is about to leave: when it refuses a sign-in or a right, add an entry. */
void witness_refused(struct request *request);

#endif
