/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A count of each second's faults. */
#include "server/fsphost/fault.h"

#include <stdio.h>

#define SECOND_MS 1000

void fault_tell(struct fault_limit *limit, int64_t now_ms, uint32_t line, const char *text)
{
    fault_tick(limit, now_ms);
    if (now_ms - limit->since_ms >= SECOND_MS || limit->told == 0) {
        limit->since_ms = now_ms;
        limit->told = 0;
    }
    limit->total++;
    if (limit->told == FAULTS_EACH_SECOND) {
        limit->left_out++;
        return;
    }
    limit->told++;
    limit->tell(limit->context, line, text);
}

int64_t fault_tick(struct fault_limit *limit, int64_t now_ms)
{
    char text[64];
    if (!limit->left_out)
        return INT64_MAX;
    if (now_ms - limit->since_ms < SECOND_MS)
        return limit->since_ms + SECOND_MS;
    snprintf(text, sizeof(text), "%u more faults within a second", limit->left_out);
    limit->left_out = 0;
    limit->told = 0;
    limit->tell(limit->context, UINT32_MAX, text);
    return INT64_MAX;
}
