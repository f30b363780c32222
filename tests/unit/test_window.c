/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about windows of time, also on days on which clocks are put forward and back. */
#include "config.h"

#include "spool/window.h"

#include <string.h>

#include "server/base/clock.h"
#include "server/base/err.h"
#include "tests/lib/facts.h"

#define WEEKDAYS "{\"from\":\"08:00\",\"to\":\"18:00\",\"days\":[1,2,3,4,5],\"time_zone\":\"Europe/Berlin\"}"
#define NIGHTS   "{\"from\":\"22:00\",\"to\":\"06:00\",\"days\":[5,6],\"time_zone\":\"Europe/Berlin\"}"
#define EARLY    "{\"from\":\"02:30\",\"to\":\"02:45\",\"time_zone\":\"Europe/Berlin\"}"
#define GAP      "{\"from\":\"02:30\",\"to\":\"04:00\",\"time_zone\":\"Europe/Berlin\"}"
#define MONDAYS  "{\"from\":\"00:00\",\"to\":\"24:00\",\"days\":[1],\"time_zone\":\"America/New_York\"}"
#define SHORT    "{\"from\":\"00:00\",\"to\":\"00:01\",\"days\":[7],\"time_zone\":\"+05:45\"}"

static void a_window_is_open_by_the_clock_of_its_place(void **state)
{
    static const struct {
        const char *window, *at, *next; /* next = at: it is open */
    } cases[] = {
        /* 2026-11-20 was a Friday; Berlin is an hour ahead in winter, two in summer. */
        {WEEKDAYS, "2026-11-20T06:59:59.999Z", "2026-11-20T07:00:00.000Z"},
        {WEEKDAYS, "2026-11-20T07:00:00.000Z", "2026-11-20T07:00:00.000Z"},
        {WEEKDAYS, "2026-11-20T16:59:59.999Z", "2026-11-20T16:59:59.999Z"},
        {WEEKDAYS, "2026-11-20T17:00:00.000Z", "2026-11-23T07:00:00.000Z"},
        {WEEKDAYS, "2026-07-01T05:59:00.000Z", "2026-07-01T06:00:00.000Z"},
        /* Over the weekend on which summer time ends (2026-10-25). */
        {WEEKDAYS, "2026-10-23T16:00:00.000Z", "2026-10-26T07:00:00.000Z"},
        {WEEKDAYS, "2026-03-27T17:00:00.000Z", "2026-03-30T06:00:00.000Z"},
        /* Past midnight: it begins on Friday and Saturday. */
        {NIGHTS, "2026-11-20T20:59:00.000Z", "2026-11-20T21:00:00.000Z"},
        {NIGHTS, "2026-11-21T04:59:00.000Z", "2026-11-21T04:59:00.000Z"},
        {NIGHTS, "2026-11-21T05:00:00.000Z", "2026-11-21T21:00:00.000Z"},
        {NIGHTS, "2026-11-22T04:59:00.000Z", "2026-11-22T04:59:00.000Z"},
        {NIGHTS, "2026-11-22T05:00:00.000Z", "2026-11-27T21:00:00.000Z"},
        {NIGHTS, "2026-11-20T03:00:00.000Z", "2026-11-20T21:00:00.000Z"}, /* Thursday's does not exist */
        /* 02:30 comes twice on 2026-10-25, at 00:30 and 01:30 UTC. */
        {EARLY, "2026-10-24T12:00:00.000Z", "2026-10-25T00:30:00.000Z"},
        {EARLY, "2026-10-25T00:45:00.000Z", "2026-10-25T01:30:00.000Z"},
        {EARLY, "2026-10-25T01:44:00.000Z", "2026-10-25T01:44:00.000Z"},
        {EARLY, "2026-10-25T01:45:00.000Z", "2026-10-26T01:30:00.000Z"},
        /* and not at all on 2026-03-29: nothing of it is left that day, */
        {EARLY, "2026-03-28T12:00:00.000Z", "2026-03-30T00:30:00.000Z"},
        /* but of a longer one its rest is, from the moment at which the clock shows 03:00. */
        {GAP, "2026-03-28T12:00:00.000Z", "2026-03-29T01:00:00.000Z"},
        {MONDAYS, "2026-11-22T12:00:00.000Z", "2026-11-23T05:00:00.000Z"},
        {MONDAYS, "2026-11-24T04:59:00.000Z", "2026-11-24T04:59:00.000Z"},
        {MONDAYS, "2026-11-24T05:00:00.000Z", "2026-11-30T05:00:00.000Z"},
        {SHORT, "2026-11-22T18:16:00.000Z", "2026-11-28T18:15:00.000Z"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        json_t *object = json_loads(cases[i].window, 0, NULL);
        struct window window;
        int64_t at_ms, next_ms;
        char text[CLOCK_TEXT_SIZE];

        assert_int_equal(window_read(&window, object), 0);
        assert_int_equal(clock_parse(&at_ms, cases[i].at), 0);
        next_ms = window_next(&window, at_ms);
        if (strcmp(clock_format(text, next_ms), cases[i].next) != 0)
            fail_msg("%s at %s: %s instead of %s", cases[i].window, cases[i].at, text, cases[i].next);
        assert_int_equal(window_is_open(&window, at_ms), strcmp(cases[i].at, cases[i].next) == 0);
        window_clear(&window);
        json_decref(object);
    }
}

/* Minute by minute, nothing of a window is left out and nothing comes early. */
static void the_next_opening_is_the_first(void **state)
{
    static const char *const windows[] = {WEEKDAYS, NIGHTS, EARLY, GAP, MONDAYS};
    static const char *const starts[] = {"2026-03-27T00:00:00Z", "2026-10-23T00:00:00Z"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(windows) * COUNT_OF(starts); i++) {
        json_t *object = json_loads(windows[i / COUNT_OF(starts)], 0, NULL);
        struct window window;
        int64_t start_ms, next_ms = 0;

        assert_int_equal(window_read(&window, object), 0);
        assert_int_equal(clock_parse(&start_ms, starts[i % COUNT_OF(starts)]), 0);
        for (int64_t at_ms = start_ms + 4 * 86400000LL; at_ms >= start_ms; at_ms -= 60000) {
            if (window_is_open(&window, at_ms))
                next_ms = at_ms;
            if (next_ms && window_next(&window, at_ms) != next_ms)
                fail_msg("%s at %lld", windows[i / COUNT_OF(starts)], (long long)at_ms);
        }
        window_clear(&window);
        json_decref(object);
    }
}

static void what_is_no_window_is_refused(void **state)
{
    static const struct {
        const char *text, *fault;
    } cases[] = {
        {"[]", "object"},
        {"{\"to\":\"18:00\"}", "from:"},
        {"{\"from\":\"8:00\",\"to\":\"18:00\"}", "from:"},
        {"{\"from\":\"08:00\",\"to\":\"24:01\"}", "to:"},
        {"{\"from\":\"08:60\",\"to\":\"18:00\"}", "from:"},
        {"{\"from\":\"08:00\",\"to\":800}", "to:"},
        {"{\"from\":\"08:00\",\"to\":\"18:00\",\"days\":[]}", "days:"},
        {"{\"from\":\"08:00\",\"to\":\"18:00\",\"days\":[0]}", "days:"},
        {"{\"from\":\"08:00\",\"to\":\"18:00\",\"days\":[\"1\"]}", "days:"},
        {"{\"from\":\"08:00\",\"to\":\"18:00\",\"time_zone\":\"Mars\"}", "time_zone:"},
        {"{\"from\":\"08:00\",\"to\":\"18:00\",\"time_zone\":7}", "time_zone:"},
        {"{\"from\":\"08:00\",\"to\":\"18:00\",\"day\":[1]}", "day:"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        json_t *object = json_loads(cases[i].text, 0, NULL);
        struct window window;

        assert_int_equal(window_read(&window, object), ERR_INVALID);
        assert_non_null(strstr(err_message(), cases[i].fault));
        window_clear(&window);
        json_decref(object);
    }
}

static void a_window_is_shown_as_it_was_given(void **state)
{
    json_t *object = json_loads(WEEKDAYS, 0, NULL), *shown;
    struct window window, always = {.place = NULL};
    char text[WINDOW_TEXT_SIZE];
    (void)state;
    assert_int_equal(window_read(&window, object), 0);
    shown = window_json(&window);
    assert_true(json_equal(object, shown));
    assert_string_equal(window_describe(text, sizeof text, &window), "08:00 to 18:00 (Europe/Berlin)");
    assert_true(json_is_null(window_json(&always)));
    assert_true(window_is_open(&always, 0));
    window_clear(&window);
    json_decref(object);
    json_decref(shown);
}

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(a_window_is_open_by_the_clock_of_its_place),
        cmocka_unit_test(the_next_opening_is_the_first),
        cmocka_unit_test(what_is_no_window_is_refused),
        cmocka_unit_test(a_window_is_shown_as_it_was_given),
    };
    return cmocka_run_group_tests_name("window", facts, NULL, NULL);
}
