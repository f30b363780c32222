/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about the memory of numbers: the rule, its rows, and their writing at the end of a call. */
#include "config.h"

#include "spool/destination.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "server/base/clock.h"
#include "server/base/err.h"
#include "spool/attempt.h"
#include "tests/lib/facts.h"
#include "tests/lib/spool_facts.h"

#define T38 "{\"mode\":\"t38\",\"t38_version\":0}"
#define SIP "{\"mode\":\"audio\",\"codec\":\"PCMU\"}"

static struct spool *spool_of(void **state)
{
    return ((struct spool_facts *)*state)->spool;
}

/* One call; what is remembered then, or NULL when it taught nothing. */
static const char *after(struct destination *destination, const char *record, enum fax_outcome outcome, int pages)
{
    json_t *object = record != NULL ? json_loads(record, 0, NULL) : NULL;
    const struct destination_call call = {
        .outcome = outcome, .record = object, .pages_confirmed = pages, .at_ms = 1000};
    bool learnt = destination_learn(destination, &call);

    json_decref(object);
    return learnt ? destination_transport_name(destination->transport) : NULL;
}

static void one_call_teaches_by_how_it_went_and_ended(void **state)
{
    static const struct {
        const char *record;
        enum fax_outcome outcome;
        int pages;
        const char *remembered; /* NULL: nothing */
    } table[] = {
        {T38, OUTCOME_TRAINING_FAILED, 0, "g711"},
        {T38, OUTCOME_PROTOCOL_ERROR, 0, "g711"},
        {T38, OUTCOME_MEDIA_TIMEOUT, 0, "g711"},
        {T38, OUTCOME_MEDIA_TIMEOUT, 2, "g711"},
        {T38, OUTCOME_T38_NEGOTIATION_FAILED, 0, "g711"},
        {SIP, OUTCOME_T38_NEGOTIATION_FAILED, 0, "g711"},
        {NULL, OUTCOME_T38_NEGOTIATION_FAILED, 0, "g711"},
        {T38, OUTCOME_PROTOCOL_ERROR, 1, NULL},
        {T38, OUTCOME_CAPABILITY_MISMATCH, 0, NULL},
        {T38, OUTCOME_REMOTE_AUTH_REQUIRED, 0, NULL},
        {T38, OUTCOME_BUSY, 0, NULL},
        {T38, OUTCOME_DISCONNECTED, 0, NULL},
        {T38, OUTCOME_SUCCESS, 1, "auto"},
        {SIP, OUTCOME_TRAINING_FAILED, 0, "t38"},
        {SIP, OUTCOME_PAGE_TRANSFER_FAILED, 1, "t38"},
        {SIP, OUTCOME_CARRIER_LOST, 1, "t38"},
        {SIP, OUTCOME_PROTOCOL_ERROR, 0, "t38"},
        {SIP, OUTCOME_CONFIRMATION_LOST, 1, NULL},
        {SIP, OUTCOME_NO_ANSWER, 0, NULL},
        {SIP, OUTCOME_MEDIA_TIMEOUT, 0, NULL},
        {SIP, OUTCOME_SUCCESS, 1, "auto"},
        {"{\"mode\":\"audio\"}", OUTCOME_TRAINING_FAILED, 0, NULL}, /* a line without a network */
        {"{\"mode\":\"simulated\"}", OUTCOME_SUCCESS, 1, NULL},
        {"{\"mode\":5}", OUTCOME_TRAINING_FAILED, 0, NULL},
        {NULL, OUTCOME_TRAINING_FAILED, 0, NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct destination destination = {.transport = DESTINATION_AUTO};
        const char *got = after(&destination, table[i].record, table[i].outcome, table[i].pages);

        if ((got == NULL) != (table[i].remembered == NULL) || (got != NULL && strcmp(got, table[i].remembered) != 0))
            fail_msg("row %zu: %s", i, got != NULL ? got : "nothing");
    }
}

/* A story is told in letters: T and G a call that failed, t and g one that worked. */
static void follow(struct destination *destination, const char *story)
{
    for (; *story != '\0'; story++) {
        bool t38 = *story == 'T' || *story == 't', worked = *story == 't' || *story == 'g';

        after(destination, t38 ? T38 : SIP, worked ? OUTCOME_SUCCESS : OUTCOME_TRAINING_FAILED, worked);
    }
}

static void many_calls_settle_on_what_works_better(void **state)
{
    static const struct {
        const char *story, *remembered;
    } table[] = {
        {"T", "g711"},        {"Tg", "g711"},     /* and stays so */
        {"Tgggggg", "g711"},  {"TG", "auto"},     /* neither is better */
        {"TGT", "g711"},      {"TgG", "g711"},    /* as often in a row, but G.711 has worked before */
        {"TgGG", "auto"},                         /* T.38 deserves another try */
        {"TgGGT", "g711"},    {"TgGGTG", "auto"}, /* by now G.711 fails oftener in a row */
        {"ttttttT", "g711"},                      /* what has always worked has stopped */
        {"ttttttTG", "auto"},                     /* but the other one is no better */
        {"Tt", "auto"},                           /* T.38 was asked for by the far end, and worked */
        {"G", "t38"},         {"Gt", "t38"},
        {"GT", "g711"},       {"TGTGTG", "auto"}, /* nothing works: it is left alone */
        {"TGTGTGT", "auto"},  {"TGTGTGTGTGTG", "auto"},
        {"TGTGTGg", "auto"},  {"TGTGTGgT", "g711"}, /* until one of them has worked */
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct destination destination = {.transport = DESTINATION_AUTO};

        follow(&destination, table[i].story);
        if (strcmp(destination_transport_name(destination.transport), table[i].remembered) != 0)
            fail_msg("%s: %s", table[i].story, destination_transport_name(destination.transport));
    }
}

static void counts_do_not_grow_for_ever(void **state)
{
    struct destination destination = {.transport = DESTINATION_AUTO};

    (void)state;
    for (int i = 0; i < 5000; i++)
        follow(&destination, "t");
    assert_in_range(destination.t38.ok, 1, 1000);
    follow(&destination, "T");
    assert_string_equal(destination_transport_name(destination.transport), "g711");
    assert_string_equal(destination.reason, "T.38 has failed: training_failed");
}

/* --- rows --- */

static void end_call(struct spool *spool, const char *number, const char *record, enum fax_outcome outcome)
{
    json_t *object = json_loads(record, 0, NULL);
    struct attempt_result result = {.outcome = outcome, .record = object};

    spool_facts_queue(spool, number, 1);
    assert_int_equal(attempt_end(NULL, spool, spool_facts_call(spool), &result), 0);
    json_decref(object);
}

static void the_end_of_a_call_is_remembered_with_it(void **state)
{
    struct spool *spool = spool_of(state);
    struct destination destination;

    end_call(spool, "1002", T38, OUTCOME_TRAINING_FAILED);
    assert_int_equal(destination_get(&destination, spool, "1002"), 0);
    assert_string_equal(destination.number, "1002");
    assert_int_equal(destination.transport, DESTINATION_G711);
    assert_int_equal(destination.t38.failed, 1);
    assert_int_equal(destination.last_outcome, OUTCOME_TRAINING_FAILED);
    assert_true(destination.last_at > 0);
    assert_int_equal(destination_get(&destination, spool, "1003"), ERR_NOT_FOUND);
    end_call(spool, "1003", SIP, OUTCOME_LINE_UNAVAILABLE); /* tells nothing */
    assert_int_equal(destination_get(&destination, spool, "1003"), ERR_NOT_FOUND);
    end_call(spool, "1003", SIP, OUTCOME_BUSY); /* of the number, not of a transport */
    assert_int_equal(destination_get(&destination, spool, "1003"), 0);
    assert_int_equal(destination.calls_failed, 1);
    assert_int_equal(destination.g711.failed + destination.t38.failed, 0);
    assert_int_equal(destination_forget(spool, "1002"), 0);
    assert_int_equal(destination_forget(spool, "1002"), ERR_NOT_FOUND);
    assert_int_equal(destination_get(&destination, spool, "1002"), ERR_NOT_FOUND);
}

static void two_calls_in_a_row_without_a_fax_machine_are_enough(void **state)
{
    static const struct {
        enum fax_outcome outcome;
        int ok, failed, in_a_row;
    } calls[] = {
        {OUTCOME_NOT_FAX, 0, 1, 1},          {OUTCOME_BUSY, 0, 2, 1},
        {OUTCOME_NO_ANSWER, 0, 3, 1},        {OUTCOME_TRAINING_FAILED, 0, 4, 0}, /* it is a fax machine */
        {OUTCOME_NOT_FAX, 0, 5, 1},          {OUTCOME_SUCCESS, 1, 5, 0},
        {OUTCOME_NOT_FAX, 1, 6, 1},          {OUTCOME_ABORTED, 1, 6, 1},
        {OUTCOME_LINE_UNAVAILABLE, 1, 6, 1}, {OUTCOME_CONVERSION_FAILED, 1, 6, 1},
        {OUTCOME_NOT_FAX, 1, 7, 2},
    };
    struct spool *spool = spool_of(state);
    struct destination destination = {.transport = DESTINATION_AUTO};
    for (size_t i = 0; i < COUNT_OF(calls); i++) {
        const struct destination_call call = {.outcome = calls[i].outcome, .at_ms = 1};
        destination_count(&destination, &call);
        assert_int_equal(destination.calls_ok, calls[i].ok);
        assert_int_equal(destination.calls_failed, calls[i].failed);
        assert_int_equal(destination.not_fax_in_a_row, calls[i].in_a_row);
    }
    for (int i = 0; i < 2; i++) {
        const struct destination_call call = {.outcome = OUTCOME_NOT_FAX, .at_ms = 1000};
        assert_int_equal(destination_take(spool, "1009", &call), 0);
        assert_int_equal(destination_get(&destination, spool, "1009"), 0);
        assert_int_equal(destination.suspended_at > 0, i == 1);
    }
    assert_int_equal(destination_trim(spool, 2000, 10), 0); /* is not forgotten by itself */
}

static void take(struct spool *spool, const char *number, int64_t at_ms)
{
    json_t *record = json_loads(T38, 0, NULL);
    const struct destination_call call = {.outcome = OUTCOME_TRAINING_FAILED, .record = record, .at_ms = at_ms};

    assert_int_equal(destination_take(spool, number, &call), 0);
    json_decref(record);
}

static const char *number_of(const json_t *page, size_t index)
{
    return json_string_value(json_object_get(json_array_get(json_object_get(page, "data"), index), "number"));
}

static json_t *listed;

static void on_listed(void *context, int error, json_t *page)
{
    (void)context;
    assert_int_equal(error, 0);
    listed = json_loads(json_string_value(json_object_get(page, "text")), 0, NULL);
}

static json_t *list(struct spool *spool, const char *cursor, int limit)
{
    assert_int_equal(destination_list(spool, cursor, limit, on_listed, NULL), 0);
    return listed;
}

static void numbers_are_listed_by_cursor(void **state)
{
    struct spool *spool = spool_of(state);
    json_t *page, *rest;

    take(spool, "+1555", 1000);
    take(spool, "1002", 1000);
    take(spool, "*9#", 1000);
    take(spool, "1002", 2000); /* keeps its place */
    spool_facts_turn(spool);
    page = list(spool, NULL, 2);
    assert_int_equal(json_array_size(json_object_get(page, "data")), 2);
    assert_string_equal(number_of(page, 0), "*9#");
    assert_string_equal(number_of(page, 1), "1002");
    assert_true(json_is_true(json_object_get(page, "has_more")));
    rest = list(spool, json_string_value(json_object_get(page, "next_cursor")), 2);
    assert_int_equal(json_array_size(json_object_get(rest, "data")), 1);
    assert_string_equal(number_of(rest, 0), "+1555");
    assert_false(json_is_true(json_object_get(rest, "has_more")));
    json_decref(page);
    json_decref(rest);
    assert_int_equal(destination_list(spool, "x", 2, on_listed, NULL), ERR_INVALID);
    assert_int_equal(destination_list(spool, NULL, 0, on_listed, NULL), ERR_INVALID);
}

static void old_numbers_are_forgotten(void **state)
{
    struct spool *spool = spool_of(state);
    struct destination destination;

    take(spool, "1", 1000);
    take(spool, "2", 2000);
    take(spool, "3", 3000);
    assert_int_equal(destination_trim(spool, 2500, 1), 1);
    assert_int_equal(destination_trim(spool, 2500, 10), 1);
    assert_int_equal(destination_trim(spool, 2500, 10), 0);
    assert_int_equal(destination_get(&destination, spool, "2"), ERR_NOT_FOUND);
    assert_int_equal(destination_get(&destination, spool, "3"), 0);
}

#define FACT(fact) cmocka_unit_test_setup_teardown(fact, spool_facts_setup, spool_facts_teardown)

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(one_call_teaches_by_how_it_went_and_ended),
        cmocka_unit_test(many_calls_settle_on_what_works_better),
        cmocka_unit_test(counts_do_not_grow_for_ever),
        FACT(the_end_of_a_call_is_remembered_with_it),
        FACT(two_calls_in_a_row_without_a_fax_machine_are_enough),
        FACT(numbers_are_listed_by_cursor),
        FACT(old_numbers_are_forgotten),
    };
    return cmocka_run_group_tests_name("destination", facts, NULL, NULL);
}
