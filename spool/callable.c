/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules first: what they say stands whatever calls have shown. */
#include "spool/callable.h"

#include "server/base/err.h"
#include "spool/block.h"
#include "spool/destination.h"

#include <stdio.h>

int callable_ask(struct callable_answer *answer, struct spool *spool, const char *number)
{
    const struct block_rule *rule = block_denies(spool, FAX_OUTBOUND, number);
    struct destination destination;
    char why[CALLABLE_WHY_SIZE - 100];

    *answer = (struct callable_answer){.callable = CALLABLE_YES};
    if (rule) {
        answer->callable = CALLABLE_DENIED;
        answer->rule = rule->id;
        snprintf(answer->why, sizeof(answer->why), "%s may not be called: %s", number,
                 block_describe(why, sizeof(why), rule));
        return 0;
    }
    int error = destination_get(&destination, spool, number);
    if (error)
        return error == ERR_NOT_FOUND ? 0 : error;
    if (destination.suspended_at) {
        answer->callable = CALLABLE_SUSPENDED;
        snprintf(answer->why, sizeof(answer->why), "%s is suspended: %s", number, destination.suspended_reason);
    }
    return 0;
}
