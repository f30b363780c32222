/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Batches: one document set to many recipients.
 *
 * A batch is accepted with its row, its documents and the list of its recipients on disk; its faxes are then made in
 * slices, each a part of a turn, with a pause for others between them. What a slice made and how far the list is read
 * are one transaction: after a crash nothing is missing and nothing is there twice. The pages are made for the first
 * recipient and taken for all, unless a cover page makes each another.
 *
 * Thread: loop.
 */
#ifndef FAXD_SPOOL_BATCH_H
#define FAXD_SPOOL_BATCH_H

#include "spool/fax.h"

#include <jansson.h>

#define BATCH_RECIPIENTS_MAX 20000

struct spool;
struct submit_request;

struct batch {
    int64_t id; /* row */
    char public_id[FAX_ID_SIZE];
    int64_t owner, user_id;
    bool test;
    int total;    /* recipients */
    int expanded; /* of which a fax was made, or never will be */
    int dropped;  /* of which none will be */
    int64_t created_at, canceled_at, completed_at;
};

/* What all have in common is `wanted` (its documents stored; `to` is not read). `list`: hash of a stored document with
 * a line for each of `total` recipients: a JSON object {"to","client_reference","metadata","fields"}, all but "to" only
 * where there is something of its own. 0, ERR_INVALID (no documents), ERR_FULL (disk). */
int batch_create(struct batch *batch, struct spool *spool, const struct submit_request *wanted, const char *list,
                 int total);

/* 0, ERR_NOT_FOUND, or an error. */
int batch_find(struct batch *batch, struct spool *spool, const char *public_id);

/* What has not been called is canceled, from now on; what is in a call ends as it will and is not called again.
 * Canceled before: 0. ERR_CONFLICT when it is done. `batch` follows. */
int batch_cancel(struct spool *spool, struct batch *batch);

/* 1, 0, or an error. */
int batch_is_canceled(struct spool *spool, int64_t id);

/* {"id","status","total","counts","test","created_at","canceled_at","completed_at"}, new reference; NULL when the store
 * cannot be read. The counts add up to the total as long as no record of a fax was deleted. */
json_t *batch_json(struct spool *spool, const struct batch *batch);

/* {"data":[...],"has_more","next_cursor"}, newest first, at most `limit` (1..100). `user`: whose alone, 0 = all. 0, or
 * ERR_INVALID (cursor, limit). */
int batch_page(json_t **page, struct spool *spool, const char *cursor, int limit, int64_t user);

/* A fax went from one state to another (0 = it is new, or its record was deleted): counts, and the end of the batch
 * with event batch.completed. Nothing for a fax that is of none. */
int batch_moved(struct spool *spool, const struct fax *fax, enum fax_state from, enum fax_state to);

/* One slice of what there is to do: how much was done, 0 = nothing, or it waits for a preparation; or an error, after
 * which the part of the turn has to be undone. The spool calls it by itself. */
int batch_run(struct spool *spool);

int batch_start(struct spool *spool); /* for spool_open.c */

#endif
