/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of batches share, for batch*.c only.
 *
 * Thread: loop.
 */
#ifndef FAXD_SPOOL_BATCH_PRIVATE_H
#define FAXD_SPOOL_BATCH_PRIVATE_H

#include "spool/batch.h"

struct stmt;

/* Stored in rows: never renumber. */
enum batch_document_role {
    BATCH_DOCUMENT_UPLOAD = 1, /* position from 1; info as in fax_document.h */
    BATCH_DOCUMENT_COVER = 2,  /* position 0; info {"fields"} */
    BATCH_DOCUMENT_LIST = 3    /* position 0: the recipients */
};

#define BATCH_COLUMNS                                                                                                  \
    "id, public_id, owner, user_id, test, total, expanded, dropped, created_at, canceled_at, completed_at"

/* From a row with BATCH_COLUMNS. */
void batch_row_read(struct batch *batch, struct stmt *stmt);

/* How many faxes of the batch are in a state, or an error. */
int batch_count(struct spool *spool, int64_t id, enum fax_state state);

/* All recipients have their faxes, and all of these have ended: the batch is done, which is told once. */
int batch_check_done(struct spool *spool, int64_t id);

/* There may be something to do. */
void batch_wake(struct spool *spool);

#endif
