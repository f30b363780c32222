/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For the rest of spool/: the folder of call journals, and which of them nobody needs any more. */
#ifndef FAXD_SPOOL_ATTEMPT_JOURNAL_H
#define FAXD_SPOOL_ATTEMPT_JOURNAL_H

#include <stdint.h>

struct db;
struct spool;

int attempt_journal_start(struct spool *spool); /* for spool_open.c */

/* 1 when the attempt ended before `before_ms` or its row never was committed, 0 when not, or an error. Thread: `db`'s.
 */
int attempt_journal_is_stale(struct db *db, int64_t id, int64_t before_ms);

#endif
