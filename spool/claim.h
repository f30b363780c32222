/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which fax goes next, and its attempt row: the queue's side of the scheduler. Index seeks only: the cost does not grow
 * with the queue.
 *
 * Thread: loop.
 */
#ifndef FAXD_SPOOL_CLAIM_H
#define FAXD_SPOOL_CLAIM_H

#include "spool/fax.h"

/* The best due fax of a queue (a line group, or that of an outbound rule) for a line: by priority, then age. One whose
 * number is engaged by another call of ours is moved to FAX_WAITING and the next is looked at (at most 64 a call; then
 * ERR_AGAIN). `test`: faxes of test keys, which only lines of simulator providers carry; else the others. 0 and `*fax`
 * (the caller clears), ERR_NOT_FOUND when nothing is due. The row is not changed otherwise: attempt_begin() does that.
 */
int claim_next(struct fax *fax, struct spool *spool, const char *line_group, bool test);

/* scheduled -> queued for what has fallen due by `now_ms`, at most `room` of them, and the expired ones to expired.
 * `*next_at` = when to look again (0 = nothing scheduled). Returns the number moved, or an error. */
int claim_promote(int64_t *next_at, struct spool *spool, int64_t now_ms, int room);

/* A number is free again: the best fax that waits for it becomes queued. */
int claim_number_free(struct spool *spool, const char *destination);

#endif
