/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about SVG drawings: their size, and what is not fetched for them. */
#include "config.h"

#include "tests/lib/facts.h"

#include <cairo.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/base/err.h"
#include "spool/convert/svg.h"

#define SVG(attributes, inside) "<svg xmlns='http://www.w3.org/2000/svg' " attributes ">" inside "</svg>"
#define SIDE                    100

static void a_drawing_has_its_size_or_that_of_a_page(void **state)
{
    (void)state;
    static const struct {
        const char *drawing;
        double width, height;
    } table[] = {
        {SVG("width='210mm' height='297mm'", ""), 595.28, 841.89},
        {SVG("width='96' height='48'", ""), 72, 36},
        {SVG("width='2in' height='72pt'", ""), 144, 72},
        {SVG("width='96' height='48' viewBox='0 0 7 7'", ""), 72, 36},
        {SVG("viewBox='0 0 100 50'", ""), 595.28, 297.64},
        {SVG("width='100%' height='100%' viewBox='0 0 100 50'", ""), 595.28, 297.64},
        {SVG("", ""), 595.28, 841.89},
        {SVG("width='0' height='0'", ""), 595.28, 841.89},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct svg *svg = NULL;
        double width = 0, height = 0;
        assert_int_equal(svg_read(&svg, table[i].drawing, strlen(table[i].drawing)), 0);
        svg_size(&width, &height, svg);
        if (fabs(width - table[i].width) > 0.1 || fabs(height - table[i].height) > 0.1)
            fail_msg("%s is %f by %f", table[i].drawing, width, height);
        svg_free(svg);
    }
    svg_free(NULL);
}

static void what_is_no_drawing_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "text", "<svg", "<html/>", "<svg xmlns='http://www.w3.org/2000/svg'><g></svg>", "%PDF-1.4", "\x1f\x8b\x08"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct svg *svg = NULL;
        assert_int_equal(svg_read(&svg, texts[i], strlen(texts[i])), ERR_INVALID);
        assert_null(svg);
        assert_non_null(strstr(err_message(), "the SVG drawing is damaged: "));
    }
}

/* Dots that are not white, of a drawing in a box of SIDE points. */
static int drawn_dots(const char *drawing)
{
    struct svg *svg = NULL;
    int count = 0;
    assert_int_equal(svg_read(&svg, drawing, strlen(drawing)), 0);
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, SIDE, SIDE);
    cairo_t *cairo = cairo_create(surface);
    cairo_set_source_rgb(cairo, 1, 1, 1);
    cairo_paint(cairo);
    if (svg_draw(svg, cairo, SIDE, SIDE) != 0)
        fail_msg("%s", err_message());
    cairo_destroy(cairo);
    cairo_surface_flush(surface);
    for (int y = 0; y < SIDE; y++) {
        const uint32_t *row = (const void *)(cairo_image_surface_get_data(surface) +
                                             (size_t)y * (size_t)cairo_image_surface_get_stride(surface));
        for (int x = 0; x < SIDE; x++)
            count += (row[x] & 0xFFFFFF) != 0xFFFFFF;
    }
    cairo_surface_destroy(surface);
    svg_free(svg);
    return count;
}

static void a_drawing_fills_its_box(void **state)
{
    (void)state;
    assert_int_equal(drawn_dots(SVG("width='10' height='10'", "<rect width='10' height='10'/>")), SIDE * SIDE);
    assert_int_equal(drawn_dots(SVG("width='10' height='10'", "<rect width='5' height='10'/>")), SIDE * SIDE / 2);
    assert_int_equal(drawn_dots(SVG("width='10' height='10'", "")), 0);
}

static void files_are_not_shown(void **state)
{
    (void)state;
    char path[4096], drawing[9000];
    const char *source = getenv("FAXD_SRC");
    static const char *const references[] = {
        "<image width='10' height='10' href='file://%s'/>",
        "<image width='10' height='10' href='%s'/>",
        "<style>@import url('%s');</style>",
        "<xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='file://%s'/>",
        "<text y='9'><xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='%s' parse='text'/></text>",
    };
    assert_non_null(realpath(source != NULL ? source : ".", path));
    strcat(path, "/tests/data/documents/palette.png");
    assert_int_equal(access(path, R_OK), 0);
    for (size_t i = 0; i < COUNT_OF(references); i++) {
        char inside[5000];
        snprintf(inside, sizeof inside, references[i], path);
        snprintf(drawing, sizeof drawing, SVG("width='10' height='10'", "%s"), inside);
        assert_int_equal(drawn_dots(drawing), 0);
    }
}

static void an_entity_of_a_file_is_refused(void **state)
{
    (void)state;
    struct svg *svg = NULL;
    static const char drawing[] = "<!DOCTYPE svg [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>" SVG(
        "width='10' height='10'", "<text y='9'>&x;</text>");
    assert_int_equal(svg_read(&svg, drawing, strlen(drawing)), ERR_INVALID);
}

static void references_in_circles_end(void **state)
{
    (void)state;
    static const char *const drawings[] = {
        SVG("width='10' height='10'", "<g id='a'><use href='#a'/></g>"),
        SVG("width='10' height='10'", "<g id='a'><use href='#b'/></g><g id='b'><use href='#a'/></g>"),
        SVG("width='10' height='10'", "<pattern id='p' width='1' height='1'><rect width='9' height='9' fill='url(#p)'/>"
                                      "</pattern><rect width='9' height='9' fill='url(#p)'/>"),
    };
    for (size_t i = 0; i < COUNT_OF(drawings); i++) {
        struct svg *svg = NULL;
        assert_int_equal(svg_read(&svg, drawings[i], strlen(drawings[i])), 0);
        cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, SIDE, SIDE);
        cairo_t *cairo = cairo_create(surface);
        int error = svg_draw(svg, cairo, SIDE, SIDE);
        assert_true(error == 0 || error == ERR_INVALID);
        cairo_destroy(cairo);
        cairo_surface_destroy(surface);
        svg_free(svg);
    }
}

int main(void)
{
    static const struct CMUnitTest facts[] = {
        cmocka_unit_test(a_drawing_has_its_size_or_that_of_a_page),
        cmocka_unit_test(what_is_no_drawing_is_refused),
        cmocka_unit_test(a_drawing_fills_its_box),
        cmocka_unit_test(files_are_not_shown),
        cmocka_unit_test(an_entity_of_a_file_is_refused),
        cmocka_unit_test(references_in_circles_end),
    };
    return cmocka_run_group_tests(facts, NULL, NULL);
}
