/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about the daemon's side of conversions: order, limits, crashes. Run with --spawner this program is a converter
 * that misbehaves as its jobs say, so that every way to die is at hand; the last facts use the real faxd-convert.
 */
#include "config.h"

#include "tests/lib/facts.h"

#include <event2/event.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/fdpass.h"
#include "server/base/log.h"
#include "server/base/spawner.h"
#include "spool/converter.h"

/* --- the converter that misbehaves --- */

static void tell_started(int result)
{
    int self = (int)syscall(SYS_pidfd_open, getpid(), 0);
    fdpass_send(result, "{\"started\":true}", 16, &self, self >= 0 ? 1 : 0);
    close(self);
}

static int misbehave(char *text, const int *fds, int count, void *context)
{
    (void)context, (void)count;
    json_t *job = json_loads(text, 0, NULL);
    const char *op = json_string_value(json_object_get(job, "op"));
    int result = fds[2];
    if (strcmp(op, "die-early") == 0) { /* as a spawner that dies with the job: once, told by the input's size */
        struct stat status;
        fstat(fds[0], &status);
        if (status.st_size < 2) {
            ssize_t put = write(fds[0], "x", 1);
            pid_t spawner = getppid();
            kill(spawner, SIGKILL);
            while (getppid() == spawner) /* or the next job would be sent to one that dies */
                usleep(1000);
            _exit(put == 1 ? 0 : 1);
        }
    }
    if (strcmp(op, "never") == 0)
        _exit(1);
    tell_started(result);
    if (strcmp(op, "crash") == 0)
        _exit(139);
    if (strcmp(op, "hang") == 0) {
        alarm(10); /* a job canceled before it told of its start is not killed; the real one has its CPU limit */
        pause();
    }
    if (strcmp(op, "garbage") == 0)
        fdpass_send(result, "]\x01 not json", 11, NULL, 0);
    else
        fdpass_send(result, text, strlen(text), NULL, 0);
    json_decref(job);
    return 0;
}

/* --- helpers --- */

struct bench {
    struct event_base *base;
    struct converter *converter;
    int input, output;
};

struct outcome {
    int calls, error;
    json_t *result;
    struct event_base *base;
    char *order;
    char letter;
};

static void on_done(void *context, int error, json_t *result)
{
    struct outcome *outcome = context;
    outcome->calls++;
    outcome->error = error;
    outcome->result = json_incref(result);
    if (outcome->order != NULL)
        outcome->order[strlen(outcome->order)] = outcome->letter;
    event_base_loopbreak(outcome->base);
}

static void bench_open(struct bench *bench, const char *program, int parallel)
{
    bench->base = event_base_new();
    assert_int_equal(converter_open(&bench->converter, bench->base, program, parallel), 0);
    bench->input = memfd_create("input", MFD_CLOEXEC);
    bench->output = memfd_create("output", MFD_CLOEXEC);
}

static void bench_close(struct bench *bench)
{
    converter_close(bench->converter);
    event_base_free(bench->base);
    close(bench->input);
    close(bench->output);
}

static int setup(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);
    bench_open(bench, "/proc/self/exe", 1);
    *state = bench;
    return 0;
}

static int teardown(void **state)
{
    bench_close(*state);
    free(*state);
    return 0;
}

static struct converter_job *run(struct bench *bench, const char *op, struct outcome *outcome)
{
    struct converter_job *handle = NULL;
    json_t *job = json_pack("{s:s}", "op", op);
    outcome->base = bench->base;
    assert_int_equal(converter_run(&handle, bench->converter, job, &bench->input, 1, bench->output, on_done, outcome),
                     0);
    json_decref(job);
    return handle;
}

/* Turn the loop until the outcome is there, at most 20 s. */
static void wait_for(struct bench *bench, const struct outcome *outcome)
{
    int64_t end = clock_mono_ms() + 20000;
    while (outcome->calls == 0 && clock_mono_ms() < end)
        event_base_loop(bench->base, EVLOOP_ONCE);
    assert_int_equal(outcome->calls, 1);
}

static const char *text(const struct outcome *outcome, const char *key)
{
    const char *value = json_string_value(json_object_get(outcome->result, key));
    return value != NULL ? value : "";
}

static void outcome_clear(struct outcome *outcome)
{
    json_decref(outcome->result);
    *outcome = (struct outcome){0};
}

/* --- facts --- */

static void a_result_comes_back_with_the_job(void **state)
{
    struct outcome outcome = {0};
    run(*state, "echo", &outcome);
    assert_int_equal(outcome.calls, 0); /* never from inside converter_run */
    wait_for(*state, &outcome);
    assert_int_equal(outcome.error, 0);
    assert_string_equal(text(&outcome, "op"), "echo");
    outcome_clear(&outcome);
}

static void a_crash_is_a_result(void **state)
{
    struct outcome outcome = {0};
    run(*state, "crash", &outcome);
    wait_for(*state, &outcome);
    assert_int_equal(outcome.error, 0);
    assert_string_equal(text(&outcome, "error"), "conversion_failed");
    assert_string_equal(text(&outcome, "message"), "the converter crashed on this document");
    outcome_clear(&outcome);
}

static void what_is_no_json_counts_as_a_crash(void **state)
{
    struct outcome outcome = {0};
    run(*state, "garbage", &outcome);
    wait_for(*state, &outcome);
    assert_string_equal(text(&outcome, "error"), "conversion_failed");
    outcome_clear(&outcome);
}

static void a_child_that_hangs_is_killed(void **state)
{
    struct bench *bench = *state;
    struct outcome outcome = {0}, next = {0};
    converter_set_timeout(bench->converter, 1);
    run(bench, "hang", &outcome);
    run(bench, "echo", &next);
    wait_for(bench, &outcome);
    assert_string_equal(text(&outcome, "error"), "conversion_failed");
    wait_for(bench, &next); /* its place is free again */
    assert_string_equal(text(&next, "op"), "echo");
    outcome_clear(&outcome);
    outcome_clear(&next);
}

static void a_job_survives_the_spawner(void **state)
{
    struct outcome outcome = {0};
    run(*state, "die-early", &outcome); /* kills its spawner the first two times */
    wait_for(*state, &outcome);
    assert_int_equal(outcome.error, 0);
    assert_string_equal(text(&outcome, "op"), "die-early");
    outcome_clear(&outcome);
}

static void a_child_that_never_starts_is_an_error(void **state)
{
    struct outcome outcome = {0};
    run(*state, "never", &outcome);
    wait_for(*state, &outcome);
    assert_int_equal(outcome.error, ERR_CLOSED);
    assert_null(outcome.result);
    outcome_clear(&outcome);
}

static void a_program_that_is_not_there_is_an_error(void **state)
{
    (void)state;
    struct bench bench;
    struct outcome outcome = {0};
    bench_open(&bench, "/nonexistent/faxd-convert", 1);
    run(&bench, "echo", &outcome);
    wait_for(&bench, &outcome);
    assert_true(outcome.error < 0);
    assert_null(outcome.result);
    bench_close(&bench);
}

static void who_is_waited_for_does_not_wait_for_large_documents(void **state)
{
    struct bench *bench = *state;
    struct outcome large = {0}, second = {0}, call = {0};
    struct converter_job *hanging = run(bench, "hang", &large);
    run(bench, "prepare", &second);
    run(bench, "cut", &call);
    wait_for(bench, &call);
    assert_int_equal(call.error, 0);
    assert_int_equal(second.calls, 0); /* there is one place for documents */
    converter_cancel(hanging);
    wait_for(bench, &second);
    outcome_clear(&second);
    outcome_clear(&call);
}

static void pages_for_a_person_go_first(void **state)
{
    char order[8] = "";
    struct outcome outcomes[4];
    static const char *const ops[4] = {"prepare", "compose", "cut", "pdf"};
    for (int i = 0; i < 4; i++) {
        outcomes[i] = (struct outcome){.order = order, .letter = (char)('a' + i)};
        run(*state, ops[i], &outcomes[i]);
    }
    for (int i = 0; i < 4; i++)
        wait_for(*state, &outcomes[i]);
    assert_true(strcmp(order, "cdab") == 0 || strcmp(order, "dcab") == 0); /* those two run side by side */
    for (int i = 0; i < 4; i++)
        outcome_clear(&outcomes[i]);
}

static void a_canceled_job_says_nothing(void **state)
{
    struct bench *bench = *state;
    struct outcome hanging = {0}, waiting = {0}, last = {0};
    int waits = 0, runs = 0;
    struct converter_job *first = run(bench, "hang", &hanging);
    struct converter_job *second = run(bench, "echo", &waiting);
    run(bench, "echo", &last);
    for (int i = 0; i < 200 && runs == 0; i++) {
        event_base_loop(bench->base, EVLOOP_NONBLOCK);
        converter_count(bench->converter, &waits, &runs);
    }
    assert_int_equal(runs, 1);
    assert_int_equal(waits, 2);
    converter_cancel(second);
    converter_cancel(first);
    wait_for(bench, &last);
    assert_int_equal(hanging.calls + waiting.calls, 0);
    outcome_clear(&last);
}

static void the_queue_is_bounded_and_holds_descriptors_of_its_own(void **state)
{
    struct bench *bench = *state;
    struct outcome outcome = {.base = bench->base};
    json_t *job = json_pack("{s:s}", "op", "prepare");
    int before = facts_open_descriptors();
    for (int i = 0; i < CONVERTER_QUEUE_MAX; i++)
        assert_int_equal(converter_run(NULL, bench->converter, job, &bench->input, 1, bench->output, on_done, &outcome),
                         0);
    assert_int_equal(converter_run(NULL, bench->converter, job, &bench->input, 1, bench->output, on_done, &outcome),
                     ERR_AGAIN);
    json_decref(job);
    assert_int_equal(facts_open_descriptors(), before + 2 * CONVERTER_QUEUE_MAX);
    converter_close(bench->converter);
    bench->converter = NULL;
    assert_int_equal(outcome.calls, 0);
    assert_true(facts_open_descriptors() <= before);
}

static void bad_jobs_are_refused_at_once(void **state)
{
    const int none = -1;
    struct bench *bench = *state;
    json_t *array = json_array(), *job = json_pack("{s:s}", "op", "png");
    assert_int_equal(converter_run(NULL, bench->converter, array, &bench->input, 1, bench->output, on_done, NULL),
                     ERR_INVALID);
    assert_int_equal(converter_run(NULL, bench->converter, job, &none, 1, bench->output, on_done, NULL), ERR_IO);
    json_decref(array);
    json_decref(job);
}

static void real_open(struct bench *bench, const char *file)
{
    char path[4096];
    const char *build = getenv("FAXD_BUILD"), *source = getenv("FAXD_SRC");
    snprintf(path, sizeof path, "%s/faxd-convert", build != NULL ? build : ".");
    bench_open(bench, path, 2);
    close(bench->input);
    snprintf(path, sizeof path, "%s/tests/data/%s", source != NULL ? source : ".", file);
    bench->input = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(bench->input >= 0);
}

static void the_real_program_prepares_a_page(void **state)
{
    (void)state;
    struct bench bench;
    struct outcome outcome = {0}, second = {0};
    struct stat status;
    real_open(&bench, "itu1.tif");
    run(&bench, "prepare", &outcome);
    wait_for(&bench, &outcome);
    assert_int_equal(outcome.error, 0);
    assert_string_equal(text(&outcome, "error"), "");
    assert_int_equal(json_integer_value(json_object_get(outcome.result, "pages")), 1);
    assert_int_equal(fstat(bench.output, &status), 0);
    assert_int_equal(json_integer_value(json_object_get(outcome.result, "bytes")), status.st_size);
    run(&bench, "nonsense", &second);
    wait_for(&bench, &second);
    assert_string_equal(text(&second, "error"), "conversion_failed");
    outcome_clear(&outcome);
    outcome_clear(&second);
    bench_close(&bench);
}

/* A file that cannot grow stands for a full disk. */
static void the_real_program_tells_the_machines_faults_from_those_of_a_document(void **state)
{
    (void)state;
    struct bench bench;
    struct outcome outcome = {0};
    real_open(&bench, "itu1.tif");
    close(bench.output);
    bench.output = memfd_create("full", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_int_equal(fcntl(bench.output, F_ADD_SEALS, F_SEAL_GROW), 0);
    run(&bench, "prepare", &outcome);
    wait_for(&bench, &outcome);
    assert_string_equal(text(&outcome, "error"), "internal");
    outcome_clear(&outcome);
    bench_close(&bench);
}

static void the_real_program_ends_at_its_memory_and_file_limits(void **state)
{
    (void)state;
    struct bench bench;
    struct outcome outcome = {0};
    real_open(&bench, "itu5.tif");
    outcome.base = bench.base;
    json_t *job = json_pack("{s:s, s:{s:i}}", "op", "prepare", "limits", "file_bytes", 8192);
    assert_int_equal(converter_run(NULL, bench.converter, job, &bench.input, 1, bench.output, on_done, &outcome), 0);
    json_decref(job);
    wait_for(&bench, &outcome);
    assert_string_equal(text(&outcome, "error"), "conversion_failed");
    assert_non_null(strstr(text(&outcome, "message"), "limit"));
    outcome_clear(&outcome);
    bench_close(&bench);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--spawner") == 0)
        return spawner_serve(SPAWNER_FD, misbehave, NULL);
    log_open("test_converter", LOG_LEVEL_ERROR);
    static const struct CMUnitTest facts[] = {
        cmocka_unit_test_setup_teardown(a_result_comes_back_with_the_job, setup, teardown),
        cmocka_unit_test_setup_teardown(a_crash_is_a_result, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_no_json_counts_as_a_crash, setup, teardown),
        cmocka_unit_test_setup_teardown(a_child_that_hangs_is_killed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_job_survives_the_spawner, setup, teardown),
        cmocka_unit_test_setup_teardown(a_child_that_never_starts_is_an_error, setup, teardown),
        cmocka_unit_test(a_program_that_is_not_there_is_an_error),
        cmocka_unit_test_setup_teardown(who_is_waited_for_does_not_wait_for_large_documents, setup, teardown),
        cmocka_unit_test_setup_teardown(pages_for_a_person_go_first, setup, teardown),
        cmocka_unit_test_setup_teardown(a_canceled_job_says_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(the_queue_is_bounded_and_holds_descriptors_of_its_own, setup, teardown),
        cmocka_unit_test_setup_teardown(bad_jobs_are_refused_at_once, setup, teardown),
        cmocka_unit_test(the_real_program_prepares_a_page),
        cmocka_unit_test(the_real_program_tells_the_machines_faults_from_those_of_a_document),
        cmocka_unit_test(the_real_program_ends_at_its_memory_and_file_limits),
    };
    return cmocka_run_group_tests(facts, NULL, NULL);
}
