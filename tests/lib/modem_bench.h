/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A bench of fax modems without hardware: pseudo-terminals that behave as ITU-T T.31 Class 1 modems, with telephone
 * numbers, joined by a small exchange, in real time. For tests, and for trying faxd; `modem_bench` is the program.
 *
 * A thread of the bench ticks every 20 ms of real time. On a machine that is too busy for it, time on its lines goes
 * more slowly, for both ends alike. Numbers are made of digits, + * and #.
 *
 * Errors: 0 or a code of server/base/err.h, with a message.
 * Thread: any; one lock. The handler of events is called with it held and must not call the bench.
 */
#ifndef FAXD_TESTS_MODEM_BENCH_H
#define FAXD_TESTS_MODEM_BENCH_H

#include <stdbool.h>
#include <stdint.h>

struct modem_bench;

struct modem_bench_options {
    int delay_ms;      /* each way, 0 to 2000 */
    double noise_dbm0; /* -90 to -3, NAN = none; what both ends hear */
    unsigned seed;     /* of all that is random */
    bool realtime; /* ask for SCHED_FIFO for the ticking thread; without the right to it: a line in the log, and on */
    /* Takes a line of JSON for each thing that happens, as the program prints them; valid during the call. May be
     * NULL. */
    void (*event)(void *user, const char *line);
    void *user;
};

/* Starts the thread. 0 or an err code. The caller frees with modem_bench_close. */
int modem_bench_open(struct modem_bench **out, const struct modem_bench_options *options);

/* Ends the thread, closes devices and streams and removes the links. NULL is fine. */
void modem_bench_close(struct modem_bench *bench);

/* A modem with a number; `link` becomes a symbolic link to its serial device. */
int modem_bench_add_modem(struct modem_bench *bench, const char *number, const char *link);

/* A fax machine that is the far end of a stream socket of faxd's engine ("media":"stream" in plugins/common/engine.h,
 * chunk_ms 20, pace 0). `fd` is taken over, always. Nothing is read or written before it is in a call. Called: it
 * answers after `answer_ms`. The end of its call closes it and frees the number. */
int modem_bench_add_stream(struct modem_bench *bench, const char *number, int fd, int answer_ms);

/* The stream machine `from` calls `to`: rings it; the call stands when it answers. */
int modem_bench_call(struct modem_bench *bench, const char *from, const char *to);

/* A number that behaves so instead of ringing: "busy", "no_answer" (rings for ever), "reorder" (congestion), "nobody"
 * (special information tones, then NO CARRIER), "voice" (answers with something like speech, no fax), "silent"
 * (answers, says nothing). A number that is not on the bench behaves as "nobody". */
int modem_bench_number(struct modem_bench *bench, const char *number, const char *behaviour);

/* One command line, as the program reads them from standard input: see modem_command.h. ERR_INVALID with the reason. */
int modem_bench_command(struct modem_bench *bench, const char *line);

/* A turnaround is the time from when the modem has written the last octet of a fax command's final result (OK, NO
 * CARRIER, +FCERROR, ERROR) in a call until the next fax command (+FTS, +FRS, +FTM, +FRM, +FTH, +FRH) has come in. */
struct modem_bench_stats {
    int64_t turnarounds, turnaround_max_us, turnaround_p999_us;
    int calls;           /* dialled */
    int connected;       /* of them and of other rings, those that stood */
    int underruns;       /* page data ran out before DLE ETX */
    int late_chunks;     /* of stream machines: the line heard silence */
    int64_t lost_octets; /* the host did not read, until there was no room */
    int64_t ticks;
    int64_t tick_late_max_us; /* the longest that the thread was behind its time */
    int64_t held_us;          /* for so long in all the lines stood still, since it was too late for ticks */
};

void modem_bench_stats(struct modem_bench *bench, struct modem_bench_stats *stats);

#endif
