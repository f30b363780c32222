/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The loop: one libevent base, one turn of the spool after each round of events.
 *
 * Thread: the loop thread, which is the program's first.
 */
#ifndef FAXD_SERVER_LOOP_H
#define FAXD_SERVER_LOOP_H

#include <event2/event.h>
#include <stdint.h>

struct loop;
struct spool;

/* SIGPIPE is ignored from here on. 0 or ERR_INTERNAL. The caller frees with loop_free. */
int loop_new(struct loop **out);
void loop_free(struct loop *loop);

struct event_base *loop_base(struct loop *loop);

/* Run until loop_stop(): 0; or the error of a turn that could not be committed, after which the program has to start
 * anew, since memory and store may differ. */
int loop_run(struct loop *loop, struct spool *spool);

/* After a turn that failed: let go what it has answered (the replies that say so), for a moment. Nothing that happens
 * meanwhile is committed or announced. */
void loop_flush(struct loop *loop);

/* Leave after this turn. */
void loop_stop(struct loop *loop);

/* Set a timer of evtimer_new() for a time in UTC ms, at once when it has passed. It may go off an hour after now at the
 * latest, since the wall clock may be set meanwhile: who is called looks again. */
void loop_timer_at(struct event *timer, int64_t at_ms);

/* Call fn(context) on each arrival of a signal, on the loop. 0 or ERR_INTERNAL. */
int loop_on_signal(struct loop *loop, int signal_number, void (*fn)(void *context), void *context);

#endif
