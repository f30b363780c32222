/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What ended, hour by hour: a row for each hour, direction, end, outcome, provider and user, written in the turn in
 * which a fax ends, so that a report looks at hours and not at a million faxes; and, since a year has many hours and
 * each hour may have many users, the same by the day, once without users and once with nothing but users. Faxes of test
 * keys do not count, and what retention deletes stays counted.
 *
 * Thread: loop.
 */
#ifndef FAXD_SPOOL_USAGE_H
#define FAXD_SPOOL_USAGE_H

#define USAGE_HOUR_MS   3600000ll
#define USAGE_DAY_HOURS 24

struct fax;
struct spool;

/* The fax has just ended: `fax` is what its row says now. 0 or an error of the store. */
int usage_ended(struct spool *spool, const struct fax *fax);

/* It is about to go on after its end, as by a retry: what was counted is taken back. Its row still says how it had
 * ended. 0 or an error of the store. */
int usage_reopened(struct spool *spool, const struct fax *fax);

#endif
