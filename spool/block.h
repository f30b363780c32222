/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Block rules: which numbers may not be called, and whose calls are not answered. Rows, and a table of all in memory
 * that is kept true with them (spool/block_table).
 *
 * Thread: loop.
 */
#ifndef FAXD_SPOOL_BLOCK_H
#define FAXD_SPOOL_BLOCK_H

#include "spool/block_table.h"
#include "spool/query.h"

#define BLOCK_RULES_MAX 10000

/* A new row: fills id, public_id and created_at. 0, ERR_CONFLICT (there is one that does the same to the same),
 * ERR_FULL.
 */
int block_create(struct block_rule *rule, struct spool *spool);

/* 0, ERR_NOT_FOUND. */
int block_find(struct block_rule *rule, struct spool *spool, const char *public_id);

/* Write action, reason and expires_at. ERR_CONFLICT as above. */
int block_update(struct block_rule *rule, struct spool *spool);
int block_delete(struct spool *spool, const char *public_id);

/* The rule that denies a call from or to this number (normalised; "" = withheld), NULL = none. Borrowed until rules
 * change. A rule that decides is counted with block_hit(). */
const struct block_rule *block_denies(struct spool *spool, enum fax_direction direction, const char *number);

/* The rule that puts a received fax into quarantine, by who called (as it was said, "" = withheld) or by the station id
 * (as it was said); NULL = none. Borrowed as above. */
const struct block_rule *block_quarantines(struct spool *spool, const char *caller, const char *station_id);

/* Count a hit, in the transaction of what the rule did; or, `later`, in one of its own after this turn, for what leaves
 * no other trace (a refused request). */
int block_hit(struct spool *spool, int64_t rule);
void block_hit_later(struct spool *spool, int64_t rule);

/* "the rule blk_... denies numbers that begin with +1900 (premium rate)", at most size - 1 octets. Returns `text`. */
char *block_describe(char *text, size_t size, const struct block_rule *rule);

/* The object of /v1/rules/block, new reference; a page of them, the newest first, of a direction or (-1) both. */
json_t *block_json(const struct block_rule *rule);
int block_list(struct spool *spool, int direction, const char *cursor, int limit, query_done done, void *context);

int block_start(struct spool *spool); /* for spool_open.c */

extern const char *const block_directions[], *const block_actions[], *const block_kinds[]; /* end with NULL */

#endif
