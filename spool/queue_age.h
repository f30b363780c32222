/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long faxes have waited in the queue, counted in memory by the minute in which they came into it: a look over a
 * million rows takes longer than a turn may. Those of a day ago and older are one number.
 *
 * Thread: loop, but for queue_age_read.
 */
#ifndef FAXD_SPOOL_QUEUE_AGE_H
#define FAXD_SPOOL_QUEUE_AGE_H

#include <jansson.h>
#include <stdint.h>

struct db;
struct fax;
struct spool;

/* [{"up_to_s": 60, "count": n}, ..., {"up_to_s": null, "count": n}], youngest first. A new reference. */
json_t *queue_ages(struct spool *spool);

/* So many have waited for `age_s` or longer (a day at most, whole minutes). */
int64_t queue_older_than(struct spool *spool, int64_t age_s);

/* For fax_state: a fax came into the queue in this turn (sign 1), or left it (-1), at `queued_at`. */
void queue_age_move(struct spool *spool, int64_t queued_at, int sign);

/* For fax_count: count the rows of a snapshot (thread: `db`'s; a new reference or NULL), and add the result on the
 * loop. */
void queue_age_start(struct spool *spool);
int queue_age_read(json_t **found, struct db *db);
void queue_age_set(struct spool *spool, const json_t *found);

#endif
