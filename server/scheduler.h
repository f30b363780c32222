/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which fax goes out on which line, and when. It looks when something changed, and sets one timer for the next fax that
 * falls due; it never polls.
 *
 * Thread: loop.
 */
#ifndef FAXD_SERVER_SCHEDULER_H
#define FAXD_SERVER_SCHEDULER_H

#include "server/line.h"
#include "spool/fax.h"

#include <event2/event.h>

struct outbound;
struct scheduler;
struct spool;

struct scheduler_options {
    struct event_base *base;
    struct spool *spool;
    struct line_table *lines;
    struct outbound *outbound;
};

/* It listens for SPOOL_CHANGE_QUEUE by itself. The caller frees with scheduler_free. */
int scheduler_new(struct scheduler **out, const struct scheduler_options *options);
void scheduler_free(struct scheduler *scheduler);

/* Something may go out now: a line is idle, a host came up. */
void scheduler_run(struct scheduler *scheduler);

/* No more calls from now on. */
void scheduler_close(struct scheduler *scheduler);

/* The best idle line of a group for a fax, NULL = none now. Two lines are avoided as long as another line of the group
 * could do it later or now: the one whose own number is called (it would be busy with the call itself), and, among the
 * idle ones, the one on which the last call could not be placed. `from` (a count, any) turns the order, so that lines
 * take turns. Pure. */
struct line *scheduler_choose(const struct line_table *lines, const char *group, const struct fax *fax, unsigned from);

#endif
