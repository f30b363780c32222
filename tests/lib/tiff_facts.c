/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages for tests of the converter. */
#include "config.h"

#include "tests/lib/tiff_facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <tiffio.h>
#include <unistd.h>

#include "tests/lib/facts.h"

bool tiff_facts_black(uint32_t x, uint32_t y, int page)
{
    uint32_t shift = (uint32_t)page * 13;
    return ((x + shift) / 24 % 3 == 0 && y / 16 % 2 == 0) || (x + 2 * y + shift) % 97 < 2;
}

/* The picture at a place of the file, which may lie turned. */
static bool black_stored(const struct tiff_facts_page *page, uint32_t x, uint32_t y, int number)
{
    bool turned = page->orientation >= 5;
    uint32_t width = turned ? page->height : page->width, height = turned ? page->width : page->height;
    uint32_t at_x = turned ? y : x, at_y = turned ? x : y;
    switch (page->orientation) {
    case 2:
    case 6:
        at_x = width - 1 - at_x;
        break;
    case 3:
    case 7:
        at_x = width - 1 - at_x;
        at_y = height - 1 - at_y;
        break;
    case 4:
    case 8:
        at_y = height - 1 - at_y;
        break;
    }
    return tiff_facts_black(at_x, at_y, number);
}

static void put_sample(uint8_t *row, const struct tiff_facts_page *page, size_t index, unsigned value)
{
    uint16_t wide = (uint16_t)(value * 257);
    if (page->bits == 16)
        memcpy(row + 2 * index, &wide, sizeof wide);
    else
        row[index] = (uint8_t)value;
}

/* One row of the file from column `from` on; `plane` < 0 = all samples together. */
static void fill_row(uint8_t *row, const struct tiff_facts_page *page, uint32_t from, uint32_t columns, uint32_t y,
                     int plane, int number)
{
    unsigned samples = plane < 0 ? page->samples : 1;
    memset(row, 0, ((size_t)columns * samples * page->bits + 7) / 8);
    for (uint32_t column = 0; column < columns && from + column < page->width; column++) {
        bool black = y < page->height && black_stored(page, from + column, y, number);
        if (page->bits == 1) {
            if (black != (page->photometric == PHOTOMETRIC_MINISBLACK))
                row[column / 8] |= (uint8_t)(0x80 >> column % 8);
            continue;
        }
        unsigned value = black ? page->grey : 255;
        if (page->photometric == PHOTOMETRIC_MINISWHITE || page->photometric == PHOTOMETRIC_SEPARATED)
            value = 255 - value;
        for (unsigned i = 0; i < samples; i++) {
            bool alpha = page->photometric == PHOTOMETRIC_RGB && i == 3;
            bool ink = page->photometric == PHOTOMETRIC_SEPARATED && i < 3;
            put_sample(row, page, (size_t)column * samples + i, alpha ? 255 : ink ? 0 : value);
        }
    }
}

static struct tiff_facts_page with_defaults(struct tiff_facts_page page)
{
    page.bits = page.bits != 0 ? page.bits : 1;
    page.samples = page.samples != 0 ? page.samples : 1;
    page.compression = page.compression != 0 ? page.compression : COMPRESSION_CCITTFAX4;
    page.orientation = page.orientation != 0 ? page.orientation : 1;
    page.fill_order = page.fill_order != 0 ? page.fill_order : 1;
    page.rows_per_strip = page.rows_per_strip != 0 ? page.rows_per_strip : page.height;
    page.x_dpi = page.x_dpi != 0 ? page.x_dpi : 204;
    page.y_dpi = page.y_dpi != 0 ? page.y_dpi : 196;
    return page;
}

static void set_tags(TIFF *tiff, const struct tiff_facts_page *page)
{
    double unit = page->centimetres ? 2.54 : 1.0;
    TIFFSetField(tiff, TIFFTAG_SUBFILETYPE, page->subfile);
    TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, page->width);
    TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, page->height);
    TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, page->bits);
    TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, page->samples);
    TIFFSetField(tiff, TIFFTAG_COMPRESSION, page->compression);
    TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, page->photometric);
    TIFFSetField(tiff, TIFFTAG_FILLORDER, page->fill_order);
    TIFFSetField(tiff, TIFFTAG_ORIENTATION, page->orientation);
    TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, page->planes ? PLANARCONFIG_SEPARATE : PLANARCONFIG_CONTIG);
    if (page->t4_options != 0)
        TIFFSetField(tiff, TIFFTAG_GROUP3OPTIONS, page->t4_options);
    if (page->photometric == PHOTOMETRIC_RGB && page->samples == 4) {
        uint16_t extra = EXTRASAMPLE_UNASSALPHA;
        TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, 1, &extra);
    }
    if (page->tile != 0) {
        TIFFSetField(tiff, TIFFTAG_TILEWIDTH, page->tile);
        TIFFSetField(tiff, TIFFTAG_TILELENGTH, page->tile);
    } else {
        TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, page->rows_per_strip);
    }
    if (!page->no_resolution) {
        TIFFSetField(tiff, TIFFTAG_RESOLUTIONUNIT, page->centimetres ? RESUNIT_CENTIMETER : RESUNIT_INCH);
        TIFFSetField(tiff, TIFFTAG_XRESOLUTION, page->x_dpi / unit);
        TIFFSetField(tiff, TIFFTAG_YRESOLUTION, page->y_dpi / unit);
    }
}

static void write_rows(TIFF *tiff, const struct tiff_facts_page *page, int number)
{
    uint8_t *row = malloc((size_t)page->width * page->samples * 2 + 8);
    for (int plane = 0; plane < (page->planes ? page->samples : 1); plane++) {
        for (uint32_t y = 0; y < page->height; y++) {
            fill_row(row, page, 0, page->width, y, page->planes ? plane : -1, number);
            assert_int_equal(TIFFWriteScanline(tiff, row, y, (uint16_t)plane), 1);
        }
    }
    free(row);
}

static void write_tiles(TIFF *tiff, const struct tiff_facts_page *page, int number)
{
    size_t stride = ((size_t)page->tile * page->samples * page->bits + 7) / 8;
    uint8_t *tile = malloc(stride * page->tile);
    for (uint32_t y = 0; y < page->height; y += page->tile) {
        for (uint32_t x = 0; x < page->width; x += page->tile) {
            for (uint32_t row = 0; row < page->tile; row++)
                fill_row(tile + row * stride, page, x, page->tile, y + row, -1, number);
            assert_true(TIFFWriteTile(tiff, tile, x, y, 0, 0) >= 0);
        }
    }
    free(tile);
}

void tiff_facts_make(char path[64], const struct tiff_facts_page *pages, int count, const char *mode)
{
    close(facts_temporary_file(path));
    TIFF *tiff = TIFFOpen(path, mode);
    assert_non_null(tiff);
    for (int i = 0; i < count; i++) {
        struct tiff_facts_page page = with_defaults(pages[i]);
        set_tags(tiff, &page);
        if (page.tile != 0)
            write_tiles(tiff, &page, i);
        else
            write_rows(tiff, &page, i);
        assert_int_equal(TIFFWriteDirectory(tiff), 1);
    }
    TIFFClose(tiff);
}

json_t *tiff_facts_convert(int *status, const char *options, const char *input, const char *output)
{
    char command[4096];
    const char *build = getenv("FAXD_BUILD");
    snprintf(command, sizeof command, "%s/faxd-convert %s %s %s 2>/dev/null", build != NULL ? build : ".", options,
             input, output);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    json_t *result = json_loadf(pipe, JSON_DISABLE_EOF_CHECK, NULL);
    int ended = pclose(pipe);
    if (status != NULL)
        *status = WIFEXITED(ended) ? WEXITSTATUS(ended) : 128;
    if (result == NULL)
        fail_msg("no result from: %s", command);
    return result;
}

int tiff_facts_pages(const char *options, const char *input, const char *output)
{
    json_t *result = tiff_facts_convert(NULL, options, input, output);
    const char *message = json_string_value(json_object_get(result, "message"));
    if (json_object_get(result, "error") != NULL)
        fail_msg("%s: %s", options, message);
    int pages = (int)json_integer_value(json_object_get(result, "pages"));
    json_decref(result);
    return pages;
}

const char *tiff_facts_message(const char *options, const char *input, const char *output)
{
    static char text[500];
    int status = 0;
    json_t *result = tiff_facts_convert(&status, options, input, output);
    assert_int_equal(status, 1);
    snprintf(text, sizeof text, "%s: %s", json_string_value(json_object_get(result, "error")),
             json_string_value(json_object_get(result, "message")));
    json_decref(result);
    return text;
}

static TIFF *open_page(const char *path, int page)
{
    TIFF *tiff = TIFFOpen(path, "r");
    assert_non_null(tiff);
    assert_int_equal(TIFFSetDirectory(tiff, (tdir_t)page), 1);
    return tiff;
}

uint8_t *tiff_facts_bits(const char *path, int page, uint32_t *width, uint32_t *height)
{
    TIFF *tiff = open_page(path, page);
    uint16_t photometric = 0;
    TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, width);
    TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, height);
    TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &photometric);
    size_t stride = (*width + 7) / 8;
    assert_int_equal(TIFFScanlineSize(tiff), stride);
    uint8_t *bits = malloc(stride * *height + 1);
    for (uint32_t y = 0; y < *height; y++) {
        uint8_t *row = bits + y * stride;
        assert_int_equal(TIFFReadScanline(tiff, row, y, 0), 1);
        for (size_t i = 0; photometric == PHOTOMETRIC_MINISBLACK && i < stride; i++)
            row[i] = (uint8_t)~row[i];
        if (*width % 8 != 0)
            row[stride - 1] &= (uint8_t)(0xff00 >> (*width % 8));
    }
    TIFFClose(tiff);
    return bits;
}

bool tiff_facts_same(const char *path_a, int page_a, const char *path_b, int page_b)
{
    uint32_t width_a, height_a, width_b, height_b;
    uint8_t *a = tiff_facts_bits(path_a, page_a, &width_a, &height_a);
    uint8_t *b = tiff_facts_bits(path_b, page_b, &width_b, &height_b);
    bool same = width_a == width_b && height_a == height_b && memcmp(a, b, (size_t)(width_a + 7) / 8 * height_a) == 0;
    free(a);
    free(b);
    return same;
}

int tiff_facts_blackness(const char *path, int page)
{
    uint32_t width, height;
    uint64_t black = 0;
    uint8_t *bits = tiff_facts_bits(path, page, &width, &height);
    for (size_t i = 0; i < (size_t)(width + 7) / 8 * height; i++)
        black += (unsigned)__builtin_popcount(bits[i]);
    free(bits);
    return (int)(black * 1000 / ((uint64_t)width * height));
}

uint32_t tiff_facts_tag(const char *path, int page, uint32_t tag)
{
    TIFF *tiff = open_page(path, page);
    uint32_t value = 0;
    float real = 0;
    uint16_t half = 0, other = 0;
    if (tag == TIFFTAG_XRESOLUTION || tag == TIFFTAG_YRESOLUTION) {
        assert_int_equal(TIFFGetField(tiff, tag, &real), 1);
        value = (uint32_t)real;
    } else if (tag == TIFFTAG_PAGENUMBER) {
        assert_int_equal(TIFFGetField(tiff, tag, &half, &other), 1);
        value = (uint32_t)half << 16 | other;
    } else if (tag == TIFFTAG_IMAGEWIDTH || tag == TIFFTAG_IMAGELENGTH || tag == TIFFTAG_SUBFILETYPE ||
               tag == TIFFTAG_ROWSPERSTRIP || tag == TIFFTAG_GROUP4OPTIONS) {
        assert_int_equal(TIFFGetField(tiff, tag, &value), 1);
    } else {
        assert_int_equal(TIFFGetField(tiff, tag, &half), 1);
        value = half;
    }
    TIFFClose(tiff);
    return value;
}

uint8_t *tiff_facts_read(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    uint8_t *data = malloc(*size + 1);
    assert_int_equal(fread(data, 1, *size, file), *size);
    fclose(file);
    return data;
}

void tiff_facts_store(const char *path, const void *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    fclose(file);
}
