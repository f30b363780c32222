/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Faxes by state, counted in memory (fax_counts in fax.h): a count over a million rows takes longer than a turn may.
 *
 * Thread: loop.
 */
#ifndef FAXD_SPOOL_FAX_COUNT_H
#define FAXD_SPOOL_FAX_COUNT_H

#include "spool/fax.h"

/* At start, before anything is written: `path` is the store's. The rows there are counted in the background. */
int fax_count_open(struct spool *spool, const char *path);

/* A fax went from one state to another in this turn; `from` 0 = it is new, `to` 0 = its row was deleted. */
void fax_count_move(struct spool *spool, enum fax_state from, enum fax_state to);

#endif
