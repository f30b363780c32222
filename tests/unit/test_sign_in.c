/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about what stands around a sign-in: the cookie, the back-off, the rules for passwords. */
#include "config.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spool/password_hash.h"
#include "tests/lib/facts.h"
#include "web/cookie.h"
#include "web/password.h"
#include "web/throttle.h"

static void a_cookie_is_found_among_others(void **state)
{
    (void)state;
    static const struct {
        const char *header, *value; /* NULL = none */
    } table[] = {
        {"s=abc", "abc"},
        {"a=b; s=abc; c=d", "abc"},
        {"a=b;s=abc", "abc"},
        {"s=abc; s=def", "abc"},
        {"a=b;   s=abc  ", "abc"},
        {"s=", ""},
        {"s=1234567", "1234567"},
        {"s=12345678", NULL},
        {"xs=abc", NULL},
        {"sx=abc", NULL},
        {"a=s=abc", NULL},
        {"s", NULL},
        {"; ; ;", NULL},
        {"", NULL},
        {NULL, NULL},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        char value[8] = "x";
        bool found = cookie_find(value, sizeof value, table[i].header, "s");
        if (found != (table[i].value != NULL) || strcmp(value, table[i].value ? table[i].value : "") != 0)
            fail_msg("%s: \"%s\"", table[i].header, value);
    }
}

static void the_wait_doubles_up_to_a_bound(void **state)
{
    (void)state;
    assert_int_equal(throttle_wait_after(0, 5), 0);
    assert_int_equal(throttle_wait_after(4, 5), 0);
    assert_int_equal(throttle_wait_after(5, 5), THROTTLE_LEAST_MS);
    assert_int_equal(throttle_wait_after(6, 5), 2 * THROTTLE_LEAST_MS);
    assert_int_equal(throttle_wait_after(8, 5), 8 * THROTTLE_LEAST_MS);
    assert_int_equal(throttle_wait_after(10, 5), THROTTLE_MOST_MS);
    assert_int_equal(throttle_wait_after(2000000000, 5), THROTTLE_MOST_MS);
}

static void too_many_failures_block_whoever_they_are_of(void **state)
{
    (void)state;
    struct throttle *throttle = throttle_new(3);
    int64_t now = 1000;
    for (int i = 0; i < 2; i++)
        assert_int_equal(throttle_try(throttle, "ann", now), 0);
    assert_int_equal(throttle_wait_ms(throttle, "ann", now), 0);
    assert_int_equal(throttle_try(throttle, "ann", now), THROTTLE_LEAST_MS);
    assert_int_equal(throttle_wait_ms(throttle, "ann", now + 1000), THROTTLE_LEAST_MS - 1000);
    assert_int_equal(throttle_wait_ms(throttle, "bob", now), 0);
    now += THROTTLE_LEAST_MS;
    assert_int_equal(throttle_wait_ms(throttle, "ann", now), 0);
    assert_int_equal(throttle_try(throttle, "ann", now), 2 * THROTTLE_LEAST_MS);
    throttle_free(throttle);
}

static void a_right_one_takes_its_try_back_and_time_takes_all(void **state)
{
    (void)state;
    struct throttle *throttle = throttle_new(3);
    for (int i = 0; i < 100; i++) { /* one address, many people, one wrong password in between */
        assert_int_equal(throttle_wait_ms(throttle, "home", 5), 0);
        throttle_try(throttle, "home", 5);
        if (i != 50)
            throttle_take_back(throttle, "home");
    }
    throttle_take_back(throttle, "nobody");
    for (int i = 0; i < 9; i++)
        throttle_try(throttle, "ann", 5);
    assert_true(throttle_wait_ms(throttle, "ann", 5) > 0);
    assert_int_equal(throttle_try(throttle, "ann", 6 + THROTTLE_FORGET_MS), 0);
    for (int i = 0; i < 9; i++)
        throttle_try(throttle, "ann", 6 + THROTTLE_FORGET_MS);
    throttle_forget(throttle, "ann");
    assert_int_equal(throttle_wait_ms(throttle, "ann", 6 + THROTTLE_FORGET_MS), 0);
    throttle_free(throttle);
}

static void names_without_end_fill_no_more_than_the_table(void **state)
{
    (void)state;
    struct throttle *throttle = throttle_new(1);
    char name[16];
    int blocked = 0;
    for (int i = 0; i < 100000; i++) {
        snprintf(name, sizeof name, "n%d", i);
        throttle_try(throttle, name, 5 + i / 1000);
    }
    for (int i = 0; i < 100000; i++) {
        snprintf(name, sizeof name, "n%d", i);
        blocked += throttle_wait_ms(throttle, name, 105) > 0;
    }
    assert_true(blocked > 1000 && blocked <= 4096);
    snprintf(name, sizeof name, "n%d", 99999);
    assert_true(throttle_wait_ms(throttle, name, 105) > 0); /* the last is known in any case */
    throttle_free(throttle);
}

static void new_passwords_have_a_length_and_are_not_the_name(void **state)
{
    (void)state;
    static const struct {
        const char *password;
        bool good;
    } table[] = {
        {"0123456789", true},
        {"012345678", false},
        {"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", true},
        {"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", false}, /* ten octets, five characters */
        {"ADMINISTRATOR", false},
        {"", false},
        {NULL, false},
    };
    char longest[PASSWORD_MOST + 2];
    for (size_t i = 0; i < COUNT_OF(table) + 2; i++) {
        struct problems problems = {0};
        size_t more = i - COUNT_OF(table);
        memset(longest, 'x', sizeof longest);
        longest[PASSWORD_MOST + (more <= 1 ? more : 0)] = '\0';
        bool good = i < COUNT_OF(table) ? table[i].good : more == 0;
        password_check(i < COUNT_OF(table) ? table[i].password : longest, "administrator", "/password", &problems);
        if (problem_any(&problems) == good)
            fail_msg("case %zu", i);
        problem_clear(&problems);
    }
}

/* Else a name that nobody has would be told by its time. */
static void nobodys_password_costs_what_others_do(void **state)
{
    (void)state;
    char made[crypto_pwhash_STRBYTES];
    const char *nobody = password_hash_nobody();
    size_t cost = strrchr(nobody, '$') - nobody;
    assert_int_equal(crypto_pwhash_str(made, "x", 1, PASSWORD_HASH_OPS, PASSWORD_HASH_MEMORY), 0);
    assert_int_equal(strlen(made), strlen(nobody));
    while (nobody[cost - 1] != '$') /* before the salt */
        cost--;
    assert_memory_equal(made, nobody, cost);
    assert_int_equal(crypto_pwhash_str_needs_rehash(nobody, PASSWORD_HASH_OPS, PASSWORD_HASH_MEMORY), 0);
    assert_int_not_equal(crypto_pwhash_str_verify(nobody, "", 0), 0);
}

static int start(void **state)
{
    (void)state;
    return sodium_init() < 0;
}

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(a_cookie_is_found_among_others),
        cmocka_unit_test(the_wait_doubles_up_to_a_bound),
        cmocka_unit_test(too_many_failures_block_whoever_they_are_of),
        cmocka_unit_test(a_right_one_takes_its_try_back_and_time_takes_all),
        cmocka_unit_test(names_without_end_fill_no_more_than_the_table),
        cmocka_unit_test(new_passwords_have_a_length_and_are_not_the_name),
        cmocka_unit_test(nobodys_password_costs_what_others_do),
    };
    return cmocka_run_group_tests_name("sign_in", facts, start, NULL);
}
