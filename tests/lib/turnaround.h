/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long hosts take from one fax command's final result to the next fax command: a histogram in tenths of a
 * millisecond up to a second.
 *
 * Thread: one (the bench, under its lock).
 */
#ifndef FAXD_TESTS_TURNAROUND_H
#define FAXD_TESTS_TURNAROUND_H

#include <stdint.h>

#define TURNAROUND_STEP_US 100
#define TURNAROUND_STEPS   10000

struct turnaround {
    int64_t count, max_us;
    uint32_t steps[TURNAROUND_STEPS + 1]; /* the last one: all that is longer */
};

void turnaround_add(struct turnaround *turnaround, int64_t us);

/* The time that 999 of 1000 do not exceed, to a step; the longest when it is over a second. 0 without any. */
int64_t turnaround_p999_us(const struct turnaround *turnaround);

#endif
