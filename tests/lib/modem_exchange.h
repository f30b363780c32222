/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The telephone exchange of the modem bench: parties with numbers, and their calls. A party is a modem, a fax machine
 * on a stream socket, or a number that behaves in some way and has nobody.
 *
 * Time goes on by modem_exchange_tick, 20 ms each.
 *
 * Errors: ERR_NOT_FOUND when nobody has the number, ERR_INVALID when it is none or a value is out of its range,
 * ERR_CONFLICT when the number is taken, or the party is not in the state for it. Messages name the number.
 *
 * Thread: one (the bench, under its lock).
 */
#ifndef FAXD_TESTS_MODEM_EXCHANGE_H
#define FAXD_TESTS_MODEM_EXCHANGE_H

#include <poll.h>
#include <stdint.h>

#include "tests/lib/modem.h"

#define MODEM_PARTIES_MAX     64
#define MODEM_EXCHANGE_POLLED (MODEM_POLLED * MODEM_PARTIES_MAX)

struct modem_exchange;

/* Something happened: "dialled", "ringing", "answered", "hung_up", "gave_up" (a call that nobody is behind),
 * "line_cut". `other` is NULL where there is none. */
typedef void modem_exchange_event(void *user, const char *event, const char *number, const char *other);

struct modem_exchange_counts {
    struct modem_counts modems;
    int calls;     /* that somebody dialled */
    int connected; /* that stood */
    int late_chunks;
};

/* `event` may be NULL. The caller frees with modem_exchange_free. */
struct modem_exchange *modem_exchange_new(int delay_ms, double noise_dbm0, unsigned seed, modem_exchange_event *event,
                                          void *user);
void modem_exchange_free(struct modem_exchange *exchange);

int modem_exchange_add_modem(struct modem_exchange *exchange, const char *number, const char *link);
int modem_exchange_add_stream(struct modem_exchange *exchange, const char *number, int fd, int answer_ms);
int modem_exchange_add_behaviour(struct modem_exchange *exchange, const char *number, const char *behaviour);

/* The stream machine `from` calls. */
int modem_exchange_call(struct modem_exchange *exchange, const char *from, const char *to);

/* A call from outside that nobody is behind. */
int modem_exchange_ring(struct modem_exchange *exchange, const char *number, const struct modem_ring *ring);

/* Lines. The times of the first two count from when the present or else the next call of `number` stands. */
int modem_exchange_drop(struct modem_exchange *exchange, const char *number, int64_t after_ms);
int modem_exchange_interrupt(struct modem_exchange *exchange, const char *number, int64_t after_ms, int64_t for_ms);
int modem_exchange_set_level(struct modem_exchange *exchange, const char *number, double level_db);
void modem_exchange_set_delay(struct modem_exchange *exchange, int delay_ms);
void modem_exchange_set_noise(struct modem_exchange *exchange, double noise_dbm0);

/* The modem with that number, borrowed. */
int modem_exchange_modem(struct modem **modem, struct modem_exchange *exchange, const char *number);

/* Descriptors that tell what hosts do; room for MODEM_EXCHANGE_POLLED. How many. */
int modem_exchange_poll(const struct modem_exchange *exchange, struct pollfd *polled);

/* Take what hosts wrote. */
void modem_exchange_serve(struct modem_exchange *exchange);

/* 20 ms. */
void modem_exchange_tick(struct modem_exchange *exchange);

/* Borrowed. */
const struct modem_exchange_counts *modem_exchange_counts(const struct modem_exchange *exchange);

#endif
