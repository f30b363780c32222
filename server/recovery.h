/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls whose end nobody told us: after a crash of faxd, of a host, or of both.
 *
 * At start every open attempt waits until its provider's host says which jobs it has: the call goes on, or its order
 * never arrived, or it died with an earlier host. What died is decided by the journal as soon as nobody can write to it
 * any more (journal_is_held): an engine may outlive its host by a moment.
 *
 * Thread: loop.
 */
#ifndef FAXD_SERVER_RECOVERY_H
#define FAXD_SERVER_RECOVERY_H

#include "server/line.h"

#include <event2/event.h>
#include <stdint.h>

struct host;
struct inbound;
struct outbound;
struct recovery;
struct spool;

struct recovery_options {
    struct event_base *base;
    struct spool *spool;
    struct line_table *lines;
    struct outbound *outbound;
    struct inbound *inbound;
    /* The host of a provider by its name, NULL when it is not configured. */
    struct host *(*host_of)(void *context, const char *provider);
    void *context;
};

int recovery_new(struct recovery **out, const struct recovery_options *options);
void recovery_free(struct recovery *recovery);

/* Take up every attempt without an end. Call once, before the hosts are started. 0 or the store's error. */
int recovery_begin(struct recovery *recovery);

/* A host is up and still has `jobs`. */
void recovery_ready(struct recovery *recovery, struct host *host, const uint64_t *jobs, int count);

/* A host died with the call of this line. */
void recovery_lost(struct recovery *recovery, struct line *line);

/* Attempts not decided yet, for /health/ready. */
int recovery_count(const struct recovery *recovery);

#endif
