/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A telephone exchange for the lines of one provider: they have numbers and call one another. It knows who is engaged,
 * rings, waits, connects; it knows nothing of faxes or of the plug-in interface.
 *
 * A line is taken with exchange_take, then either dials or answers, and is released. What the caller hears:
 *   a number that nobody has                          EXCHANGE_UNKNOWN
 *   a line that is taken or rung already, or its own  EXCHANGE_BUSY
 *   a line that must not receive                      rings unheard: EXCHANGE_NO_ANSWER after ring_timeout_ms
 *   a line that may receive                           rings, until it answers (EXCHANGE_CONNECTED), declines
 *                                                     (EXCHANGE_DECLINED), or the time is up (EXCHANGE_NO_ANSWER)
 * A line that dials while it rings is on its way out: who called it hears EXCHANGE_BUSY. Two lines that dial each other
 * both hear it, as on a real exchange.
 *
 * Thread: any; one lock. exchange_dial and exchange_answer belong to the line's own thread, and exchange_dial blocks.
 */
#ifndef FAXD_PLUGINS_SOFTMODEM_EXCHANGE_H
#define FAXD_PLUGINS_SOFTMODEM_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

struct exchange;

enum exchange_result {
    EXCHANGE_CONNECTED,
    EXCHANGE_UNKNOWN,
    EXCHANGE_BUSY,
    EXCHANGE_NO_ANSWER,
    EXCHANGE_DECLINED,
    EXCHANGE_GONE,      /* answering: the caller has hung up */
    EXCHANGE_CANCELLED, /* exchange_cancel came */
    EXCHANGE_FAILED     /* no socket for the call */
};

struct exchange_options {
    int64_t dial_ms;         /* between dialling and the first ring */
    int64_t ring_timeout_ms; /* how long a caller waits */
    bool decline;            /* a rejected call is declined; else it goes on ringing */
    /* Tell the owner of `line` that it is called. From the caller's thread, no lock held; repeated at a fifth of
     * ring_timeout_ms until the call is answered or given up. */
    void (*ring)(void *context, int line);
    void *context;
};

/* `count` lines without numbers, disabled. Free with exchange_free when no line is taken. */
struct exchange *exchange_new(int count, const struct exchange_options *options);
void exchange_free(struct exchange *exchange);

/* Before the first call: give `line` a number. 0, or ERR_INVALID when it is none, ERR_CONFLICT when it is taken. */
int exchange_set_number(struct exchange *exchange, int line, const char *number);

/* Before the first call: a number, with a line or without one, at which every caller hears `result` (EXCHANGE_BUSY,
 * EXCHANGE_NO_ANSWER after ring_timeout_ms, EXCHANGE_DECLINED). Errors as above. */
int exchange_set_behaviour(struct exchange *exchange, const char *number, enum exchange_result result);

/* May the line be rung? */
void exchange_enable(struct exchange *exchange, int line, bool receive);

/* Begin: the line is engaged from now on. False when it is taken already. */
bool exchange_take(struct exchange *exchange, int line);

/* End: on-hook. A call that rang when the line was taken, and was neither answered nor dialled over, is declined when
 * the line was cancelled (see exchange_options), else it goes on ringing. */
void exchange_release(struct exchange *exchange, int line);

/* Dial `number` (as typed; a leading T or P for tone or pulse is skipped) from a taken line, and wait. When connected,
 * `*media` is this side's end of a stream socket, the caller's to close. */
enum exchange_result exchange_dial(struct exchange *exchange, int line, const char *number, int *media);

/* Answer on a taken line: EXCHANGE_CONNECTED and `*media`, EXCHANGE_GONE, EXCHANGE_CANCELLED, EXCHANGE_FAILED. */
enum exchange_result exchange_answer(struct exchange *exchange, int line, int *media);

/* Wake the line's exchange_dial; exchange_dial and exchange_answer fail until the release. Returns at once. */
void exchange_cancel(struct exchange *exchange, int line);

/* Number of a line, "" when it has none. Borrowed. */
const char *exchange_number(const struct exchange *exchange, int line);

/* The number of the line that rings `line`, "" when it does not ring. Borrowed. */
const char *exchange_caller(struct exchange *exchange, int line);

#endif
