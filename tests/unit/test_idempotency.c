/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about Idempotency-Key. */
#include "config.h"

#include "spool/idempotency.h"

#include <stdio.h>
#include <stdlib.h>

#include "server/base/clock.h"
#include "server/base/err.h"
#include "tests/lib/facts.h"
#include "tests/lib/spool_facts.h"

static struct spool *spool_of(void **state)
{
    return ((struct spool_facts *)*state)->spool;
}

static void the_first_reply_is_kept(void **state)
{
    struct spool_facts *facts = *state;
    struct idempotency_reply reply;
    assert_int_equal(idempotency_find(&reply, facts->spool, 1, "k", "aa"), ERR_NOT_FOUND);
    assert_int_equal(idempotency_store(facts->spool, 1, "k", "aa", 202, "{\"id\":1}", "/v1/faxes/x", 0), 0);
    spool_facts_reopen(facts);
    assert_int_equal(idempotency_find(&reply, facts->spool, 1, "k", "aa"), 0);
    assert_int_equal(reply.status, 202);
    assert_string_equal(reply.body, "{\"id\":1}");
    assert_string_equal(reply.location, "/v1/faxes/x");
    free(reply.body);
    free(reply.location);
}

static void another_body_is_a_conflict_and_another_owner_is_another_key(void **state)
{
    struct spool *spool = spool_of(state);
    struct idempotency_reply reply;
    assert_int_equal(idempotency_store(spool, 1, "k", "aa", 202, "x", NULL, 0), 0);
    assert_int_equal(idempotency_find(&reply, spool, 1, "k", "bb"), ERR_CONFLICT);
    assert_int_equal(idempotency_find(&reply, spool, 2, "k", "aa"), ERR_NOT_FOUND);
    assert_int_equal(idempotency_find(&reply, spool, 1, "K", "aa"), ERR_NOT_FOUND);
}

static void it_is_undone_with_what_the_request_made(void **state)
{
    struct spool *spool = spool_of(state);
    struct idempotency_reply reply;
    assert_int_equal(spool_part_begin(spool), 0);
    assert_int_equal(idempotency_store(spool, 1, "k", "aa", 202, "x", NULL, 0), 0);
    assert_int_equal(spool_part_end(spool, false), 0);
    assert_int_equal(idempotency_find(&reply, spool, 1, "k", "aa"), ERR_NOT_FOUND);
}

static void it_lasts_three_days_or_as_long_as_asked(void **state)
{
    static const int64_t day = 24 * 3600 * 1000;
    struct spool *spool = spool_of(state);
    struct idempotency_reply reply;
    assert_int_equal(idempotency_store(spool, 1, "short", "aa", 202, "x", NULL, 0), 0);
    assert_int_equal(idempotency_store(spool, 1, "long", "aa", 202, "x", NULL, clock_now_ms() + 10 * day), 0);
    clock_shift(3 * day + 1);
    assert_int_equal(idempotency_find(&reply, spool, 1, "short", "bb"), ERR_NOT_FOUND); /* over, though not swept */
    assert_int_equal(idempotency_store(spool, 1, "short", "bb", 200, "y", NULL, 0), 0);
    assert_int_equal(idempotency_find(&reply, spool, 1, "short", "bb"), 0);
    free(reply.body);
    free(reply.location);
    assert_int_equal(idempotency_find(&reply, spool, 1, "long", "bb"), ERR_CONFLICT);
    clock_shift(-3 * day - 1);
}

static void old_ones_are_swept_in_steps(void **state)
{
    struct spool *spool = spool_of(state);
    int64_t now = clock_now_ms();
    char key[16];
    for (int i = 0; i < 10; i++) {
        snprintf(key, sizeof(key), "k%d", i);
        assert_int_equal(idempotency_store(spool, 1, key, "aa", 202, "x", NULL, now + i), 0);
    }
    assert_int_equal(idempotency_trim(spool, now - 1, 10), 0);
    assert_int_equal(idempotency_trim(spool, now + 5, 4), 4);
    assert_int_equal(idempotency_trim(spool, now + 5, 4), 2);
    assert_int_equal(spool_facts_number(spool, "SELECT count(*) AS n FROM idempotency"), 4);
}

#define FACT(fact) cmocka_unit_test_setup_teardown(fact, spool_facts_setup, spool_facts_teardown)

int main(void)
{
    const struct CMUnitTest facts[] = {
        FACT(the_first_reply_is_kept),
        FACT(another_body_is_a_conflict_and_another_owner_is_another_key),
        FACT(it_is_undone_with_what_the_request_made),
        FACT(it_lasts_three_days_or_as_long_as_asked),
        FACT(old_ones_are_swept_in_steps),
    };
    return cmocka_run_group_tests_name("idempotency", facts, NULL, NULL);
}
