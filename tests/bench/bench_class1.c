/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How soon a Class 1 modem gets its next command when the machine is busy: calls in a row between modems of the bench,
 * while one process for each processor spins; as the bench's modems measure it, whose own thread is real-time work so
 * that the measure is not what is late. With real-time scheduling for the engines, and without.
 *
 *   bench_class1 [CALLS]     default 20 */
#include "config.h"

#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/base/err.h"
#include "server/base/log.h"
#include "tests/fsp/modem_pair.h"

#define CALLS_USUAL 20
#define CALLS_MAX   1000
#define PAIRS       2 /* of modems, side by side */
#define HOGS_MAX    64
#define NOISE       -50.0
#define WANTED_MS   75

/* Two modems and their calls. */
struct row {
    struct modem_pair modems;
    const char *document;
    char folder[96];
    int calls, delivered;
    pthread_t thread;
};

static char work[64];
static struct engine *engine;

static int start_hogs(pid_t *hogs)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    pid_t parent = getpid();

    count = count < 1 ? 1 : count > HOGS_MAX ? HOGS_MAX : count;
    for (long i = 0; i < count; i++) {
        hogs[i] = fork();
        assert(hogs[i] >= 0);
        while (hogs[i] == 0)
            if (getppid() != parent)
                _exit(0);
    }
    return (int)count;
}

static void end_hogs(const pid_t *hogs, int count)
{
    for (int i = 0; i < count; i++) {
        kill(hogs[i], SIGKILL);
        waitpid(hogs[i], NULL, 0);
    }
}

static void *run_row(void *context)
{
    struct row *row = context;

    for (int i = 0; i < row->calls; i++) {
        struct pair *pair = &row->modems.pair;

        pair_init(pair, row->folder, row->document);
        modem_pair_run(&row->modems, NULL, NULL);
        row->delivered +=
            strcmp(pair_text(&pair->ends[PAIR_SENDER], "outcome"), "success") == 0 && modem_pair_right_pages(pair) == 1;
        pair_clear(pair);
    }
    return NULL;
}

static void open_row(struct row *row, int number, struct modem_bench *bench, const char *document, bool realtime)
{
    *row = (struct row){.modems = {.bench = bench, .engine = engine, .realtime = realtime}, .document = document};
    snprintf(row->folder, sizeof row->folder, "%s/row%d", work, number);
    assert(mkdir(row->folder, 0700) == 0);
    for (int i = 0; i < 2; i++) {
        snprintf(row->modems.numbers[i], sizeof row->modems.numbers[i], "%d", 1000 * (i + 1) + number);
        snprintf(row->modems.links[i], sizeof row->modems.links[i], "%s/%s", work, row->modems.numbers[i]);
        assert(modem_bench_add_modem(bench, row->modems.numbers[i], row->modems.links[i]) == 0);
    }
}

/* The calls are delivered, whatever the times. */
static void measure(const char *document, int calls, bool realtime, bool busy)
{
    const struct modem_bench_options options = {.noise_dbm0 = NOISE, .seed = 1, .realtime = true};
    struct modem_bench_stats stats;
    struct modem_bench *bench;
    struct row rows[PAIRS];
    pid_t hogs[HOGS_MAX];
    int hog_count, delivered = 0;

    assert(modem_bench_open(&bench, &options) == 0);
    for (int i = 0; i < PAIRS; i++) {
        open_row(&rows[i], i, bench, document, realtime);
        rows[i].calls = (calls + i) / PAIRS;
    }
    hog_count = busy ? start_hogs(hogs) : 0;
    for (int i = 0; i < PAIRS; i++)
        assert(pthread_create(&rows[i].thread, NULL, run_row, &rows[i]) == 0);
    for (int i = 0; i < PAIRS; i++) {
        pthread_join(rows[i].thread, NULL);
        delivered += rows[i].delivered;
        rmdir(rows[i].folder);
    }
    end_hogs(hogs, hog_count);
    modem_bench_stats(bench, &stats);
    modem_bench_close(bench);
    printf(
        "| %s, %d processes that spin | %d of %d delivered | %lld turnarounds, 99.9 %% within %.1f ms, longest %.1f ms "
        "| the bench itself up to %.1f ms late, %d underruns |\n",
        realtime ? "real-time scheduling" : "ordinary scheduling", hog_count, delivered, calls,
        (long long)stats.turnarounds, (double)stats.turnaround_p999_us / 1000.0,
        (double)stats.turnaround_max_us / 1000.0, (double)stats.tick_late_max_us / 1000.0, stats.underruns);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    int calls = argc > 1 ? atoi(argv[1]) : CALLS_USUAL;
    const char *build = getenv("FAXD_BUILD"), *source = getenv("FAXD_SRC");
    char program[512], document[512];

    if (calls < 1 || calls > CALLS_MAX || !build || !source) {
        fprintf(stderr, "usage: FAXD_BUILD=... FAXD_SRC=... bench_class1 [CALLS], 1 to %d\n", CALLS_MAX);
        return EXIT_FAILURE;
    }
    log_open("bench_class1", LOG_LEVEL_WARNING);
    snprintf(work, sizeof work, "/tmp/faxd-class1-XXXXXX");
    snprintf(program, sizeof program, "%s/faxd-t30", build);
    snprintf(document, sizeof document, "%s/tests/data/itu1.tif", source);
    if (!mkdtemp(work) || engine_open(&engine, program, 1) != 0) {
        fprintf(stderr, "bench_class1: %s\n", err_message());
        return EXIT_FAILURE;
    }
    printf("wanted: 99.9 %% within %d ms on a busy machine, with real-time scheduling\n", WANTED_MS);
    measure(document, calls, true, true);
    measure(document, calls, false, true);
    measure(document, calls < 4 ? calls : 4, false, false);
    engine_close(engine);
    rmdir(work);
    return EXIT_SUCCESS;
}
