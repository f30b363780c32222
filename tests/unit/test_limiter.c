/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about token buckets. */
#include "config.h"

#include "web/limiter.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/facts.h"

#define NOW 1000000

static struct limiter_state take(struct limiter *limiter, const char *name, int per_minute, int64_t at_ms)
{
    return limiter_take(limiter, name, strlen(name), per_minute, at_ms);
}

static void a_bucket_gives_a_minutes_worth_and_then_what_comes_in(void **state)
{
    (void)state;
    struct limiter *limiter = limiter_new(100);
    for (int i = 0; i < 30; i++) {
        struct limiter_state now = take(limiter, "a", 30, NOW);
        assert_true(now.ok);
        assert_int_equal(now.remaining, 29 - i);
        assert_int_equal(now.full_s, 2 * (i + 1));
    }
    struct limiter_state now = take(limiter, "a", 30, NOW);
    assert_false(now.ok);
    assert_int_equal(now.wait_s, 2);
    assert_int_equal(now.remaining, 0);
    assert_false(take(limiter, "a", 30, NOW + 1999).ok);
    assert_true(take(limiter, "a", 30, NOW + 2000).ok);
    assert_false(take(limiter, "a", 30, NOW + 2000).ok);
    assert_true(take(limiter, "b", 30, NOW + 2000).ok);
    limiter_free(limiter);
}

static void a_refused_request_costs_nothing_and_a_look_neither(void **state)
{
    (void)state;
    struct limiter *limiter = limiter_new(100);
    assert_true(take(limiter, "a", 1, NOW).ok);
    for (int i = 0; i < 100; i++) {
        assert_false(take(limiter, "a", 1, NOW + 30000).ok);
        assert_false(limiter_look(limiter, "a", 1, 1, NOW + 59999).ok);
        assert_true(limiter_look(limiter, "b", 1, 1, NOW).ok);
    }
    assert_true(take(limiter, "a", 1, NOW + 60000).ok);
    limiter_free(limiter);
}

static void a_bucket_never_holds_more_than_a_minutes_worth(void **state)
{
    (void)state;
    struct limiter *limiter = limiter_new(100);
    assert_true(take(limiter, "a", 5, NOW).ok);
    for (int i = 0; i < 5; i++)
        assert_true(take(limiter, "a", 5, NOW + INT64_C(864000000000)).ok);
    assert_false(take(limiter, "a", 5, NOW + INT64_C(864000000000)).ok);
    /* A limit that is lowered holds at once; a clock that goes back gives nothing. */
    assert_int_equal(take(limiter, "b", 1000000, NOW).remaining, 999999);
    assert_int_equal(take(limiter, "b", 10, NOW).remaining, 9);
    assert_int_equal(take(limiter, "b", 10, NOW - 60000).remaining, 8);
    limiter_free(limiter);
}

static void the_table_does_not_grow_and_keeps_who_asks_often(void **state)
{
    (void)state;
    struct limiter *limiter = limiter_new(64);
    int given = 0;
    for (int i = 0; i < 59999; i++) {
        char name[16];
        snprintf(name, sizeof name, "%d", i);
        assert_true(take(limiter, name, 1, NOW + i).ok);
        if (i % 4 == 0)
            given += take(limiter, "busy", 1, NOW + i).ok;
    }
    assert_int_equal(given, 1);
    limiter_free(limiter);
}

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(a_bucket_gives_a_minutes_worth_and_then_what_comes_in),
        cmocka_unit_test(a_refused_request_costs_nothing_and_a_look_neither),
        cmocka_unit_test(a_bucket_never_holds_more_than_a_minutes_worth),
        cmocka_unit_test(the_table_does_not_grow_and_keeps_who_asks_often),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests_name("limiter", facts, NULL, NULL);
}
