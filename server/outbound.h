/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The outbound call, from the claimed fax to the end of its attempt: file, order, progress, cancel, verdict.
 *
 * Thread: loop.
 */
#ifndef FAXD_SERVER_OUTBOUND_H
#define FAXD_SERVER_OUTBOUND_H

#include "server/line.h"
#include "server/link/link.h"

struct attempt;
struct converter;
struct outbound;
struct spool;

struct outbound_options {
    struct spool *spool;
    struct line_table *lines;
    struct converter *converter; /* cuts out the pages that a resumed call sends */
    int call_limit_s;            /* 0 = the engine's own */
};

/* The caller frees with outbound_free; calls that run go on. */
int outbound_new(struct outbound **out, const struct outbound_options *options);
void outbound_free(struct outbound *outbound);

/* Begin a call for a queued fax on an idle line. The order leaves after the turn's commit. 0; or the error of the
 * store, and then nothing was begun. */
int outbound_start(struct outbound *outbound, struct line *line, struct fax *fax);

/* The host says that the call on the line has ended. */
void outbound_ended(struct outbound *outbound, struct line *line, const struct link_message *ended);

/* The host died with the call: the line is taken off it. The attempt stays open for outbound_decide. */
void outbound_lost(struct outbound *outbound, struct line *line);

/* No process has the call any more, or ever had it (`ordered` false): the journal decides. 0 or the store's error. */
int outbound_decide(struct outbound *outbound, const struct attempt *attempt, bool ordered);

/* The server is about to abort every call. Nobody wished so of a single fax: those go back to the queue. */
void outbound_stopping(struct outbound *outbound);

/* Abort the calls whose fax is to be canceled (SPOOL_CHANGE_CANCEL, and once for each host that comes up). */
void outbound_cancel(struct outbound *outbound);

#endif
