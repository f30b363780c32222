/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about calls that ring a modem. */
#include "config.h"

#include "plugins/class1/ring.h"

#include <string.h>

#include "tests/lib/facts.h"

static const struct ring_rules plain = {.distinctive = NULL, .did_prefix = ""};

static const char *text_at(const struct ring *ring, const char *key)
{
    static char text[ANSWER_TEXT_SIZE];
    json_t *info = ring_info(ring, "2001");

    snprintf(text, sizeof text, "%s", json_string_value(json_object_get(info, key)));
    json_decref(info);
    return text;
}

static void rings_are_counted_until_the_caller_gives_up(void **state)
{
    struct ring ring = {.count = 0};

    (void)state;
    assert_false(ring_is_alive(&ring, 1000));
    assert_true(ring_take(&ring, &plain, "RING", 1000));
    assert_true(ring_take(&ring, &plain, "RING", 7000));
    assert_int_equal(ring.count, 2);
    assert_true(ring_is_alive(&ring, 7000 + RING_GONE_MS - 1));
    assert_false(ring_is_alive(&ring, 7000 + RING_GONE_MS));
    assert_true(ring_take(&ring, &plain, "RING", 7000 + RING_GONE_MS));
    assert_int_equal(ring.count, 1);
}

static void a_caller_belongs_to_the_ring_that_he_rings(void **state)
{
    struct ring ring = {.count = 0};

    (void)state;
    ring_take(&ring, &plain, "RING", 1000);
    assert_false(ring_take(&ring, &plain, "NMBR = 5551234", 2000));
    assert_false(ring_take(&ring, &plain, "NAME = HARBOUR", 2000));
    ring_take(&ring, &plain, "RING", 7000);
    assert_string_equal(text_at(&ring, "caller_id"), "5551234");
    assert_string_equal(text_at(&ring, "caller_name"), "HARBOUR");
    assert_string_equal(text_at(&ring, "called"), "2001");
    ring_take(&ring, &plain, "RING", 60000); /* another call, of nobody knows whom */
    assert_string_equal(text_at(&ring, "caller_id"), "");
}

static void a_caller_may_come_before_the_first_ring(void **state)
{
    struct ring ring = {.count = 0};

    (void)state;
    ring_take(&ring, &plain, "NMBR=5551234", 1000);
    assert_false(ring_is_alive(&ring, 1000));
    ring_take(&ring, &plain, "RING", 1500);
    assert_string_equal(text_at(&ring, "caller_id"), "5551234");
}

static void who_does_not_want_to_be_known_is_not(void **state)
{
    struct ring ring = {.count = 0};

    (void)state;
    ring_take(&ring, &plain, "RING", 1000);
    ring_take(&ring, &plain, "NMBR=5551234", 1500);
    ring_take(&ring, &plain, "NAME=P", 1500);
    assert_string_equal(text_at(&ring, "caller_id"), "");
}

static void a_cadence_tells_the_number_that_was_called(void **state)
{
    json_t *distinctive = json_pack("{s:s, s:s}", "RING 2", "5551235", "DRON=5", "5551236");
    const struct ring_rules rules = {.distinctive = distinctive, .did_prefix = ""};
    struct ring ring = {.count = 0};

    (void)state;
    assert_true(ring_take(&ring, &rules, "RING 1", 1000));
    assert_string_equal(text_at(&ring, "called"), "2001");
    assert_true(ring_take(&ring, &rules, "ring 2", 7000));
    assert_string_equal(text_at(&ring, "called"), "5551235");
    assert_false(ring_take(&ring, &rules, "DRON=5", 8000));
    assert_string_equal(text_at(&ring, "called"), "5551236");
    json_decref(distinctive);
}

static void digits_that_were_dialled_are_the_number_called(void **state)
{
    const struct ring_rules rules = {.distinctive = NULL, .did_prefix = "S."};
    struct ring ring = {.count = 0};

    (void)state;
    ring_take(&ring, &plain, "DDN_NMBR= 1234", 1000);
    ring_take(&ring, &plain, "RING", 1500);
    assert_string_equal(text_at(&ring, "called"), "1234");
    ring_take(&ring, &rules, "S.77x8", 2000);
    assert_string_equal(text_at(&ring, "called"), "778");
}

static void other_words_are_no_ring(void **state)
{
    struct ring ring = {.count = 0};

    (void)state;
    assert_false(ring_take(&ring, &plain, "OK", 1000));
    assert_false(ring_take(&ring, &plain, "garbage", 1000));
    assert_int_equal(ring.count, 0);
    ring_take(&ring, &plain, "RING", 1000);
    ring_take(&ring, &plain, "garbage", 5000);
    assert_int_equal(ring.last_ms, 1000); /* noise keeps no call alive */
}

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(rings_are_counted_until_the_caller_gives_up),
        cmocka_unit_test(a_caller_belongs_to_the_ring_that_he_rings),
        cmocka_unit_test(a_caller_may_come_before_the_first_ring),
        cmocka_unit_test(who_does_not_want_to_be_known_is_not),
        cmocka_unit_test(a_cadence_tells_the_number_that_was_called),
        cmocka_unit_test(digits_that_were_dialled_are_the_number_called),
        cmocka_unit_test(other_words_are_no_ring),
    };
    return cmocka_run_group_tests_name("ring", facts, NULL, NULL);
}
