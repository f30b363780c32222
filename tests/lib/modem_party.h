/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parties of the modem bench's telephone exchange, and what all of the exchange shares. A party is a modem, a fax
 * machine on a stream socket, or a number that behaves in some way and has nobody.
 *
 * Used by the exchange's own files; others use modem_exchange.h. Thread: one (the bench, under its lock).
 */
#ifndef FAXD_TESTS_MODEM_PARTY_H
#define FAXD_TESTS_MODEM_PARTY_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/lib/modem.h"
#include "tests/lib/modem_exchange.h"
#include "tests/lib/modem_stream.h"

enum modem_party_kind { PARTY_MODEM, PARTY_STREAM, PARTY_BEHAVIOUR };

enum modem_behaviour {
    BEHAVIOUR_BUSY,
    BEHAVIOUR_NO_ANSWER,
    BEHAVIOUR_REORDER,
    BEHAVIOUR_NOBODY,
    BEHAVIOUR_VOICE,
    BEHAVIOUR_SILENT
};

struct modem_call;
struct modem_exchange;

struct modem_party {
    struct modem_exchange *exchange;
    char number[MODEM_NUMBER_SIZE];
    enum modem_party_kind kind;
    struct modem *modem;
    struct modem_stream *stream;
    int answer_ms;
    enum modem_behaviour behaviour;
    struct modem_call *call;            /* NULL = none */
    int64_t drop_after_ms;              /* -1 = not */
    int64_t hole_after_ms, hole_for_ms; /* -1 = none */
    double level_db;
};

struct modem_exchange {
    int delay_ms;
    double noise_dbm0;
    unsigned seed, line_count;
    modem_exchange_event *event;
    void *user;
    struct modem_party *parties[MODEM_PARTIES_MAX]; /* NULL = free */
    struct modem_call *calls;                       /* MODEM_CALLS_MAX of them */
    struct modem_exchange_counts counts;
    uint32_t random;
};

/* An event of the exchange. */
void modem_party_tell(struct modem_exchange *exchange, const char *event, const char *number, const char *other);

/* Borrowed; NULL when nobody has the number. */
struct modem_party *modem_party_find(const struct modem_exchange *exchange, const char *number);

/* 0; ERR_INVALID when it is no number. */
int modem_party_check_number(const char *number);

/* A party without anything yet, borrowed; also ERR_CONFLICT and ERR_FULL. */
int modem_party_add(struct modem_party **party, struct modem_exchange *exchange, const char *number,
                    enum modem_party_kind kind);

/* It has no call any more. Closes what it has. */
void modem_party_remove(struct modem_party *party);

/* In a call, or off hook without one. */
bool modem_party_is_engaged(const struct modem_party *party);

#endif
