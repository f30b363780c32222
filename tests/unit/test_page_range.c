/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about "1-3,7,9-". */
#include "config.h"

#include "tests/lib/facts.h"

#include <stdio.h>
#include <string.h>

#include "server/base/err.h"
#include "server/base/page_range.h"

/* Which of the first twelve pages are among them, as "x.xx........". */
static const char *chosen(const char *text)
{
    static char pages[13];
    struct page_range range;
    if (page_range_parse(&range, text) != 0)
        return "refused";
    for (int i = 0; i < 12; i++)
        pages[i] = page_range_has(&range, i + 1) ? 'x' : '.';
    return pages;
}

static void a_range_chooses_pages(void **state)
{
    (void)state;
    static const struct {
        const char *text, *wanted;
    } table[] = {
        {"", "xxxxxxxxxxxx"},    {"2", ".x.........."},     {"1-3", "xxx........."},   {"1-3,7", "xxx...x....."},
        {"5-", "....xxxxxxxx"},  {"10-,1", "x........xxx"}, {"7,1-3", "xxx...x....."}, {"2,2,1-4", "xxxx........"},
        {"4-4", "...x........"}, {"65535", "............"}, {"02", ".x.........."},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++)
        assert_string_equal(chosen(table[i].text), table[i].wanted);
}

static void what_is_no_range_is_refused_with_the_form(void **state)
{
    (void)state;
    static const char *const table[] = {"0",   "-3",  "3-1", "1,", ",1",    "1,,2",    "1--2",
                                        "a",   "1-b", " 1",  "1 ", "65536", "1-65536", "99999999999999999999",
                                        "1.5", "+1"};
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct page_range range;
        if (page_range_parse(&range, table[i]) != ERR_INVALID)
            fail_msg("\"%s\" is taken", table[i]);
        assert_non_null(strstr(err_message(), "\"1-3,7\""));
    }
}

static void a_range_has_so_many_parts_and_no_more(void **state)
{
    (void)state;
    char text[400] = "1";
    struct page_range range;
    for (int i = 1; i < PAGE_RANGE_PARTS; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), ",%d", 2 * i + 1);
    assert_int_equal(page_range_parse(&range, text), 0);
    assert_int_equal(page_range_count(&range, 1000), PAGE_RANGE_PARTS);
    strcat(text, ",999");
    assert_int_equal(page_range_parse(&range, text), ERR_INVALID);
}

static void pages_are_counted_once(void **state)
{
    (void)state;
    struct page_range range;
    assert_int_equal(page_range_parse(&range, "2-4,3-5,9-"), 0);
    assert_int_equal(page_range_count(&range, 10), 6);
    assert_int_equal(page_range_count(&range, 3), 2);
    assert_int_equal(page_range_count(&range, 1), 0);
    assert_int_equal(page_range_parse(&range, ""), 0);
    assert_int_equal(page_range_count(&range, 7), 7);
}

int main(void)
{
    static const struct CMUnitTest facts[] = {
        cmocka_unit_test(a_range_chooses_pages),
        cmocka_unit_test(what_is_no_range_is_refused_with_the_form),
        cmocka_unit_test(a_range_has_so_many_parts_and_no_more),
        cmocka_unit_test(pages_are_counted_once),
    };
    return cmocka_run_group_tests(facts, NULL, NULL);
}
