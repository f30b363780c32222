/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about telephone numbers. */
#include "config.h"

#include "server/base/number.h"

#include <string.h>

#include "server/base/err.h"
#include "tests/lib/facts.h"

static void a_number_loses_what_is_only_for_the_eye(void **state)
{
    (void)state;
    static const struct {
        const char *typed, *dialled;
    } table[] = {
        {"1002", "1002"},
        {"+15551234567", "+15551234567"},
        {"+1 (555) 123-4567", "+15551234567"},
        {"tel:+1-555-123-4567", "+15551234567"},
        {"TEL:1002", "1002"},
        {"030/123.45", "03012345"},
        {"  1002  ", "1002"},
        {"(+49) 30 1", "+49301"},
        {"*67#", "*67#"},
        {"+123456789012345", "+123456789012345"},
        {"0123456789012345678901234567890123456789", "0123456789012345678901234567890123456789"},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        char number[NUMBER_SIZE];
        assert_int_equal(number_normalise(number, table[i].typed), 0);
        assert_string_equal(number, table[i].dialled);
    }
}

static void a_wrong_number_is_refused_with_its_fault(void **state)
{
    (void)state;
    static const struct {
        const char *typed;
        int code;
        const char *fault;
    } table[] = {
        {"", ERR_INVALID, "no digits"},
        {"+", ERR_INVALID, "no digits"},
        {"tel:", ERR_INVALID, "no digits"},
        {" -.()/ ", ERR_INVALID, "no digits"},
        {"1-800-FLOWERS", ERR_INVALID, "'F'"},
        {"sip:1002@example.net", ERR_INVALID, "'s'"},
        {"1002,5", ERR_INVALID, "','"},
        {"1+2", ERR_INVALID, "'+'"},
        {"++1", ERR_INVALID, "'+'"},
        {"tel:1002;ext=5", ERR_INVALID, "';'"},
        {"10\n02", ERR_INVALID, "0x0a"},
        {"10\xC3\xB6", ERR_INVALID, "0xc3"},
        {"+1*2", ERR_INVALID, "only digits"},
        {"+1234567890123456", ERR_TOO_BIG, "15 digits"},
        {"01234567890123456789012345678901234567890", ERR_TOO_BIG, "40"},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        char number[NUMBER_SIZE];
        assert_int_equal(number_normalise(number, table[i].typed), table[i].code);
        assert_non_null(strstr(err_message(), table[i].fault));
    }
}

static void a_megabyte_of_digits_stays_within_its_room(void **state)
{
    (void)state;
    static char typed[1 << 20];
    struct {
        char number[NUMBER_SIZE];
        char guard;
    } room = {.guard = 'g'};
    memset(typed, '1', sizeof typed - 1);
    assert_int_equal(number_normalise(room.number, typed), ERR_TOO_BIG);
    assert_int_equal(room.guard, 'g');
}

static void the_beginning_of_numbers_is_read_like_a_number(void **state)
{
    (void)state;
    static const struct {
        const char *typed, *prefix;
    } table[] = {{"", ""}, {"+", "+"}, {"+1 (900)", "+1900"}, {"*31#", "*31#"}, {"0", "0"}, {"- ", ""}};
    static const char *const wrong[] = {"1+", "x", "+1*", "tel:1", "+1234567890123456"};
    char prefix[NUMBER_SIZE];
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        assert_int_equal(number_prefix(prefix, table[i].typed), 0);
        assert_string_equal(prefix, table[i].prefix);
    }
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        assert_true(number_prefix(prefix, wrong[i]) < 0);
}

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(a_number_loses_what_is_only_for_the_eye),
        cmocka_unit_test(a_wrong_number_is_refused_with_its_fault),
        cmocka_unit_test(the_beginning_of_numbers_is_read_like_a_number),
        cmocka_unit_test(a_megabyte_of_digits_stays_within_its_room),
    };
    return cmocka_run_group_tests_name("number", facts, NULL, NULL);
}
