/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about text helpers. */
#include "config.h"

#include "server/base/str.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/base/err.h"
#include "server/base/utf8.h"
#include "tests/lib/facts.h"

#define SMILE "\xF0\x9F\x98\x80" /* U+1F600 */

static void a_copy_says_whether_all_of_it_fitted(void **state)
{
    (void)state;
    char to[5];
    assert_true(str_copy(to, sizeof to, "four"));
    assert_string_equal(to, "four");
    assert_false(str_copy(to, sizeof to, "fiver"));
    assert_string_equal(to, "five");
    assert_true(str_copy(to, sizeof to, NULL));
    assert_string_equal(to, "");
    assert_false(str_copy(to, 1, "x"));
    assert_string_equal(to, "");
    assert_false(str_copy(to, 0, "x"));
}

static void a_cut_never_leaves_half_a_character(void **state)
{
    (void)state;
    static const struct {
        const char *from;
        size_t size;
        const char *want;
    } table[] = {
        {"a\xC3\xB6z", 3, "a"},
        {"a\xC3\xB6z", 4, "a\xC3\xB6"},
        {"\xE2\x82\xAC!", 3, ""},
        {"\xE2\x82\xAC!", 4, "\xE2\x82\xAC"},
        {SMILE "!", 4, ""},
        {SMILE "!", 5, SMILE},
        {"\x80\x80\x80\x80\x80", 4, "\x80\x80\x80"},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        char to[8];
        assert_false(str_copy(to, table[i].size, table[i].from));
        assert_string_equal(to, table[i].want);
    }
}

static void valid_utf8_is_told_from_the_rest(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool valid;
    } table[] = {
        {"", true},
        {"plain", true},
        {"\xC3\xB6\xE2\x82\xAC" SMILE, true},
        {"\xF4\x8F\xBF\xBF", true},  /* the last code point */
        {"\xF4\x90\x80\x80", false}, /* one past it */
        {"\xC0\x80", false},         /* overlong NUL */
        {"\xC1\xBF", false},         /* overlong, two octets */
        {"\xE0\x9F\xBF", false},     /* overlong, three octets */
        {"\xF0\x8F\xBF\xBF", false}, /* overlong, four octets */
        {"\xED\xA0\x80", false},     /* a surrogate */
        {"\xED\xBF\xBF", false},     /* the last surrogate */
        {"\x80", false},             /* a continuation alone */
        {"\xC3", false},             /* cut short */
        {"\xE2\x82", false},         /* cut short */
        {"\xC3\x28", false},         /* no continuation */
        {"ok\xFF", false},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++)
        assert_int_equal(str_is_utf8(table[i].text, strlen(table[i].text)), table[i].valid);
    assert_false(str_is_utf8("\xE2\x82\xAC", 2)); /* the length counts, not what lies behind it */
}

static void utf16_has_pairs_beyond_the_first_plane(void **state)
{
    (void)state;
    static const uint16_t want[] = {'a', 0xF6, 0x20AC, 0xD83D, 0xDE00, 0};
    uint16_t *units = str_to_utf16("a\xC3\xB6\xE2\x82\xAC" SMILE);
    assert_memory_equal(units, want, sizeof want);
    char *back = str_from_utf16(units, 100);
    assert_string_equal(back, "a\xC3\xB6\xE2\x82\xAC" SMILE);
    free(back);
    free(units);
    assert_null(str_to_utf16(NULL));
    assert_null(str_from_utf16(NULL, 5));
}

static void damage_becomes_the_replacement_character(void **state)
{
    (void)state;
    static const uint16_t want[] = {'a', 0xFFFD, 0xFFFD, 'b', 0};
    uint16_t *units = str_to_utf16("a\xE2\x82"
                                   "b");
    assert_memory_equal(units, want, sizeof want);
    free(units);
    static const uint16_t lone[] = {0xDC00, 'x', 0xD800, 0xD800, 0xDC00, 0xD801, 0};
    char *text = str_from_utf16(lone, 100);
    assert_string_equal(text, "\xEF\xBF\xBDx\xEF\xBF\xBD\xF0\x90\x80\x80\xEF\xBF\xBD");
    free(text);
}

static void no_unit_past_the_limit_is_read(void **state)
{
    (void)state;
    uint16_t *units = malloc(2 * sizeof *units); /* on the heap, so that a tool sees a read past it */
    units[0] = 'a';
    units[1] = 0xD83D;
    char *text = str_from_utf16(units, 2);
    assert_string_equal(text, "a\xEF\xBF\xBD");
    free(text);
    free(units);
}

static void every_code_point_survives_both_ways(void **state)
{
    (void)state;
    for (uint32_t point = 1; point <= 0x10FFFF; point += point < 0x3000 ? 1 : 251) {
        if (point >= 0xD800 && point <= 0xDFFF)
            continue;
        uint16_t units[3] = {(uint16_t)point};
        if (point >= 0x10000) {
            units[0] = (uint16_t)(0xD7C0 + (point >> 10));
            units[1] = (uint16_t)(0xDC00 | (point & 0x3FF));
        }
        char *text = str_from_utf16(units, 3);
        uint32_t read = 0;
        assert_int_equal(utf8_next(&read, text, strlen(text)), strlen(text));
        assert_int_equal(read, point);
        uint16_t *back = str_to_utf16(text);
        assert_memory_equal(back, units, point >= 0x10000 ? 6 : 4);
        free(back);
        free(text);
    }
}

static void hexadecimal_is_lower_case(void **state)
{
    (void)state;
    char text[9];
    assert_string_equal(str_hex(text, "\x00\x1F\xAB\xFF", 4), "001fabff");
    assert_string_equal(str_hex(text, "", 0), "");
}

static void a_ulid_begins_with_its_time(void **state)
{
    (void)state;
    char text[STR_ULID_SIZE];
    str_ulid(text, 1469918176385); /* the example of the ULID specification */
    assert_memory_equal(text, "01ARYZ6S41", 10);
    assert_int_equal(strspn(text, "0123456789ABCDEFGHJKMNPQRSTVWXYZ"), 26);
}

static void ulids_ascend_when_the_clock_stands_or_goes_back(void **state)
{
    (void)state;
    char last[STR_ULID_SIZE] = "", next[STR_ULID_SIZE];
    for (int i = 0; i < 5000; i++) {
        str_ulid(next, 1700000000000 - i / 1000);
        assert_true(strcmp(last, next) < 0);
        memcpy(last, next, sizeof last);
    }
}

static int write_ulid(void *fd)
{
    char text[STR_ULID_SIZE];
    str_ulid(text, 1700000000000);
    return write(*(int *)fd, text, sizeof text) != sizeof text;
}

static void two_children_of_one_parent_make_different_ulids(void **state)
{
    (void)state;
    int pipe_ends[2];
    char first[STR_ULID_SIZE], second[STR_ULID_SIZE], parent[STR_ULID_SIZE];
    assert_int_equal(pipe(pipe_ends), 0);
    str_ulid(parent, 1700000000000);
    assert_int_equal(facts_in_child(write_ulid, &pipe_ends[1]), 0);
    assert_int_equal(facts_in_child(write_ulid, &pipe_ends[1]), 0);
    assert_int_equal(read(pipe_ends[0], first, sizeof first), sizeof first);
    assert_int_equal(read(pipe_ends[0], second, sizeof second), sizeof second);
    assert_string_not_equal(first, second);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
}

static void whole_numbers_are_read_within_their_range(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t low, high, want;
        int code;
    } table[] = {
        {"0", 0, 9, 0, 0},
        {"-5", -5, 5, -5, 0},
        {"007", 0, 9, 7, 0},
        {"9223372036854775807", INT64_MIN, INT64_MAX, INT64_MAX, 0},
        {"-9223372036854775808", INT64_MIN, INT64_MAX, INT64_MIN, 0},
        {"9223372036854775808", INT64_MIN, INT64_MAX, 0, ERR_INVALID},
        {"10", 0, 9, 0, ERR_INVALID},
        {"-1", 0, 9, 0, ERR_INVALID},
        {"", 0, 9, 0, ERR_INVALID},
        {"-", -9, 9, 0, ERR_INVALID},
        {" 1", 0, 9, 0, ERR_INVALID},
        {"+1", 0, 9, 0, ERR_INVALID},
        {"1 ", 0, 9, 0, ERR_INVALID},
        {"1x", 0, 9, 0, ERR_INVALID},
        {"0x1", 0, 9, 0, ERR_INVALID},
        {"1.5", 0, 9, 0, ERR_INVALID},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        int64_t value = 0;
        assert_int_equal(str_to_int(&value, table[i].text, table[i].low, table[i].high), table[i].code);
        assert_int_equal(value, table[i].want);
    }
}

static void a_station_id_is_twenty_printable_characters(void **state)
{
    (void)state;
    assert_int_equal(str_check_station_id("+1 555 123 4567"), 0);
    assert_int_equal(str_check_station_id("ACME Clinic (Oslo)"), 0);
    assert_int_equal(str_check_station_id(""), 0);
    assert_int_equal(str_check_station_id("12345678901234567890"), 0);
    assert_int_equal(str_check_station_id("123456789012345678901"), ERR_TOO_BIG);
    assert_non_null(strstr(err_message(), "21"));
    assert_int_equal(str_check_station_id("B\xC3\xB6lle"), ERR_INVALID);
    assert_non_null(strstr(err_message(), "0xc3"));
    assert_int_equal(str_check_station_id("two\nlines"), ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(a_copy_says_whether_all_of_it_fitted),
        cmocka_unit_test(a_cut_never_leaves_half_a_character),
        cmocka_unit_test(valid_utf8_is_told_from_the_rest),
        cmocka_unit_test(utf16_has_pairs_beyond_the_first_plane),
        cmocka_unit_test(damage_becomes_the_replacement_character),
        cmocka_unit_test(no_unit_past_the_limit_is_read),
        cmocka_unit_test(every_code_point_survives_both_ways),
        cmocka_unit_test(hexadecimal_is_lower_case),
        cmocka_unit_test(a_ulid_begins_with_its_time),
        cmocka_unit_test(ulids_ascend_when_the_clock_stands_or_goes_back),
        cmocka_unit_test(two_children_of_one_parent_make_different_ulids),
        cmocka_unit_test(whole_numbers_are_read_within_their_range),
        cmocka_unit_test(a_station_id_is_twenty_printable_characters),
    };
    return cmocka_run_group_tests_name("str", facts, NULL, NULL);
}
