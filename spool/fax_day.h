/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which faxes were made on which day: the first and the last row of each. Rows ascend with time as a rule, but a clock
 * may be set back, so that nothing less than this tells where in the order of a list a day's faxes are.
 */
#ifndef FAXD_SPOOL_FAX_DAY_H
#define FAXD_SPOOL_FAX_DAY_H

#include <stdint.h>

struct db;
struct spool;

/* A fax was inserted. 0 or an error. Thread: loop. */
int fax_day_note(struct spool *spool, int64_t fax, int64_t created_ms);

/* Rows of all faxes that were made at `from_ms` or later, and before `until_ms` (0 = open), lie from `*first` and below
 * `*before`, which are narrowed. 0 or an error. Thread: that of `db`. */
int fax_day_range(int64_t *first, int64_t *before, struct db *db, int64_t from_ms, int64_t until_ms);

#endif
