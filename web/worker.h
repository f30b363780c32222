/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One thread for the work that would hold the loop up: reading and hashing large bodies.
 *
 * Thread: loop, but for `work`.
 */
#ifndef FAXD_WEB_WORKER_H
#define FAXD_WEB_WORKER_H

#include <event2/event.h>

struct worker;

/* NULL when there is no thread or descriptor to be had (err_message says why). */
struct worker *worker_new(struct event_base *base);

/* Run work(context) on the thread, then done(context) on the loop, never from inside this call. First come, first
 * served. What `context` leads to is the thread's until `done`. */
void worker_run(struct worker *worker, void (*work)(void *context), void (*done)(void *context), void *context);

/* Finishes the work under way, drops the rest; every `done` is called. NULL is fine. */
void worker_free(struct worker *worker);

#endif
