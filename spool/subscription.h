/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which webhook endpoint wants which event; its delivery rows. Between event (which asks) and outbox (which changes
 * endpoints). The enabled endpoints are held in memory.
 *
 * Thread: loop.
 */
#ifndef FAXD_SPOOL_SUBSCRIPTION_H
#define FAXD_SPOOL_SUBSCRIPTION_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct spool;

int subscription_start(struct spool *spool); /* for spool_open.c */

/* True for a type that is delivered only to endpoints that name it. Pure. */
bool subscription_is_opt_in(const char *type);

/* True when a list of types and prefixes ("fax.*"; empty = all but opt-in ones) has the type. Pure. */
bool subscription_matches(const json_t *patterns, const char *type);

/* True when an enabled endpoint wants the type. */
bool subscription_wants(struct spool *spool, const char *type);

/* A delivery row, due now, for each enabled endpoint that wants the event. 0 or an error. */
int subscription_deliver(struct spool *spool, int64_t sequence, const char *type);

/* The same for one endpoint (its row), whatever it wants. */
int subscription_deliver_to(struct spool *spool, int64_t sequence, int64_t endpoint);

/* Endpoint rows were changed. */
void subscription_forget(struct spool *spool);

#endif
