/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The modem bench: an exchange, a lock around it, and the thread that makes its time. */
#include "config.h"

#include "tests/lib/modem_bench.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "server/base/err.h"
#include "server/base/log.h"
#include "tests/lib/modem_command.h"
#include "tests/lib/modem_exchange.h"
#include "tests/lib/modem_line.h"

#define TICK_NS    (INT64_C(1000000) * MODEM_LINE_CHUNK_MS)
#define BEHIND_MAX (2 * TICK_NS) /* of ticks that are made up for */
#define PRIORITY   10
#define EVENT_SIZE 256

struct modem_bench {
    struct modem_bench_options options;
    pthread_t thread;
    int wake; /* an eventfd: something has changed */
    pthread_mutex_t lock;
    /* All that follows is under the lock. */
    struct modem_exchange *exchange;
    bool ending;
    int64_t ticks, late_max_ns, held_ns;
};

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* ---- the thread ---- */

/* As many ticks as the clock asks for, but only a moment is made up for: hosts can answer between ticks only, and what
 * they have some 100 ms for would go by on the line within one burst. So while the thread did not get the processor its
 * lines stood still, for both ends, and go on where they were. */
static int64_t tick_until(struct modem_bench *bench, int64_t due_ns)
{
    int64_t now = now_ns();

    if (now - due_ns > bench->late_max_ns)
        bench->late_max_ns = now - due_ns;
    if (now - due_ns > BEHIND_MAX) {
        bench->held_ns += now - due_ns;
        due_ns = now;
    }
    for (; due_ns <= now; due_ns += TICK_NS) {
        modem_exchange_serve(bench->exchange);
        modem_exchange_tick(bench->exchange);
        bench->ticks++;
    }
    return due_ns;
}

static void wait_until(const struct modem_bench *bench, struct pollfd *polled, int count, int64_t due_ns)
{
    int64_t left_ns = due_ns - now_ns();
    struct timespec left = {.tv_nsec = left_ns > 0 ? left_ns : 0};
    uint64_t rung;

    polled[count] = (struct pollfd){.fd = bench->wake, .events = POLLIN};
    if (ppoll(polled, (nfds_t)count + 1, &left, NULL) > 0 && polled[count].revents)
        if (read(bench->wake, &rung, sizeof rung) < 0)
            log_warning("the modem bench cannot read its eventfd: %s", strerror(errno));
}

static void *run(void *user)
{
    struct modem_bench *bench = user;
    struct pollfd polled[MODEM_EXCHANGE_POLLED + 1];
    int64_t due_ns = now_ns() + TICK_NS;
    bool ending;
    int count;

    do {
        pthread_mutex_lock(&bench->lock);
        due_ns = tick_until(bench, due_ns);
        modem_exchange_serve(bench->exchange);
        count = modem_exchange_poll(bench->exchange, polled);
        ending = bench->ending;
        pthread_mutex_unlock(&bench->lock);
        if (!ending)
            wait_until(bench, polled, count, due_ns);
    } while (!ending);
    return NULL;
}

static void begin(struct modem_bench *bench)
{
    pthread_mutex_lock(&bench->lock);
}

static int end(struct modem_bench *bench, int result)
{
    const uint64_t ring = 1;

    pthread_mutex_unlock(&bench->lock);
    if (write(bench->wake, &ring, sizeof ring) < 0)
        log_warning("the modem bench cannot wake its thread: %s", strerror(errno));
    return result;
}

/* ---- events ---- */

/* Numbers are of digits, + * and # only; a caller from outside may be anything. */
static void put_text(char *line, size_t size, const char *key, const char *value)
{
    size_t at = strlen(line);

    if (!value)
        return;
    at += (size_t)snprintf(line + at, size - at, ",\"%s\":\"", key);
    for (; *value && at + 3 < size; value++)
        line[at++] = (char)(*value >= ' ' && *value <= '~' && *value != '"' && *value != '\\' ? *value : '?');
    line[at++] = '"';
    line[at] = '\0';
}

static void on_event(void *user, const char *event, const char *number, const char *other)
{
    const struct modem_bench *bench = user;
    bool dialled = strcmp(event, "dialled") == 0;
    char line[EVENT_SIZE];

    if (!bench->options.event)
        return;
    snprintf(line, sizeof line, "{\"event\":\"%s\"", event);
    put_text(line, sizeof line - 2, dialled ? "from" : "number", number);
    put_text(line, sizeof line - 2, dialled ? "to" : "from", other);
    strcat(line, "}");
    bench->options.event(bench->options.user, line);
}

/* ---- opening and closing ---- */

static int check_options(const struct modem_bench_options *options)
{
    if (options->delay_ms < 0 || options->delay_ms > MODEM_LINE_DELAY_MS)
        return err_set(ERR_INVALID, "a delay is 0 to %d ms", MODEM_LINE_DELAY_MS);
    if (!isnan(options->noise_dbm0) &&
        !(options->noise_dbm0 >= MODEM_LINE_QUIETEST && options->noise_dbm0 <= MODEM_LINE_LOUDEST))
        return err_set(ERR_INVALID, "noise is %g to %g dBm0", MODEM_LINE_QUIETEST, MODEM_LINE_LOUDEST);
    return 0;
}

static void ask_for_real_time(pthread_t thread)
{
    const struct sched_param parameters = {.sched_priority = PRIORITY};
    int error = pthread_setschedparam(thread, SCHED_FIFO, &parameters);

    if (error)
        log_warning("the modem bench runs without real-time scheduling: %s", strerror(error));
}

static void free_bench(struct modem_bench *bench)
{
    modem_exchange_free(bench->exchange);
    if (bench->wake >= 0)
        close(bench->wake);
    pthread_mutex_destroy(&bench->lock);
    free(bench);
}

int modem_bench_open(struct modem_bench **out, const struct modem_bench_options *options)
{
    struct modem_bench *bench;
    int error, result = check_options(options);

    *out = NULL;
    if (result < 0)
        return result;
    bench = xcalloc(1, sizeof *bench);
    bench->options = *options;
    pthread_mutex_init(&bench->lock, NULL);
    bench->exchange = modem_exchange_new(options->delay_ms, options->noise_dbm0, options->seed, on_event, bench);
    bench->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    error = bench->wake < 0 ? errno : pthread_create(&bench->thread, NULL, run, bench);
    if (error) {
        free_bench(bench);
        return err_set(ERR_IO, "cannot start the modem bench: %s", strerror(error));
    }
    if (options->realtime)
        ask_for_real_time(bench->thread);
    *out = bench;
    return 0;
}

void modem_bench_close(struct modem_bench *bench)
{
    if (!bench)
        return;
    begin(bench);
    bench->ending = true;
    end(bench, 0);
    pthread_join(bench->thread, NULL);
    free_bench(bench);
}

/* ---- what others ask ---- */

int modem_bench_add_modem(struct modem_bench *bench, const char *number, const char *link)
{
    begin(bench);
    return end(bench, modem_exchange_add_modem(bench->exchange, number, link));
}

int modem_bench_add_stream(struct modem_bench *bench, const char *number, int fd, int answer_ms)
{
    begin(bench);
    return end(bench, modem_exchange_add_stream(bench->exchange, number, fd, answer_ms));
}

int modem_bench_call(struct modem_bench *bench, const char *from, const char *to)
{
    begin(bench);
    return end(bench, modem_exchange_call(bench->exchange, from, to));
}

int modem_bench_number(struct modem_bench *bench, const char *number, const char *behaviour)
{
    begin(bench);
    return end(bench, modem_exchange_add_behaviour(bench->exchange, number, behaviour));
}

int modem_bench_command(struct modem_bench *bench, const char *line)
{
    begin(bench);
    return end(bench, modem_command_run(bench->exchange, line));
}

void modem_bench_stats(struct modem_bench *bench, struct modem_bench_stats *stats)
{
    const struct modem_exchange_counts *counts;

    begin(bench);
    counts = modem_exchange_counts(bench->exchange);
    *stats = (struct modem_bench_stats){
        .turnarounds = counts->modems.turnaround.count,
        .turnaround_max_us = counts->modems.turnaround.max_us,
        .turnaround_p999_us = turnaround_p999_us(&counts->modems.turnaround),
        .calls = counts->calls,
        .connected = counts->connected,
        .underruns = counts->modems.underruns,
        .late_chunks = counts->late_chunks,
        .lost_octets = counts->modems.lost_octets,
        .ticks = bench->ticks,
        .tick_late_max_us = bench->late_max_ns / 1000,
        .held_us = bench->held_ns / 1000,
    };
    end(bench, 0);
}
