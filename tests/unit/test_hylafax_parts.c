/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about times and formats of HylaFAX. */
#include "config.h"

#include "contrib/hylafax/layout.h"
#include "contrib/hylafax/when.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "tests/lib/facts.h"

static void times_are_those_of_at(void **state)
{
    /* A Saturday in winter. */
    static const char now[] = "2026-11-21T22:30:15.000Z";
    static const struct {
        const char *text, *at;
    } rows[] = {
        {"now", "2026-11-21T22:30:15"},
        {"now + 30 minutes", "2026-11-21T23:00:15"},
        {"now+1min", "2026-11-21T22:31:15"},
        {"now +2 days", "2026-11-23T22:30:15"},
        {"now + 3 hours", "2026-11-22T01:30:15"},
        {"now + 2 hrs", "2026-11-22T00:30:15"},
        {"now + 1 week", "2026-11-28T22:30:15"},
        {"now + 2 months", "2027-01-21T22:30:15"},
        {"now next day", "2026-11-22T22:30:15"},
        {"NOW + 90 SECONDS", "2026-11-21T22:31:45"},
        {"23:15", "2026-11-21T23:15:00"},
        {"18:30", "2026-11-22T18:30:00"}, /* it has passed */
        {"0815", "2026-11-22T08:15:00"},
        {"815", "2026-11-22T08:15:00"},
        {"9", "2026-11-22T09:00:00"},
        {"6:30 pm", "2026-11-22T18:30:00"},
        {"6:30PM tomorrow", "2026-11-22T18:30:00"},
        {"11:45pm", "2026-11-21T23:45:00"},
        {"12 am", "2026-11-22T00:00:00"},
        {"12:30 pm", "2026-11-22T12:30:00"},
        {"noon", "2026-11-22T12:00:00"},
        {"midnight", "2026-11-22T00:00:00"},
        {"noon + 2 days", "2026-11-24T12:00:00"},
        {"23:00 today", "2026-11-21T23:00:00"},
        {"18:30 today", "2026-11-21T18:30:00"}, /* as it was asked for */
        {"18:30 tomorrow", "2026-11-22T18:30:00"},
        {"09:00 Dec 24", "2026-12-24T09:00:00"},
        {"09:00 December 24, 2027", "2027-12-24T09:00:00"},
        {"09:00 Jan 5", "2027-01-05T09:00:00"},
        {"09:00 Mon", "2026-11-23T09:00:00"},
        {"09:00 saturday", "2026-11-28T09:00:00"},
        {"23:00 Saturday", "2026-11-21T23:00:00"},
        {"18:00 2027-02-03", "2027-02-03T18:00:00"},
        {"2027-02-03 18:00", "2027-02-03T18:00:00"},
        {"2027-02-03", "2027-02-03T22:30:15"},
        {" 18:30  tomorrow ", "2026-11-22T18:30:00"},
    };
    int64_t now_ms;
    (void)state;
    assert_int_equal(clock_parse(&now_ms, now), 0);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t at_ms;
        char text[CLOCK_TEXT_SIZE];
        assert_int_equal(when_parse(&at_ms, rows[i].text, now_ms), 0);
        clock_format(text, at_ms);
        text[19] = '\0';
        if (strcmp(text, rows[i].at) != 0)
            print_error("\"%s\"\n", rows[i].text);
        assert_string_equal(text, rows[i].at);
    }
}

static void what_is_no_time_is_told(void **state)
{
    static const char *const rows[] = {
        "",       "whenever",    "25:00",           "12:60",         "13 pm",      "0 am",
        "now +",  "now + 2",     "now + two hours", "now + 2 years", "9:5",        "12345",
        "noon x", "Dec",         "09:00 Dec 32",    "2026-13-01",    "2026-1x-01", "now + 2 hours 3",
        "no",     "+ 2 hours x", "12:00 mo"};
    int64_t at_ms;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (when_parse(&at_ms, rows[i], 1795300000000) != ERR_INVALID)
            print_error("\"%s\"\n", rows[i]);
        assert_int_equal(when_parse(&at_ms, rows[i], 1795300000000), ERR_INVALID);
    }
}

static void spans_have_units(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds; /* -1 = is none */
    } rows[] = {{"90", 90},        {"90 sec", 90},  {"15min", 900},  {"15 minutes", 900},
                {"2 hours", 7200}, {"1day", 86400}, {"3d", 259200},  {"2h", 7200},
                {"", -1},          {"soon", -1},    {"2 years", -1}, {"2 hours 3", -1}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t seconds;
        assert_int_equal(when_parse_span(&seconds, rows[i].text), rows[i].seconds < 0 ? ERR_INVALID : 0);
        if (rows[i].seconds >= 0)
            assert_int_equal(seconds, rows[i].seconds);
    }
}

static char *first(const void *row)
{
    return xstrdup(((const char *const *)row)[0]);
}

static char *second(const void *row)
{
    return xstrdup(((const char *const *)row)[1]);
}

static void a_line_has_widths_as_printf_has_them(void **state)
{
    static const struct layout_column columns[] = {{'a', "One", first}, {'b', "Two", second}, {'\0', NULL, NULL}};
    static const char *const row[] = {"17", "gr\xc3\xbc\xc3\x9f\x65"};
    static const struct {
        const char *format, *line, *head;
    } rows[] = {
        {"%a %b", "17 gr\xc3\xbc\xc3\x9f\x65", "One Two"},
        {"[%-4a]", "[17  ]", "[One ]"},
        {"[%4a]", "[  17]", "[ One]"},
        {"[%04a]", "[0017]", "[ One]"},
        {"[%07b]", "[  gr\xc3\xbc\xc3\x9f\x65]", "[    Two]"},
        {"[%.3b]", "[gr\xc3\xbc]", "[Two]"},
        {"[%5.3b]", "[  gr\xc3\xbc]", "[  Two]"},
        {"[%2b]", "[gr\xc3\xbc\xc3\x9f\x65]", "[Two]"},
        {"100%% %x.", "100% .", "100% ."},
        {"%a   ", "17", "One"},
        {"x%", "x%", "x%"},
        {"x%-3", "x", "x"},
        {"[%99999999999a", NULL, NULL}, /* bounded */
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char *line = layout_line(rows[i].format, columns, row), *head = layout_line(rows[i].format, columns, NULL);
        if (rows[i].line != NULL) {
            assert_string_equal(line, rows[i].line);
            assert_string_equal(head, rows[i].head);
        } else {
            assert_in_range(strlen(line), 3, 500);
        }
        free(line);
        free(head);
    }
}

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(times_are_those_of_at),
        cmocka_unit_test(what_is_no_time_is_told),
        cmocka_unit_test(spans_have_units),
        cmocka_unit_test(a_line_has_widths_as_printf_has_them),
    };
    setenv("TZ", "UTC", 1);
    tzset();
    return cmocka_run_group_tests(facts, NULL, NULL);
}
