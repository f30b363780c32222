/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A histogram of turnarounds. */
#include "config.h"

#include "tests/lib/turnaround.h"

void turnaround_add(struct turnaround *turnaround, int64_t us)
{
    int64_t step = us / TURNAROUND_STEP_US;

    turnaround->count++;
    if (us > turnaround->max_us)
        turnaround->max_us = us;
    turnaround->steps[step < TURNAROUND_STEPS ? step : TURNAROUND_STEPS]++;
}

int64_t turnaround_p999_us(const struct turnaround *turnaround)
{
    int64_t above = turnaround->count / 1000; /* so many may be longer */
    int step;

    for (step = TURNAROUND_STEPS; step >= 0; step--) {
        above -= turnaround->steps[step];
        if (above < 0)
            break;
    }
    if (step < 0)
        return 0;
    if (step == TURNAROUND_STEPS || (step + 1) * INT64_C(100) > turnaround->max_us)
        return turnaround->max_us;
    return (step + 1) * INT64_C(100);
}
