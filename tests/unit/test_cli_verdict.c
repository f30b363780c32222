/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about the exit statuses of `fax`. */
#include "config.h"

#include "web/cli/verdict.h"

#include <stdlib.h>

#include "tests/lib/facts.h"

static enum verdict of_fax(const char *status, const char *code, const char *class)
{
    json_t *fax = json_pack("{s:s}", "status", status);
    if (class != NULL)
        json_object_set_new(fax, "error", json_pack("{s:s, s:s}", "code", code, "class", class));
    else if (code != NULL)
        json_object_set_new(fax, "error", json_string(code));
    enum verdict verdict = verdict_of_fax(fax);
    json_decref(fax);
    return verdict;
}

static void a_fax_under_way_is_no_failure(void **state)
{
    (void)state;
    static const char *const under_way[] = {"preparing", "held",      "scheduled", "queued",     "dialing",
                                            "sending",   "canceling", "receiving", "retry_wait", ""};
    for (size_t i = 0; i < COUNT_OF(under_way); i++) {
        assert_false(verdict_is_final(under_way[i]));
        assert_int_equal(of_fax(under_way[i], NULL, NULL), VERDICT_OK);
    }
}

static void an_end_has_its_status(void **state)
{
    (void)state;
    static const struct {
        const char *status;
        enum verdict verdict;
    } table[] = {
        {"delivered", VERDICT_OK},
        {"received", VERDICT_OK},
        {"routing", VERDICT_OK},
        {"unconfirmed", VERDICT_UNCONFIRMED},
        {"canceled", VERDICT_ENDED},
        {"expired", VERDICT_ENDED},
        {"partially_delivered", VERDICT_PROTOCOL},
        {"failed", VERDICT_PROTOCOL},
        {"partially_received", VERDICT_PROTOCOL},
        {"rejected", VERDICT_ADDRESS},
        {"route_failed", VERDICT_ERROR},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        assert_true(verdict_is_final(table[i].status));
        assert_int_equal(of_fax(table[i].status, NULL, NULL), table[i].verdict);
    }
}

static void a_failure_is_judged_by_its_code_and_else_by_its_class(void **state)
{
    (void)state;
    static const struct {
        const char *code, *class;
        enum verdict verdict;
    } table[] = {
        {"busy", "call", VERDICT_CALL},
        {"no_answer", "call", VERDICT_CALL},
        {"line_unavailable", "line", VERDICT_CALL},
        {"bad_address", "call", VERDICT_ADDRESS},
        {"not_fax", "protocol", VERDICT_ADDRESS},
        {"not_fax", NULL, VERDICT_ADDRESS}, /* thin objects have the code alone */
        {"disconnected", "call", VERDICT_PROTOCOL},
        {"training_failed", "protocol", VERDICT_PROTOCOL},
        {"confirmation_lost", "protocol", VERDICT_UNCONFIRMED},
        {"aborted", "user", VERDICT_ENDED},
        {"conversion_failed", "document", VERDICT_DOCUMENT},
        {"internal", "server", VERDICT_ERROR},
        {"of_a_later_version", "call", VERDICT_CALL},
        {"of_a_later_version", "of_a_later_version", VERDICT_PROTOCOL},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++)
        assert_int_equal(of_fax("failed", table[i].code, table[i].class), table[i].verdict);
    assert_int_equal(of_fax("delivered", "busy", "call"), VERDICT_OK); /* an earlier call's */
}

static void a_refusal_is_judged_by_its_faults(void **state)
{
    (void)state;
    static const struct {
        long status;
        const char *problem;
        enum verdict verdict;
    } table[] = {
        {422, "{\"code\": \"validation\", \"errors\": [{\"code\": \"invalid_number\"}]}", VERDICT_ADDRESS},
        {422, "{\"code\": \"validation\", \"errors\": [{\"code\": \"empty_document\"}]}", VERDICT_DOCUMENT},
        {422, "{\"code\": \"invalid_number\"}", VERDICT_ADDRESS},
        {422, "{\"code\": \"validation\", \"errors\": [{\"code\": \"unknown_field\"}]}", VERDICT_ERROR},
        {422, "{\"errors\": 3}", VERDICT_ERROR},
        {413, "{}", VERDICT_DOCUMENT},
        {415, "[]", VERDICT_DOCUMENT},
        {503, "{\"code\": 7}", VERDICT_ERROR},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        json_t *problem = json_loads(table[i].problem, 0, NULL);
        assert_non_null(problem);
        assert_int_equal(verdict_of_problem(table[i].status, problem), table[i].verdict);
        json_decref(problem);
    }
    assert_int_equal(verdict_of_problem(502, NULL), VERDICT_ERROR);
    assert_int_equal(verdict_of_problem(413, NULL), VERDICT_DOCUMENT);
}

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(a_fax_under_way_is_no_failure),
        cmocka_unit_test(an_end_has_its_status),
        cmocka_unit_test(a_failure_is_judged_by_its_code_and_else_by_its_class),
        cmocka_unit_test(a_refusal_is_judged_by_its_faults),
    };
    return cmocka_run_group_tests(facts, NULL, NULL);
}
