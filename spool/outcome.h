/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a call or a fax ended: the words of the API (reference table: README of the API, "outcomes"), their classes and
 * the facts that the retry rule needs. Data only; the rule itself is spool/retry.
 *
 * Values are stored in rows: never renumber (a static assert in outcome.c pins them).
 *
 * Thread: any.
 */
#ifndef FAXD_SPOOL_OUTCOME_H
#define FAXD_SPOOL_OUTCOME_H

#include <stdbool.h>

enum fax_outcome {
    OUTCOME_NONE = 0,
    OUTCOME_SUCCESS = 1,
    OUTCOME_LINE_UNAVAILABLE = 2,
    OUTCOME_NO_DIAL_TONE = 3,
    OUTCOME_BUSY = 4,
    OUTCOME_CONGESTION = 5,
    OUTCOME_NO_ANSWER = 6,
    OUTCOME_BAD_ADDRESS = 7,
    OUTCOME_CALL_REJECTED = 8,
    OUTCOME_BLACKLISTED = 9,
    OUTCOME_CALL_DELAYED = 10,
    OUTCOME_NOT_FAX = 11,
    OUTCOME_DISCONNECTED = 12,
    OUTCOME_T38_NEGOTIATION_FAILED = 13,
    OUTCOME_TRAINING_FAILED = 14,
    OUTCOME_CAPABILITY_MISMATCH = 15,
    OUTCOME_REMOTE_AUTH_REQUIRED = 16,
    OUTCOME_PAGE_TRANSFER_FAILED = 17,
    OUTCOME_CARRIER_LOST = 18,
    OUTCOME_CONFIRMATION_LOST = 19,
    OUTCOME_PROTOCOL_ERROR = 20,
    OUTCOME_MEDIA_TIMEOUT = 21,
    OUTCOME_ABORTED = 22,
    OUTCOME_EXPIRED = 23,
    OUTCOME_DOCUMENT_UNSUPPORTED = 24,
    OUTCOME_CONVERSION_FAILED = 25,
    OUTCOME_TOO_MANY_PAGES = 26,
    OUTCOME_MEDIA_FETCH_FAILED = 27,
    OUTCOME_STORAGE_FULL = 28,
    OUTCOME_INTERNAL = 29,
    OUTCOME_RECEIVE_INCOMPLETE = 30,
    OUTCOME_REJECTED_BY_RULE = 31,
    OUTCOME_SENDER_NOT_FAX = 32,
    OUTCOME_UNKNOWN = 33, /* a provider-defined status: no automatic resend */
    OUTCOME_COUNT
};

struct outcome_info {
    const char *code;       /* "busy" */
    const char *class_name; /* "line" | "call" | "protocol" | "document" | "server" | "user" */
    const char *phase;      /* T.30 phase "A".."D", or "" */
    const char *hylafax;    /* nearest HylaFAX code, or "" */
    const char *message;    /* one sentence for a person */
    const char *hint;       /* what to do about it, one sentence, or "" */
    bool retryable;         /* a later call may do better */
    bool counts;            /* the attempt counts against max_attempts */
};

/* Never NULL; an out-of-range value gives that of OUTCOME_INTERNAL. */
const struct outcome_info *outcome_info(enum fax_outcome outcome);

/* Word to value; OUTCOME_NONE for NULL and unknown words. */
enum fax_outcome outcome_from_code(const char *code);

#endif
