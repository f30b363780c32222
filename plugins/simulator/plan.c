/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plans of simulated calls, from settings or from the digits dialled. Chosen by numbers.c, carried out by play.c.
 */
#include "plugins/simulator/plan.h"

#include "server/base/err.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* The position is the number that *3*n dials; README shows it. New words go to the end. */
const char *const plan_results[] = {"success",
                                    "busy",
                                    "congestion",
                                    "no_answer",
                                    "bad_address",
                                    "call_rejected",
                                    "blacklisted",
                                    "call_delayed",
                                    "line_unavailable",
                                    "no_dial_tone",
                                    "not_fax",
                                    "disconnected",
                                    "media_timeout",
                                    "t38_negotiation_failed",
                                    "training_failed",
                                    "capability_mismatch",
                                    "remote_auth_required",
                                    "page_transfer_failed",
                                    "carrier_lost",
                                    "confirmation_lost",
                                    "protocol_error",
                                    "storage_full",
                                    "internal",
                                    "conversion_failed",
                                    NULL};

#define FIRST_CONNECTED 10 /* "not_fax": from here on somebody has answered */
#define RESULT_COUNT    ((int)(sizeof(plan_results) / sizeof(plan_results[0])) - 1)

const char *const plan_hangs[] = {"no", "abort", "deaf", NULL};

static const struct settings_key keys[] = {PLAN_KEYS(0)};

void plan_init(struct plan *plan)
{
    memset(plan, 0, sizeof(*plan));
    plan->crash = -1;
}

int plan_result(const char *word)
{
    for (int i = 0; i < RESULT_COUNT; i++) {
        if (!strcmp(plan_results[i], word))
            return i;
    }
    assert(!"no such result");
    return 0;
}

bool plan_connects(const struct plan *plan)
{
    return plan->result == 0 || plan->result >= FIRST_CONNECTED;
}

int plan_read(struct plan *plan, const json_t *object, const char *where)
{
    return settings_read(plan, object, where, keys, (int)(sizeof(keys) / sizeof(keys[0])));
}

/* One step of a dialled script: code c with the number n, or -1 when it has none. */
static bool dial_step(struct plan *plan, char code, int n)
{
    switch (code) {
    case '1':
        plan->answer_ms = n;
        return n >= 0;
    case '2':
        plan->page_ms = n;
        return n >= 0;
    case '3':
        plan->result = n;
        return n >= 0 && n < RESULT_COUNT;
    case '4':
        plan->pages = n;
        return n >= 0;
    case '5':
    case '6':
        plan->hang = code == '5' ? PLAN_HANG_ABORT : PLAN_HANG_DEAF;
        plan->hang_ms = n < 0 ? 0 : n;
        return true;
    case '7':
        plan->crash = n;
        return n >= 0;
    case '8':
        plan->packets = n;
        return n >= 0;
    case '9':
        plan->malformed = true;
        return n < 0;
    }
    return false;
}

int plan_dial(struct plan *plan, const char *number)
{
    const char *at = number;

    while (*at == '*') {
        char code = at[1], *end = NULL;
        long n = -1;

        at += code ? 2 : 1;
        if (*at == '*' && at[1] >= '0' && at[1] <= '9') {
            n = strtol(at + 1, &end, 10);
            at = end;
        }
        if (n > PLAN_MS_MAX || !dial_step(plan, code, (int)n))
            break;
        if (!*at)
            return 0;
        if (*at != '#')
            break;
        at++;
    }
    return err_set(ERR_INVALID, "%.64s is no script", number);
}
