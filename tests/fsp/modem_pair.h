/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Test help: a call of the real engine with a modem of the bench at one end or at both, from the dialling to the
 * records. Runs in threads of tests: what must not be ends the program by assert(). */
#ifndef FAXD_TESTS_FSP_MODEM_PAIR_H
#define FAXD_TESTS_FSP_MODEM_PAIR_H

#include <stdbool.h>

#include "tests/fsp/call_pair.h"
#include "tests/lib/modem_bench.h"

/* Who is at the two ends of a call. */
enum modem_pair_ends { MODEM_TO_MODEM, MODEM_TO_STREAM, STREAM_TO_MODEM };

struct modem_pair {
    struct pair pair; /* of pair_init; change its jobs before modem_pair_run */
    struct modem_bench *bench;
    struct engine *engine;
    enum modem_pair_ends ends;
    char numbers[2][16]; /* of the sender and the receiver */
    char links[2][160];  /* of those that are modems, which the bench has */
    bool realtime;       /* in the jobs */
};

/* Call, and follow it to its end: records and journals are there then, and the modems are on hook. `connected` is
 * called when both engines have their modems; NULL is fine. */
void modem_pair_run(struct modem_pair *modems, void (*connected)(void *context), void *context);

/* Say to a modem; read what it says until a line begins with `wanted`, and nothing behind that. */
void modem_pair_say(int fd, const char *text);
void modem_pair_await(int fd, const char *wanted);

/* A modem's device, raw, in class 1. The caller closes. */
int modem_pair_open(const char *link);

/* The job of `end` is one on the modem `fd`, which goes to the engine and is closed by the start. */
void modem_pair_use(struct modem_pair *modems, enum pair_side side, int fd);

/* Start the engine of one side. */
void modem_pair_start(struct modem_pair *modems, enum pair_side side);

/* Follow one side to its end, read its journal. */
void modem_pair_follow(struct modem_pair *modems, enum pair_side side);

/* Pages from the first on that the receiver has as they were sent; those of ECM only, or of a good line. */
int modem_pair_right_pages(const struct pair *pair);

#endif
