/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about T.6 coding: octet for octet it is what libtiff writes, whatever the dots. */
#include "config.h"

#include "spool/convert/g4.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>
#include <unistd.h>

#include "spool/convert/raster.h"
#include "tests/lib/facts.h"

#define HEIGHT 40

static const uint32_t widths[] = {1, 2, 7, 8, 9, 31, 63, 64, 65, 127, 1728, 2432, 2625, 5300, 20000};

static size_t by_libtiff(uint8_t *octets, size_t room, const struct raster *page)
{
    char path[] = "/tmp/test_g4.XXXXXX";
    close(mkstemp(path));
    TIFF *tiff = TIFFOpen(path, "w");
    assert_non_null(tiff);
    TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, page->width);
    TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, page->height);
    TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, page->height);
    TIFFSetField(tiff, TIFFTAG_COMPRESSION, COMPRESSION_CCITTFAX4);
    TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISWHITE);
    assert_true(TIFFWriteEncodedStrip(tiff, 0, page->data, (tmsize_t)(page->stride * page->height)) > 0);
    TIFFClose(tiff);
    tiff = TIFFOpen(path, "r");
    assert_non_null(tiff);
    tmsize_t size = TIFFReadRawStrip(tiff, 0, octets, (tmsize_t)room);
    assert_true(size > 0);
    TIFFClose(tiff);
    unlink(path);
    return (size_t)size;
}

static void assert_coded_alike(const struct raster *page)
{
    size_t room = 4 * page->stride * page->height + 1000;
    uint8_t *wanted = malloc(room), *got = NULL;
    uint64_t size = 0;
    assert_non_null(wanted);
    size_t wanted_size = by_libtiff(wanted, room, page);
    assert_int_equal(g4_encode(&got, &size, page), 0);
    assert_int_equal(size, wanted_size);
    assert_memory_equal(got, wanted, size);
    free(got);
    free(wanted);
}

static struct raster *blank(uint32_t width)
{
    struct raster *page = NULL;
    assert_int_equal(raster_new(&page, width, HEIGHT, 1), 0);
    return page;
}

static void blacken(const struct raster *page, uint32_t y, uint32_t from, uint32_t to)
{
    for (uint32_t x = from; x < to && x < page->width; x++)
        raster_row(page, y)[x / 8] |= (uint8_t)(0x80 >> x % 8);
}

static void white_and_black_pages_are_coded(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(widths); i++) {
        struct raster *page = blank(widths[i]);
        assert_coded_alike(page);
        for (uint32_t y = 0; y < HEIGHT; y++)
            blacken(page, y, 0, widths[i]);
        assert_coded_alike(page);
        raster_free(page);
    }
}

/* From runs of one dot to runs of whole rows; every other row is nearly the one above, as on real pages. */
static void runs_of_any_length_are_coded(void **state)
{
    (void)state;
    unsigned seed = 1;
    for (size_t i = 0; i < COUNT_OF(widths); i++) {
        for (uint32_t longest = 1; longest <= 2 * widths[i]; longest *= 3) {
            struct raster *page = blank(widths[i]);
            for (uint32_t y = 0; y < HEIGHT; y++) {
                if (y % 2 == 1)
                    memcpy(raster_row(page, y), raster_row(page, y - 1), page->stride);
                uint32_t step = y % 2 == 1 ? 40 * longest : longest;
                for (uint32_t x = (uint32_t)rand_r(&seed) % step; x < widths[i];) {
                    uint32_t end = x + 1 + (uint32_t)rand_r(&seed) % longest;
                    blacken(page, y, x, end);
                    x = end + (uint32_t)rand_r(&seed) % step;
                }
            }
            assert_coded_alike(page);
            raster_free(page);
        }
    }
}

static void what_is_past_the_width_is_not_coded(void **state)
{
    (void)state;
    struct raster *page = blank(9);
    uint8_t *clean = NULL, *got = NULL;
    uint64_t clean_size = 0, size = 0;
    assert_int_equal(g4_encode(&clean, &clean_size, page), 0);
    for (uint32_t y = 0; y < HEIGHT; y++)
        raster_row(page, y)[1] = 0x55;
    assert_int_equal(g4_encode(&got, &size, page), 0);
    assert_int_equal(size, clean_size);
    assert_memory_equal(got, clean, size);
    free(clean);
    free(got);
    raster_free(page);
}

int main(void)
{
    TIFFSetWarningHandler(NULL);
    static const struct CMUnitTest facts[] = {
        cmocka_unit_test(white_and_black_pages_are_coded),
        cmocka_unit_test(runs_of_any_length_are_coded),
        cmocka_unit_test(what_is_past_the_width_is_not_coded),
    };
    return cmocka_run_group_tests(facts, NULL, NULL);
}
