/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One modem of the bench: a serial device, a command interpreter, the signals of T.31, and faults.
 *
 * It is on hook, off hook, or vanished. What it wants of the telephone line it tells by its handlers; what comes of it,
 * the exchange tells it.
 *
 * Thread: one (the bench, under its lock).
 */
#ifndef FAXD_TESTS_MODEM_H
#define FAXD_TESTS_MODEM_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "tests/lib/modem_caller.h"
#include "tests/lib/modem_fax.h"
#include "tests/lib/modem_make.h"
#include "tests/lib/turnaround.h"

struct modem;

struct modem_handlers {
    void (*dial)(void *user, const char *number); /* answered later by modem_connect or modem_refuse */
    bool (*answer)(void *user);                   /* off hook: true when that answers a call */
    void (*hang_up)(void *user);                  /* on hook, whatever was under way */
    void *user;
};

/* Kept by the bench, for all modems. */
struct modem_counts {
    struct turnaround turnaround;
    int underruns;
    int64_t lost_octets;
};

/* A modem of the make "spandsp" with its device at `link`. `handlers` is copied, `counts` is borrowed and outlives the
 * modem, `seed` is of its garbage. 0 or an err code. The caller frees with modem_close. */
int modem_open(struct modem **out, const char *link, const struct modem_handlers *handlers, struct modem_counts *counts,
               unsigned seed);

/* NULL is fine. No handler is called. */
void modem_close(struct modem *modem);

/* ---- the serial side ---- */

/* Descriptors to poll for what the host does now. How many. */
#define MODEM_POLLED 2
int modem_poll(const struct modem *modem, struct pollfd polled[MODEM_POLLED]);

/* Take what the host wrote and say what is due. To be called when a descriptor has something and with each tick. */
void modem_serve(struct modem *modem);

/* ---- the line ---- */

bool modem_is_off_hook(const struct modem *modem);

/* One ring, and what came between the first and the second one. */
void modem_ring(struct modem *modem, const struct modem_ring *ring, int nth);
void modem_tell_caller(struct modem *modem, const struct modem_ring *ring);

/* It dialled: the call stands; or it does not, and why: MODEM_BUSY (on ATX0 to X2 nothing is said until S7 is over),
 * MODEM_NO_DIALTONE, MODEM_NO_ANSWER or MODEM_NO_CARRIER. */
void modem_connect(struct modem *modem);
void modem_refuse(struct modem *modem, enum modem_result result);

/* 20 ms off hook: what it says, then what it hears. Each once for each tick, also without a call. */
void modem_say(struct modem *modem, int16_t *samples, int count);
void modem_hear(struct modem *modem, int16_t *samples, int count);

/* ---- faults ---- */

void modem_set_make(struct modem *modem, const struct modem_make *make);

/* `count` octets of line noise towards the host, now. */
void modem_fault_garbage(struct modem *modem, int count);

/* Each to be set any time; 0 and false end it. */
struct modem_faults {
    bool echo, hang, no_dialtone, no_carrier_early, ok_before_connect;
    int lose_connect, lose_ok, fcerror; /* how many of the next */
    int slow_ms;
};

/* The modem's own, to be changed in place. */
struct modem_faults *modem_faults(struct modem *modem);

/* The host is stopped for `ms`: its octets are not read, and with `xoff` it is told so. */
void modem_fault_stop(struct modem *modem, int ms, bool xoff);

/* The device goes, and comes back: switched on anew, under the same link. ERR_CONFLICT when it is not there, or is. */
int modem_fault_vanish(struct modem *modem);
int modem_fault_return(struct modem *modem);

#endif
