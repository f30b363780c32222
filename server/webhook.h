/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sender of webhooks: works off the outbox over HTTP, signed by Standard Webhooks 1.0.0.
 *
 * A delivery is one POST of the event's body. 2xx within 15 s is success; redirects are not followed; what comes back
 * besides the status and Retry-After is thrown away. The outbox decides on the next try. An endpoint that does not
 * answer holds no other up: a few deliveries at a time go to each.
 *
 * Thread: loop.
 */
#ifndef FAXD_SERVER_WEBHOOK_H
#define FAXD_SERVER_WEBHOOK_H

#include <event2/event.h>
#include <stdbool.h>

struct spool;
struct webhook_sender;

struct webhook_options {
    struct event_base *base;
    struct spool *spool;
    bool allow_private; /* private and loopback addresses may be called */
};

/* It listens for SPOOL_CHANGE_OUTBOX and SPOOL_CHANGE_ENDPOINT by itself. 0 or ERR_INTERNAL. The caller frees with
 * webhook_sender_free, which drops what is under way: those are tried again, with the same id. */
int webhook_sender_new(struct webhook_sender **out, const struct webhook_options *options);
void webhook_sender_free(struct webhook_sender *sender);

/* Work off what is due, as at start. */
void webhook_sender_run(struct webhook_sender *sender);

#endif
