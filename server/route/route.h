/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Works off the deliveries of received faxes (spool/route_delivery.h): what is due is taken, and after the commit its
 * method begins. Each target has one delivery under way at a time, so that a target that hangs holds no other up.
 *
 * Thread: loop.
 */
#ifndef FAXD_SERVER_ROUTE_ROUTE_H
#define FAXD_SERVER_ROUTE_ROUTE_H

#include <event2/buffer.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

struct converter;
struct routes;
struct spool;

struct routes_options {
    struct event_base *base;
    struct spool *spool;
    struct converter *converter;
    const char *lp;     /* program that prints; copied */
    int parallel;       /* deliveries under way at once */
    bool allow_private; /* webhooks may go to private addresses */
    /* The address of a document for who has the link (caller frees), NULL when there is none to be had. */
    char *(*sign_link)(void *context, const char *fax, bool tiff, int64_t expires_at);
    void *context;
};

/* It listens for SPOOL_CHANGE_ROUTE by itself. 0, ERR_IO, ERR_INTERNAL. The caller frees with routes_free, which ends
 * the programs that run: those deliveries are tried again after the next start. */
int routes_new(struct routes **out, const struct routes_options *options);
void routes_free(struct routes *routes);

/* Work off what is due, as at start. */
void routes_run(struct routes *routes);

/* Begin nothing more. */
void routes_close(struct routes *routes);

/* What a reload may change. */
void routes_set(struct routes *routes, const char *lp, int parallel);

/* Deliveries under way. */
int routes_count(const struct routes *routes);

/* Appends Prometheus lines. */
void routes_metrics(const struct routes *routes, struct evbuffer *out);

#endif
