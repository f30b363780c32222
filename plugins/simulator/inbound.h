/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls that come in at the simulator: told by a datagram on a control socket, or by the clock.
 *
 * A datagram is one JSON object, {"ring": {...}} with the keys of a plan (plan.h) and
 *   line         0-based index, default 0
 *   file         absolute path of the TIFF that is "received"; must be given
 *   caller_id, caller_name, called, diversion   texts, default ""
 * A sender with an address of its own gets an answer: {"ok":true}, or {"error":"..."} when the text is wrong, the line
 * is rung already or must not receive. A ring to a line that is busy waits until it is free.
 *
 * Thread: inbound_open start-up, all else any. It has one thread of its own, and only when there is a socket or a
 * clock; that one sleeps until there is something to do.
 */
#ifndef FAXD_PLUGINS_SIMULATOR_INBOUND_H
#define FAXD_PLUGINS_SIMULATOR_INBOUND_H

#include "plugins/simulator/plan.h"

#include <jansson.h>

struct inbound;

struct inbound_options {
    int line_count;
    const char *control; /* path of the socket to make, "" = none */
    int ring_every_ms;   /* ring the next free line so often with ring_file; 0 = never */
    const char *ring_file;
    int ring_timeout_ms;     /* an unanswered ring ends after so long; it is repeated at a fifth of that */
    const struct plan *plan; /* of rings that say nothing else */
    void (*ring)(void *context, int line); /* any thread, no lock held */
    void *context;
};

/* 0, ERR_INVALID, ERR_IO. Close with inbound_close when no job runs. */
int inbound_open(struct inbound **out, const struct inbound_options *options);
void inbound_close(struct inbound *inbound);

/* May the line be rung? */
void inbound_enable(struct inbound *inbound, int line, bool receive);

/* A job begins on the line: false when one is there already. */
bool inbound_take(struct inbound *inbound, int line);

/* It ends. A ring that was not answered goes on, unless the job `rejected` it. */
void inbound_release(struct inbound *inbound, int line, bool rejected);

/* Ring a line, with an object as README describes: 0, ERR_INVALID, ERR_CONFLICT, ERR_IO. Thread: one at a time. */
int inbound_ring(struct inbound *inbound, const json_t *told);

/* Answer: 0 and what was rung, `*file`, `*caller` and `*station` (the caller's to free; "" = the usual one);
 * ERR_NOT_FOUND when the line does not ring. */
int inbound_answer(struct inbound *inbound, int line, struct plan *plan, char **file, char **caller, char **station);

/* What FaxdRingInfo says; a new reference. */
json_t *inbound_info(struct inbound *inbound, int line);

#endif
