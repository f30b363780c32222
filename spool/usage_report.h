/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reports over what ended (spool/usage), on the reader thread. Of hours they are sums of stored rows; of numbers called
 * the faxes themselves are looked at, newest first, in slices between which others get their turn, and at most
 * USAGE_LOOKED of them.
 *
 * Thread: loop.
 */
#ifndef FAXD_SPOOL_USAGE_REPORT_H
#define FAXD_SPOOL_USAGE_REPORT_H

#include <jansson.h>
#include <stdint.h>

#define USAGE_LOOKED       200000 /* faxes */
#define USAGE_DESTINATIONS 1000   /* the ones with the most faxes */

struct db;
struct spool;
struct usage_report;

enum usage_group {
    USAGE_BY_DAY,
    USAGE_BY_HOUR,
    USAGE_BY_DESTINATION,
    USAGE_BY_USER,
    USAGE_BY_PROVIDER,
    USAGE_BY_ERROR
};

struct usage_query {
    enum usage_group group;
    int64_t from_ms, to_ms; /* whole hours: from the one of `from_ms` up to that before `to_ms` */
};

/* Begin. 0, ERR_FULL. `done` is called once, unless canceled (from within when the spool has no event base): error 0
 * and
 * {"data":[{"key","faxes","sent","delivered","failed","received","pages_sent","pages_received","call_s"}...],
 * "complete":bool} (borrowed), by key, or by number of faxes where keys have no order of their own. `*out` is valid
 * until then. */
int usage_report_start(struct usage_report **out, struct spool *spool, const struct usage_query *query,
                       void (*done)(void *context, int error, json_t *report), void *context);

/* The result is not wanted any more: `done` will not be called. */
void usage_report_cancel(struct usage_report *report);

/* For the rest of spool/: append the rows of a report over hours to `data`. Thread: that of `db`. */
int usage_report_hours(json_t *data, struct db *db, const struct usage_query *query);

#endif
