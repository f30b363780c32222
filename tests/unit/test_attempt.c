/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about attempts: a call begins, goes on and ends, and its fax goes with it. */
#include "config.h"

#include "spool/attempt.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/journal.h"
#include "spool/claim.h"
#include "spool/fax_json.h"
#include "spool/fax_state.h"
#include "tests/lib/facts.h"
#include "tests/lib/spool_facts.h"

static struct spool *spool_of(void **state)
{
    return ((struct spool_facts *)*state)->spool;
}

static void end_call(struct spool *spool, int64_t attempt, enum fax_outcome outcome, int pages, bool end_sent,
                     bool final_confirmed)
{
    struct attempt_result result = {
        .outcome = outcome, .pages_confirmed = pages, .end_sent = end_sent, .final_confirmed = final_confirmed};
    assert_int_equal(attempt_end(NULL, spool, attempt, &result), 0);
}

/* Let a scheduled retry fall due, without waiting. */
static void make_due(struct spool *spool)
{
    int64_t next_at;
    assert_int_equal(claim_promote(&next_at, spool, clock_now_ms() + 3600000, 100), 1);
}

static void a_call_that_confirms_every_page_delivers(void **state)
{
    struct spool *spool = spool_of(state);
    int64_t id = spool_facts_queue(spool, "1002", 3);
    int64_t call = spool_facts_call(spool);
    assert_int_equal(spool_facts_state(spool, id), FAX_DIALING);
    end_call(spool, call, OUTCOME_SUCCESS, 3, true, true);
    struct fax fax;
    spool_facts_read(&fax, spool, id);
    assert_int_equal(fax.state, FAX_DELIVERED);
    assert_int_equal(fax.delivery, FAX_DELIVERY_CONFIRMED);
    assert_int_equal(fax.pages_confirmed, 3);
    assert_int_equal(fax.attempts, 1);
    assert_int_equal(fax.calls, 1);
    assert_int_equal(fax.attempt, 0);
    assert_string_equal(fax.line, "exchange/1001");
    assert_true(fax.ended_at > 0);
    assert_string_equal(spool_facts_events(spool, id), "fax.accepted fax.prepared fax.dialing fax.delivered");
    fax_clear(&fax);
    spool_facts_turn(spool);
}

static void an_end_that_is_replayed_changes_nothing(void **state)
{
    struct spool *spool = spool_of(state);
    int64_t id = spool_facts_queue(spool, "1002", 1);
    int64_t call = spool_facts_call(spool);
    end_call(spool, call, OUTCOME_BUSY, 0, false, false);
    struct attempt_result again = {
        .outcome = OUTCOME_SUCCESS, .pages_confirmed = 1, .end_sent = true, .final_confirmed = true};
    assert_int_equal(attempt_end(NULL, spool, call, &again), ERR_CONFLICT);
    assert_int_equal(spool_facts_state(spool, id), FAX_SCHEDULED);
    assert_string_equal(spool_facts_events(spool, id), "fax.accepted fax.prepared fax.dialing fax.retry_scheduled");
    make_due(spool);
    int64_t second = spool_facts_call(spool);
    assert_true(second > call);
    assert_int_equal(attempt_end(NULL, spool, call, &again), ERR_CONFLICT); /* while the next call is under way */
    assert_int_equal(spool_facts_state(spool, id), FAX_DIALING);
}

static void an_unknown_attempt_is_not_found(void **state)
{
    struct attempt attempt;
    struct attempt_result result = {.outcome = OUTCOME_BUSY};
    assert_int_equal(attempt_get(&attempt, spool_of(state), 77), ERR_NOT_FOUND);
    assert_int_equal(attempt_end(NULL, spool_of(state), 77, &result), ERR_NOT_FOUND);
    assert_int_equal(attempt_set_run(spool_of(state), 77, "run"), ERR_NOT_FOUND);
}

static void only_a_queued_fax_is_called(void **state)
{
    struct spool *spool = spool_of(state);
    int64_t id = spool_facts_queue(spool, "1002", 1);
    struct attempt attempt;
    struct fax seen;
    spool_facts_read(&seen, spool, id); /* as it was */
    spool_facts_call(spool);
    assert_int_equal(attempt_begin(&attempt, spool, &seen, "exchange", "1003", 2), ERR_CONFLICT);
    assert_int_equal(spool_facts_number(spool, "SELECT count(*) AS n FROM attempt"), 1);
    fax_clear(&seen);
    spool_facts_read(&seen, spool, id); /* as it is */
    assert_int_equal(attempt_begin(&attempt, spool, &seen, "exchange", "1003", 2), ERR_CONFLICT);
    fax_clear(&seen);
}

/* Two calls of a document of five pages: what the second sends, and what is confirmed after both. */
static const struct {
    enum fax_resume resume;
    int first_call; /* pages confirmed in the first call */
    int first_page; /* then the second starts here */
    bool first_repeated;
    int second_call; /* pages of the second call's file confirmed */
    int confirmed;   /* pages of the document, after it */
} resumes[] = {
    {FAX_RESUME_REMAINING, 0, 1, false, 0, 0},
    {FAX_RESUME_REMAINING, 0, 1, false, 2, 2},
    {FAX_RESUME_REMAINING, 2, 3, false, 0, 2},
    {FAX_RESUME_REMAINING, 2, 3, false, 1, 3},
    {FAX_RESUME_REMAINING, 4, 5, false, 1, 5},
    {FAX_RESUME_FIRST_AND_REMAINING, 0, 1, false, 1, 1},
    {FAX_RESUME_FIRST_AND_REMAINING, 2, 3, true, 0, 2},
    {FAX_RESUME_FIRST_AND_REMAINING, 2, 3, true, 1, 2}, /* page 1, again */
    {FAX_RESUME_FIRST_AND_REMAINING, 2, 3, true, 2, 3},
    {FAX_RESUME_FIRST_AND_REMAINING, 2, 3, true, 4, 5},
    {FAX_RESUME_ALL, 2, 1, false, 1, 2}, /* what was confirmed stays so */
    {FAX_RESUME_ALL, 2, 1, false, 4, 4},
    {FAX_RESUME_REMAINING, 2, 3, false, 99, 5}, /* a provider that cannot count */
};

static void a_retry_resumes_at_the_right_page(void **state)
{
    struct spool *spool = spool_of(state);
    for (size_t i = 0; i < COUNT_OF(resumes); i++) {
        struct attempt attempt;
        struct fax fax;
        char sql[128];
        int64_t id = spool_facts_queue(spool, "1002", 5);
        snprintf(sql, sizeof(sql), "UPDATE fax SET resume = %d WHERE id = %lld RETURNING id AS n",
                 (int)resumes[i].resume, (long long)id);
        assert_int_equal(spool_facts_number(spool, sql), id);
        end_call(spool, spool_facts_call(spool), OUTCOME_DISCONNECTED, resumes[i].first_call, false, false);
        make_due(spool);
        int64_t call = spool_facts_call(spool);
        assert_int_equal(attempt_get(&attempt, spool, call), 0);
        assert_int_equal(attempt.number, 2);
        assert_int_equal(attempt.first_page, resumes[i].first_page);
        assert_int_equal(attempt.first_repeated, resumes[i].first_repeated);
        end_call(spool, call, OUTCOME_BAD_ADDRESS, resumes[i].second_call, false, false);
        spool_facts_read(&fax, spool, id);
        assert_int_equal(fax.pages_confirmed, resumes[i].confirmed);
        fax_clear(&fax);
    }
}

static void the_last_pages_in_a_second_call_deliver(void **state)
{
    struct spool *spool = spool_of(state);
    int64_t id = spool_facts_queue(spool, "1002", 4);
    end_call(spool, spool_facts_call(spool), OUTCOME_CARRIER_LOST, 3, false, false);
    struct fax fax;
    spool_facts_read(&fax, spool, id);
    assert_int_equal(fax.state, FAX_SCHEDULED);
    assert_int_equal(fax.delivery, FAX_DELIVERY_PARTIAL);
    fax_clear(&fax);
    make_due(spool);
    end_call(spool, spool_facts_call(spool), OUTCOME_SUCCESS, 1, true, true);
    assert_int_equal(spool_facts_state(spool, id), FAX_DELIVERED);
}

static void pages_are_counted_live(void **state)
{
    struct spool *spool = spool_of(state);
    int64_t id = spool_facts_queue(spool, "1002", 4);
    end_call(spool, spool_facts_call(spool), OUTCOME_CARRIER_LOST, 2, false, false);
    make_due(spool);
    int64_t call = spool_facts_call(spool);
    struct attempt attempt;
    struct fax fax;
    assert_int_equal(attempt_set_pages(spool, call, 1), 0);
    assert_int_equal(attempt_set_pages(spool, call, 1), 0); /* told twice */
    spool_facts_read(&fax, spool, id);
    assert_int_equal(fax.pages_confirmed, 3);
    fax_clear(&fax);
    assert_int_equal(attempt_get(&attempt, spool, call), 0);
    assert_int_equal(attempt.pages_confirmed, 1);
    assert_null(strstr(spool_facts_events(spool, id), "fax.page_sent")); /* nobody asked for it */
}

static void what_is_noted_of_a_call_is_kept(void **state)
{
    struct spool_facts *facts = *state;
    spool_facts_queue(facts->spool, "1002", 1);
    int64_t call = spool_facts_call(facts->spool);
    assert_int_equal(attempt_set_run(facts->spool, call, "run-7"), 0);
    assert_int_equal(attempt_set_connected(facts->spool, call, 1234), 0);
    assert_int_equal(attempt_set_transmitting(facts->spool, call), 0);
    spool_facts_reopen(facts);
    struct attempt attempt;
    assert_int_equal(attempt_get(&attempt, facts->spool, call), 0);
    assert_string_equal(attempt.provider, "exchange");
    assert_string_equal(attempt.line, "1001");
    assert_string_equal(attempt.run, "run-7");
    assert_int_equal(attempt.connected_at, 1234);
    assert_true(attempt.transmitting);
    assert_int_equal(attempt.ended_at, 0);
}

static void cancel_in_a_call_waits_for_its_end(void **state)
{
    static const struct {
        int pages;
        bool end_sent, final_confirmed;
        enum fax_outcome outcome;
        enum fax_state state;
        enum fax_delivery delivery;
    } table[] = {
        {0, false, false, OUTCOME_ABORTED, FAX_CANCELED, FAX_DELIVERY_NONE},
        {1, false, false, OUTCOME_ABORTED, FAX_CANCELED, FAX_DELIVERY_PARTIAL},
        {2, true, true, OUTCOME_SUCCESS, FAX_DELIVERED, FAX_DELIVERY_CONFIRMED},
        {1, true, false, OUTCOME_ABORTED, FAX_UNCONFIRMED, FAX_DELIVERY_UNCONFIRMED},
        {0, false, false, OUTCOME_BUSY, FAX_CANCELED, FAX_DELIVERY_NONE},
    };
    struct spool *spool = spool_of(state);
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct fax fax;
        int64_t id = spool_facts_queue(spool, "1002", 2);
        int64_t call = spool_facts_call(spool);
        spool_facts_read(&fax, spool, id);
        assert_int_equal(fax_state_cancel(spool, fax.public_id), 0);
        fax_clear(&fax);
        assert_int_equal(spool_facts_state(spool, id), FAX_CANCELING);
        end_call(spool, call, table[i].outcome, table[i].pages, table[i].end_sent, table[i].final_confirmed);
        spool_facts_read(&fax, spool, id);
        assert_int_equal(fax.state, table[i].state);
        assert_int_equal(fax.delivery, table[i].delivery);
        fax_clear(&fax);
    }
}

static void an_unavailable_line_does_not_count(void **state)
{
    struct spool *spool = spool_of(state);
    int64_t id = spool_facts_queue(spool, "1002", 1);
    struct fax fax;
    for (int i = 0; i < 8; i++) {
        end_call(spool, spool_facts_call(spool), OUTCOME_LINE_UNAVAILABLE, 0, false, false);
        make_due(spool);
    }
    spool_facts_read(&fax, spool, id);
    assert_int_equal(fax.attempts, 0);
    assert_int_equal(fax.calls, 8);
    fax_clear(&fax);
}

static void busy_calls_end_after_the_last_attempt(void **state)
{
    struct spool *spool = spool_of(state);
    int64_t id = spool_facts_queue(spool, "1002", 1);
    struct fax fax;
    for (int i = 0; i < 4; i++) {
        end_call(spool, spool_facts_call(spool), OUTCOME_BUSY, 0, false, false);
        make_due(spool);
    }
    end_call(spool, spool_facts_call(spool), OUTCOME_BUSY, 0, false, false);
    spool_facts_read(&fax, spool, id);
    assert_int_equal(fax.state, FAX_FAILED);
    assert_int_equal(fax.attempts, 5);
    assert_int_equal(fax.outcome, OUTCOME_BUSY);
    fax_clear(&fax);
}

static void the_raw_values_are_shown(void **state)
{
    struct spool *spool = spool_of(state);
    int64_t id = spool_facts_queue(spool, "1002", 1);
    json_t *record = json_pack("{s:i, s:s, s:i, s:b, s:s, s:[{s:s}]}", "t30_result", 6, "mode", "audio", "rate_bps",
                               9600, "ecm", true, "local_station_id", "+1555", "frames", "name", "DIS");
    struct attempt_result result = {.outcome = OUTCOME_TRAINING_FAILED,
                                    .fs_status = 0x20000800,
                                    .record = record,
                                    .remote_station_id = "+1666",
                                    .message = "no rate worked"};
    assert_int_equal(attempt_end(NULL, spool, spool_facts_call(spool), &result), 0);
    json_decref(record);
    struct fax fax;
    spool_facts_read(&fax, spool, id);
    json_t *shown = fax_json(&fax), *attempts, *trace;
    json_t *error = json_object_get(shown, "error");
    assert_string_equal(json_string_value(json_object_get(error, "code")), "training_failed");
    assert_string_equal(json_string_value(json_object_get(error, "fs_status")), "FS_FATAL_ERROR");
    assert_string_equal(json_string_value(json_object_get(error, "message")), "no rate worked");
    assert_int_equal(json_integer_value(json_object_get(error, "t30")), 6);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(shown, "transport"), "rate_bps")), 9600);
    assert_string_equal(fax.remote_station_id, "+1666");
    assert_string_equal(fax.local_station_id, "+1555");
    assert_int_equal(fax_json_attempts(&attempts, spool, &fax), 0);
    json_t *first = json_array_get(json_object_get(attempts, "data"), 0);
    assert_string_equal(json_string_value(json_object_get(first, "outcome")), "training_failed");
    assert_non_null(json_object_get(first, "frames_link"));
    assert_int_equal(fax_json_trace(&trace, spool, &fax, 1), 0);
    assert_int_equal(json_array_size(json_object_get(trace, "frames")), 1);
    json_decref(trace);
    assert_int_equal(fax_json_trace(&trace, spool, &fax, 2), ERR_NOT_FOUND);
    json_decref(attempts);
    json_decref(shown);
    fax_clear(&fax);
}

static void a_reception_goes_from_ring_to_received(void **state)
{
    struct spool *spool = spool_of(state);
    struct attempt attempt;
    struct fax fax;
    assert_int_equal(attempt_begin_inbound(&attempt, &fax, spool, "exchange", "1002", 1, "1002", "1001"), 0);
    int64_t id = fax.id;
    assert_int_equal(fax.state, FAX_RINGING);
    assert_int_equal(fax.attempt, attempt.id);
    assert_int_equal(fax_state_change(spool, &fax, FAX_RECEIVING), 0);
    fax_clear(&fax);
    assert_int_equal(attempt_set_pages(spool, attempt.id, 2), 0);
    struct attempt_result result = {.outcome = OUTCOME_SUCCESS, .pages_confirmed = 2, .remote_station_id = "THEM"};
    struct attempt_result early = {.outcome = OUTCOME_BUSY};
    assert_int_equal(attempt_end(NULL, spool, attempt.id, &early), ERR_CONFLICT); /* that is for sent ones */
    const char *sha = spool_facts_document(spool, "received pages");
    assert_int_equal(attempt_end_inbound(spool, attempt.id, &result, sha, 2, FAX_RECEIVED), 0);
    assert_int_equal(attempt_end_inbound(spool, attempt.id, &result, sha, 2, FAX_RECEIVED), ERR_CONFLICT);
    spool_facts_read(&fax, spool, id);
    assert_int_equal(fax.state, FAX_RECEIVED);
    assert_int_equal(fax.pages_total, 2);
    assert_string_equal(fax.document, sha);
    assert_string_equal(fax.remote_station_id, "THEM");
    assert_string_equal(fax.destination, "1002");
    assert_string_equal(fax.sender, "1001");
    fax_clear(&fax);
    assert_string_equal(spool_facts_events(spool, id), "inbound.ringing inbound.receiving inbound.received");
}

struct found {
    int count;
    int64_t ids[8];
    enum fax_direction directions[8];
    struct spool *ends; /* ends what it is told of */
};

static void find(void *context, const struct attempt *attempt, enum fax_direction direction)
{
    struct found *found = context;
    found->ids[found->count] = attempt->id;
    found->directions[found->count++] = direction;
    if (found->ends && direction == FAX_OUTBOUND)
        end_call(found->ends, attempt->id, OUTCOME_INTERNAL, 0, false, false);
}

static void open_attempts_are_found_after_a_restart(void **state)
{
    struct spool_facts *facts = *state;
    struct attempt inbound;
    struct fax fax;
    struct found found = {0};
    spool_facts_queue(facts->spool, "1002", 1);
    end_call(facts->spool, spool_facts_call(facts->spool), OUTCOME_SUCCESS, 1, true, true);
    spool_facts_queue(facts->spool, "1003", 1);
    int64_t call = spool_facts_call(facts->spool);
    assert_int_equal(attempt_begin_inbound(&inbound, &fax, facts->spool, "exchange", "1004", 3, "1004", ""), 0);
    fax_clear(&fax);
    spool_facts_reopen(facts);
    assert_int_equal(attempt_each_open(facts->spool, find, &found), 0);
    assert_int_equal(found.count, 2);
    assert_int_equal(found.ids[0], call);
    assert_int_equal(found.directions[0], FAX_OUTBOUND);
    assert_int_equal(found.ids[1], inbound.id);
    assert_int_equal(found.directions[1], FAX_INBOUND);
    found = (struct found){.ends = facts->spool};
    assert_int_equal(attempt_each_open(facts->spool, find, &found), 0);
    assert_int_equal(found.count, 2);
}

static void a_journal_is_there_and_goes_a_day_after_the_end(void **state)
{
    struct spool_facts *facts = *state;
    char path[256], open_path[256];
    struct journal_state journal;
    spool_facts_queue(facts->spool, "1002", 1);
    spool_facts_queue(facts->spool, "1003", 1);
    int64_t call = spool_facts_call(facts->spool), open_call = spool_facts_call(facts->spool);
    int fd = attempt_journal(facts->spool, call), open_fd = attempt_journal(facts->spool, open_call);
    assert_true(fd >= 0 && open_fd >= 0);
    assert_int_equal(journal_write(fd, JOURNAL_PAGE_CONFIRMED, 1, 0), 0);
    close(fd);
    close(open_fd);
    assert_int_equal(attempt_journal_path(path, sizeof(path), facts->spool, call), 0);
    assert_int_equal(attempt_journal_path(open_path, sizeof(open_path), facts->spool, open_call), 0);
    assert_int_equal(journal_read(&journal, path), 0);
    assert_int_equal(journal.pages_confirmed, 1);
    end_call(facts->spool, call, OUTCOME_SUCCESS, 1, true, true);
    spool_facts_reopen(facts);
    assert_int_equal(access(path, F_OK), 0);
    clock_shift(25 * 3600 * 1000);
    spool_facts_reopen(facts);
    clock_shift(-25 * 3600 * 1000);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(access(open_path, F_OK), 0); /* its call may still be running in a host */
}

#define FACT(fact) cmocka_unit_test_setup_teardown(fact, spool_facts_setup, spool_facts_teardown)

int main(void)
{
    const struct CMUnitTest facts[] = {
        FACT(a_call_that_confirms_every_page_delivers),
        FACT(an_end_that_is_replayed_changes_nothing),
        FACT(an_unknown_attempt_is_not_found),
        FACT(only_a_queued_fax_is_called),
        FACT(a_retry_resumes_at_the_right_page),
        FACT(the_last_pages_in_a_second_call_deliver),
        FACT(pages_are_counted_live),
        FACT(what_is_noted_of_a_call_is_kept),
        FACT(cancel_in_a_call_waits_for_its_end),
        FACT(an_unavailable_line_does_not_count),
        FACT(busy_calls_end_after_the_last_attempt),
        FACT(the_raw_values_are_shown),
        FACT(a_reception_goes_from_ring_to_received),
        FACT(open_attempts_are_found_after_a_restart),
        FACT(a_journal_is_there_and_goes_a_day_after_the_end),
    };
    return cmocka_run_group_tests_name("attempt", facts, NULL, NULL);
}
