/* SPDX-License-Identifier: GPL-2.0-or-later */
/* FS_* codes to outcomes. The documents contradict one another in places (return value TRUE with a code of failure,
 * FALSE with FS_COMPLETED): success needs both, and a contradiction is never taken for success.
 */
#include "server/fsphost/outcome.h"

#include "plugins/include/faxdev.h"

#include <stddef.h>

static const struct code {
    DWORD status;
    enum link_phase phase;
    enum link_outcome word;
} codes[] = {
    {FS_INITIALIZING, LINK_PHASE_INITIALIZING, LINK_OUTCOME_NONE},
    {FS_DIALING, LINK_PHASE_DIALING, LINK_OUTCOME_NONE},
    {FS_TRANSMITTING, LINK_PHASE_TRANSMITTING, LINK_OUTCOME_NONE},
    {FS_ANSWERED, LINK_PHASE_ANSWERED, LINK_OUTCOME_NONE},
    {FS_RECEIVING, LINK_PHASE_RECEIVING, LINK_OUTCOME_NONE},
    {FS_COMPLETED, LINK_PHASE_FINAL, LINK_OUTCOME_NONE},
    {FS_HANDLED, LINK_PHASE_FINAL, LINK_OUTCOME_NONE},
    {FS_LINE_UNAVAILABLE, LINK_PHASE_FINAL, LINK_OUTCOME_LINE_UNAVAILABLE},
    {FS_BUSY, LINK_PHASE_FINAL, LINK_OUTCOME_BUSY},
    {FS_NO_ANSWER, LINK_PHASE_FINAL, LINK_OUTCOME_NO_ANSWER},
    {FS_BAD_ADDRESS, LINK_PHASE_FINAL, LINK_OUTCOME_BAD_ADDRESS},
    {FS_NO_DIAL_TONE, LINK_PHASE_FINAL, LINK_OUTCOME_NO_DIAL_TONE},
    {FS_DISCONNECTED, LINK_PHASE_FINAL, LINK_OUTCOME_DISCONNECTED},
    {FS_FATAL_ERROR, LINK_PHASE_FINAL, LINK_OUTCOME_FATAL_ERROR},
    {FS_NOT_FAX_CALL, LINK_PHASE_FINAL, LINK_OUTCOME_NOT_FAX},
    {FS_CALL_DELAYED, LINK_PHASE_FINAL, LINK_OUTCOME_CALL_DELAYED},
    {FS_CALL_BLACKLISTED, LINK_PHASE_FINAL, LINK_OUTCOME_BLACKLISTED},
    {FS_USER_ABORT, LINK_PHASE_FINAL, LINK_OUTCOME_ABORTED},
};

static const struct code *code_find(DWORD status)
{
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (codes[i].status == status)
            return &codes[i];
    }
    return NULL;
}

enum link_phase outcome_phase(DWORD status)
{
    const struct code *code = code_find(status);
    return code ? code->phase : LINK_PHASE_NONE;
}

enum link_outcome outcome_word(DWORD status)
{
    const struct code *code = code_find(status);
    if (code)
        return code->word;
    return status ? LINK_OUTCOME_UNKNOWN : LINK_OUTCOME_NONE;
}

/* Says nothing about the end: 0, no report, or a code of a call that still runs. */
static bool is_silent(bool reported, DWORD status)
{
    const struct code *code = code_find(status);
    return !reported || status == 0 || (code && code->phase != LINK_PHASE_FINAL);
}

static struct outcome failed(enum link_outcome word)
{
    return (struct outcome){LINK_RESULT_FAILED, word};
}

/* FALSE: a silent FSP, and one that contradicts itself, had an error of its own. FS_HANDLED with FALSE is left alone:
 * what the provider took over may still go out, and must not go out twice. */
static struct outcome outcome_of_failure(bool reported, DWORD status)
{
    if (is_silent(reported, status) || status == FS_COMPLETED)
        return failed(LINK_OUTCOME_FATAL_ERROR);
    if (status == FS_HANDLED)
        return failed(LINK_OUTCOME_UNKNOWN);
    return failed(outcome_word(status));
}

struct outcome outcome_of_send(bool ok, bool reported, DWORD status)
{
    if (!ok)
        return outcome_of_failure(reported, status);
    if (is_silent(reported, status))
        return (struct outcome){LINK_RESULT_SENT_UNCONFIRMED, LINK_OUTCOME_NONE};
    if (status == FS_COMPLETED || status == FS_HANDLED)
        return (struct outcome){LINK_RESULT_SENT, LINK_OUTCOME_NONE};
    return failed(outcome_word(status));
}

/* TRUE is believed whatever the status says: the file is looked at before it counts as received. */
struct outcome outcome_of_receive(bool ok, bool reported, DWORD status)
{
    if (!ok)
        return outcome_of_failure(reported, status);
    return (struct outcome){LINK_RESULT_RECEIVED, LINK_OUTCOME_NONE};
}
