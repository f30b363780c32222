/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one place where a fax changes state, together with its event row and its webhook rows, in the turn's transaction.
 *
 * Outbound: preparing -> {held | scheduled | queued} -> dialing -> negotiating -> sending -> {delivered |
 * partially_delivered | unconfirmed | failed | canceled | expired}; a call that may be retried goes back to scheduled;
 * canceling comes before canceled. What has ended without full delivery is queued again only when somebody asks for it
 * (spool/fax_again.h). Inbound: ringing -> receiving -> {received | partially_received | failed |
 * rejected}; what meets rules (spool/route_fax.h) goes on: routing -> {routed | route_failed}. The table of allowed
 * transitions is in fax_state.c; each transition names its event (api.md, Webhooks).
 *
 * Thread: loop.
 */
#ifndef FAXD_SPOOL_FAX_STATE_H
#define FAXD_SPOOL_FAX_STATE_H

#include "spool/fax.h"

/* Move `fax` (as read in this turn) to `next`. Writes state and every field of the list below that differs in `fax`:
 * reason, not_before, document, original, pages_total, pages_confirmed, attempts, calls, delivery, outcome, message,
 * error, line, attempt, transport, remote_station_id, local_station_id, queued_at, dialed_at, connected_at, ended_at,
 * sender, destination. On the way into the queue line_group follows the rules (spool/outbound_rule.h). Sets fax->state
 * and updated_at; also queued_at on the way into the queue, connected_at when it answers and ended_at at the end, where
 * they are 0. sender and destination are written for received faxes only. ERR_CONFLICT when the row is no longer in the
 * state the struct says, or the table does not allow the step (then nothing is written). Same-state calls are allowed
 * and write the fields without an event. */
int fax_state_change(struct spool *spool, struct fax *fax, enum fax_state next);

/* For spool/fax_again.c: a sent fax that has ended without full delivery is queued again; fields as above.
 * ERR_CONFLICT for every other state. */
int fax_state_again(struct spool *spool, struct fax *fax);

/* A person's or a program's wish, by public id. 0; ERR_NOT_FOUND; ERR_CONFLICT with a message that names the state.
 * Cancel: before a call the fax is canceled at once; in a call it becomes canceling and SPOOL_CHANGE_CANCEL is marked;
 * canceling or canceled already: 0. */
int fax_state_cancel(struct spool *spool, const char *public_id);
int fax_state_hold(struct spool *spool, const char *public_id);
int fax_state_release(struct spool *spool, const char *public_id);

/* Faxes to cancel that are in a call: fn(context, fax row id, attempt id) for each. */
int fax_state_each_canceling(struct spool *spool, void (*fn)(void *context, int64_t fax, int64_t attempt),
                             void *context);

/* For the rest of spool/. Does a call of ours go to the number? 1, 0, or an error. */
int fax_state_number_engaged(struct spool *spool, const char *destination, bool test);
/* Unless it is engaged: the best fax that waits for it becomes queued. */
int fax_state_free_number(struct spool *spool, const char *destination, bool test);

#define FAX_REASON_HELD       "held_by_user"
#define FAX_REASON_BUSY       "destination_busy"
#define FAX_REASON_SUSPENDED  "destination_suspended"
#define FAX_REASON_WINDOW     "outside_window"
#define FAX_REASON_NEXT_GROUP "next_group"

#endif
