/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about what on a grey page is ink: letters on tinted grounds, and shapes. */
#include "config.h"

#include "tests/lib/facts.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "spool/convert/ink.h"
#include "spool/convert/raster.h"

#define SIDE 320 /* ten tiles */

struct area {
    uint32_t left, top, right, bottom;
};

static struct raster *blank(uint32_t width, uint32_t height)
{
    struct raster *page = NULL;
    assert_int_equal(raster_new(&page, width, height, 8), 0);
    memset(page->data, 255, page->stride * height);
    return page;
}

static void fill(const struct raster *page, struct area area, uint8_t grey)
{
    for (uint32_t y = area.top; y < area.bottom && y < page->height; y++)
        memset(raster_row(page, y) + area.left, grey, area.right - area.left);
}

/* Strokes two dots wide, eight apart: a fifth of what they stand on. */
static void write_letters(const struct raster *page, struct area area, uint8_t grey)
{
    for (uint32_t x = area.left + 4; x + 4 < area.right; x += 10)
        fill(page, (struct area){x, area.top + 4, x + 2, area.bottom - 4}, grey);
}

/* How many dots of an area become ink. */
static int inked(const struct raster *page, struct area area)
{
    struct ink ink;
    int count = 0;
    assert_int_equal(ink_find(&ink, page), 0);
    for (uint32_t y = area.top; y < area.bottom; y++) {
        for (uint32_t x = area.left; x < area.right; x++)
            count += raster_row(page, y)[x] < ink.below[y / INK_TILE * ink.columns + x / INK_TILE];
    }
    ink_clear(&ink);
    return count;
}

static int darker_than(const struct raster *page, uint8_t grey)
{
    int count = 0;
    for (uint32_t y = 0; y < page->height; y++) {
        for (uint32_t x = 0; x < page->width; x++)
            count += raster_row(page, y)[x] < grey;
    }
    return count;
}

static const struct area all = {0, 0, SIDE, SIDE};

static void grey_text_and_thin_lines_on_paper_are_ink(void **state)
{
    (void)state;
    struct raster *page = blank(SIDE, SIDE);
    write_letters(page, all, 170);
    assert_int_equal(inked(page, all), darker_than(page, 255));
    raster_free(page);
}

static void a_dark_ground_under_letters_becomes_white(void **state)
{
    (void)state;
    static const uint8_t grounds[] = {100, 130, 160, 179};
    for (size_t i = 0; i < COUNT_OF(grounds); i++) {
        struct raster *page = blank(SIDE, SIDE);
        struct area row = {32, 64, 288, 128}; /* whole tiles */
        fill(page, row, grounds[i]);
        write_letters(page, row, 20);
        assert_int_equal(inked(page, all), darker_than(page, 21));
        raster_free(page);
    }
}

static void so_do_the_edges_of_the_ground(void **state)
{
    (void)state;
    struct raster *page = blank(SIDE, SIDE);
    struct area row = {43, 75, 290, 171}; /* reaches into tiles of paper on all sides */
    fill(page, row, 120);
    write_letters(page, row, 10);
    assert_int_equal(inked(page, all), darker_than(page, 11));
    raster_free(page);
}

static void a_light_ground_is_paper_anyway(void **state)
{
    (void)state;
    struct raster *page = blank(SIDE, SIDE);
    fill(page, all, 210);
    write_letters(page, all, 100);
    assert_int_equal(inked(page, all), darker_than(page, 101));
    raster_free(page);
}

static void a_shape_without_letters_stays_black(void **state)
{
    (void)state;
    static const uint8_t shades[] = {0, 60, 120, 179};
    for (size_t i = 0; i < COUNT_OF(shades); i++) {
        struct raster *page = blank(SIDE, SIDE);
        struct area bar = {40, 50, 200, 280};
        fill(page, bar, shades[i]);
        assert_int_equal(inked(page, all), 160 * 230);
        raster_free(page);
    }
}

/* What was drawn has grey edges: darker parts that are the larger are no letters. */
static void the_soft_edges_of_a_shape_do_not_make_it_a_ground(void **state)
{
    (void)state;
    struct raster *page = blank(SIDE, SIDE);
    fill(page, (struct area){64, 64, 256, 256}, 110);
    fill(page, (struct area){66, 66, 254, 254}, 20);
    assert_int_equal(inked(page, all), 192 * 192);
    raster_free(page);
}

static void white_letters_on_black_stay(void **state)
{
    (void)state;
    struct raster *page = blank(SIDE, SIDE);
    struct area bar = {32, 32, 288, 96};
    fill(page, bar, 30);
    write_letters(page, bar, 255);
    assert_int_equal(inked(page, all), darker_than(page, 31));
    raster_free(page);
}

static void grounds_of_different_shades_are_told_apart(void **state)
{
    (void)state;
    struct raster *page = blank(SIDE, SIDE);
    fill(page, (struct area){0, 0, SIDE, 128}, 150); /* a marked row */
    write_letters(page, (struct area){0, 0, SIDE, 128}, 20);
    fill(page, (struct area){0, 192, SIDE, SIDE}, 90); /* a bar of a chart */
    assert_int_equal(inked(page, (struct area){0, 192, SIDE, SIDE}), SIDE * 128);
    assert_true(inked(page, (struct area){0, 0, SIDE, 128}) < SIDE * 128 / 4);
    raster_free(page);
}

static void pages_need_not_be_whole_tiles(void **state)
{
    (void)state;
    static const uint32_t sizes[][2] = {{1, 1}, {31, 33}, {33, 31}, {1728, 3}, {65, 1000}};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        struct raster *page = blank(sizes[i][0], sizes[i][1]);
        struct area whole = {0, 0, sizes[i][0], sizes[i][1]};
        assert_int_equal(inked(page, whole), 0);
        fill(page, whole, 100);
        assert_int_equal(inked(page, whole), sizes[i][0] * sizes[i][1]);
        raster_free(page);
    }
}

int main(void)
{
    static const struct CMUnitTest facts[] = {
        cmocka_unit_test(grey_text_and_thin_lines_on_paper_are_ink),
        cmocka_unit_test(a_dark_ground_under_letters_becomes_white),
        cmocka_unit_test(so_do_the_edges_of_the_ground),
        cmocka_unit_test(a_light_ground_is_paper_anyway),
        cmocka_unit_test(a_shape_without_letters_stays_black),
        cmocka_unit_test(the_soft_edges_of_a_shape_do_not_make_it_a_ground),
        cmocka_unit_test(white_letters_on_black_stay),
        cmocka_unit_test(grounds_of_different_shades_are_told_apart),
        cmocka_unit_test(pages_need_not_be_whole_tiles),
    };
    return cmocka_run_group_tests(facts, NULL, NULL);
}
