/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The retry rule as tables: facts of a call that ended, and what has to happen. */
#include "config.h"

#include "spool/retry.h"

#include <stdlib.h>
#include <string.h>

#include "server/base/err.h"
#include "spool/outcome.h"
#include "tests/lib/facts.h"

#define NOW 1000000000000ll

static struct retry_facts usual(enum fax_outcome outcome)
{
    return (struct retry_facts){
        .outcome = outcome, .pages_total = 3, .attempts = 1, .calls = 1, .now_ms = NOW, .expires_at = 0};
}

static struct retry_decision decide(const struct retry_facts *facts)
{
    struct retry_policy policy;
    struct retry_decision decision;
    retry_policy_default(&policy);
    retry_decide(&decision, &policy, facts);
    return decision;
}

/* The first call, nothing confirmed: every outcome. */
static const struct {
    enum fax_outcome outcome;
    enum fax_state next;
    int delay_s;
    bool other_line;
} firsts[] = {
    {OUTCOME_LINE_UNAVAILABLE, FAX_SCHEDULED, 5, true},
    {OUTCOME_NO_DIAL_TONE, FAX_SCHEDULED, 5, true},
    {OUTCOME_BUSY, FAX_SCHEDULED, 60, false},
    {OUTCOME_CONGESTION, FAX_SCHEDULED, 60, true},
    {OUTCOME_NO_ANSWER, FAX_SCHEDULED, 600, false},
    {OUTCOME_BAD_ADDRESS, FAX_FAILED, 0, false},
    {OUTCOME_CALL_REJECTED, FAX_FAILED, 0, false},
    {OUTCOME_BLACKLISTED, FAX_FAILED, 0, false},
    {OUTCOME_CALL_DELAYED, FAX_SCHEDULED, 600, false},
    {OUTCOME_NOT_FAX, FAX_SCHEDULED, 600, false},
    {OUTCOME_DISCONNECTED, FAX_SCHEDULED, 300, false},
    {OUTCOME_T38_NEGOTIATION_FAILED, FAX_QUEUED, 0, false},
    {OUTCOME_TRAINING_FAILED, FAX_SCHEDULED, 60, false},
    {OUTCOME_CAPABILITY_MISMATCH, FAX_QUEUED, 0, false},
    {OUTCOME_REMOTE_AUTH_REQUIRED, FAX_FAILED, 0, false},
    {OUTCOME_PAGE_TRANSFER_FAILED, FAX_SCHEDULED, 60, false},
    {OUTCOME_CARRIER_LOST, FAX_SCHEDULED, 300, false},
    {OUTCOME_CONFIRMATION_LOST, FAX_SCHEDULED, 60, false}, /* of a page that was not the last */
    {OUTCOME_PROTOCOL_ERROR, FAX_SCHEDULED, 60, false},
    {OUTCOME_MEDIA_TIMEOUT, FAX_SCHEDULED, 300, true},
    {OUTCOME_ABORTED, FAX_FAILED, 0, false},
    {OUTCOME_EXPIRED, FAX_FAILED, 0, false},
    {OUTCOME_DOCUMENT_UNSUPPORTED, FAX_FAILED, 0, false},
    {OUTCOME_CONVERSION_FAILED, FAX_FAILED, 0, false},
    {OUTCOME_TOO_MANY_PAGES, FAX_FAILED, 0, false},
    {OUTCOME_MEDIA_FETCH_FAILED, FAX_FAILED, 0, false},
    {OUTCOME_STORAGE_FULL, FAX_SCHEDULED, 5, true},
    {OUTCOME_INTERNAL, FAX_SCHEDULED, 60, false},
    {OUTCOME_RECEIVE_INCOMPLETE, FAX_FAILED, 0, false},
    {OUTCOME_REJECTED_BY_RULE, FAX_FAILED, 0, false},
    {OUTCOME_SENDER_NOT_FAX, FAX_FAILED, 0, false},
    {OUTCOME_UNKNOWN, FAX_FAILED, 0, false},
    {OUTCOME_NONE, FAX_SCHEDULED, 60, false},
    {OUTCOME_SUCCESS, FAX_UNCONFIRMED, 0, false}, /* a word without proof */
};

static void every_outcome_has_its_rule(void **state)
{
    (void)state;
    assert_int_equal(COUNT_OF(firsts), OUTCOME_COUNT);
    for (size_t i = 0; i < COUNT_OF(firsts); i++) {
        struct retry_facts facts = usual(firsts[i].outcome);
        struct retry_decision got = decide(&facts);
        if (got.next != firsts[i].next)
            fail_msg("%s: %s", outcome_info(firsts[i].outcome)->code, fax_state_name(got.next));
        assert_int_equal(got.not_before, firsts[i].delay_s ? NOW + 1000ll * firsts[i].delay_s : 0);
        assert_int_equal(got.other_line, firsts[i].other_line);
        assert_int_equal(got.delivery,
                         firsts[i].next == FAX_UNCONFIRMED ? FAX_DELIVERY_UNCONFIRMED : FAX_DELIVERY_NONE);
        bool again = got.next == FAX_SCHEDULED || got.next == FAX_QUEUED;
        assert_int_equal(*got.reason != '\0', again);
    }
}

/* What the far end confirmed, against how it ended. */
static const struct {
    enum fax_outcome outcome;
    int confirmed; /* of 3 */
    bool end_sent, final_confirmed, cancel;
    enum fax_state next;
    enum fax_delivery delivery;
} proofs[] = {
    {OUTCOME_SUCCESS, 3, true, true, false, FAX_DELIVERED, FAX_DELIVERY_CONFIRMED},
    {OUTCOME_SUCCESS, 3, false, true, false, FAX_DELIVERED, FAX_DELIVERY_CONFIRMED},
    {OUTCOME_DISCONNECTED, 3, true, true, false, FAX_DELIVERED,
     FAX_DELIVERY_CONFIRMED},                                                        /* hung up after the last word */
    {OUTCOME_INTERNAL, 3, true, true, false, FAX_DELIVERED, FAX_DELIVERY_CONFIRMED}, /* the engine died after it */
    {OUTCOME_SUCCESS, 3, true, false, false, FAX_UNCONFIRMED, FAX_DELIVERY_UNCONFIRMED},
    {OUTCOME_SUCCESS, 2, true, true, false, FAX_SCHEDULED, FAX_DELIVERY_PARTIAL}, /* a page is missing */
    {OUTCOME_CONFIRMATION_LOST, 2, true, false, false, FAX_UNCONFIRMED, FAX_DELIVERY_UNCONFIRMED},
    {OUTCOME_DISCONNECTED, 2, true, false, false, FAX_UNCONFIRMED, FAX_DELIVERY_UNCONFIRMED},
    {OUTCOME_INTERNAL, 2, true, false, false, FAX_UNCONFIRMED, FAX_DELIVERY_UNCONFIRMED},
    {OUTCOME_BAD_ADDRESS, 0, true, false, false, FAX_UNCONFIRMED, FAX_DELIVERY_UNCONFIRMED},
    {OUTCOME_DISCONNECTED, 2, false, false, false, FAX_SCHEDULED, FAX_DELIVERY_PARTIAL},
    {OUTCOME_UNKNOWN, 2, false, false, false, FAX_PARTIALLY_DELIVERED, FAX_DELIVERY_PARTIAL},
    {OUTCOME_UNKNOWN, 0, false, false, false, FAX_FAILED, FAX_DELIVERY_NONE},
    {OUTCOME_ABORTED, 0, false, false, true, FAX_CANCELED, FAX_DELIVERY_NONE},
    {OUTCOME_ABORTED, 1, false, false, true, FAX_CANCELED, FAX_DELIVERY_PARTIAL},
    {OUTCOME_ABORTED, 2, true, false, true, FAX_UNCONFIRMED, FAX_DELIVERY_UNCONFIRMED},
    {OUTCOME_SUCCESS, 3, true, true, true, FAX_DELIVERED, FAX_DELIVERY_CONFIRMED},
    {OUTCOME_BUSY, 0, false, false, true, FAX_CANCELED, FAX_DELIVERY_NONE}, /* not called again */
};

static void delivered_means_that_everything_was_confirmed(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(proofs); i++) {
        struct retry_facts facts = usual(proofs[i].outcome);
        facts.pages_confirmed = proofs[i].confirmed;
        facts.end_sent = proofs[i].end_sent;
        facts.final_confirmed = proofs[i].final_confirmed;
        facts.cancel_wanted = proofs[i].cancel;
        struct retry_decision got = decide(&facts);
        if (got.next != proofs[i].next || got.delivery != proofs[i].delivery)
            fail_msg("row %zu: %s, %s", i, fax_state_name(got.next), fax_delivery_name(got.delivery));
    }
}

static void a_document_of_unknown_length_is_never_delivered(void **state)
{
    (void)state;
    for (int total = -1; total <= 0; total++) {
        struct retry_facts facts = usual(OUTCOME_SUCCESS);
        facts.pages_total = total;
        facts.final_confirmed = true;
        assert_int_not_equal(decide(&facts).next, FAX_DELIVERED);
    }
}

static void delays_follow_their_list_and_the_last_repeats(void **state)
{
    static const struct {
        enum fax_outcome outcome;
        int delays[6];
    } table[] = {
        {OUTCOME_BUSY, {60, 120, 180, 300, 300, 300}},          {OUTCOME_NO_ANSWER, {600, 900, 900, 900, 900, 900}},
        {OUTCOME_LINE_UNAVAILABLE, {5, 15, 60, 60, 60, 60}},    {OUTCOME_PROTOCOL_ERROR, {60, 300, 300, 300, 300, 300}},
        {OUTCOME_DISCONNECTED, {300, 300, 300, 300, 300, 300}},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++)
        for (int before = 0; before < 6; before++) {
            struct retry_facts facts = usual(table[i].outcome);
            facts.same_class_calls = before;
            assert_int_equal(decide(&facts).not_before - NOW, 1000ll * table[i].delays[before]);
        }
}

static void the_last_attempt_ends_it(void **state)
{
    (void)state;
    struct retry_facts facts = usual(OUTCOME_BUSY);
    facts.attempts = 4;
    assert_int_equal(decide(&facts).next, FAX_SCHEDULED);
    facts.attempts = 5;
    assert_int_equal(decide(&facts).next, FAX_FAILED);
    facts.pages_confirmed = 1;
    assert_int_equal(decide(&facts).next, FAX_PARTIALLY_DELIVERED);
    assert_int_equal(decide(&facts).delivery, FAX_DELIVERY_PARTIAL);
}

static void calls_that_do_not_count_have_a_cap_of_their_own(void **state)
{
    (void)state;
    struct retry_facts facts = usual(OUTCOME_LINE_UNAVAILABLE);
    facts.attempts = 50;
    facts.same_class_calls = 199;
    assert_int_equal(decide(&facts).next, FAX_SCHEDULED);
    assert_string_equal(decide(&facts).reason, "line_unavailable");
    facts.same_class_calls = 200;
    assert_int_equal(decide(&facts).next, FAX_FAILED);
}

static void what_is_not_a_fax_is_called_once_more(void **state)
{
    (void)state;
    struct retry_facts facts = usual(OUTCOME_NOT_FAX);
    assert_int_equal(decide(&facts).next, FAX_SCHEDULED);
    facts.same_class_calls = 1;
    assert_int_equal(decide(&facts).next, FAX_FAILED);
}

static void another_form_is_tried_at_once_but_only_once(void **state)
{
    (void)state;
    struct retry_facts facts = usual(OUTCOME_T38_NEGOTIATION_FAILED);
    assert_int_equal(decide(&facts).next, FAX_QUEUED);
    facts.same_class_calls = 1;
    assert_int_equal(decide(&facts).next, FAX_SCHEDULED);
    assert_int_equal(decide(&facts).not_before, NOW + 60000);
}

static void a_resend_is_made_only_on_request(void **state)
{
    struct retry_policy policy;
    struct retry_decision decision;
    (void)state;
    retry_policy_default(&policy);
    policy.on_unconfirmed = FAX_UNCONFIRMED_RESEND;
    struct retry_facts facts = usual(OUTCOME_CONFIRMATION_LOST);
    facts.pages_confirmed = 2;
    facts.end_sent = true;
    retry_decide(&decision, &policy, &facts);
    assert_int_equal(decision.next, FAX_SCHEDULED);
    assert_int_equal(decision.delivery, FAX_DELIVERY_UNCONFIRMED);
    facts.attempts = 5; /* no more of them: still not known, so neither failed nor partial */
    retry_decide(&decision, &policy, &facts);
    assert_int_equal(decision.next, FAX_UNCONFIRMED);
    facts = usual(OUTCOME_BAD_ADDRESS); /* the resend failed */
    facts.earlier_unconfirmed = true;
    retry_decide(&decision, &policy, &facts);
    assert_int_equal(decision.next, FAX_UNCONFIRMED);
    assert_int_equal(decision.delivery, FAX_DELIVERY_UNCONFIRMED);
    facts = usual(OUTCOME_CONFIRMATION_LOST);
    facts.end_sent = facts.cancel_wanted = true;
    retry_decide(&decision, &policy, &facts);
    assert_int_equal(decision.next, FAX_UNCONFIRMED);
}

static void nothing_is_called_after_its_time(void **state)
{
    (void)state;
    struct retry_facts facts = usual(OUTCOME_BUSY);
    facts.expires_at = NOW;
    assert_int_equal(decide(&facts).next, FAX_EXPIRED);
    facts.expires_at = NOW + 60000; /* the retry would come too late */
    assert_int_equal(decide(&facts).next, FAX_EXPIRED);
    assert_int_equal(decide(&facts).not_before, 0);
    facts.expires_at = NOW + 60001;
    assert_int_equal(decide(&facts).next, FAX_SCHEDULED);
    facts.expires_at = 1; /* long past, but it got through */
    facts.pages_confirmed = 3;
    facts.final_confirmed = true;
    assert_int_equal(decide(&facts).next, FAX_DELIVERED);
}

static void a_fax_brings_its_own_policy(void **state)
{
    struct retry_policy base, policy;
    char options[] = "{\"delays\":{\"busy\":[7,8],\"line\":[1]},\"resolution\":\"fine\"}";
    struct fax fax = {.options = options, .max_attempts = 9, .resume = FAX_RESUME_ALL};
    (void)state;
    retry_policy_default(&base);
    assert_int_equal(retry_policy_for(&policy, &base, &fax), 0);
    assert_int_equal(policy.max_attempts, 9);
    assert_int_equal(policy.resume, FAX_RESUME_ALL);
    assert_int_equal(policy.delay_s[RETRY_BUSY][0], 7);
    assert_int_equal(policy.delay_s[RETRY_BUSY][1], 8);
    assert_int_equal(policy.delay_s[RETRY_BUSY][2], 0);
    assert_int_equal(policy.delay_s[RETRY_LINE][0], 1);
    assert_int_equal(policy.delay_s[RETRY_NO_ANSWER][0], 600);
}

static void bad_delays_are_refused(void **state)
{
    static const char *const table[] = {
        "{\"delays\":7}",
        "{\"delays\":{\"busy\":7}}",
        "{\"delays\":{\"busy\":[]}}",
        "{\"delays\":{\"busy\":[0]}}",
        "{\"delays\":{\"busy\":[-1]}}",
        "{\"delays\":{\"busy\":[\"7\"]}}",
        "{\"delays\":{\"busy\":[604801]}}",
        "{\"delays\":{\"busy\":[1,2,3,4,5,6,7,8,9]}}",
        "{\"delays\":{\"often\":[1]}}",
        "{\"delays\":",
    };
    struct retry_policy base, policy;
    (void)state;
    retry_policy_default(&base);
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        char *options = strdup(table[i]);
        struct fax fax = {.options = options};
        assert_int_equal(retry_policy_for(&policy, &base, &fax), ERR_INVALID);
        free(options);
    }
}

static void outcomes_go_by_their_words(void **state)
{
    (void)state;
    for (int i = OUTCOME_SUCCESS; i < OUTCOME_COUNT; i++) {
        const struct outcome_info *info = outcome_info((enum fax_outcome)i);
        assert_true(*info->code && *info->message);
        assert_int_equal(outcome_from_code(info->code), i);
    }
    assert_int_equal(outcome_from_code(NULL), OUTCOME_NONE);
    assert_int_equal(outcome_from_code(""), OUTCOME_NONE);
    assert_int_equal(outcome_from_code("weather"), OUTCOME_NONE);
    assert_ptr_equal(outcome_info((enum fax_outcome)999), outcome_info(OUTCOME_INTERNAL));
    assert_ptr_equal(outcome_info((enum fax_outcome) - 1), outcome_info(OUTCOME_INTERNAL));
}

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(every_outcome_has_its_rule),
        cmocka_unit_test(delivered_means_that_everything_was_confirmed),
        cmocka_unit_test(a_document_of_unknown_length_is_never_delivered),
        cmocka_unit_test(delays_follow_their_list_and_the_last_repeats),
        cmocka_unit_test(the_last_attempt_ends_it),
        cmocka_unit_test(calls_that_do_not_count_have_a_cap_of_their_own),
        cmocka_unit_test(what_is_not_a_fax_is_called_once_more),
        cmocka_unit_test(another_form_is_tried_at_once_but_only_once),
        cmocka_unit_test(a_resend_is_made_only_on_request),
        cmocka_unit_test(nothing_is_called_after_its_time),
        cmocka_unit_test(a_fax_brings_its_own_policy),
        cmocka_unit_test(bad_delays_are_refused),
        cmocka_unit_test(outcomes_go_by_their_words),
    };
    return cmocka_run_group_tests_name("retry", facts, NULL, NULL);
}
