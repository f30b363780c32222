/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Documents and their size, counted in memory for /metrics as spool/fax_count counts faxes.
 *
 * Thread: loop, but for document_count_read.
 */
#ifndef FAXD_SPOOL_DOCUMENT_COUNT_H
#define FAXD_SPOOL_DOCUMENT_COUNT_H

#include <stdint.h>

struct db;
struct spool;

struct document_usage {
    int64_t documents, bytes; /* stored and committed */
    int64_t purged;           /* deleted since the program started */
};

void document_usage(struct document_usage *usage, const struct spool *spool);

/* For the rest of spool/. A document's row is about to be written in this turn, perhaps over an older one; or was
 * deleted in it. 0 or an error of the store. */
int document_count_stored(struct spool *spool, const char *sha, int64_t size_bytes);
void document_count_deleted(struct spool *spool, int64_t size_bytes);

/* For fax_count: count the rows of a snapshot (thread: `db`'s), and take the result over on the loop. */
void document_count_start(struct spool *spool);
int document_count_read(struct document_usage *found, struct db *db);
void document_count_set(struct spool *spool, const struct document_usage *found);

#endif
