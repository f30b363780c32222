/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about how sheets of paper lie on fax pages. */
#include "config.h"

#include "tests/lib/facts.h"

#include <math.h>
#include <stdbool.h>

#include "spool/convert/fit.h"
#include "spool/convert/prepare.h"
#include "spool/convert/sheet.h"

#define A4_WIDTH  595.28
#define A4_HEIGHT 841.89

static struct fit lay(double width, double height, uint32_t width_max, enum fax_resolution resolution)
{
    struct fit fit;
    const struct prepare_options options = {.resolution = resolution, .width_max = width_max};
    fit_paper(&fit, width, height, &options);
    return fit;
}

static void papers_lie_as_on_a_fax_machine(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        double width, height;
        uint32_t width_max, wide, high;
        bool turned, shrunk;
    } table[] = {
        {"A4", A4_WIDTH, A4_HEIGHT, 2432, 1728, 2292, false, false},
        {"Letter", 612, 792, 2432, 1728, 2149, false, true},
        {"Legal", 612, 1008, 2432, 1728, 2735, false, true},
        {"B4", 708.66, 1000.63, 2432, 2048, 2724, false, false},
        {"B4 for A4 machines", 708.66, 1000.63, 1728, 1728, 2344, false, true},
        {"A3", A4_HEIGHT, 1190.55, 2432, 2432, 3241, false, false},
        {"A3 for B4 machines", A4_HEIGHT, 1190.55, 2048, 2048, 2783, false, true},
        {"A3 for A4 machines", A4_HEIGHT, 1190.55, 1728, 1728, 2348, false, true},
        {"A4 landscape", A4_HEIGHT, A4_WIDTH, 2432, 1728, 2292, true, false},
        {"A3 landscape", 1190.55, A4_HEIGHT, 2432, 2432, 3241, true, false},
        {"A5 landscape", A4_WIDTH, 419.53, 2432, 1728, 1142, false, false},
        {"a business card", 240.94, 155.91, 2432, 1728, 424, false, false},
        {"a till receipt", 226.77, 2551.18, 2432, 1728, 6945, false, false},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct fit fit = lay(table[i].width, table[i].height, table[i].width_max, FAX_FINE);
        if (fit.width != table[i].wide || fit.height != table[i].high || fit.turned != table[i].turned)
            fail_msg("%s is %u by %u%s", table[i].name, fit.width, fit.height, fit.turned ? ", turned" : "");
        if ((fit.x_scale < 204 / 72.0 - 1e-9) != table[i].shrunk)
            fail_msg("%s has a scale of %f", table[i].name, fit.x_scale);
    }
}

static void nothing_is_distorted_and_all_is_centred(void **state)
{
    (void)state;
    static const double sizes[][2] = {
        {A4_WIDTH, A4_HEIGHT}, {612, 792}, {1190.55, A4_HEIGHT}, {100, 100}, {14400, 14400}};
    static const enum fax_resolution resolutions[] = {FAX_STANDARD, FAX_FINE, FAX_SUPERFINE};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        for (size_t r = 0; r < COUNT_OF(resolutions); r++) {
            struct fit fit = lay(sizes[i][0], sizes[i][1], 1728, resolutions[r]);
            double across = (fit.turned ? sizes[i][1] : sizes[i][0]) * fit.x_scale;
            assert_true(fabs(fit.x_scale / 204 - fit.y_scale / fax_resolution_y_dpi(resolutions[r])) < 1e-9);
            assert_true(fabs(2 * fit.left + across - fit.width) < 1e-6);
            assert_true(fit.left > -1e-6);
        }
    }
}

static void absurd_sizes_are_clamped(void **state)
{
    (void)state;
    static const double values[] = {0, -1, 1e-300, 1, 595, 1e5, 1e9, 1e308, INFINITY, -INFINITY, NAN};
    for (size_t x = 0; x < COUNT_OF(values); x++) {
        for (size_t y = 0; y < COUNT_OF(values); y++) {
            struct fit fit = lay(values[x], values[y], 2432, FAX_SUPERFINE);
            assert_true(fax_page_is_width(fit.width));
            assert_in_range(fit.height, 1, FAX_PAGE_MAX_INCHES * 391 + 1);
            assert_true(isfinite(fit.x_scale) && fit.x_scale > 0);
            assert_true(isfinite(fit.y_scale) && fit.y_scale > 0);
            assert_true(isfinite(fit.left) && fit.left >= -1e-6);
        }
    }
}

static void an_area_lies_where_the_paper_lies(void **state)
{
    (void)state;
    struct picture area;
    struct fit fit = lay(A4_WIDTH, A4_HEIGHT, 1728, FAX_FINE);
    assert_true(fit_area(&area, &fit, 0, 0, 72, 72));
    assert_int_equal(area.left, 20); /* half of what A4 is narrower than the page */
    assert_int_equal(area.top, 0);
    assert_int_equal(area.right, 225);
    assert_int_equal(area.bottom, 196);
}

static void an_area_turns_with_its_page(void **state)
{
    (void)state;
    struct picture area;
    struct fit fit = lay(A4_HEIGHT, A4_WIDTH, 1728, FAX_FINE);
    assert_true(fit_area(&area, &fit, 0, 0, 72, 72)); /* its left edge is on top, so top left comes to the top right */
    assert_int_equal(area.top, 0);
    assert_int_equal(area.bottom, 196);
    assert_in_range(area.left, 1502, 1504);
    assert_in_range(area.right, 1707, 1708);
}

static void an_area_is_clipped_to_the_page(void **state)
{
    (void)state;
    struct picture area;
    struct fit fit = lay(A4_WIDTH, A4_HEIGHT, 1728, FAX_FINE);
    assert_true(fit_area(&area, &fit, -1e9, -1e9, 1e9, 1e9));
    assert_int_equal(area.left, 0);
    assert_int_equal(area.top, 0);
    assert_int_equal(area.right, fit.width);
    assert_int_equal(area.bottom, fit.height);
    assert_false(fit_area(&area, &fit, 1000, 0, 2000, 100));
    assert_false(fit_area(&area, &fit, 0, -100, 100, -50));
    assert_false(fit_area(&area, &fit, 100, 100, 50, 200));
}

int main(void)
{
    static const struct CMUnitTest facts[] = {
        cmocka_unit_test(papers_lie_as_on_a_fax_machine), cmocka_unit_test(nothing_is_distorted_and_all_is_centred),
        cmocka_unit_test(absurd_sizes_are_clamped),       cmocka_unit_test(an_area_lies_where_the_paper_lies),
        cmocka_unit_test(an_area_turns_with_its_page),    cmocka_unit_test(an_area_is_clipped_to_the_page),
    };
    return cmocka_run_group_tests(facts, NULL, NULL);
}
