/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lines of a SIP provider: a pool behind the trunks. A line has a job of the host, or a call that rings, or both
 * for the moment in between.
 *
 * Thread: any; one lock.
 */
#ifndef FAXD_SIP_LINES_H
#define FAXD_SIP_LINES_H

#include <stdbool.h>

#include "plugins/sip/dialog.h"

struct sip_lines;

/* `count` lines that may neither send nor receive yet. `ring(context, line)` announces a call; it is called without the
 * lock. Free with sip_lines_free. */
struct sip_lines *sip_lines_new(int count, void (*ring)(void *context, int line), void *context);
void sip_lines_free(struct sip_lines *lines);

void sip_lines_enable(struct sip_lines *lines, int line, bool receive, bool send);
bool sip_lines_may_send(struct sip_lines *lines, int line);

/* A call wants a line: the one that has been idle for longest rings with it from now on, and its reference of `dialog`
 * with it. -1 when none is free; then the reference stays the caller's. The agent's thread. */
int sip_lines_ring(struct sip_lines *lines, struct dialog *dialog);

/* Announce again the calls that ring: the host may have been away. True while there are any. */
bool sip_lines_ring_again(struct sip_lines *lines);

/* A job begins, ends. At the end a call that still rings is refused with `reject` (0: left to ring) if the line was
 * cancelled. */
bool sip_lines_take(struct sip_lines *lines, int line);
void sip_lines_release(struct sip_lines *lines, int line, int reject);

/* The job is to send: a call that rings on the line moves to another, or hears `full` when there is none. */
void sip_lines_overtake(struct sip_lines *lines, int line, int full);

/* The call that rings on the line, for its job to answer; the reference goes with it. NULL when there is none (any
 * more). */
struct dialog *sip_lines_answer(struct sip_lines *lines, int line);

/* The call that the job is about, so that a cancel reaches it; NULL ends that. False when the line was cancelled. */
bool sip_lines_set_call(struct sip_lines *lines, int line, struct dialog *dialog);

void sip_lines_cancel(struct sip_lines *lines, int line);
bool sip_lines_is_cancelled(struct sip_lines *lines, int line);

/* Who rings, for FaxdRingInfo; a new object. */
json_t *sip_lines_ring_info(struct sip_lines *lines, int line);

#endif
