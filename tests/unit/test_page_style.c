/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about what the configuration says about pages. */
#include "config.h"

#include "tests/lib/facts.h"

#include "spool/page_style.h"
#include "tests/lib/spool_facts.h"

#include <string.h>

static void before_it_is_set_everything_has_its_default(void **state)
{
    const struct page_style *style = page_style(((struct spool_facts *)*state)->spool);
    assert_string_equal(style->sender, "");
    assert_string_equal(style->time_zone, "");
    assert_string_equal(style->paper, "a4");
    assert_true(style->header);
    assert_int_equal(style->pages_max, 500);
    assert_string_equal(style->covers[0], "");
    assert_string_equal(style->covers[1], "");
    assert_null(style->programs);
    assert_null(style->searchable);
}

/* The spool keeps copies: what the configuration had may go. */
static void it_is_kept_as_it_was_set(void **state)
{
    struct spool *spool = ((struct spool_facts *)*state)->spool;
    char sender[] = "ACME", paper[] = "letter", own[] = "/etc/own", shipped[] = "/usr/shipped", zone[] = "UTC";
    json_t *programs = json_pack("{s:[s]}", "office", "soffice"), *searchable = json_pack("[s]", "ocr");
    const struct page_style given = {.sender = sender,
                                     .time_zone = zone,
                                     .paper = paper,
                                     .pages_max = 7,
                                     .covers = {own, shipped},
                                     .programs = programs,
                                     .searchable = searchable};
    page_style_set(spool, &given);
    memset(sender, 'x', 4);
    memset(paper, 'x', 6);
    memset(own, 'x', 8);
    memset(shipped, 'x', 12);
    memset(zone, 'x', 3);
    json_object_clear(programs);
    json_decref(programs);
    json_array_clear(searchable);
    json_decref(searchable);
    const struct page_style *style = page_style(spool);
    assert_string_equal(style->sender, "ACME");
    assert_string_equal(style->time_zone, "UTC");
    assert_string_equal(style->paper, "letter");
    assert_string_equal(style->covers[0], "/etc/own");
    assert_string_equal(style->covers[1], "/usr/shipped");
    assert_int_equal(style->pages_max, 7);
    assert_false(style->header);
    assert_int_equal(json_object_size(style->programs), 1);
    assert_int_equal(json_array_size(style->searchable), 1);
}

static void it_can_be_set_again(void **state)
{
    struct spool *spool = ((struct spool_facts *)*state)->spool;
    const struct page_style given = {.sender = "one", .time_zone = "", .paper = "a4", .covers = {"", ""}};
    page_style_set(spool, &given);
    page_style_set(spool, page_style(spool)); /* even from itself */
    assert_string_equal(page_style(spool)->sender, "one");
    const struct page_style other = {.sender = "two", .time_zone = "", .paper = "a4", .covers = {"", ""}};
    page_style_set(spool, &other);
    assert_string_equal(page_style(spool)->sender, "two");
}

int main(void)
{
    static const struct CMUnitTest facts[] = {
        cmocka_unit_test_setup_teardown(before_it_is_set_everything_has_its_default, spool_facts_setup,
                                        spool_facts_teardown),
        cmocka_unit_test_setup_teardown(it_is_kept_as_it_was_set, spool_facts_setup, spool_facts_teardown),
        cmocka_unit_test_setup_teardown(it_can_be_set_again, spool_facts_setup, spool_facts_teardown),
    };
    return cmocka_run_group_tests(facts, NULL, NULL);
}
