/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about faxd-fsp, the provider host, as faxd sees it over the link: with providers of ours, and with one that
 * does what it must not (tests/fsp/scripted.c). */
#include <config.h>

#include "server/base/err.h"
#include "server/base/journal.h"
#include "server/base/log.h"
#include "server/link/link.h"
#include "tests/fsp/host_client.h"
#include "tests/lib/facts.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void say(struct host *host, const struct link_message *message, int fd)
{
    if (!host_say(host, message, fd))
        fail_msg("%s", host->fault);
}

static void hear_type(struct host *host, struct link_message *message, enum link_type type)
{
    do {
        if (!host_hear(host, message))
            fail_msg("%s while %s was waited for", host->fault, link_type_name(type));
    } while (message->type != type);
}

static void greet(struct host *host, uint64_t committed)
{
    if (!host_greet(host, committed))
        fail_msg("%s", host->fault);
}

static void begin(struct host *host, const char *module, const char *settings)
{
    host_start(host, module, settings);
    greet(host, 0);
}

static void order_send(struct host *host, uint64_t job, uint32_t line, const char *number, int journal)
{
    if (!host_send(host, job, line, number, journal))
        fail_msg("%s", host->fault);
}

/* How the call of a job ended, and how many faults were told on the way. */
static int end_of(struct host *host, struct link_message *ended, uint64_t job)
{
    int faults = host_end_of(host, ended, job);

    if (faults < 0)
        fail_msg("%s", host->fault);
    return faults;
}

static int setup(void **state)
{
    *state = host_open();
    return 0;
}

static int teardown(void **state)
{
    host_close(*state);
    return 0;
}

static void an_honest_provider_is_greeted_and_left(void **state)
{
    struct host *host = *state;

    begin(host, "simulator.so", "{}");
    assert_int_equal(host->devices, 2);
    assert_int_equal(host->jobs, 0);
    assert_true(strlen(host->run) > 0);
    assert_int_equal(host_stop(host), 0);
    assert_int_not_equal(access(host->socket_path, F_OK), 0); /* its name is gone */
}

static void a_page_goes_from_line_to_line(void **state)
{
    struct host *host = *state;
    struct link_message message, ended[2] = {0};
    char *received = xasprintf("%s/r.tif", host->dir), *journal_path = xasprintf("%s/journal", host->dir);
    int journal = open(journal_path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    struct journal_state marks;
    int ends = 0;

    close(open(received, O_RDWR | O_CREAT, 0600));
    begin(host, "softmodem.so", "{\"carrier\":\"exchange\",\"pace\":0}");
    assert_int_equal(journal_hold(journal), 0);
    order_send(host, 1, 0, "1002", journal);
    close(journal);
    assert_true(journal_is_held(journal_path)); /* the lock went with the descriptor */
    while (ends < 2 && host_hear(host, &message)) {
        if (message.type == LINK_RING) {
            const struct link_message answer = {.type = LINK_RECEIVE,
                                                .job = 2,
                                                .line = message.line,
                                                .number = message.number,
                                                .file = received,
                                                .options = "{}"};

            assert_int_equal(message.line, 1);
            assert_non_null(strstr(message.ring, "1001"));
            say(host, &answer, -1);
        } else if (message.type == LINK_ENDED) {
            assert_non_null(strstr(message.record, "\"ecm\":true"));
            ended[ends++] = message;
        }
    }
    for (int i = 0; i < 2; i++)
        assert_int_equal(ended[i].result, ended[i].job == 1 ? LINK_RESULT_SENT : LINK_RESULT_RECEIVED);
    for (int i = 0; i < 500 && journal_is_held(journal_path); i++)
        usleep(10000);
    assert_false(journal_is_held(journal_path)); /* nobody has it any more */
    assert_int_equal(journal_read(&marks, journal_path), 0);
    assert_true(marks.final_confirmed && marks.pages_confirmed == 1);
    assert_int_equal(host_stop(host), 0);
    free(received);
    free(journal_path);
}

static void what_was_not_acknowledged_is_told_again(void **state)
{
    struct host *host = *state;
    struct link_message message;
    uint64_t first, last;

    begin(host, "scripted.so", "{}");
    order_send(host, 7, 0, "ok", -1);
    hear_type(host, &message, LINK_STATUS);
    first = message.number;
    end_of(host, &message, 7);
    last = message.number;
    close(host->link);
    greet(host, first); /* a faxd that committed the first one only */
    assert_int_equal(host->jobs, 1);
    assert_int_equal(host->job_list[0], 7);
    end_of(host, &message, 7);
    assert_int_equal(message.number, last);
    assert_int_equal(message.result, LINK_RESULT_SENT);
    say(host, &(struct link_message){.type = LINK_ACK, .number = last}, -1);
    close(host->link);
    greet(host, last);
    assert_int_equal(host->jobs, 0); /* forgotten */
    assert_int_equal(host_stop(host), 0);
}

static void an_order_seen_twice_is_one_call(void **state)
{
    struct host *host = *state;
    struct link_message message;

    begin(host, "scripted.so", "{}");
    order_send(host, 7, 0, "wait", -1);
    order_send(host, 7, 0, "wait", -1);
    hear_type(host, &message, LINK_STATUS);
    say(host, &(struct link_message){.type = LINK_ABORT, .job = 7}, -1);
    end_of(host, &message, 7);
    assert_int_equal(message.outcome, LINK_OUTCOME_ABORTED);
    order_send(host, 8, 0, "ok", -1); /* and the line is free at once */
    end_of(host, &message, 8);
    assert_int_equal(message.result, LINK_RESULT_SENT);
    assert_int_equal(host_stop(host), 0);
}

static void what_the_results_mean(void **state)
{
    static const struct {
        const char *number;
        enum link_result result;
        enum link_outcome outcome;
    } table[] = {
        {"ok", LINK_RESULT_SENT, LINK_OUTCOME_NONE},
        {"busy", LINK_RESULT_FAILED, LINK_OUTCOME_BUSY},
        {"silent-true", LINK_RESULT_SENT_UNCONFIRMED, LINK_OUTCOME_NONE},
        {"silent-false", LINK_RESULT_FAILED, LINK_OUTCOME_FATAL_ERROR},
        {"false-running", LINK_RESULT_FAILED, LINK_OUTCOME_FATAL_ERROR},
    };
    struct host *host = *state;
    struct link_message message;

    begin(host, "scripted.so", "{}");
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        order_send(host, i + 1, 0, table[i].number, -1);
        end_of(host, &message, i + 1);
        if (message.result != table[i].result || message.outcome != table[i].outcome)
            fail_msg("%s: result %u, outcome %u", table[i].number, message.result, message.outcome);
        assert_true((message.flags & LINK_FLAG_NO_RECORD) != 0);
    }
    assert_int_equal(host_stop(host), 0);
}

/* Each is told as a fault, and neither the call nor the host suffers. */
static void wrong_packets_are_refused_and_the_call_goes_on(void **state)
{
    static const char *const habits[] = {"foreign", "small", "wild-text", "endless-text",
                                         "freed",   "twice", "nothing",   "other-key"};
    struct host *host = *state;
    struct link_message message;

    begin(host, "scripted.so", "{}");
    for (size_t i = 0; i < COUNT_OF(habits); i++) {
        bool told;

        order_send(host, i + 1, (uint32_t)(i % 2), habits[i], -1);
        told = end_of(host, &message, i + 1) > 0;
        if (message.result != LINK_RESULT_SENT || !told)
            fail_msg("%s: result %u, fault told: %d", habits[i], message.result, told);
    }
    assert_int_equal(host_stop(host), 0);
}

static void a_late_packet_is_not_taken_for_one_of_the_next_call(void **state)
{
    struct host *host = *state;
    struct link_message message;

    begin(host, "scripted.so", "{}");
    order_send(host, 1, 0, "late", -1);
    end_of(host, &message, 1);
    order_send(host, 2, 0, "ok", -1);
    do {
        assert_true(host_hear(host, &message));
        if (message.type == LINK_STATUS && message.job == 2)
            assert_int_not_equal(message.page, 9);
    } while (message.type != LINK_ENDED);
    assert_int_equal(host_stop(host), 0);
}

static void a_status_that_wants_too_much_memory_is_no_status(void **state)
{
    struct host *host = *state;
    struct link_message message;

    begin(host, "scripted.so", "{}");
    order_send(host, 1, 0, "big-need", -1);
    assert_int_equal(end_of(host, &message, 1), 1);
    assert_int_equal(message.result, LINK_RESULT_SENT_UNCONFIRMED);
    assert_int_equal(host_stop(host), 0);
}

static void a_report_that_cannot_be_read_costs_what_is_wrong_in_it(void **state)
{
    static const struct {
        const char *number;
        enum link_result result;
    } table[] = {
        {"report-wild", LINK_RESULT_SENT},
        {"report-endless", LINK_RESULT_SENT},
        {"report-small", LINK_RESULT_SENT_UNCONFIRMED},
    };
    struct host *host = *state;
    struct link_message message;

    begin(host, "scripted.so", "{}");
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        order_send(host, i + 1, 0, table[i].number, -1);
        assert_int_equal(end_of(host, &message, i + 1), 1);
        if (message.result != table[i].result)
            fail_msg("%s: result %u", table[i].number, message.result);
    }
    assert_int_equal(host_stop(host), 0);
}

/* fsp-abi: what an FSP of a later Windows has more is not read. */
static void a_longer_struct_of_a_later_day_is_understood(void **state)
{
    struct host *host = *state;
    struct link_message message;

    begin(host, "scripted.so", "{}");
    order_send(host, 1, 0, "later-struct", -1);
    assert_int_equal(end_of(host, &message, 1), 0);
    assert_int_equal(message.result, LINK_RESULT_SENT);
    assert_int_equal(host_stop(host), 0);
}

static void a_call_that_ignores_its_abort_costs_its_line_and_no_other(void **state)
{
    struct host *host = *state;
    struct link_message message;
    bool lost = false, ended = false;

    begin(host, "scripted.so", "{}");
    order_send(host, 1, 0, "deaf", -1);
    hear_type(host, &message, LINK_STATUS);
    say(host, &(struct link_message){.type = LINK_ABORT, .job = 1}, -1);
    while (!lost && host_hear(host, &message)) {
        lost = message.type == LINK_FAULT && (message.flags & LINK_FLAG_LOST) != 0;
        ended = ended || message.type == LINK_ENDED;
    }
    assert_int_equal(message.line, 0);
    assert_false(ended); /* nobody knows how: faxd decides it when the host is gone */
    order_send(host, 2, 1, "ok", -1);
    end_of(host, &message, 2);
    assert_int_equal(message.result, LINK_RESULT_SENT);
    host_stop(host);
}

/* The control thread is replaced (fsp-abi 3.8), so that other calls can still be aborted. */
static void an_abort_that_hangs_costs_its_line_and_no_other(void **state)
{
    struct host *host = *state;
    struct link_message message;

    begin(host, "scripted.so", "{}");
    order_send(host, 1, 0, "hang", -1);
    hear_type(host, &message, LINK_STATUS);
    say(host, &(struct link_message){.type = LINK_ABORT, .job = 1}, -1);
    do
        hear_type(host, &message, LINK_FAULT);
    while ((message.flags & LINK_FLAG_LOST) == 0);
    assert_int_equal(message.job, 1);
    order_send(host, 2, 1, "wait", -1);
    say(host, &(struct link_message){.type = LINK_ABORT, .job = 2}, -1);
    end_of(host, &message, 2);
    assert_int_equal(message.outcome, LINK_OUTCOME_ABORTED);
    assert_int_equal(host_stop(host), 3); /* a thread hangs in the module */
}

/* FaxDevShutdown is optional: nobody tells such a thread to end. */
static void a_thread_that_stays_does_not_crash_a_host_that_leaves(void **state)
{
    struct host *host = *state;
    struct link_message message;

    begin(host, "scripted.so", "{}");
    order_send(host, 1, 0, "thread", -1);
    end_of(host, &message, 1);
    order_send(host, 2, 0, "ok", -1);
    end_of(host, &message, 2);
    assert_int_equal(message.result, LINK_RESULT_SENT);
    assert_int_equal(host_stop(host), 0);
}

static void a_draining_host_ends_its_calls_and_takes_no_other(void **state)
{
    struct host *host = *state;
    struct link_message message;

    begin(host, "simulator.so", "{\"answer_ms\":1000}");
    order_send(host, 1, 0, "99", -1);
    hear_type(host, &message, LINK_STATUS);
    say(host, &(struct link_message){.type = LINK_DRAIN}, -1);
    order_send(host, 2, 1, "99", -1);
    end_of(host, &message, 2);
    assert_int_equal(message.result, LINK_RESULT_NOT_STARTED);
    end_of(host, &message, 1);
    assert_int_equal(message.result, LINK_RESULT_SENT);
    usleep(200000);
    assert_int_equal(waitpid(host->pid, NULL, WNOHANG), 0); /* until that is acknowledged */
    say(host, &(struct link_message){.type = LINK_ACK, .number = host->last}, -1);
    assert_int_equal(host_wait_exit(host), 0);
}

static void a_call_that_never_rang_is_not_received(void **state)
{
    struct host *host = *state;
    struct link_message message;
    char *file = xasprintf("%s/r.tif", host->dir);
    const struct link_message order = {
        .type = LINK_RECEIVE, .job = 5, .line = 1, .number = 3, .file = file, .options = "{}"};

    close(open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    begin(host, "softmodem.so", "{\"carrier\":\"exchange\",\"pace\":0}");
    say(host, &order, -1);
    assert_int_equal(end_of(host, &message, 5), 0);
    assert_int_equal(message.result, LINK_RESULT_FAILED);
    assert_int_equal(host_stop(host), 0);
    free(file);
}

static void a_provider_that_crashes_takes_its_host_along(void **state)
{
    struct host *host = *state;
    struct link_message message;

    begin(host, "scripted.so", "{}");
    order_send(host, 1, 0, "crash", -1);
    while (host_hear(host, &message))
        assert_int_not_equal(message.type, LINK_ENDED);
    assert_int_not_equal(host_wait_exit(host), 0);
}

static void providers_that_refuse_to_start_are_left(void **state)
{
    static const struct {
        const char *module, *settings;
    } table[] = {
        {"scripted.so", "{\"refuse\":\"config\"}"},
        {"scripted.so", "{\"refuse\":\"create\"}"},
        {"scripted.so", "{\"refuse\":\"init\"}"},
        {"scripted.so", "{\"refuse\":\"zero-lines\"}"},
        {"scripted-bare.so", "{}"},
        {"no-such.so", "{}"},
        {"libfspcompat.so.0", "{}"},
        {"softmodem.so", "{\"pace\":-3}"},
        {"simulator.so", "{\"colour\":1}"},
    };
    struct host *host = *state;

    for (size_t i = 0; i < COUNT_OF(table); i++) {
        int status;

        host_start(host, table[i].module, table[i].settings);
        status = host_wait_exit(host);
        if (status == 0 || status >= 127)
            fail_msg("%s %s: status %d", table[i].module, table[i].settings, status);
    }
}

static void a_job_without_a_handle_never_started(void **state)
{
    struct host *host = *state;
    struct link_message message;

    begin(host, "scripted.so", "{\"refuse\":\"no-handle\"}");
    order_send(host, 1, 0, "ok", -1);
    end_of(host, &message, 1);
    assert_int_equal(message.result, LINK_RESULT_NOT_STARTED);
    host_stop(host);
}

static void orders_that_make_no_sense_are_dropped(void **state)
{
    struct host *host = *state;
    struct link_message message;

    begin(host, "scripted.so", "{}");
    order_send(host, 1, 99, "ok", -1); /* no such line */
    end_of(host, &message, 1);
    assert_int_equal(message.result, LINK_RESULT_NOT_STARTED);
    assert_int_equal(send(host->link, "nonsense", 8, 0), 8);
    say(host, &(struct link_message){.type = LINK_ABORT, .job = 4711}, -1);
    say(host, &(struct link_message){.type = LINK_REJECT, .line = 7, .number = 9}, -1);
    say(host, &(struct link_message){.type = LINK_READY}, -1);
    order_send(host, 2, 0, "ok", -1);
    end_of(host, &message, 2);
    assert_int_equal(message.result, LINK_RESULT_SENT);
    assert_int_equal(host_stop(host), 0);
}

static void a_host_without_faxd_ends_its_call_and_then_leaves(void **state)
{
    struct host *host = *state;
    struct link_message message;

    begin(host, "simulator.so", "{\"answer_ms\":2500}");
    order_send(host, 1, 0, "99", -1);
    hear_type(host, &message, LINK_STATUS);
    close(host->link);
    host->link = -1;
    usleep(1500000); /* longer than its orphan grace: the call still runs */
    assert_int_equal(waitpid(host->pid, NULL, WNOHANG), 0);
    assert_int_equal(host_wait_exit(host), 0);
}

/* --- the provider's state --- */

/* A file of the script that scripted.so reads. */
static void script(const struct host *host, const char *name, const void *octets, size_t size)
{
    char *path = xasprintf("%s/%s", host->dir, name);
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(octets, 1, size, file), size);
    fclose(file);
    free(path);
}

static void script_text(const struct host *host, const char *name, const char *text)
{
    script(host, name, text, strlen(text));
}

static void begin_scripted(struct host *host)
{
    char *settings = xasprintf("{\"script\":\"%s\"}", host->dir);

    begin(host, "scripted.so", settings);
    free(settings);
}

#define UP   "{\"trunks\":[{\"name\":\"office\",\"state\":\"up\"}]}"
#define DOWN "{\"trunks\":[{\"name\":\"office\",\"state\":\"down\"}]}"

static void the_state_of_trunks_is_known_before_the_greeting_ends(void **state)
{
    struct host *host = *state;

    script_text(host, "trunks", DOWN);
    begin_scripted(host);
    assert_string_equal(host->state, DOWN);
    close(host->link);
    greet(host, host->last); /* and again to the next faxd */
    assert_int_equal(host->states, 2);
    assert_int_equal(host_stop(host), 0);
}

static void a_change_of_state_is_asked_for_and_told(void **state)
{
    struct host *host = *state;
    struct link_message message;

    script_text(host, "trunks", UP);
    script_text(host, "trunks.next", DOWN);
    begin_scripted(host);
    assert_string_equal(host->state, UP);
    order_send(host, 1, 0, "*9", -1);
    hear_type(host, &message, LINK_STATE);
    assert_string_equal(host->state, DOWN);
    script_text(host, "trunks.tested", UP);
    say(host, &(struct link_message){.type = LINK_TEST, .text = "office"}, -1);
    hear_type(host, &message, LINK_STATE);
    assert_string_equal(host->state, UP);
    say(host, &(struct link_message){.type = LINK_TEST, .text = "no \"such"}, -1);
    hear_type(host, &message, LINK_FAULT);
    assert_non_null(strstr(message.text, "no trunk has this name"));
    assert_int_equal(host_stop(host), 0);
}

/* In either order; only then is the line free for the next. */
static void hear_fault_and_end(struct host *host, uint64_t job)
{
    struct link_message message;
    bool fault = false, ended = false;

    while (!fault || !ended) {
        if (!host_hear(host, &message))
            fail_msg("%s while a fault and the end of a job were waited for", host->fault);
        if (message.type == LINK_FAULT)
            assert_non_null(strstr(message.text, "FaxdProviderAsk"));
        fault = fault || message.type == LINK_FAULT;
        ended = ended || (message.type == LINK_ENDED && message.job == job);
    }
}

/* Each is told as a fault; what was known before stays. */
static void answers_that_are_no_state_are_dropped(void **state)
{
    static char too_long[60000];
    static const struct {
        const void *octets;
        size_t size;
    } table[] = {
        {"", 0}, {"no json", 7}, {"[1]", 3}, {"{\"trunks\":\0[]}", 14}, {"{\"a\":\"\xff\"}", 9}, {too_long, 60000},
    };
    struct host *host = *state;
    struct link_message message;

    memset(too_long, ' ', sizeof too_long);
    memcpy(too_long, UP, strlen(UP));
    script_text(host, "trunks", UP);
    begin_scripted(host);
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        script(host, "trunks.next", table[i].octets, table[i].size);
        order_send(host, i + 1, 0, "*9", -1);
        hear_fault_and_end(host, i + 1);
    }
    assert_int_equal(host->states, 1);
    script_text(host, "trunks.next", DOWN);
    order_send(host, 100, 0, "*9", -1);
    hear_type(host, &message, LINK_STATE);
    assert_string_equal(host->state, DOWN);
    assert_int_equal(host_stop(host), 0);
}

static void a_provider_without_trunks_has_no_state(void **state)
{
    struct host *host = *state;
    struct link_message message;

    begin(host, "simulator.so", "{}");
    say(host, &(struct link_message){.type = LINK_TEST, .text = "office"}, -1);
    hear_type(host, &message, LINK_FAULT);
    assert_non_null(strstr(message.text, "not tested"));
    order_send(host, 1, 0, "99", -1);
    assert_int_equal(end_of(host, &message, 1), 0);
    assert_int_equal(host->states, 0);
    assert_int_equal(host_stop(host), 0);
}

#define FACT(fact) cmocka_unit_test_setup_teardown(fact, setup, teardown)

int main(void)
{
    const struct CMUnitTest facts[] = {
        FACT(an_honest_provider_is_greeted_and_left),
        FACT(a_page_goes_from_line_to_line),
        FACT(what_was_not_acknowledged_is_told_again),
        FACT(an_order_seen_twice_is_one_call),
        FACT(what_the_results_mean),
        FACT(wrong_packets_are_refused_and_the_call_goes_on),
        FACT(a_late_packet_is_not_taken_for_one_of_the_next_call),
        FACT(a_status_that_wants_too_much_memory_is_no_status),
        FACT(a_report_that_cannot_be_read_costs_what_is_wrong_in_it),
        FACT(a_longer_struct_of_a_later_day_is_understood),
        FACT(a_call_that_ignores_its_abort_costs_its_line_and_no_other),
        FACT(an_abort_that_hangs_costs_its_line_and_no_other),
        FACT(a_thread_that_stays_does_not_crash_a_host_that_leaves),
        FACT(a_draining_host_ends_its_calls_and_takes_no_other),
        FACT(a_call_that_never_rang_is_not_received),
        FACT(a_provider_that_crashes_takes_its_host_along),
        FACT(providers_that_refuse_to_start_are_left),
        FACT(a_job_without_a_handle_never_started),
        FACT(orders_that_make_no_sense_are_dropped),
        FACT(a_host_without_faxd_ends_its_call_and_then_leaves),
        FACT(the_state_of_trunks_is_known_before_the_greeting_ends),
        FACT(a_change_of_state_is_asked_for_and_told),
        FACT(answers_that_are_no_state_are_dropped),
        FACT(a_provider_without_trunks_has_no_state),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("host", facts, NULL, NULL);
}
