/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Class 1 modems: the real engine at a modem of the bench at one end or at both, in real time, many calls side by side.
 *
 * FAXD_ONLY is a part of the names of calls that alone are made, and their records are shown. */
#include "config.h"

#include <linux/capability.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <tiffio.h>
#include <unistd.h>
#include <cmocka.h>

#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "tests/fsp/modem_pair.h"

#define NOISE     -50.0
#define MANY      8
#define ROWS      400 /* of a page when there are many */
#define CALLS_MAX 32

struct scenario {
    const char *name;
    const char *job; /* merged into both ends' jobs */
    int pages;       /* 1: a page of the ITU; else so many short ones */
    enum modem_pair_ends ends;
    const char *modem; /* that it has to end with */
    int rate_bps;
    bool ecm;
};

struct call {
    const struct scenario *scenario;
    struct modem_pair modems;
    char folder[96];
    pthread_t thread;
};

static char work[64];
static struct engine *engine;
static struct modem_bench *benches[2]; /* without a delay, and with one of 400 ms */

static const char *program(const char *name)
{
    static char path[512];

    snprintf(path, sizeof path, "%s/%s", getenv("FAXD_BUILD"), name);
    return path;
}

static const char *data(char path[256], const char *name)
{
    snprintf(path, 256, "%s/tests/data/%s", getenv("FAXD_SRC"), name);
    return path;
}

static void *run_call(void *context)
{
    struct call *call = context;

    modem_pair_run(&call->modems, NULL, NULL);
    return NULL;
}

/* ---- calls ---- */

static void add_modem(struct call *call, enum pair_side side)
{
    struct modem_pair *modems = &call->modems;

    snprintf(modems->links[side], sizeof modems->links[side], "%s/%s", work, modems->numbers[side]);
    assert_int_equal(modem_bench_add_modem(modems->bench, modems->numbers[side], modems->links[side]), 0);
}

static void open_call(struct call *call, const struct scenario *scenario, struct modem_bench *bench, bool realtime)
{
    static int calls;
    char document[160], path[256];
    json_t *more = json_loads(scenario->job, 0, NULL);

    *call = (struct call){.scenario = scenario,
                          .modems = {.bench = bench, .engine = engine, .ends = scenario->ends, .realtime = realtime}};
    calls++;
    snprintf(call->folder, sizeof call->folder, "%s/call%d", work, calls);
    assert_int_equal(mkdir(call->folder, 0700), 0);
    snprintf(document, sizeof document, "%s/document.tif", call->folder);
    if (scenario->pages > 1)
        pair_make_short_document(document, scenario->pages, ROWS);
    pair_init(&call->modems.pair, call->folder, scenario->pages > 1 ? document : data(path, "itu1.tif"));
    for (int i = 0; i < 2; i++) {
        json_object_update(call->modems.pair.ends[i].job, more);
        snprintf(call->modems.numbers[i], sizeof call->modems.numbers[i], "%d", 1000 * (i + 1) + calls);
    }
    json_decref(more);
    if (scenario->ends != STREAM_TO_MODEM)
        add_modem(call, PAIR_SENDER);
    if (scenario->ends != MODEM_TO_STREAM)
        add_modem(call, PAIR_RECEIVER);
    assert_int_equal(pthread_create(&call->thread, NULL, run_call, call), 0);
}

static void close_call(struct call *call)
{
    if (call->scenario->pages > 1)
        unlink(call->modems.pair.document);
    pair_clear(&call->modems.pair);
    rmdir(call->folder);
}

static void check_delivered(const struct call *call)
{
    const struct scenario *scenario = call->scenario;
    const struct pair_end *sender = &call->modems.pair.ends[PAIR_SENDER],
                          *receiver = &call->modems.pair.ends[PAIR_RECEIVER];

    print_message("%s: %s/%s, %lld bps, %lld retries, %lld bad rows, %lld ms\n", scenario->name,
                  pair_text(sender, "outcome"), pair_text(receiver, "outcome"),
                  (long long)pair_number(sender, "rate_bps"), (long long)pair_number(receiver, "ecm_retries"),
                  (long long)pair_number(receiver, "bad_rows"), (long long)pair_number(sender, "line_ms"));
    if (getenv("FAXD_ONLY") || strcmp(pair_text(sender, "outcome"), "success") != 0 ||
        strcmp(pair_text(receiver, "outcome"), "success") != 0) {
        /* The records are long, and tell all. */
        json_dumpf(sender->record, stderr, JSON_COMPACT);
        fputc('\n', stderr);
        json_dumpf(receiver->record, stderr, JSON_COMPACT);
        fputc('\n', stderr);
    }
    assert_string_equal(pair_text(sender, "outcome"), "success");
    assert_string_equal(pair_text(receiver, "outcome"), "success");
    assert_int_equal(pair_number(sender, "pages_confirmed"), scenario->pages);
    assert_int_equal(pair_number(receiver, "pages_received"), scenario->pages);
    assert_int_equal(pair_true(sender, "ecm"), scenario->ecm);
    /* A modem of the bench, as others, misses a short training now and then: the page is refused, and a lower rate
     * tried. */
    assert_in_range(pair_number(sender, "rate_bps"), 2400, scenario->rate_bps);
    if (pair_number(sender, "rate_bps") == scenario->rate_bps)
        assert_string_equal(pair_text(sender, "modem"), scenario->modem);
    assert_string_equal(pair_text(sender, "mode"), scenario->ends == STREAM_TO_MODEM ? "audio" : "class1");
    assert_string_equal(pair_text(receiver, "mode"), scenario->ends == MODEM_TO_STREAM ? "audio" : "class1");
    assert_true(sender->journal.final_confirmed && receiver->journal.receive_complete);
    if (scenario->ecm || pair_number(receiver, "bad_rows") == 0)
        assert_int_equal(pair_same_pages(call->modems.pair.received, call->modems.pair.document), scenario->pages);
}

#define V17    "\"modems\":[\"v17\",\"v29\",\"v27ter\"]"
#define V29    "\"modems\":[\"v29\",\"v27ter\"]"
#define V27TER "\"modems\":[\"v27ter\"]"
#define NO_ECM ",\"ecm\":false,\"compressions\":[\"mh\",\"mr\"]"

static const struct scenario scenarios[] = {
    {"V.17, ECM, a page", "{" V17 "}", 1, MODEM_TO_MODEM, "V.17", 14400, true},
    {"V.17, ECM, many pages", "{" V17 "}", MANY, MODEM_TO_MODEM, "V.17", 14400, true},
    {"V.17, a page", "{" V17 NO_ECM "}", 1, MODEM_TO_MODEM, "V.17", 14400, false},
    {"V.17, many pages", "{" V17 NO_ECM "}", MANY, MODEM_TO_MODEM, "V.17", 14400, false},
    {"V.29, ECM, a page", "{" V29 "}", 1, MODEM_TO_MODEM, "V.29", 9600, true},
    {"V.29, ECM, many pages", "{" V29 "}", MANY, MODEM_TO_MODEM, "V.29", 9600, true},
    {"V.29, a page", "{" V29 NO_ECM "}", 1, MODEM_TO_MODEM, "V.29", 9600, false},
    {"V.29, many pages", "{" V29 NO_ECM "}", MANY, MODEM_TO_MODEM, "V.29", 9600, false},
    {"V.27ter, ECM, a page", "{" V27TER "}", 1, MODEM_TO_MODEM, "V.27ter", 4800, true},
    {"V.27ter, ECM, many pages", "{" V27TER "}", MANY, MODEM_TO_MODEM, "V.27ter", 4800, true},
    {"V.27ter, a page", "{" V27TER NO_ECM "}", 1, MODEM_TO_MODEM, "V.27ter", 4800, false},
    {"V.27ter, many pages", "{" V27TER NO_ECM "}", MANY, MODEM_TO_MODEM, "V.27ter", 4800, false},
    {"to a soft modem, ECM", "{" V17 "}", MANY, MODEM_TO_STREAM, "V.17", 14400, true},
    {"to a soft modem", "{" V17 NO_ECM "}", MANY, MODEM_TO_STREAM, "V.17", 14400, false},
    {"from a soft modem, ECM", "{" V17 "}", MANY, STREAM_TO_MODEM, "V.17", 14400, true},
    {"from a soft modem", "{" V17 NO_ECM "}", MANY, STREAM_TO_MODEM, "V.17", 14400, false},
};
#define SCENARIOS ((int)(sizeof scenarios / sizeof *scenarios))

static void pages_go_from_modem_to_modem(void **state)
{
    static struct call calls[2 * SCENARIOS];
    const char *only = getenv("FAXD_ONLY");
    int count = 0;

    (void)state;
    for (int i = 0; i < 2 * SCENARIOS; i++)
        if (!only || strstr(scenarios[i / 2].name, only))
            open_call(&calls[count++], &scenarios[i / 2], benches[i % 2], false);
    for (int i = 0; i < count; i++)
        assert_int_equal(pthread_join(calls[i].thread, NULL), 0);
    for (int i = 0; i < count; i++) {
        check_delivered(&calls[i]);
        close_call(&calls[i]);
    }
}

/* ---- without real-time scheduling ---- */

#define WITHOUT_RIGHT "--without-the-right"

/* In a process of its own, which cannot get the right back: a call that asks for what it may not have. */
static int run_without_right(void)
{
    static const struct scenario scenario = {"without real time", "{" V17 "}", 2, MODEM_TO_MODEM, "V.17", 14400, true};
    static const struct rlimit none;
    const struct modem_bench_options options = {.noise_dbm0 = NOISE, .seed = 1};
    struct call call;

    if (setrlimit(RLIMIT_RTPRIO, &none) != 0)
        return EXIT_FAILURE;
    prctl(PR_CAPBSET_DROP, CAP_SYS_NICE); /* who cannot drop it, does not have it */
    snprintf(work, sizeof work, "/tmp/faxd-class1-XXXXXX");
    if (!mkdtemp(work) || engine_open(&engine, program("faxd-t30"), 1) != 0 ||
        modem_bench_open(&benches[0], &options) != 0)
        return EXIT_FAILURE;
    open_call(&call, &scenario, benches[0], true);
    pthread_join(call.thread, NULL);
    check_delivered(&call);
    close_call(&call);
    modem_bench_close(benches[0]);
    engine_close(engine);
    return rmdir(work) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static pid_t start_without_right(int log)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    if (dup2(log, STDERR_FILENO) >= 0)
        execl("/proc/self/exe", "test_class1", WITHOUT_RIGHT, (char *)NULL);
    _exit(127);
}

static void without_the_right_to_real_time_the_log_says_so_and_the_call_is_made(void **state)
{
    FILE *log = tmpfile();
    char line[512];
    int status, warnings = 0;
    pid_t pid;

    (void)state;
    assert_non_null(log);
    pid = start_without_right(fileno(log));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    rewind(log);
    while (fgets(line, sizeof line, log)) {
        warnings += strstr(line, "no real-time scheduling for a modem's call") && strstr(line, "CAP_SYS_NICE");
        fputs(line, stderr);
    }
    fclose(log);
    assert_int_equal(status, 0);
    assert_int_equal(warnings, 2); /* of each end's engine */
}

/* ---- all of them ---- */

static int open_all(void **state)
{
    static const int delays[2] = {0, 400};

    (void)state;
    snprintf(work, sizeof work, "/tmp/faxd-class1-XXXXXX");
    if (!mkdtemp(work) || engine_open(&engine, program("faxd-t30"), 1) != 0)
        return -1;
    for (int i = 0; i < 2; i++) {
        struct modem_bench_options options = {.delay_ms = delays[i], .noise_dbm0 = NOISE, .seed = 1};

        if (modem_bench_open(&benches[i], &options) != 0)
            return -1;
    }
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++)
        modem_bench_close(benches[i]);
    engine_close(engine);
    return rmdir(work);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_go_from_modem_to_modem),
        cmocka_unit_test(without_the_right_to_real_time_the_log_says_so_and_the_call_is_made),
    };

    if (argc > 1 && strcmp(argv[1], WITHOUT_RIGHT) == 0)
        return run_without_right();
    return cmocka_run_group_tests(tests, open_all, close_all);
}
