/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of a fax in the store, by policy (spool/retention) or by hand: first its documents, then its record.
 *
 * Rows go in the turn, files after its commit (the reverse of storing).
 *
 * Thread: loop.
 */
#ifndef FAXD_SPOOL_PURGE_H
#define FAXD_SPOOL_PURGE_H

struct fax;
struct spool;

/* Delete upload, pages and whatever was derived from them, but for what another fax still needs. The record stays,
 * with the hash of its pages; event document.purged. `fax` is as read in this turn and follows. Purged before: 0,
 * nothing is done. ERR_CONFLICT when the fax has not ended (message), else an error of the store. */
int purge_documents(struct spool *spool, struct fax *fax);

/* The same, and the row with its attempts, journals, events and their deliveries. An event document.purged that belongs
 * to no row remains when there were documents. `fax` is the caller's to clear. */
int purge_record(struct spool *spool, struct fax *fax);

#endif
