/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about options in the subject of a message. */
#include "config.h"

#include "contrib/mail/subject.h"

#include <string.h>

#include "server/base/clock.h"
#include "server/base/err.h"
#include "tests/lib/facts.h"

#define NOON INT64_C(1795262400000) /* 2026-11-21T12:00:00Z */

static void options_in_brackets_leave_the_subject(void **state)
{
    (void)state;
    static const struct {
        const char *subject, *text, *priority, *resolution, *bill, *cover, *unknown;
    } table[] = {
        {"Hello", "Hello", NULL, NULL, "", "", ""},
        {"", "", NULL, NULL, "", "", ""},
        {"[hi] Hello", "Hello", "high", NULL, "", "", ""},
        {"Hello [HI]", "Hello", "high", NULL, "", "", ""},
        {"a [low][fine]  b", "a b", "bulk", "fine", "", "", ""},
        {"[urgent] [superfine]", "", "urgent", "superfine", "", "", ""},
        {"[bill=22343] x", "x", NULL, NULL, "22343", "", ""},
        {"[bill=A/7 [x]", "", NULL, NULL, "A/7 [x", "", ""},
        {"[cover=letter] x", "x", NULL, NULL, "", "letter", ""},
        {"[EXTERNAL] Re: [hi] x", "[EXTERNAL] Re: x", "high", NULL, "", "", "[EXTERNAL]"},
        {"[a] [b=c] x", "[a] [b=c] x", NULL, NULL, "", "", "[a] [b=c]"},
        {"open [hi", "open [hi", NULL, NULL, "", "", ""},
        {"] [] x", "] [] x", NULL, NULL, "", "", ""},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct subject subject;
        assert_int_equal(subject_parse(&subject, table[i].subject, NOON, "UTC"), 0);
        assert_string_equal(subject.text, table[i].text);
        assert_string_equal(subject.priority != NULL ? subject.priority : "-",
                            table[i].priority != NULL ? table[i].priority : "-");
        assert_string_equal(subject.resolution != NULL ? subject.resolution : "-",
                            table[i].resolution != NULL ? table[i].resolution : "-");
        assert_string_equal(subject.bill, table[i].bill);
        assert_string_equal(subject.cover, table[i].cover);
        assert_string_equal(subject.unknown, table[i].unknown);
    }
}

static void a_time_is_the_next_that_clocks_show_or_a_moment(void **state)
{
    (void)state;
    static const struct {
        const char *subject, *zone, *when;
    } table[] = {
        {"[at=18:00]", "UTC", "2026-11-21T18:00:00.000Z"},
        {"[at=12:00]", "UTC", "2026-11-22T12:00:00.000Z"},
        {"[at=11:59]", "UTC", "2026-11-22T11:59:00.000Z"},
        {"[at=18:00]", "Europe/Berlin", "2026-11-21T17:00:00.000Z"},
        {"[at=12:30]", "Europe/Berlin", "2026-11-22T11:30:00.000Z"},
        {"[AT=8:05]", "America/New_York", "2026-11-21T13:05:00.000Z"},
        {"[at=2026-12-24T18:00:00+01:00]", "UTC", "2026-12-24T17:00:00.000Z"},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct subject subject;
        char when[CLOCK_TEXT_SIZE];
        assert_int_equal(subject_parse(&subject, table[i].subject, NOON, table[i].zone), 0);
        assert_string_equal(clock_format(when, subject.not_before), table[i].when);
    }
}

static void a_wrong_value_is_refused_and_not_passed_over(void **state)
{
    (void)state;
    static const char *const wrong[] = {"[at=]",     "[at=25:00]", "[at=18:60]", "[at=18:00x]",
                                        "[at=soon]", "[bill=]",    "[cover=]",   "[at=-1:00]"};
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct subject subject;
        assert_int_equal(subject_parse(&subject, wrong[i], NOON, "UTC"), ERR_INVALID);
    }
}

static void the_last_word_about_a_cover_page_counts(void **state)
{
    (void)state;
    struct subject subject;
    assert_int_equal(subject_parse(&subject, "[cover] [nocover]", NOON, "UTC"), 0);
    assert_true(subject.without_cover);
    assert_int_equal(subject_parse(&subject, "[nocover] [cover=plain]", NOON, "UTC"), 0);
    assert_true(subject.with_cover && !subject.without_cover);
}

static void an_endless_subject_stays_within_its_room(void **state)
{
    (void)state;
    static char text[100000];
    struct subject subject;
    for (size_t i = 0; i + 3 < sizeof text; i += 3)
        memcpy(text + i, "[x]", 3);
    assert_int_equal(subject_parse(&subject, text, NOON, "UTC"), 0);
    assert_true(strlen(subject.text) <= SUBJECT_MAX && strlen(subject.unknown) <= SUBJECT_MAX);
}

int main(void)
{
    const struct CMUnitTest facts[] = {
        cmocka_unit_test(options_in_brackets_leave_the_subject),
        cmocka_unit_test(a_time_is_the_next_that_clocks_show_or_a_moment),
        cmocka_unit_test(a_wrong_value_is_refused_and_not_passed_over),
        cmocka_unit_test(the_last_word_about_a_cover_page_counts),
        cmocka_unit_test(an_endless_subject_stays_within_its_room),
    };
    return cmocka_run_group_tests_name("mail_subject", facts, NULL, NULL);
}
