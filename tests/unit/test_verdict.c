/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about what the end of a call means: every combination of the host's word, the call record and the journal that
 * matters, and what may be shown of it. */
#include "server/verdict.h"
#include "tests/lib/facts.h"

#include <stdbool.h>
#include <string.h>

#define NO_JOURNAL                                                                                                     \
    {                                                                                                                  \
        .answered = false                                                                                              \
    }

/* A sent call of four pages. `result` NONE: the provider died. */
struct sent {
    const char *what;
    enum link_result result;
    enum link_outcome outcome;
    const char *record;
    struct journal_state journal;
    bool transmitting;
    /* what it means */
    enum fax_outcome means;
    int pages;
    bool end_sent, confirmed;
};

static const struct sent sent[] = {
    {"all is well",
     LINK_RESULT_SENT,
     LINK_OUTCOME_NONE,
     "{\"final_confirmed\":true}",
     {.answered = true, .pages_confirmed = 4, .end_sent = true, .final_confirmed = true, .closed = true},
     true,
     OUTCOME_SUCCESS,
     4,
     true,
     true},
    {"no journal, no record: the status is all there is", LINK_RESULT_SENT, LINK_OUTCOME_NONE, NULL, NO_JOURNAL, true,
     OUTCOME_SUCCESS, 4, true, true},
    {"sent, but the journal has no final confirmation",
     LINK_RESULT_SENT,
     LINK_OUTCOME_NONE,
     NULL,
     {.answered = true, .pages_confirmed = 3, .end_sent = true},
     true,
     OUTCOME_CONFIRMATION_LOST,
     3,
     true,
     false},
    {"sent, but the record says that nobody confirmed it", LINK_RESULT_SENT, LINK_OUTCOME_NONE,
     "{\"final_confirmed\":false,\"pages_confirmed\":3,\"end_sent\":true}", NO_JOURNAL, true, OUTCOME_CONFIRMATION_LOST,
     3, true, false},
    {"sent without a final status", LINK_RESULT_SENT_UNCONFIRMED, LINK_OUTCOME_NONE, NULL, NO_JOURNAL, true,
     OUTCOME_CONFIRMATION_LOST, 0, true, false},
    {"failed after the final confirmation: it was delivered all the same",
     LINK_RESULT_FAILED,
     LINK_OUTCOME_DISCONNECTED,
     NULL,
     {.answered = true, .pages_confirmed = 4, .end_sent = true, .final_confirmed = true},
     true,
     OUTCOME_SUCCESS,
     4,
     true,
     true},
    {"the line was cut between EOP and its confirmation",
     LINK_RESULT_FAILED,
     LINK_OUTCOME_DISCONNECTED,
     NULL,
     {.answered = true, .pages_confirmed = 3, .end_sent = true},
     true,
     OUTCOME_CONFIRMATION_LOST,
     3,
     true,
     false},
    {"cut in the third page",
     LINK_RESULT_FAILED,
     LINK_OUTCOME_DISCONNECTED,
     NULL,
     {.answered = true, .pages_confirmed = 2},
     true,
     OUTCOME_DISCONNECTED,
     2,
     false,
     false},
    {"the record is more precise than the status",
     LINK_RESULT_FAILED,
     LINK_OUTCOME_FATAL_ERROR,
     "{\"outcome\":\"training_failed\"}",
     {.answered = true},
     true,
     OUTCOME_TRAINING_FAILED,
     0,
     false,
     false},
    {"a record may not turn a failure into a success", LINK_RESULT_FAILED, LINK_OUTCOME_BUSY,
     "{\"outcome\":\"success\"}", NO_JOURNAL, false, OUTCOME_BUSY, 0, false, false},
    {"a record's nonsense is not believed", LINK_RESULT_FAILED, LINK_OUTCOME_NO_ANSWER,
     "{\"outcome\":\"wonderful\",\"pages_confirmed\":-7}", NO_JOURNAL, false, OUTCOME_NO_ANSWER, 0, false, false},
    {"more pages than there are", LINK_RESULT_FAILED, LINK_OUTCOME_DISCONNECTED, "{\"pages_confirmed\":99}", NO_JOURNAL,
     true, OUTCOME_DISCONNECTED, 4, false, false},
    {"aborted, whatever the record says",
     LINK_RESULT_FAILED,
     LINK_OUTCOME_ABORTED,
     "{\"outcome\":\"disconnected\"}",
     {.answered = true, .pages_confirmed = 1},
     true,
     OUTCOME_ABORTED,
     1,
     false,
     false},
    {"aborted after EOP: it may be there",
     LINK_RESULT_FAILED,
     LINK_OUTCOME_ABORTED,
     NULL,
     {.answered = true, .pages_confirmed = 3, .end_sent = true},
     true,
     OUTCOME_CONFIRMATION_LOST,
     3,
     true,
     false},
    {"never started", LINK_RESULT_NOT_STARTED, LINK_OUTCOME_BUSY, NULL, NO_JOURNAL, false, OUTCOME_LINE_UNAVAILABLE, 0,
     false, false},
    {"a status that only its provider knows", LINK_RESULT_FAILED, LINK_OUTCOME_UNKNOWN, NULL, NO_JOURNAL, true,
     OUTCOME_UNKNOWN, 0, false, false},
    {"the provider died while dialling", LINK_RESULT_NONE, LINK_OUTCOME_NONE, NULL, NO_JOURNAL, false, OUTCOME_INTERNAL,
     0, false, false},
    {"the provider died in the third page",
     LINK_RESULT_NONE,
     LINK_OUTCOME_NONE,
     NULL,
     {.answered = true, .pages_confirmed = 2},
     true,
     OUTCOME_INTERNAL,
     2,
     false,
     false},
    {"the provider died after EOP",
     LINK_RESULT_NONE,
     LINK_OUTCOME_NONE,
     NULL,
     {.answered = true, .pages_confirmed = 3, .end_sent = true},
     true,
     OUTCOME_CONFIRMATION_LOST,
     3,
     true,
     false},
    {"the provider died after the final confirmation",
     LINK_RESULT_NONE,
     LINK_OUTCOME_NONE,
     NULL,
     {.answered = true, .pages_confirmed = 3, .end_sent = true, .final_confirmed = true},
     true,
     OUTCOME_SUCCESS,
     4,
     true,
     true},
    {"a provider without journals died while sending", LINK_RESULT_NONE, LINK_OUTCOME_NONE, NULL, NO_JOURNAL, true,
     OUTCOME_CONFIRMATION_LOST, 0, true, false},
};

static void a_sent_call_means_no_more_than_is_known(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(sent); i++) {
        const struct sent *row = &sent[i];
        struct link_message ended = {.type = LINK_ENDED, .result = row->result, .outcome = row->outcome};
        json_t *record = row->record != NULL ? json_loads(row->record, 0, NULL) : NULL;
        struct verdict_facts facts = {.ended = row->result != LINK_RESULT_NONE ? &ended : NULL,
                                      .record = record,
                                      .journal = row->journal,
                                      .pages_in_file = 4,
                                      .transmitting = row->transmitting};
        struct attempt_result result;

        verdict_send(&result, &facts);
        if (result.outcome != row->means || result.pages_confirmed != row->pages || result.end_sent != row->end_sent ||
            result.final_confirmed != row->confirmed)
            fail_msg("%s: %s, %d pages, end sent %d, confirmed %d", row->what, outcome_info(result.outcome)->code,
                     result.pages_confirmed, result.end_sent, result.final_confirmed);
        json_decref(record);
    }
}

/* A received call. */
struct received {
    const char *what;
    enum link_result result;
    enum link_outcome outcome;
    struct journal_state journal;
    bool transmitting;
    enum fax_state state;
    enum fax_outcome means;
    int pages;
};

static const struct received received[] = {
    {"all is well",
     LINK_RESULT_RECEIVED,
     LINK_OUTCOME_NONE,
     {.answered = true, .pages_received = 3, .receive_complete = true, .closed = true},
     true,
     FAX_RECEIVED,
     OUTCOME_SUCCESS,
     3},
    {"no journal: the file tells", LINK_RESULT_RECEIVED, LINK_OUTCOME_NONE, NO_JOURNAL, true, FAX_RECEIVED,
     OUTCOME_SUCCESS, -1},
    {"failed after the last page was confirmed to the sender",
     LINK_RESULT_FAILED,
     LINK_OUTCOME_DISCONNECTED,
     {.answered = true, .pages_received = 3, .receive_complete = true},
     true,
     FAX_RECEIVED,
     OUTCOME_SUCCESS,
     3},
    {"cut in the third page",
     LINK_RESULT_FAILED,
     LINK_OUTCOME_DISCONNECTED,
     {.answered = true, .pages_received = 2},
     true,
     FAX_PARTIALLY_RECEIVED,
     OUTCOME_RECEIVE_INCOMPLETE,
     2},
    {"cut in the first page",
     LINK_RESULT_FAILED,
     LINK_OUTCOME_DISCONNECTED,
     {.answered = true},
     true,
     FAX_RECEIVE_FAILED,
     OUTCOME_DISCONNECTED,
     0},
    {"received, says the host, but its journal has no end",
     LINK_RESULT_RECEIVED,
     LINK_OUTCOME_NONE,
     {.answered = true, .pages_received = 2},
     true,
     FAX_PARTIALLY_RECEIVED,
     OUTCOME_RECEIVE_INCOMPLETE,
     2},
    {"the provider died with two pages on disk",
     LINK_RESULT_NONE,
     LINK_OUTCOME_NONE,
     {.answered = true, .pages_received = 2},
     true,
     FAX_PARTIALLY_RECEIVED,
     OUTCOME_RECEIVE_INCOMPLETE,
     2},
    {"the provider died after the last confirmation",
     LINK_RESULT_NONE,
     LINK_OUTCOME_NONE,
     {.answered = true, .pages_received = 2, .receive_complete = true},
     true,
     FAX_RECEIVED,
     OUTCOME_SUCCESS,
     2},
    {"the provider died before any page",
     LINK_RESULT_NONE,
     LINK_OUTCOME_NONE,
     {.answered = true},
     true,
     FAX_RECEIVE_FAILED,
     OUTCOME_INTERNAL,
     0},
    {"aborted without a journal: nothing is kept", LINK_RESULT_FAILED, LINK_OUTCOME_ABORTED, NO_JOURNAL, true,
     FAX_RECEIVE_FAILED, OUTCOME_ABORTED, 0},
    {"never answered", LINK_RESULT_NOT_STARTED, LINK_OUTCOME_NONE, NO_JOURNAL, false, FAX_RECEIVE_FAILED,
     OUTCOME_LINE_UNAVAILABLE, 0},
};

static void a_received_call_keeps_what_was_confirmed_to_the_sender(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(received); i++) {
        const struct received *row = &received[i];
        struct link_message ended = {.type = LINK_ENDED, .result = row->result, .outcome = row->outcome};
        struct verdict_facts facts = {.ended = row->result != LINK_RESULT_NONE ? &ended : NULL,
                                      .journal = row->journal,
                                      .transmitting = row->transmitting};
        struct attempt_result result;
        int pages;
        enum fax_state means = verdict_receive(&result, &pages, &facts);

        if (means != row->state || result.outcome != row->means || pages != row->pages)
            fail_msg("%s: state %s, %s, %d pages", row->what, fax_state_name(means), outcome_info(result.outcome)->code,
                     pages);
    }
}

static void the_record_gives_words_and_times(void **state)
{
    struct link_message ended = {.type = LINK_ENDED,
                                 .result = LINK_RESULT_FAILED,
                                 .outcome = LINK_OUTCOME_BUSY,
                                 .status = 0x20000002,
                                 .station_id = "of the packet"};
    json_t *record = json_loads("{\"message\":\"in words\",\"remote_station_id\":\"+1 555\",\"answered_at_ms\":1000,"
                                "\"ended_at_ms\":2000}",
                                0, NULL);
    struct verdict_facts facts = {.ended = &ended, .record = record, .pages_in_file = 1};
    struct attempt_result result;

    (void)state;
    verdict_send(&result, &facts);
    assert_string_equal(result.message, "in words");
    assert_string_equal(result.remote_station_id, "+1 555");
    assert_int_equal(result.fs_status, 0x20000002);
    assert_int_equal(result.connected_at, 1000);
    assert_int_equal(result.ended_at, 2000);
    json_object_del(record, "remote_station_id");
    json_object_set_new(record, "answered_at_ms", json_integer(-5));
    verdict_send(&result, &facts);
    assert_string_equal(result.remote_station_id, "of the packet");
    assert_int_equal(result.connected_at, 0);
    json_decref(record);
}

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(a_sent_call_means_no_more_than_is_known),
        cmocka_unit_test(a_received_call_keeps_what_was_confirmed_to_the_sender),
        cmocka_unit_test(the_record_gives_words_and_times),
    };
    return cmocka_run_group_tests_name("verdict", facts, NULL, NULL);
}
