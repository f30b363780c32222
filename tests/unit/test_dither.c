/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about black and white from grey: hairlines, pictures, what stays as it is. */
#include "config.h"

#include "tests/lib/facts.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/err.h"
#include "spool/convert/dither.h"
#include "spool/convert/raster.h"
#include "spool/convert/sheet.h"

static const enum dither every[] = {DITHER_AUTO, DITHER_THRESHOLD, DITHER_DIFFUSION, DITHER_HALFTONE};

static struct sheet blank(uint32_t width, uint32_t height)
{
    struct sheet sheet = {.drawn = true, .picture_count = SHEET_PICTURES_UNKNOWN};
    assert_int_equal(raster_new(&sheet.raster, width, height, 8), 0);
    memset(sheet.raster->data, 255, sheet.raster->stride * height);
    sheet.raster->x_dpi = 204;
    sheet.raster->y_dpi = 98;
    return sheet;
}

static void fill(const struct sheet *sheet, struct picture area, uint8_t grey)
{
    for (uint32_t y = area.top; y < area.bottom; y++)
        memset(raster_row(sheet->raster, y) + area.left, grey, area.right - area.left);
}

static struct raster *dithered(const struct sheet *sheet, enum dither dither)
{
    struct raster *bits = NULL;
    assert_int_equal(dither_sheet(&bits, sheet, dither), 0);
    assert_int_equal(bits->depth, 1);
    assert_int_equal(bits->width, sheet->raster->width);
    assert_int_equal(bits->height, sheet->raster->height);
    return bits;
}

static bool is_black(const struct raster *bits, uint32_t x, uint32_t y)
{
    return raster_row(bits, y)[x / 8] >> (7 - x % 8) & 1;
}

static int black_dots(const struct raster *bits, struct picture area)
{
    int count = 0;
    for (uint32_t y = area.top; y < area.bottom; y++) {
        for (uint32_t x = area.left; x < area.right; x++)
            count += is_black(bits, x, y);
    }
    return count;
}

static int dots_after(const struct sheet *sheet, enum dither dither)
{
    struct raster *bits = dithered(sheet, dither);
    int count = black_dots(bits, (struct picture){0, 0, bits->width, bits->height});
    raster_free(bits);
    return count;
}

static void words_name_the_ways(void **state)
{
    (void)state;
    static const char *const words[] = {"auto", "threshold", "diffusion", "halftone"};
    enum dither dither;
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        assert_int_equal(dither_parse(&dither, words[i]), 0);
        assert_int_equal(dither, every[i]);
    }
    assert_int_equal(dither_parse(&dither, "bayer"), ERR_INVALID);
    assert_string_equal(err_message(), "dither is \"bayer\", which is none of auto, threshold, diffusion, halftone");
}

static void black_and_white_stay_in_every_way(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(every); i++) {
        struct sheet sheet = blank(1001, 200);
        fill(&sheet, (struct picture){500, 0, 1001, 200}, 0);
        struct raster *bits = dithered(&sheet, every[i]);
        assert_int_equal(black_dots(bits, (struct picture){0, 0, 500, 200}), 0);
        assert_int_equal(black_dots(bits, (struct picture){500, 0, 1001, 200}), 501 * 200);
        assert_int_equal(raster_row(bits, 7)[bits->stride - 1] & 0x7F, 0); /* past the width */
        assert_true(bits->x_dpi == 204 && bits->y_dpi == 98);
        raster_free(bits);
        raster_free(sheet.raster);
    }
}

static void a_hairline_that_was_drawn_is_kept(void **state)
{
    (void)state;
    static const struct {
        uint8_t first, second; /* the dots that the line lies on */
        int wanted;            /* dots that are kept across it: two that are alike may be a stroke of a light letter */
    } table[] = {
        {200, 255, 1}, {235, 255, 1}, {236, 255, 0}, {245, 255, 0}, {220, 215, 1},
        {215, 220, 1}, {220, 220, 2}, {170, 255, 1}, {100, 100, 2}, {185, 255, 1},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct sheet upright = blank(300, 200), level = blank(300, 200);
        fill(&upright, (struct picture){150, 20, 151, 180}, table[i].first);
        fill(&upright, (struct picture){151, 20, 152, 180}, table[i].second);
        fill(&level, (struct picture){20, 100, 280, 101}, table[i].first);
        fill(&level, (struct picture){20, 101, 280, 102}, table[i].second);
        if (dots_after(&upright, DITHER_THRESHOLD) != 160 * table[i].wanted)
            fail_msg("upright line %zu has %d dots", i, dots_after(&upright, DITHER_THRESHOLD));
        if (dots_after(&level, DITHER_THRESHOLD) != 260 * table[i].wanted)
            fail_msg("level line %zu has %d dots", i, dots_after(&level, DITHER_THRESHOLD));
        raster_free(upright.raster);
        raster_free(level.raster);
    }
}

static void specks_of_a_scan_are_not(void **state)
{
    (void)state;
    struct sheet sheet = blank(300, 200);
    sheet.drawn = false;
    fill(&sheet, (struct picture){150, 20, 151, 180}, 210);
    assert_int_equal(dots_after(&sheet, DITHER_THRESHOLD), 0);
    raster_free(sheet.raster);
}

static void light_grounds_and_soft_edges_are_no_hairlines(void **state)
{
    (void)state;
    struct sheet sheet = blank(300, 200);
    fill(&sheet, (struct picture){50, 50, 250, 150}, 215);
    assert_int_equal(dots_after(&sheet, DITHER_THRESHOLD), 0);
    fill(&sheet, (struct picture){60, 60, 240, 140}, 20);
    assert_int_equal(dots_after(&sheet, DITHER_THRESHOLD), 180 * 80);
    raster_free(sheet.raster);
}

static void pages_of_few_dots_are_read_to_their_edges_only(void **state)
{
    (void)state;
    static const uint32_t sizes[][2] = {{1, 1}, {4, 4}, {5, 5}, {7, 1}, {1, 7}, {1729, 3}};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        for (size_t k = 0; k < COUNT_OF(every); k++) {
            struct sheet sheet = blank(sizes[i][0], sizes[i][1]);
            memset(sheet.raster->data, 200, sheet.raster->stride * sizes[i][1]);
            assert_in_range(dots_after(&sheet, every[k]), 0, sizes[i][0] * sizes[i][1]);
            raster_free(sheet.raster);
        }
    }
}

static void a_screen_has_the_share_of_dots_of_its_grey(void **state)
{
    (void)state;
    static const enum dither ways[] = {DITHER_AUTO, DITHER_DIFFUSION, DITHER_HALFTONE};
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        int last = 256 * 256;
        for (int grey = 48; grey < 224; grey += 16) {
            struct sheet sheet = blank(256, 256);
            sheet.drawn = false;
            fill(&sheet, (struct picture){0, 0, 256, 256}, (uint8_t)grey);
            int dots = dots_after(&sheet, ways[i]), wanted = 65536 * (224 - grey) / 192;
            if (ways[i] != DITHER_AUTO && abs(dots - wanted) > 65536 / 20)
                fail_msg("grey %d has %d dots, not %d", grey, dots, wanted);
            assert_true(ways[i] == DITHER_AUTO || dots <= last);
            last = dots;
            raster_free(sheet.raster);
        }
    }
}

static void only_pictures_get_a_screen(void **state)
{
    (void)state;
    struct sheet sheet = blank(400, 200);
    fill(&sheet, (struct picture){0, 0, 200, 200}, 128);    /* a shape beside it */
    fill(&sheet, (struct picture){240, 40, 360, 160}, 128); /* the picture */
    sheet.picture_count = 1;
    sheet.pictures[0] = (struct picture){240, 40, 360, 160};
    struct raster *bits = dithered(&sheet, DITHER_AUTO);
    assert_int_equal(black_dots(bits, (struct picture){0, 0, 200, 200}), 200 * 200);
    assert_in_range(black_dots(bits, sheet.pictures[0]), 120 * 120 * 4 / 10, 120 * 120 * 6 / 10);
    raster_free(bits);
    bits = dithered(&sheet, DITHER_THRESHOLD); /* unless none is wanted */
    assert_int_equal(black_dots(bits, sheet.pictures[0]), 120 * 120);
    raster_free(bits);
    raster_free(sheet.raster);
}

static void a_picture_in_black_and_white_gets_no_screen(void **state)
{
    (void)state;
    struct sheet sheet = blank(200, 200);
    for (uint32_t x = 0; x < 200; x += 20)
        fill(&sheet, (struct picture){x, 0, x + 7, 200}, 40);
    sheet.picture_count = 1;
    sheet.pictures[0] = (struct picture){0, 0, 200, 200};
    assert_int_equal(dots_after(&sheet, DITHER_AUTO), 10 * 7 * 200);
    raster_free(sheet.raster);
}

int main(void)
{
    static const struct CMUnitTest facts[] = {
        cmocka_unit_test(words_name_the_ways),
        cmocka_unit_test(black_and_white_stay_in_every_way),
        cmocka_unit_test(a_hairline_that_was_drawn_is_kept),
        cmocka_unit_test(specks_of_a_scan_are_not),
        cmocka_unit_test(light_grounds_and_soft_edges_are_no_hairlines),
        cmocka_unit_test(pages_of_few_dots_are_read_to_their_edges_only),
        cmocka_unit_test(a_screen_has_the_share_of_dots_of_its_grey),
        cmocka_unit_test(only_pictures_get_a_screen),
        cmocka_unit_test(a_picture_in_black_and_white_gets_no_screen),
    };
    return cmocka_run_group_tests(facts, NULL, NULL);
}
