/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How far the events of each provider host have been committed: written in the same transaction as what the events did,
 * so that a replay after a crash is neither lost nor applied twice.
 *
 * Thread: loop.
 */
#ifndef FAXD_SPOOL_HOST_RUN_H
#define FAXD_SPOOL_HOST_RUN_H

#include <stdint.h>

struct spool;

#define HOST_RUN_SIZE 40

/* The last run and event number committed for a provider; "" and 0 when none. */
int host_run_get(char run[HOST_RUN_SIZE], uint64_t *number, struct spool *spool, const char *provider);
int host_run_set(struct spool *spool, const char *provider, const char *run, uint64_t number);

#endif
