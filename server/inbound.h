/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inbound call, from the ring to the adopted pages.
 *
 * Thread: loop.
 */
#ifndef FAXD_SERVER_INBOUND_H
#define FAXD_SERVER_INBOUND_H

#include "server/line.h"
#include "server/link/link.h"

#include <event2/event.h>

struct attempt;
struct converter;
struct inbound;
struct spool;

struct inbound_options {
    struct event_base *base;
    struct spool *spool;
    struct line_table *lines;
    struct converter *converter; /* reads what was received, in its sandbox */
};

/* The caller frees with inbound_free; calls that run go on, pages not yet adopted are found at the next start. */
int inbound_new(struct inbound **out, const struct inbound_options *options);
void inbound_free(struct inbound *inbound);

/* `number` is the ring's event, `ring` the JSON of FaxdRingInfo or NULL: a stranger's texts. Answered after the turn's
 * commit; let ring when the line may not receive or the server is about to leave; rejected when the disk is full. */
void inbound_ring(struct inbound *inbound, struct line *line, uint64_t number, const char *ring);

/* The host says that the call on the line has ended. */
void inbound_ended(struct inbound *inbound, struct line *line, const struct link_message *ended);

/* The host died with the call: the line is taken off it. The attempt stays open for inbound_decide. */
void inbound_lost(struct inbound *inbound, struct line *line);

/* Received calls whose pages are being read now; those that wait for a better time (a full disk) are not counted. */
int inbound_count(const struct inbound *inbound);

/* No process has the call any more: what the host said last, else the journal, decides. 0 or the store's error. */
int inbound_decide(struct inbound *inbound, const struct attempt *attempt);

#endif
