/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about the line on top of a page: where it stands, and what it leaves alone. */
#include "config.h"

#include "tests/lib/facts.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spool/convert/header.h"
#include "spool/convert/raster.h"

#define WIDTH         1728
#define FINE_TOP      9  /* 3 points */
#define FINE_ROWS     39 /* these and the line's 11 points */
#define STANDARD_ROWS 20
#define MARGIN        62 /* dots at each side */

static const struct header usual = {.text = "2026-07-01 12:00 UTC   ACME   +4930111", .pages = 12};

/* A page with `top` and `foot` white rows; the rest is a pattern that differs from row to row. */
static struct raster *page_of(uint32_t width, uint32_t height, uint32_t top, uint32_t foot, double y_dpi)
{
    struct raster *page = NULL;
    assert_int_equal(raster_new(&page, width, height, 1), 0);
    page->x_dpi = 204;
    page->y_dpi = y_dpi;
    for (uint32_t y = top; y + foot < height; y++) {
        for (uint32_t x = 0; x < width; x++) {
            if (x == 0 || (x + y) % 5 == 0)
                raster_row(page, y)[x / 8] |= (uint8_t)(0x80 >> x % 8);
        }
    }
    return page;
}

static bool is_black(const struct raster *page, uint32_t x, uint32_t y)
{
    return raster_row(page, y)[x / 8] >> (7 - x % 8) & 1;
}

static int ink_in(const struct raster *page, uint32_t left, uint32_t top, uint32_t right, uint32_t bottom)
{
    int count = 0;
    for (uint32_t y = top; y < bottom; y++) {
        for (uint32_t x = left; x < right; x++)
            count += is_black(page, x, y);
    }
    return count;
}

/* Stamp, and want all that was inked to follow below the line, unchanged. */
static struct raster *stamped(struct raster *page, const struct header *header, uint32_t inked_from,
                              uint32_t inked_rows, uint32_t wanted_height, uint32_t wanted_from)
{
    uint32_t stride = (uint32_t)page->stride;
    uint8_t *body = malloc((size_t)stride * inked_rows + 1);
    memcpy(body, raster_row(page, inked_from), (size_t)stride * inked_rows);
    assert_int_equal(header_stamp(&page, header, 3), 0);
    assert_int_equal(page->height, wanted_height);
    if (inked_rows > 0)
        assert_memory_equal(raster_row(page, wanted_from), body, (size_t)stride * inked_rows);
    free(body);
    return page;
}

static void a_white_margin_takes_the_line_and_the_page_keeps_its_height(void **state)
{
    (void)state;
    struct raster *page = page_of(WIDTH, 2292, FINE_ROWS, 100, 196);
    page = stamped(page, &usual, FINE_ROWS, 2292 - FINE_ROWS - 100, 2292, FINE_ROWS);
    assert_int_equal(ink_in(page, 0, 0, WIDTH, FINE_TOP), 0);
    assert_true(ink_in(page, 0, FINE_TOP, WIDTH, FINE_ROWS) > 500);
    assert_int_equal(ink_in(page, 0, 2192, WIDTH, 2292), 0);
    raster_free(page);
}

static void a_full_page_moves_down_into_its_white_foot(void **state)
{
    (void)state;
    struct raster *page = page_of(WIDTH, 2292, 0, 100, 196);
    page = stamped(page, &usual, 0, 2192, 2292, FINE_ROWS);
    raster_free(page);
}

static void a_page_without_white_grows(void **state)
{
    (void)state;
    static const struct {
        uint32_t top, foot, grows;
    } table[] = {{0, 0, FINE_ROWS},
                 {0, 10, FINE_ROWS - 10},
                 {10, 0, FINE_ROWS - 10},
                 {10, 10, FINE_ROWS - 20},
                 {FINE_ROWS - 1, 0, 1}};
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct raster *page = page_of(WIDTH, 500, table[i].top, table[i].foot, 196);
        page = stamped(page, &usual, table[i].top, 500 - table[i].top - table[i].foot, 500 + table[i].grows, FINE_ROWS);
        assert_true(page->x_dpi == 204 && page->y_dpi == 196);
        raster_free(page);
    }
}

static void a_page_of_few_rows_keeps_them(void **state)
{
    (void)state;
    for (uint32_t rows = 1; rows <= 3; rows++) {
        struct raster *page = page_of(WIDTH, rows, 0, 0, 196);
        page = stamped(page, &usual, 0, rows, rows + FINE_ROWS, FINE_ROWS);
        raster_free(page);
        page = page_of(WIDTH, rows, rows, 0, 196);
        page = stamped(page, &usual, 0, 0, FINE_ROWS, 0);
        assert_true(ink_in(page, 0, FINE_TOP, WIDTH, FINE_ROWS) > 500);
        raster_free(page);
    }
}

static void the_line_is_as_high_in_every_resolution(void **state)
{
    (void)state;
    static const struct {
        double y_dpi;
        uint32_t rows;
    } table[] = {{98, STANDARD_ROWS}, {196, FINE_ROWS}, {391, 77}, {97.79, STANDARD_ROWS}, {200, FINE_ROWS}};
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct raster *page = page_of(WIDTH, 400, 0, 0, table[i].y_dpi);
        page = stamped(page, &usual, 0, 400, 400 + table[i].rows, table[i].rows);
        raster_free(page);
    }
}

static void margins_stay_white(void **state)
{
    (void)state;
    static const uint32_t widths[] = {1728, 2048, 2432, 2592};
    for (size_t i = 0; i < COUNT_OF(widths); i++) {
        struct raster *page = page_of(widths[i], FINE_ROWS, FINE_ROWS, 0, 196);
        page = stamped(page, &usual, 0, 0, FINE_ROWS, 0);
        assert_int_equal(ink_in(page, 0, 0, MARGIN - 2, FINE_ROWS), 0);
        assert_int_equal(ink_in(page, widths[i] - MARGIN + 2, 0, widths[i], FINE_ROWS), 0);
        assert_true(ink_in(page, MARGIN - 2, 0, 300, FINE_ROWS) > 100);
        assert_true(ink_in(page, widths[i] - MARGIN - 120, 0, widths[i] - MARGIN + 2, FINE_ROWS) > 50); /* "3/12" */
        raster_free(page);
    }
}

static void page_numbers_can_be_left_out(void **state)
{
    (void)state;
    struct header header = usual;
    header.pages = 0;
    struct raster *page = page_of(WIDTH, FINE_ROWS, FINE_ROWS, 0, 196);
    page = stamped(page, &header, 0, 0, FINE_ROWS, 0);
    assert_int_equal(ink_in(page, WIDTH - MARGIN - 200, 0, WIDTH, FINE_ROWS), 0);
    raster_free(page);
}

static void a_long_text_is_cut_before_the_page_number(void **state)
{
    (void)state;
    struct header header = {.pages = 12};
    memset(header.text, 'W', sizeof header.text - 1);
    struct raster *page = page_of(WIDTH, FINE_ROWS, FINE_ROWS, 0, 196);
    page = stamped(page, &header, 0, 0, FINE_ROWS, 0);
    uint32_t gap = 0, widest = 0;
    for (uint32_t x = WIDTH - 300; x < WIDTH - MARGIN; x++) {
        gap = ink_in(page, x, 0, x + 1, FINE_ROWS) == 0 ? gap + 1 : 0;
        widest = gap > widest ? gap : widest;
    }
    assert_true(widest >= 30); /* 12 points are 34 dots */
    assert_int_equal(ink_in(page, WIDTH - MARGIN + 2, 0, WIDTH, FINE_ROWS), 0);
    raster_free(page);
}

/* Whatever a request puts there stays one line. */
static void any_text_is_one_line(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "one\ntwo\r\nthree\u2028four\u2029five",
                                        "<b>bold</b> & &lt; %s %n",
                                        "\u0645\u0631\u062d\u0628\u0627 \u05e9\u05dc\u05d5\u05dd +4930111",
                                        "\u4e2d\u6587 \u65e5\u672c\u8a9e \ud55c\uad6d\uc5b4",
                                        "\u202eright to left \u2066isolated",
                                        "a\tb\u0301\u0301\u0301\u0301\u0301\u0301",
                                        "\U0001F4E0 \U0010FFFF"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct header header = {.pages = 3};
        snprintf(header.text, sizeof header.text, "%s", texts[i]);
        struct raster *page = page_of(WIDTH, 300, 0, 0, 196);
        page = stamped(page, &header, 0, 300, 300 + FINE_ROWS, FINE_ROWS);
        raster_free(page);
    }
}

static void pages_narrower_than_the_line_survive(void **state)
{
    (void)state;
    static const uint32_t widths[] = {1, 7, 8, 9, 100, 200, 300};
    for (size_t i = 0; i < COUNT_OF(widths); i++) {
        struct raster *page = page_of(widths[i], 50, 0, 0, 196);
        page = stamped(page, &usual, 0, 50, 50 + FINE_ROWS, FINE_ROWS);
        assert_int_equal(page->width, widths[i]);
        raster_free(page);
    }
}

int main(void)
{
    static const struct CMUnitTest facts[] = {
        cmocka_unit_test(a_white_margin_takes_the_line_and_the_page_keeps_its_height),
        cmocka_unit_test(a_full_page_moves_down_into_its_white_foot),
        cmocka_unit_test(a_page_without_white_grows),
        cmocka_unit_test(a_page_of_few_rows_keeps_them),
        cmocka_unit_test(the_line_is_as_high_in_every_resolution),
        cmocka_unit_test(margins_stay_white),
        cmocka_unit_test(page_numbers_can_be_left_out),
        cmocka_unit_test(a_long_text_is_cut_before_the_page_number),
        cmocka_unit_test(any_text_is_one_line),
        cmocka_unit_test(pages_narrower_than_the_line_survive),
    };
    return cmocka_run_group_tests(facts, NULL, NULL);
}
