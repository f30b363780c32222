/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about the clocks and their RFC 3339 text. */
#include "config.h"

#include "server/base/clock.h"

#include <string.h>
#include <time.h>

#include "server/base/err.h"
#include "tests/lib/facts.h"

struct instant {
    const char *text;
    int64_t at_ms;
};

static void both_clocks_move_by_a_shift(void **state)
{
    (void)state;
    int64_t wall = clock_now_ms(), mono = clock_mono_ms();
    clock_shift(3600000);
    assert_in_range(clock_now_ms() - wall, 3600000, 3660000);
    assert_in_range(clock_mono_ms() - mono, 3600000, 3660000);
    clock_shift(-3600000);
    assert_in_range(clock_now_ms() - wall, 0, 60000);
    assert_in_range(clock_now_ms() / 1000 - time(NULL) + 10, 0, 20);
}

static void an_instant_is_written_in_utc_with_milliseconds(void **state)
{
    (void)state;
    static const struct instant table[] = {
        {"1970-01-01T00:00:00.000Z", 0},
        {"1999-12-31T23:59:59.999Z", 946684799999},
        {"2000-02-29T12:00:00.001Z", 951825600001},
        {"2026-11-21T01:02:03.123Z", 1795222923123},
        {"2100-03-01T00:00:00.000Z", 4107542400000},
        {"9999-12-31T23:59:59.999Z", 253402300799999},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        char text[CLOCK_TEXT_SIZE];
        int64_t at_ms;
        assert_string_equal(clock_format(text, table[i].at_ms), table[i].text);
        assert_int_equal(clock_parse(&at_ms, table[i].text), 0);
        assert_int_equal(at_ms, table[i].at_ms);
    }
}

static void an_instant_outside_the_calendar_is_held_at_its_ends(void **state)
{
    (void)state;
    char text[CLOCK_TEXT_SIZE];
    assert_string_equal(clock_format(text, -1), "1970-01-01T00:00:00.000Z");
    assert_string_equal(clock_format(text, INT64_MAX), "9999-12-31T23:59:59.999Z");
}

static void the_calendar_agrees_with_the_c_library(void **state)
{
    (void)state;
    for (int64_t day = 0; day < 400 * 366; day += 3) {
        char ours[CLOCK_TEXT_SIZE], theirs[64];
        time_t seconds = (time_t)day * 86400 + day % 86400;
        struct tm parts;
        strftime(theirs, sizeof theirs, "%Y-%m-%dT%H:%M:%S.000Z", gmtime_r(&seconds, &parts));
        assert_string_equal(clock_format(ours, (int64_t)seconds * 1000), theirs);
    }
}

static void every_form_of_rfc_3339_is_read(void **state)
{
    (void)state;
    static const struct instant table[] = {
        {"2026-11-21T01:02:03Z", 1795222923000},          {"2026-11-21t01:02:03z", 1795222923000},
        {"2026-11-21T01:02:03.1Z", 1795222923100},        {"2026-11-21T01:02:03.123987654Z", 1795222923123},
        {"2026-11-21T02:32:03+01:30", 1795222923000},     {"2026-11-20T20:02:03-05:00", 1795222923000},
        {"2016-12-31T23:59:60Z", 1483228800000},          {"1970-01-01T01:00:00+01:00", 0},
        {"2026-11-21T01:02:03.123-00:00", 1795222923123},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        int64_t at_ms = -1;
        assert_int_equal(clock_parse(&at_ms, table[i].text), 0);
        assert_int_equal(at_ms, table[i].at_ms);
    }
}

static void what_is_not_a_time_is_refused_by_name(void **state)
{
    (void)state;
    static const char *const table[] = {
        "",
        "now",
        "2026-11-21",
        "2026-11-21 01:02:03Z",
        "2026-11-21T01:02:03",
        "2026-11-21T01:02Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "2026-11-31T00:00:00Z",
        "2026-11-21T24:00:00Z",
        "2026-11-21T01:60:00Z",
        "2026-11-21T01:02:61Z",
        "2026-11-21T01:02:03.Z",
        "2026-11-21T01:02:03+1:00",
        "2026-11-21T01:02:03+24:00",
        "2026-11-21T01:02:03Zulu",
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "+026-11-21T01:02:03Z",
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        int64_t at_ms = 42;
        assert_int_equal(clock_parse(&at_ms, table[i]), ERR_INVALID);
        assert_non_null(strstr(err_message(), table[i]));
        assert_int_equal(at_ms, 42);
    }
}

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(both_clocks_move_by_a_shift),
        cmocka_unit_test(an_instant_is_written_in_utc_with_milliseconds),
        cmocka_unit_test(an_instant_outside_the_calendar_is_held_at_its_ends),
        cmocka_unit_test(the_calendar_agrees_with_the_c_library),
        cmocka_unit_test(every_form_of_rfc_3339_is_read),
        cmocka_unit_test(what_is_not_a_time_is_refused_by_name),
    };
    return cmocka_run_group_tests_name("clock", facts, NULL, NULL);
}
