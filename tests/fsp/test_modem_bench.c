/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The modem bench as a library: stream machines, played by this test sample for sample and by the real engine, and what
 * the lines between them do. Its modems and its program are tried in tests/flow/test_modem_bench.py. */
#include "config.h"

#include "tests/lib/facts.h"
#include "tests/fsp/call_pair.h"
#include "tests/lib/modem_bench.h"

#include <math.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "plugins/common/engine.h"
#include "server/base/err.h"

#define CHUNK       160
#define CHUNK_SIZE  (CHUNK * sizeof(int16_t))
#define PATIENCE_MS 240000
#define SLACK       2 /* chunks of silence that a machine gets first */
#define DBM0_OF_ONE                                                                                                    \
    (-84.288F) /* of a signal whose mean square is 1: 32768 is the peak of +3.14 dBm0, and 3.01 less its mean */

static struct modem_bench *bench;
static atomic_int answered, dialled, rang, hung_up;

static void count_event(void *user, const char *line)
{
    (void)user;
    answered += strstr(line, "\"answered\"") != NULL;
    dialled += strcmp(line, "{\"event\":\"dialled\",\"from\":\"1\",\"to\":\"2\"}") == 0;
    rang += strcmp(line, "{\"event\":\"ringing\",\"number\":\"2\",\"from\":\"1\"}") == 0;
    hung_up += strstr(line, "\"hung_up\"") != NULL;
}

static int open_bench(void **state)
{
    const struct modem_bench_options options = {.noise_dbm0 = (double)NAN, .seed = 7, .event = count_event};

    (void)state;
    answered = dialled = rang = hung_up = 0;
    return modem_bench_open(&bench, &options);
}

static int close_bench(void **state)
{
    (void)state;
    modem_bench_close(bench);
    return 0;
}

static void command(const char *line)
{
    assert_int_equal(modem_bench_command(bench, line), 0);
}

/* A machine with that number; its own end of the stream. */
static int machine(const char *number, int answer_ms)
{
    int ends[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    assert_int_equal(modem_bench_add_stream(bench, number, ends[1], answer_ms), 0);
    return ends[0];
}

static void speak(int fd, const int16_t chunk[CHUNK])
{
    assert_int_equal(send(fd, chunk, CHUNK_SIZE, MSG_NOSIGNAL), CHUNK_SIZE);
}

/* One chunk: false when the line has ended. */
static bool listen_to(int fd, int16_t chunk[CHUNK])
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    size_t done = 0;
    ssize_t got;

    while (done < CHUNK_SIZE) {
        assert_int_equal(poll(&wait, 1, PATIENCE_MS), 1);
        got = recv(fd, (char *)chunk + done, CHUNK_SIZE - done, 0);
        if (got <= 0)
            return false;
        done += (size_t)got;
    }
    return true;
}

/* Machines 1 and 2 in a call. */
static void connect_machines(int ends[2])
{
    ends[0] = machine("1", 0);
    ends[1] = machine("2", 0);
    assert_int_equal(modem_bench_call(bench, "1", "2"), 0);
}

/* Both say a chunk and hear one: 1 says what `value` fills, 2 is silent. What 2 hears. */
static void exchange_chunk(const int ends[2], int16_t value, int16_t heard[CHUNK])
{
    static const int16_t silence[CHUNK];
    int16_t said[CHUNK], back[CHUNK];
    int i;

    for (i = 0; i < CHUNK; i++)
        said[i] = value;
    speak(ends[0], said);
    speak(ends[1], silence);
    assert_true(listen_to(ends[0], back));
    assert_true(listen_to(ends[1], heard));
}

static int late_chunks(void)
{
    struct modem_bench_stats stats;

    modem_bench_stats(bench, &stats);
    return stats.late_chunks;
}

static void close_machines(const int ends[2])
{
    close(ends[0]);
    close(ends[1]);
}

/* Every chunk once, in order, and not before its time. A machine that was late leaves silence between them. */
static void check_delay(int delay_ms)
{
    int ends[2], first = -1, next = 1, gaps = 0, i;
    int16_t heard[CHUNK];
    char line[32];

    snprintf(line, sizeof line, "delay %d", delay_ms);
    command(line);
    connect_machines(ends);
    for (i = 0; i < 100 + delay_ms / 20; i++) {
        exchange_chunk(ends, (int16_t)(i < 50 ? 100 + i : 0), heard);
        if (heard[0] == 0) {
            gaps += first >= 0 && next <= 50;
            continue;
        }
        first = first < 0 ? i : first;
        assert_int_equal(heard[0], 99 + next);
        assert_int_equal(heard[CHUNK - 1], 99 + next);
        next++;
    }
    assert_int_equal(next, 51);
    close_machines(ends);
    /* Counted when the machines have gone; a machine that was late may have been so before the first, too. */
    while (hung_up < 2)
        usleep(10000);
    assert_in_range(first, SLACK + delay_ms / 20, SLACK + delay_ms / 20 + late_chunks());
    assert_true(gaps <= late_chunks());
    hung_up = 0;
}

static void what_is_said_is_heard_after_the_delay(void **state)
{
    (void)state;
    check_delay(0);
    check_delay(400);
    check_delay(2000);
    assert_int_equal(answered, 3);
    assert_int_equal(dialled, 3);
    assert_int_equal(rang, 3);
}

static float level_dbm0(const int ends[2], int16_t value)
{
    int16_t heard[CHUNK];
    double sum = 1e-9;
    int i, k;

    for (i = 0; i < 50; i++) {
        exchange_chunk(ends, value, heard);
        for (k = 0; k < CHUNK && i >= 10; k++)
            sum += heard[k] * heard[k];
    }
    return (float)(10 * log10(sum / (40 * CHUNK))) + DBM0_OF_ONE;
}

static void noise_and_level_are_what_was_asked_for(void **state)
{
    int ends[2];
    float plain;

    (void)state;
    connect_machines(ends);
    command("noise -30");
    assert_float_equal(level_dbm0(ends, 0), -30, 0.5);
    command("noise -50");
    assert_float_equal(level_dbm0(ends, 0), -50, 0.5);
    command("noise off");
    plain = level_dbm0(ends, 1000);
    command("level 1 -12");
    assert_float_equal(level_dbm0(ends, 1000), plain - 12, 0.1);
    command("level 2 -12"); /* the other direction */
    assert_float_equal(level_dbm0(ends, 1000), plain - 12, 0.1);
    command("level 1 6");
    assert_float_equal(level_dbm0(ends, 1000), plain + 6, 0.1);
    close_machines(ends);
}

static void an_interruption_is_as_long_as_it_should_be(void **state)
{
    int ends[2], i, silent = 0, first = -1;
    int16_t heard[CHUNK];

    (void)state;
    command("delay 0");
    ends[0] = machine("1", 0);
    ends[1] = machine("2", 0);
    command("interrupt 2 after 600 for 200");
    assert_int_equal(modem_bench_call(bench, "1", "2"), 0);
    for (i = 0; i < 60; i++) {
        exchange_chunk(ends, 1000, heard);
        if (i < 20 || heard[0] != 0)
            continue;
        first = first < 0 ? i : first;
        silent++;
    }
    assert_in_range(silent, 10, 10 + late_chunks());
    assert_in_range(first, SLACK + 20, SLACK + 30);
    close_machines(ends);
}

/* Until the line ends; how many chunks came before. */
static int chunks_to_the_end(int fd)
{
    static const int16_t silence[CHUNK];
    int16_t heard[CHUNK];
    int count = 0;

    while (listen_to(fd, heard)) {
        send(fd, silence, CHUNK_SIZE, MSG_NOSIGNAL);
        count++;
    }
    close(fd);
    return count;
}

static void the_last_words_of_a_machine_are_heard(void **state)
{
    int ends[2], i, words = 0;
    int16_t heard[CHUNK];

    (void)state;
    command("delay 1000");
    connect_machines(ends);
    for (i = 0; i < 20; i++)
        exchange_chunk(ends, 1000, heard);
    close(ends[0]);
    while (listen_to(ends[1], heard)) {
        words += heard[0] == 1000;
        send(ends[1], (int16_t[CHUNK]){0}, CHUNK_SIZE, MSG_NOSIGNAL);
    }
    assert_int_equal(words, 20);
    close(ends[1]);
}

static void a_line_that_is_cut_ends_both_machines(void **state)
{
    int ends[2];

    (void)state;
    command("delay 0");
    ends[0] = machine("1", 0);
    ends[1] = machine("2", 0);
    command("drop 2 after 1000");
    assert_int_equal(modem_bench_call(bench, "1", "2"), 0);
    /* Each ends at the same time, whether the other goes on or not. */
    assert_in_range(chunks_to_the_end(ends[0]), 10, 50 + SLACK + 1);
    chunks_to_the_end(ends[1]);
}

static void a_machine_that_cannot_call_is_closed(void **state)
{
    static const char *const numbers[] = {"7", "8", "9"};
    int fd, ends[2];
    size_t i;

    (void)state;
    assert_int_equal(modem_bench_number(bench, "8", "busy"), 0);
    assert_int_equal(modem_bench_number(bench, "9", "reorder"), 0);
    for (i = 0; i < COUNT_OF(numbers); i++) {
        fd = machine("1", 0);
        assert_int_equal(modem_bench_call(bench, "1", numbers[i]), 0);
        assert_int_equal(chunks_to_the_end(fd), 0);
    }
    /* Engaged. */
    connect_machines(ends);
    while (answered == 0)
        usleep(10000);
    fd = machine("3", 0);
    assert_int_equal(modem_bench_call(bench, "3", "2"), 0);
    assert_int_equal(chunks_to_the_end(fd), 0);
    close_machines(ends);
}

static void a_machine_that_calls_speech_hears_it(void **state)
{
    int16_t heard[CHUNK], silence[CHUNK] = {0};
    int fd = machine("1", 0), i, loud = 0, k;

    (void)state;
    assert_int_equal(modem_bench_number(bench, "5", "voice"), 0);
    assert_int_equal(modem_bench_call(bench, "1", "5"), 0);
    for (i = 0; i < 100; i++) {
        speak(fd, silence);
        assert_true(listen_to(fd, heard));
        for (k = 0; k < CHUNK; k++)
            loud += abs(heard[k]) > 500;
    }
    assert_in_range(loud, 1000, 100 * CHUNK);
    close(fd);
}

static void what_makes_no_sense_is_refused(void **state)
{
    struct modem_bench_options options = {.delay_ms = 2001, .noise_dbm0 = (double)NAN};
    struct modem_bench *other;
    char octet;
    int ends[2], fd = machine("1", 0);

    (void)state;
    assert_int_equal(modem_bench_open(&other, &options), ERR_INVALID);
    assert_null(other);
    options = (struct modem_bench_options){.noise_dbm0 = 1};
    assert_int_equal(modem_bench_open(&other, &options), ERR_INVALID);
    assert_int_equal(modem_bench_call(bench, "2", "1"), ERR_NOT_FOUND);
    assert_int_equal(modem_bench_call(bench, "1", "one"), ERR_INVALID);
    assert_int_equal(modem_bench_number(bench, "1", "busy"), ERR_CONFLICT);
    assert_int_equal(modem_bench_number(bench, "", "busy"), ERR_INVALID);
    assert_int_equal(modem_bench_number(bench, "2", "sleepy"), ERR_INVALID);
    assert_int_equal(modem_bench_add_modem(bench, "2", "/nowhere/2"), ERR_IO);
    assert_int_equal(modem_bench_add_modem(bench, "2", "/dev/null"), ERR_CONFLICT);
    assert_int_equal(modem_bench_add_modem(bench, "2/../3", "/tmp/2"), ERR_INVALID);
    assert_int_equal(modem_bench_command(bench, "fault 1 hang on"), ERR_CONFLICT);
    assert_int_equal(modem_bench_command(bench, "fault 2 hang on"), ERR_NOT_FOUND);
    assert_int_equal(modem_bench_command(bench, ""), ERR_INVALID);
    /* A descriptor that is handed over is closed whatever comes of it. */
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    assert_int_equal(modem_bench_add_stream(bench, "1", ends[1], 0), ERR_CONFLICT);
    assert_int_equal(recv(ends[0], &octet, 1, 0), 0);
    close(ends[0]);
    close(fd);
}

/* ---- the real engine ---- */

static void a_page_of_the_engine_goes_through(void **state)
{
    char folder[] = "/tmp/faxd-bench-XXXXXX", document[64], program[512];
    struct engine *engine;
    struct pair pair;
    int i;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(document, sizeof document, "%s/page.tif", folder);
    snprintf(program, sizeof program, "%s/faxd-t30", getenv("FAXD_BUILD"));
    pair_make_short_document(document, 1, 200);
    assert_int_equal(engine_open(&engine, program, 1), 0);
    pair_init(&pair, folder, document);
    command("delay 200");
    for (i = 0; i < 2; i++) {
        json_object_set_new(pair.ends[i].job, "audio", json_pack("{s:i,s:i}", "pace", 0, "chunk_ms", 20));
        pair.ends[i].media = machine(i == PAIR_SENDER ? "1" : "2", 500);
    }
    pair_start_side(&pair, PAIR_SENDER, engine);
    pair_start_side(&pair, PAIR_RECEIVER, engine);
    close(pair.ends[PAIR_SENDER].media);
    close(pair.ends[PAIR_RECEIVER].media);
    assert_int_equal(modem_bench_call(bench, "1", "2"), 0);
    pair_finish(&pair);
    for (i = 0; i < 2; i++)
        assert_string_equal(pair_text(&pair.ends[i], "outcome"), "success");
    assert_int_equal(pair_same_pages(pair.received, pair.document), 1);
    pair_clear(&pair);
    engine_close(engine);
    unlink(document);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_said_is_heard_after_the_delay, open_bench, close_bench),
        cmocka_unit_test_setup_teardown(noise_and_level_are_what_was_asked_for, open_bench, close_bench),
        cmocka_unit_test_setup_teardown(an_interruption_is_as_long_as_it_should_be, open_bench, close_bench),
        cmocka_unit_test_setup_teardown(the_last_words_of_a_machine_are_heard, open_bench, close_bench),
        cmocka_unit_test_setup_teardown(a_line_that_is_cut_ends_both_machines, open_bench, close_bench),
        cmocka_unit_test_setup_teardown(a_machine_that_cannot_call_is_closed, open_bench, close_bench),
        cmocka_unit_test_setup_teardown(a_machine_that_calls_speech_hears_it, open_bench, close_bench),
        cmocka_unit_test_setup_teardown(what_makes_no_sense_is_refused, open_bench, close_bench),
        cmocka_unit_test_setup_teardown(a_page_of_the_engine_goes_through, open_bench, close_bench),
    };
    int before = facts_open_descriptors(), failed = cmocka_run_group_tests(tests, NULL, NULL);

    if (facts_open_descriptors() != before)
        fprintf(stderr, "# descriptors are left open\n");
    return failed > 0 || facts_open_descriptors() != before;
}
