/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Uploads become faxes: those that wait to be prepared go through spool/preparation, a bounded number at a time.
 *
 * Thread: loop.
 */
#ifndef FAXD_SERVER_PREPARE_H
#define FAXD_SERVER_PREPARE_H

#include <event2/event.h>

struct converter;
struct prepare;
struct spool;

struct prepare_options {
    struct event_base *base;
    struct spool *spool;
    struct converter *converter;
    int parallel; /* documents that it prepares at the same time */
};

/* It listens for SPOOL_CHANGE_PREPARE by itself. The caller frees with prepare_free; what was under way is done again
 * at the next start. */
int prepare_new(struct prepare **out, const struct prepare_options *options);
void prepare_free(struct prepare *prepare);

/* Take up what waits, as at start. */
void prepare_run(struct prepare *prepare);

#endif
