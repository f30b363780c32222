/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about the codes of failed calls. */
#include "config.h"

#include "plugins/sip/cause.h"

#include <stdio.h>
#include <string.h>

#include "tests/lib/facts.h"

static void reasons_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int cause;
    } table[] = {
        {"Q.850;cause=16;text=\"Normal call clearing\"", 16},
        {"q.850 ; CAUSE = 17", 17},
        {"Q.850;text=\"a;cause=3, b\";cause=1", 1},
        {"Q.850;text=\"say \\\"cause=3\\\"\";cause=1", 1},
        {"SIP;cause=200;text=\"Call completed elsewhere\"", 0},
        {"SIP;cause=486;text=\"a, Q.850;cause=3\", Q.850;cause=34", 34},
        {"Q.850;text=\"none\",Q.850;cause=21,Q.850;cause=22", 21},
        {"Q.850;cause=127", 127},
        {"Q.850;cause=128", 0},
        {"Q.850;cause=99999999999999999999", 0},
        {"Q.850;cause=-1", 0},
        {"Q.850;cause=0", 0},
        {"Q.850;cause=1x", 0},
        {"Q.850;cause=", 0},
        {"Q.850;cause", 0},
        {"Q.850;causes=1", 0},
        {"Q.850", 0},
        {"Q.8500;cause=1", 0},
        {"Q.850;text=\"cause=1;cause=1", 0},
        {";;,,;cause=1", 0},
        {"\"", 0},
        {"\"\\", 0},
        {"", 0},
        {NULL, 0},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++)
        assert_int_equal(cause_parse_reason(table[i].text), table[i].cause);
}

static void a_reason_is_read_to_its_limit(void **state)
{
    (void)state;
    char text[4096];
    snprintf(text, sizeof(text), "%*s;cause=17", 1000, "Q.850");
    assert_int_equal(cause_parse_reason(text), 17);
    snprintf(text, sizeof(text), "%*s;cause=17", 1030, "Q.850");
    assert_int_equal(cause_parse_reason(text), 0);
}

static void codes_have_outcomes(void **state)
{
    (void)state;
    static const struct {
        int status, q850;
        const char *outcome;
        bool next_trunk;
    } table[] = {
        /* the status alone */
        {486, 0, "busy", false},
        {600, 0, "busy", false},
        {503, 0, "congestion", true},
        {504, 0, "congestion", true},
        {500, 0, "congestion", true},
        {501, 0, "congestion", true},
        {502, 0, "congestion", true},
        {513, 0, "congestion", true},
        {555, 0, "no_answer", false},
        {408, 0, "no_answer", false},
        {480, 0, "no_answer", false},
        {487, 0, "no_answer", false},
        {404, 0, "bad_address", false},
        {410, 0, "bad_address", false},
        {484, 0, "bad_address", false},
        {604, 0, "bad_address", false},
        {403, 0, "call_rejected", true},
        {603, 0, "call_rejected", false},
        {607, 0, "call_rejected", false},
        {608, 0, "call_rejected", false},
        {488, 0, "t38_negotiation_failed", false},
        {606, 0, "t38_negotiation_failed", false},
        {401, 0, "line_unavailable", true},
        {402, 0, "line_unavailable", true},
        {407, 0, "line_unavailable", true},
        {483, 0, "congestion", true},
        {400, 0, "call_rejected", true},
        {420, 0, "call_rejected", true},
        {302, 0, "call_rejected", false},
        {0, 0, "line_unavailable", false},
        {200, 0, "internal", false},
        {700, 0, "internal", false},
        /* the cause knows more */
        {503, 17, "busy", false},
        {500, 1, "bad_address", false},
        {480, 18, "no_answer", false},
        {480, 19, "no_answer", false},
        {404, 1, "bad_address", false},
        {404, 3, "bad_address", true},
        {503, 22, "bad_address", false},
        {500, 28, "bad_address", false},
        {603, 21, "call_rejected", false},
        {403, 21, "call_rejected", false},
        {486, 17, "busy", false},
        {480, 34, "congestion", true},
        {503, 38, "congestion", true},
        {503, 41, "congestion", true},
        {503, 42, "congestion", true},
        {503, 47, "congestion", true},
        {0, 102, "congestion", true},
        {403, 57, "call_rejected", true},
        /* but these causes say nothing */
        {486, 16, "busy", false},
        {480, 31, "no_answer", false},
        {500, 127, "congestion", true},
        {404, 999, "bad_address", false},
        {404, -1, "bad_address", false},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        assert_string_equal(cause_outcome(table[i].status, table[i].q850), table[i].outcome);
        assert_int_equal(cause_try_next_trunk(table[i].status, table[i].q850), table[i].next_trunk);
    }
}

static void every_pair_of_codes_has_a_word(void **state)
{
    (void)state;
    for (int status = -1; status <= 701; status++) {
        for (int cause = -1; cause <= 128; cause++)
            assert_true(strlen(cause_outcome(status, cause)) > 0);
    }
}

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(reasons_are_read),
        cmocka_unit_test(a_reason_is_read_to_its_limit),
        cmocka_unit_test(codes_have_outcomes),
        cmocka_unit_test(every_pair_of_codes_has_a_word),
    };
    return cmocka_run_group_tests(facts, NULL, NULL);
}
