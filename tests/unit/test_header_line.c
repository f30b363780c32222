/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about the words on top of each page. */
#include "config.h"

#include "tests/lib/facts.h"

#include "server/base/clock.h"
#include "spool/header_line.h"
#include "spool/page_style.h"
#include "tests/lib/spool_facts.h"

#include <string.h>

#define NOON_MS 1782907230000 /* 2026-07-01 12:00:30 UTC */

static void set_style(void **state, const char *sender, const char *zone, bool header)
{
    struct spool_facts *facts = *state;
    const struct page_style style = {
        .sender = sender, .time_zone = zone, .paper = "a4", .header = header, .covers = {"", ""}};
    page_style_set(facts->spool, &style);
}

static json_t *line(void **state, const char *options)
{
    struct spool_facts *facts = *state;
    json_t *json = options ? json_loads(options, 0, NULL) : NULL;
    json_t *header = header_line(facts->spool, json, "+4930111", "+4940222", 5);
    json_decref(json);
    return header;
}

static void expect(void **state, const char *options, const char *text, int pages)
{
    json_t *header = line(state, options);
    assert_string_equal(json_string_value(json_object_get(header, "text")), text);
    assert_int_equal(json_integer_value(json_object_get(header, "pages")), pages);
    json_decref(header);
}

static void it_says_when_who_and_between_which_numbers(void **state)
{
    set_style(state, "ACME", "Europe/Berlin", true);
    expect(state, "{}", "2026-07-01 14:00 CEST   ACME   \u200e+4930111 \u2192 \u200e+4940222", 5);
    expect(state, NULL, "2026-07-01 14:00 CEST   ACME   \u200e+4930111 \u2192 \u200e+4940222", 5);
}

static void a_request_has_the_last_word(void **state)
{
    set_style(state, "ACME", "Europe/Berlin", true);
    expect(state, "{\"header\":\"Sch\u00f6n & S\u00f6hne\",\"time_zone\":\"America/New_York\"}",
           "2026-07-01 08:00 EDT   Sch\u00f6n & S\u00f6hne   \u200e+4930111 \u2192 \u200e+4940222", 5);
    expect(state, "{\"header\":\"\",\"time_zone\":\"\"}",
           "2026-07-01 14:00 CEST   ACME   \u200e+4930111 \u2192 \u200e+4940222", 5);
}

static void without_a_name_there_is_none(void **state)
{
    set_style(state, "", "UTC", true);
    expect(state, "{}", "2026-07-01 12:00 UTC   \u200e+4930111 \u2192 \u200e+4940222", 5);
}

static void page_numbers_can_be_left_out(void **state)
{
    set_style(state, "", "UTC", true);
    expect(state, "{\"page_numbers\":false}", "2026-07-01 12:00 UTC   \u200e+4930111 \u2192 \u200e+4940222", 0);
    expect(state, "{\"page_numbers\":true}", "2026-07-01 12:00 UTC   \u200e+4930111 \u2192 \u200e+4940222", 5);
}

static void request_or_configuration_may_leave_the_line_out(void **state)
{
    set_style(state, "ACME", "UTC", true);
    assert_null(line(state, "{\"header_show\":false}"));
    set_style(state, "ACME", "UTC", false);
    assert_null(line(state, "{}"));
    assert_null(line(state, "{\"header_show\":true}"));
}

int main(void)
{
    static const struct CMUnitTest facts[] = {
        cmocka_unit_test_setup_teardown(it_says_when_who_and_between_which_numbers, spool_facts_setup,
                                        spool_facts_teardown),
        cmocka_unit_test_setup_teardown(a_request_has_the_last_word, spool_facts_setup, spool_facts_teardown),
        cmocka_unit_test_setup_teardown(without_a_name_there_is_none, spool_facts_setup, spool_facts_teardown),
        cmocka_unit_test_setup_teardown(page_numbers_can_be_left_out, spool_facts_setup, spool_facts_teardown),
        cmocka_unit_test_setup_teardown(request_or_configuration_may_leave_the_line_out, spool_facts_setup,
                                        spool_facts_teardown),
    };
    clock_shift(NOON_MS - clock_now_ms());
    return cmocka_run_group_tests(facts, NULL, NULL);
}
