/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long faxes are kept: by direction, so many days after their end the documents go, and after so many the record.
 * Nothing is deleted unless the policy says so.
 *
 * Thread: loop.
 */
#ifndef FAXD_SPOOL_RETENTION_H
#define FAXD_SPOOL_RETENTION_H

#define RETENTION_DAYS_MAX 36500

struct spool;

/* Days after the end of a fax, 0 = kept for ever. The record takes the documents with it, if they are still there. */
struct retention_policy {
    int outbound_documents_days, outbound_records_days;
    int inbound_documents_days, inbound_records_days;
};

/* From now on; what is due already goes at once, in small steps. */
void retention_set(struct spool *spool, const struct retention_policy *policy);

/* Purge what is due, at most `room` (1..200) faxes: the number of them, or an error after which the turn holds part of
 * the work (undo it: spool_part_end). The spool does so by itself where it has a loop. */
int retention_run(struct spool *spool, int room);

int retention_start(struct spool *spool); /* for spool_open.c */

#endif
