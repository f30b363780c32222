/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about error codes and their message. */
#include "config.h"

#include "server/base/err.h"

#include <pthread.h>
#include <string.h>

#include "tests/lib/facts.h"

static void the_message_is_empty_at_first(void **state)
{
    (void)state;
    assert_string_equal(err_message(), "");
}

static void setting_returns_the_code_and_keeps_the_message(void **state)
{
    (void)state;
    assert_int_equal(err_set(ERR_NOT_FOUND, "no fax %d", 7), ERR_NOT_FOUND);
    assert_string_equal(err_message(), "no fax 7");
}

static void a_message_may_be_built_from_the_one_before(void **state)
{
    (void)state;
    err_set(ERR_IO, "disk full");
    err_set(ERR_IO, "cannot submit: %s", err_message());
    assert_string_equal(err_message(), "cannot submit: disk full");
}

static void a_long_message_is_cut_at_511_octets(void **state)
{
    (void)state;
    char text[600];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    err_set(ERR_IO, "%s", text);
    assert_int_equal(strlen(err_message()), 511);
}

static void *set_in_another_thread(void *seen)
{
    *(int *)seen = err_message()[0] == '\0';
    err_set(ERR_IO, "theirs");
    return NULL;
}

static void each_thread_has_its_own_message(void **state)
{
    (void)state;
    int was_empty = 0;
    pthread_t thread;
    err_set(ERR_IO, "ours");
    assert_int_equal(pthread_create(&thread, NULL, set_in_another_thread, &was_empty), 0);
    pthread_join(thread, NULL);
    assert_true(was_empty);
    assert_string_equal(err_message(), "ours");
}

static void every_code_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int code = 0; code >= ERR_DAMAGED; code--) {
        assert_string_not_equal(err_name(code), "unknown");
        for (int other = 0; other > code; other--)
            assert_string_not_equal(err_name(code), err_name(other));
    }
    assert_string_equal(err_name(ERR_TOO_BIG), "too_big");
    assert_string_equal(err_name(-99), "unknown");
}

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(the_message_is_empty_at_first),
        cmocka_unit_test(setting_returns_the_code_and_keeps_the_message),
        cmocka_unit_test(a_message_may_be_built_from_the_one_before),
        cmocka_unit_test(a_long_message_is_cut_at_511_octets),
        cmocka_unit_test(each_thread_has_its_own_message),
        cmocka_unit_test(every_code_has_a_name_of_its_own),
    };
    return cmocka_run_group_tests_name("err", facts, NULL, NULL);
}
