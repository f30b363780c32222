/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about page images and PDF files, through the real program in its real sandbox. */
#include "config.h"

#include "tests/lib/facts.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>
#include <unistd.h>

#include "tests/lib/tiff_facts.h"

struct files {
    char input[64], output[64];
};

static const struct tiff_facts_page two[2] = {{.width = 1728, .height = 400},
                                              {.width = 1728, .height = 200, .y_dpi = 98}};

static int setup(void **state)
{
    struct files *files = calloc(1, sizeof *files);
    close(facts_temporary_file(files->output));
    tiff_facts_make(files->input, two, 2, "w");
    *state = files;
    return 0;
}

static int teardown(void **state)
{
    struct files *files = *state;
    unlink(files->output);
    unlink(files->input);
    free(files);
    return 0;
}

/* The grey dots of a PNG file; the caller frees. */
static uint8_t *read_png(const char *path, uint32_t *width, uint32_t *height)
{
    png_image image = {.version = PNG_IMAGE_VERSION};
    assert_int_equal(png_image_begin_read_from_file(&image, path), 1);
    image.format = PNG_FORMAT_GRAY;
    uint8_t *dots = malloc(PNG_IMAGE_SIZE(image));
    assert_int_equal(png_image_finish_read(&image, NULL, dots, 0, NULL), 1);
    *width = image.width;
    *height = image.height;
    return dots;
}

static int convert(const char *options, const struct files *files)
{
    int status = 0;
    json_decref(tiff_facts_convert(&status, options, files->input, files->output));
    return status;
}

static void a_page_image_has_square_dots(void **state)
{
    struct files *files = *state;
    uint32_t width, height;
    assert_int_equal(convert("--op png --page 2", files), 0);
    free(read_png(files->output, &width, &height));
    assert_int_equal(width, 1728);
    assert_int_equal(height, 416); /* 200 lines at 98, 204 across */
    assert_int_equal(convert("--op png", files), 0);
    free(read_png(files->output, &width, &height));
    assert_int_equal(height, 416); /* 400 lines at 196 */
}

static void a_thumbnail_averages(void **state)
{
    struct files *files = *state;
    uint32_t width, height;
    uint64_t sum = 0;
    assert_int_equal(convert("--op png --width 100", files), 0);
    uint8_t *dots = read_png(files->output, &width, &height);
    assert_int_equal(width, 100);
    assert_int_equal(height, 24);
    for (uint32_t i = 0; i < width * height; i++)
        sum += 255 - dots[i];
    free(dots);
    int ink = (int)(sum * 1000 / (255 * width * height)), black = tiff_facts_blackness(files->input, 0);
    assert_in_range(ink, black - 5, black + 5);
}

static void a_page_that_is_not_there_is_an_error(void **state)
{
    struct files *files = *state;
    assert_string_equal(tiff_facts_message("--op png --page 3", files->input, files->output),
                        "conversion_failed: the document has 2 pages, so there is no page 3");
    assert_string_equal(tiff_facts_message("--op png --width 5000", files->input, files->output),
                        "conversion_failed: width has to be a number from 0 to 4096");
}

/* Octets of `needle` in the file. */
static int count(const uint8_t *data, size_t size, const char *needle)
{
    int found = 0;
    size_t length = strlen(needle);
    for (size_t i = 0; i + length <= size; i++)
        found += memcmp(data + i, needle, length) == 0;
    return found;
}

static void a_pdf_holds_the_t6_data_as_it_is(void **state)
{
    struct files *files = *state;
    char fax[64];
    size_t size, fax_size;
    close(facts_temporary_file(fax));
    tiff_facts_pages("", files->input, fax); /* fax TIFF: one strip a page */
    assert_int_equal(tiff_facts_pages("--op pdf", fax, files->output), 2);
    uint8_t *pdf = tiff_facts_read(files->output, &size), *data = tiff_facts_read(fax, &fax_size);
    assert_memory_equal(pdf, "%PDF-1.", 7);
    assert_int_equal(count(pdf, size, "/CCITTFaxDecode"), 2);
    for (int page = 0; page < 2; page++) {
        uint64_t *offsets, *sizes;
        TIFF *tiff = TIFFOpen(fax, "r");
        TIFFSetDirectory(tiff, (tdir_t)page);
        TIFFGetField(tiff, TIFFTAG_STRIPOFFSETS, &offsets);
        TIFFGetField(tiff, TIFFTAG_STRIPBYTECOUNTS, &sizes);
        assert_non_null(memmem(pdf, size, data + offsets[0], sizes[0]));
        TIFFClose(tiff);
    }
    free(pdf);
    free(data);
    unlink(fax);
}

/* Dots of `picture` (0 = black) that differ from those of a page. */
static int differences(const struct files *files, int page, const uint8_t *picture, uint32_t width, uint32_t height)
{
    uint32_t fax_width, fax_height;
    int wrong = 0;
    uint8_t *bits = tiff_facts_bits(files->input, page, &fax_width, &fax_height);
    assert_int_equal(width, fax_width);
    assert_int_equal(height, fax_height);
    for (uint32_t y = 0; y < height; y++) {
        for (uint32_t x = 0; x < width; x++) {
            bool black = bits[y * (width / 8) + x / 8] >> (7 - x % 8) & 1;
            wrong += black != (picture[(size_t)y * width + x] < 128);
        }
    }
    free(bits);
    return wrong;
}

/* Another program draws the PDF: the image in it has every dot, and it fills the page. (The edge of a page may fall
 * between two dots of the screen, so the drawing is not compared to the last dot.) */
static void a_pdf_shows_the_page(void **state)
{
    struct files *files = *state;
    assert_int_equal(tiff_facts_pages("--op pdf", files->input, files->output), 2);
    static const char *const commands[] = {
        "pdfimages -png -f %1$d -l %1$d %3$s %3$s.p",
        "pdftoppm -gray -png -f %1$d -l %1$d -scale-to-x 1728 -scale-to-y %2$u %3$s %3$s.p"};
    static const uint32_t allowed[] = {0, 40}; /* of 1000 */
    for (int page = 0; page < 2; page++) {
        for (int i = 0; i < 2; i++) {
            char command[400], picture[100];
            uint32_t width, height;
            snprintf(command, sizeof command, commands[i], page + 1, two[page].height, files->output);
            assert_int_equal(system(command), 0);
            snprintf(picture, sizeof picture, i == 0 ? "%s.p-000.png" : "%s.p-%d.png", files->output, page + 1);
            uint8_t *dots = read_png(picture, &width, &height);
            assert_in_range(differences(files, page, dots, width, height), 0, width * height / 1000 * allowed[i]);
            free(dots);
            unlink(picture);
        }
    }
}

static void a_pdf_of_other_storage_is_written_as_t6(void **state)
{
    struct files *files = *state;
    static const struct tiff_facts_page pages[] = {
        {.width = 1728, .height = 100, .compression = COMPRESSION_LZW},
        {.width = 1728, .height = 100, .rows_per_strip = 10},
        {.width = 1728, .height = 100, .fill_order = 2, .orientation = 3},
    };
    size_t size;
    unlink(files->input);
    tiff_facts_make(files->input, pages, 3, "w");
    assert_int_equal(tiff_facts_pages("--op pdf", files->input, files->output), 3);
    uint8_t *pdf = tiff_facts_read(files->output, &size);
    assert_int_equal(count(pdf, size, "/CCITTFaxDecode"), 3);
    free(pdf);
    static const struct tiff_facts_page grey = {.width = 100, .height = 10, .bits = 8, .compression = COMPRESSION_LZW};
    unlink(files->input);
    tiff_facts_make(files->input, &grey, 1, "w");
    assert_non_null(
        strstr(tiff_facts_message("--op pdf", files->input, files->output), "document_unsupported: page 1"));
}

int main(void)
{
    static const struct CMUnitTest facts[] = {
        cmocka_unit_test_setup_teardown(a_page_image_has_square_dots, setup, teardown),
        cmocka_unit_test_setup_teardown(a_thumbnail_averages, setup, teardown),
        cmocka_unit_test_setup_teardown(a_page_that_is_not_there_is_an_error, setup, teardown),
        cmocka_unit_test_setup_teardown(a_pdf_holds_the_t6_data_as_it_is, setup, teardown),
        cmocka_unit_test_setup_teardown(a_pdf_shows_the_page, setup, teardown),
        cmocka_unit_test_setup_teardown(a_pdf_of_other_storage_is_written_as_t6, setup, teardown),
    };
    return cmocka_run_group_tests(facts, NULL, NULL);
}
