/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a failed call's codes mean for a fax: one table for the causes of Q.850, one for SIP's status codes, after RFC
 * 3398 section 8.2.6. Last step of a call that nobody answered; the outcome decides over the next try.
 */
#include "config.h"

#include "plugins/sip/cause.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#define REASON_MOST 1024 /* octets of a Reason header that are looked at */
#define CAUSE_MOST  127

struct meaning {
    int low, high; /* codes, both included */
    const char *outcome;
    bool next_trunk;
};

/* Causes that say nothing of their own (16 normal clearing, 31 normal unspecified, 127 interworking) are not here: the
 * status decides then. */
static const struct meaning causes[] = {
    {1, 1, "bad_address", false},     /* unallocated number */
    {2, 2, "congestion", true},       /* no route to transit network: of this trunk, not of the number */
    {3, 3, "bad_address", true},      /* no route to destination: the same, but may well be the number */
    {4, 5, "bad_address", false},     /* special information tone, misdialled prefix */
    {6, 6, "congestion", true},       /* channel unacceptable */
    {8, 9, "congestion", true},       /* preemption */
    {17, 17, "busy", false},          /* user busy */
    {18, 20, "no_answer", false},     /* no user responding, no answer, subscriber absent */
    {21, 21, "call_rejected", false}, /* call rejected */
    {22, 23, "bad_address", false},   /* number changed, redirection to new destination */
    {24, 24, "call_rejected", false}, /* rejected by a feature at the destination */
    {25, 25, "congestion", true},     /* exchange routing error */
    {26, 27, "no_answer", false},     /* non-selected user clearing, destination out of order: may come back */
    {28, 28, "bad_address", false},   /* invalid number format */
    {29, 29, "call_rejected", true},  /* facility rejected */
    {34, 34, "congestion", true},     /* no circuit available */
    {38, 39, "congestion", true},     /* network out of order, permanent connection out of service */
    {41, 44, "congestion", true},     /* temporary failure, equipment congestion, ..., circuit not available */
    {46, 47, "congestion", true},     /* precedence call blocked, resource unavailable */
    {49, 49, "congestion", true},     /* quality of service not available */
    {50, 54, "call_rejected", true},  /* not subscribed, barred: what this trunk may not do */
    {55, 55, "call_rejected", false}, /* incoming calls barred within the destination's group */
    {57, 57, "call_rejected", true},  /* bearer capability not authorized */
    {58, 58, "congestion", true},     /* bearer capability not presently available */
    {62, 70, "call_rejected", true},  /* service or bearer not available, not implemented */
    {79, 79, "call_rejected", true},  /* service or option not implemented */
    {81, 86, "congestion", true},     /* invalid messages between exchanges */
    {87, 88, "call_rejected", false}, /* not a member of the group, incompatible destination */
    {90, 103, "congestion", true},    /* signalling faults; 102 recovery on timer expiry */
    {110, 111, "congestion", true},   /* protocol error */
};

/* What is refused by the trunk's own doing comes under the next of these that fits. A wrong password or an empty
 * account is no fault of the fax: "line_unavailable" keeps it for a line that works. */
static const struct meaning statuses[] = {
    {300, 399, "call_rejected", false},          /* a redirection that was not followed */
    {401, 402, "line_unavailable", true},        /* credentials, payment */
    {403, 403, "call_rejected", true},           /* the trunk's way to say no */
    {404, 404, "bad_address", false},            /* not found */
    {405, 406, "call_rejected", true},           /* method, not acceptable */
    {407, 407, "line_unavailable", true},        /* credentials */
    {408, 408, "no_answer", false},              /* timeout; the caller knows whether anything was heard */
    {410, 410, "bad_address", false},            /* gone */
    {429, 429, "call_rejected", true},           /* provide referrer identity */
    {433, 433, "call_rejected", false},          /* the destination wants no anonymous calls */
    {480, 480, "no_answer", false},              /* temporarily unavailable */
    {481, 483, "congestion", true},              /* no such transaction, loop, too many hops: routes of this network */
    {484, 485, "bad_address", false},            /* incomplete, ambiguous */
    {486, 486, "busy", false},                   /* busy here */
    {487, 487, "no_answer", false},              /* ended by our CANCEL */
    {488, 488, "t38_negotiation_failed", false}, /* not acceptable here: G.711 on the same trunk is the next try */
    {491, 491, "congestion", false},             /* request pending */
    {400, 499, "call_rejected", true},           /* what this trunk does not understand another one may */
    {555, 555, "no_answer", false},              /* the destination's own push service failed */
    {500, 599, "congestion", true},   /* 501 too: a server that cannot carry calls is no word about the number */
    {600, 600, "busy", false},        /* busy everywhere */
    {604, 604, "bad_address", false}, /* exists nowhere */
    {606, 606, "t38_negotiation_failed", false}, /* not acceptable anywhere */
    {601, 699, "call_rejected", false},          /* 603 decline, 607 unwanted, 608 rejected on the way */
};

static const struct meaning nothing_heard = {0, 199, "line_unavailable", false};
static const struct meaning not_a_failure = {200, 299, "internal", false};

static const struct meaning *find(const struct meaning *table, size_t count, int code)
{
    for (size_t i = 0; i < count; i++) {
        if (code >= table[i].low && code <= table[i].high)
            return &table[i];
    }
    return NULL;
}

static const struct meaning *meaning_of(int sip_status, int q850)
{
    const struct meaning *meaning = find(causes, sizeof(causes) / sizeof(causes[0]), q850);

    if (!meaning)
        meaning = find(statuses, sizeof(statuses) / sizeof(statuses[0]), sip_status);
    if (!meaning)
        meaning = sip_status < 200 ? &nothing_heard : &not_a_failure;
    return meaning;
}

const char *cause_outcome(int sip_status, int q850)
{
    return meaning_of(sip_status, q850)->outcome;
}

bool cause_try_next_trunk(int sip_status, int q850)
{
    return meaning_of(sip_status, q850)->next_trunk;
}

/* ---- Reason ---- */

/* The end of a piece that `separator` ends, or the comma after the whole value; quoted text is passed over. */
static const char *piece_end(const char *at, const char *end, char separator)
{
    bool quoted = false;

    for (; at < end; at++) {
        if (quoted && *at == '\\' && at + 1 < end)
            at++;
        else if (*at == '"')
            quoted = !quoted;
        else if (!quoted && (*at == separator || *at == ','))
            break;
    }
    return at;
}

static const char *space_skip(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\r' || *at == '\n'))
        at++;
    return at;
}

/* Past `word`, in any case, and the spaces around it; NULL when something else stands there. */
static const char *word_skip(const char *at, const char *end, const char *word)
{
    size_t length = strlen(word);

    at = space_skip(at, end);
    if ((size_t)(end - at) < length || strncasecmp(at, word, length) != 0)
        return NULL;
    return space_skip(at + length, end);
}

/* The number of "cause=16", else 0. */
static int cause_of(const char *at, const char *end)
{
    int cause = 0;

    at = word_skip(at, end, "cause");
    at = at ? word_skip(at, end, "=") : NULL;
    if (!at)
        return 0;
    for (; at < end && *at >= '0' && *at <= '9' && cause <= CAUSE_MOST; at++)
        cause = cause * 10 + (*at - '0');
    return space_skip(at, end) == end && cause <= CAUSE_MOST ? cause : 0;
}

static bool is_q850(const char *at, const char *end)
{
    at = word_skip(at, end, "Q.850");
    return at == end;
}

/* One value: protocol and parameters up to its comma. */
static int value_parse(const char *at, const char *end)
{
    const char *piece = piece_end(at, end, ';');
    int cause = 0;

    if (!is_q850(at, piece))
        return 0;
    while (piece < end && *piece == ';' && cause == 0) {
        at = piece + 1;
        piece = piece_end(at, end, ';');
        cause = cause_of(at, piece);
    }
    return cause;
}

int cause_parse_reason(const char *text)
{
    int cause = 0;

    if (!text)
        return 0;
    const char *end = text + strnlen(text, REASON_MOST);
    while (text < end && cause == 0) {
        const char *value = piece_end(text, end, ',');

        cause = value_parse(text, value);
        text = value < end ? value + 1 : end;
    }
    return cause;
}
