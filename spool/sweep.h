/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Housekeeping in the background: files that no row names, stale journals, old events and idempotency keys.
 *
 * Thread: loop; looking runs on the reader thread.
 */
#ifndef FAXD_SPOOL_SWEEP_H
#define FAXD_SPOOL_SWEEP_H

struct spool;

/* At start: looks through documents/ and journals/ in small steps (all at once in unit tests, where there is no loop),
 * then at journals, events and keys from time to time. For spool_open.c. */
int sweep_start(struct spool *spool);

#endif
