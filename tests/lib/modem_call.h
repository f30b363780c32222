/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A call of the modem bench's telephone exchange: dialled, refused with a tone or rung, standing, and there until the
 * last of its ends has gone. An end that hangs up leaves the other with silence, as a line does.
 *
 * Used by the exchange's own files. Thread: one (the bench, under its lock).
 */
#ifndef FAXD_TESTS_MODEM_CALL_H
#define FAXD_TESTS_MODEM_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/lib/modem_line.h"
#include "tests/lib/modem_party.h"

#define MODEM_CALLS_MAX MODEM_PARTIES_MAX /* each has an end, and each party one call at most */

enum modem_call_state {
    CALL_FREE,
    CALL_DIALLED,
    CALL_TONE, /* the caller hears why not */
    CALL_RINGING,
    CALL_STANDS,
    CALL_CUT
};

struct modem_call {
    struct modem_exchange *exchange;
    enum modem_call_state state;
    struct modem_party *ends[2]; /* the caller, the called; NULL = has gone, or there is nobody */
    struct modem_line *lines[2]; /* to that end; NULL before it stands */
    char to[MODEM_NUMBER_SIZE];
    int64_t state_ms; /* in this state */
    bool left;        /* one end has gone, ... */
    int64_t alone_ms; /* ... so long ago */
    int64_t tone_ms;
    enum modem_result refusal;
    bool voice; /* what nobody says there */
    struct modem_ring ring;
    int rings;
};

/* `from` dials `to`, a number or what looks like one. */
void modem_call_dial(struct modem_party *from, const char *to);

/* A call from outside to `to`, which is not engaged; nobody is behind it. */
void modem_call_ring(struct modem_party *to, const struct modem_ring *ring);

/* Whoever rings has gone off hook. */
void modem_call_stand(struct modem_call *call);

/* A party leaves its call, if it has one; a stream machine is removed with it. The call may be free afterwards. */
void modem_call_hang_up(struct modem_party *party);

/* Of a call that stands: what `side` asked to be interrupted is told to its line. */
void modem_call_interrupt(struct modem_call *call, int side);

/* 20 ms. */
void modem_call_tick(struct modem_call *call);

/* Its ends are without a call then. */
void modem_call_free(struct modem_call *call);

#endif
