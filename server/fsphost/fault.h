/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Telling of what an FSP did wrong without letting it flood log and link: so many a second one by one, the rest as a
 * number. Pure but for the callback.
 *
 * Thread: the I/O thread.
 */
#ifndef FAXD_FSPHOST_FAULT_H
#define FAXD_FSPHOST_FAULT_H

#include <stdint.h>

#define FAULTS_EACH_SECOND 20

/* `line` or UINT32_MAX; `text` valid during the call. */
typedef void (*fault_fn)(void *context, uint32_t line, const char *text);

struct fault_limit {
    fault_fn tell;
    void *context;
    int64_t since_ms; /* start of the second that is counted */
    unsigned told;    /* in that second */
    unsigned left_out;
    uint64_t total;
};

/* A fault at `now_ms` (monotonic). */
void fault_tell(struct fault_limit *limit, int64_t now_ms, uint32_t line, const char *text);

/* Tell how many were left out when their second is over. Returns when to look again, INT64_MAX when nothing waits. */
int64_t fault_tick(struct fault_limit *limit, int64_t now_ms);

#endif
