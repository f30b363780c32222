/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about uploads: what is kept, what is fitted, what is refused, through the real program in its real sandbox. */
#include "config.h"

#include "tests/lib/facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <tiffio.h>
#include <unistd.h>

#include "tests/lib/tiff_facts.h"

struct files {
    char input[64], output[64];
};

static int setup(void **state)
{
    struct files *files = calloc(1, sizeof *files);
    close(facts_temporary_file(files->output));
    *state = files;
    return 0;
}

static int teardown(void **state)
{
    struct files *files = *state;
    unlink(files->output);
    if (files->input[0] != '\0')
        unlink(files->input);
    free(files);
    return 0;
}

static void make(struct files *files, const struct tiff_facts_page *pages, int count, const char *mode)
{
    if (files->input[0] != '\0')
        unlink(files->input);
    tiff_facts_make(files->input, pages, count, mode);
}

/* Dots of an output page that differ from the picture, drawn at its place, in 1/1000. */
static int difference(const char *path, int page, const struct tiff_facts_page *from, bool turned)
{
    uint32_t width, height;
    uint8_t *bits = tiff_facts_bits(path, page, &width, &height);
    uint32_t from_width = turned ? from->height : from->width, from_height = turned ? from->width : from->height;
    double x_dpi = turned ? from->y_dpi : from->x_dpi;
    double across = from_width / x_dpi * 204;
    if (across > 1728)
        across = 1728;
    uint64_t wrong = 0;
    for (uint32_t y = 0; y < height; y++) {
        for (uint32_t x = 0; x < width; x++) {
            double at = (x + 0.5 - (1728 - across) / 2) * from_width / across;
            bool black = at >= 0 && at < from_width &&
                         tiff_facts_black((uint32_t)at, (uint32_t)((y + 0.5) * from_height / height), page);
            wrong += black != (bits[(size_t)y * ((width + 7) / 8) + x / 8] >> (7 - x % 8) & 1);
        }
    }
    free(bits);
    return (int)(wrong * 1000 / ((uint64_t)width * height));
}

static void itu_pages_are_kept_dot_for_dot(void **state)
{
    struct files *files = *state;
    static const char *const names[] = {"itu1.tif", "itu2.tif", "itu3.tif", "itu5.tif"};
    const char *source = getenv("FAXD_SRC");
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/tests/data/%s", source != NULL ? source : ".", names[i]);
        assert_int_equal(tiff_facts_pages("", path, files->output), 1);
        assert_true(tiff_facts_same(path, 0, files->output, 0));
    }
}

static void every_bilevel_storage_is_kept_dot_for_dot(void **state)
{
    struct files *files = *state;
    static const struct tiff_facts_page pages[] = {
        {.width = 1728, .height = 300},
        {.width = 1728, .height = 301, .rows_per_strip = 37},
        {.width = 1728, .height = 100, .compression = COMPRESSION_NONE},
        {.width = 1728, .height = 100, .compression = COMPRESSION_CCITTRLE},
        {.width = 1728, .height = 100, .compression = COMPRESSION_CCITTFAX3},
        {.width = 1728, .height = 100, .compression = COMPRESSION_CCITTFAX3, .t4_options = GROUP3OPT_2DENCODING},
        {.width = 1728,
         .height = 100,
         .compression = COMPRESSION_CCITTFAX3,
         .fill_order = 2,
         .t4_options = GROUP3OPT_FILLBITS},
        {.width = 1728, .height = 100, .compression = COMPRESSION_LZW, .photometric = PHOTOMETRIC_MINISBLACK},
        {.width = 1728, .height = 100, .compression = COMPRESSION_PACKBITS, .fill_order = 2},
        {.width = 1728, .height = 100, .photometric = PHOTOMETRIC_MINISBLACK, .fill_order = 2},
        {.width = 2048, .height = 100},
        {.width = 2432, .height = 100, .y_dpi = 391},
        {.width = 1728, .height = 100, .x_dpi = 203.2, .y_dpi = 97.79, .centimetres = true},
        {.width = 1728, .height = 100, .x_dpi = 200, .y_dpi = 200},
        {.width = 1728, .height = 100, .x_dpi = 200, .y_dpi = 100},
    };
    static const char *const modes[] = {"wl", "wb", "w8"};
    for (size_t m = 0; m < COUNT_OF(modes); m++) {
        make(files, pages, COUNT_OF(pages), modes[m]);
        assert_int_equal(tiff_facts_pages("", files->input, files->output), COUNT_OF(pages));
        for (int i = 0; i < (int)COUNT_OF(pages); i++) {
            if (!tiff_facts_same(files->input, i, files->output, i))
                fail_msg("page %d of %s differs", i, modes[m]);
        }
    }
    assert_int_equal(tiff_facts_tag(files->output, 11, TIFFTAG_YRESOLUTION), 391);
    assert_int_equal(tiff_facts_tag(files->output, 12, TIFFTAG_YRESOLUTION), 98);
    assert_int_equal(tiff_facts_tag(files->output, 13, TIFFTAG_XRESOLUTION), 204);
    assert_int_equal(tiff_facts_tag(files->output, 13, TIFFTAG_YRESOLUTION), 196);
    assert_int_equal(tiff_facts_tag(files->output, 14, TIFFTAG_YRESOLUTION), 98);
}

static void tiles_are_kept_dot_for_dot(void **state)
{
    struct files *files = *state;
    struct tiff_facts_page page = {.width = 1728, .height = 300};
    char reference[64];
    tiff_facts_make(reference, &page, 1, "w");
    for (page.tile = 16; page.tile <= 1024; page.tile *= 4) {
        page.compression = page.tile == 64 ? COMPRESSION_CCITTFAX4 : COMPRESSION_LZW;
        make(files, &page, 1, "w");
        assert_int_equal(tiff_facts_pages("", files->input, files->output), 1);
        assert_true(tiff_facts_same(reference, 0, files->output, 0));
    }
    unlink(reference);
}

static void the_output_is_a_class_f_file(void **state)
{
    struct files *files = *state;
    static const struct tiff_facts_page pages[3] = {
        {.width = 1728, .height = 50}, {.width = 1728, .height = 60}, {.width = 1000, .height = 70}};
    static const struct {
        uint32_t tag, value;
    } wanted[] = {
        {TIFFTAG_SUBFILETYPE, 2},    {TIFFTAG_IMAGEWIDTH, 1728}, {TIFFTAG_BITSPERSAMPLE, 1},
        {TIFFTAG_COMPRESSION, 4},    {TIFFTAG_GROUP4OPTIONS, 0}, {TIFFTAG_PHOTOMETRIC, 0},
        {TIFFTAG_FILLORDER, 1},      {TIFFTAG_ORIENTATION, 1},   {TIFFTAG_SAMPLESPERPIXEL, 1},
        {TIFFTAG_RESOLUTIONUNIT, 2}, {TIFFTAG_XRESOLUTION, 204}, {TIFFTAG_YRESOLUTION, 196},
    };
    make(files, pages, 3, "wb");
    assert_int_equal(tiff_facts_pages("", files->input, files->output), 3);
    for (int page = 0; page < 3; page++) {
        for (size_t i = 0; i < COUNT_OF(wanted); i++)
            assert_int_equal(tiff_facts_tag(files->output, page, wanted[i].tag), wanted[i].value);
        assert_int_equal(tiff_facts_tag(files->output, page, TIFFTAG_PAGENUMBER), (uint32_t)page << 16 | 3);
        assert_int_equal(tiff_facts_tag(files->output, page, TIFFTAG_ROWSPERSTRIP),
                         tiff_facts_tag(files->output, page, TIFFTAG_IMAGELENGTH));
    }
    size_t size;
    uint8_t *data = tiff_facts_read(files->output, &size);
    const uint16_t one = 1;
    assert_int_equal(data[0], *(const uint8_t *)&one == 1 ? 'I' : 'M'); /* the order of this machine */
    free(data);
}

static void turned_pages_stand_upright(void **state)
{
    struct files *files = *state;
    struct tiff_facts_page upright = {.width = 1728, .height = 400};
    char reference[64];
    tiff_facts_make(reference, &upright, 1, "w");
    for (uint16_t orientation = 1; orientation <= 8; orientation++) {
        struct tiff_facts_page page = {.width = orientation < 5 ? 1728 : 400,
                                       .height = orientation < 5 ? 400 : 1728,
                                       .orientation = orientation,
                                       .x_dpi = orientation < 5 ? 204 : 196,
                                       .y_dpi = orientation < 5 ? 196 : 204};
        make(files, &page, 1, "w");
        assert_int_equal(tiff_facts_pages("", files->input, files->output), 1);
        if (!tiff_facts_same(reference, 0, files->output, 0))
            fail_msg("orientation %d differs", orientation);
    }
    unlink(reference);
}

static void other_pages_are_fitted_without_distortion(void **state)
{
    struct files *files = *state;
    static const struct {
        struct tiff_facts_page page;
        const char *options;
        uint32_t rows;
    } cases[] = {
        {{.width = 2550, .height = 3300, .x_dpi = 300, .y_dpi = 300}, "", 2149},
        {{.width = 2550, .height = 3300, .x_dpi = 300, .y_dpi = 300}, "--resolution standard", 1074},
        {{.width = 2550, .height = 3300, .x_dpi = 300, .y_dpi = 300}, "--resolution superfine", 4286},
        {{.width = 4961, .height = 7016, .x_dpi = 600, .y_dpi = 600}, "", 2292},
        {{.width = 850, .height = 1100, .x_dpi = 100, .y_dpi = 100}, "", 2149},
        {{.width = 600, .height = 400, .x_dpi = 150, .y_dpi = 150}, "", 523},
        {{.width = 1700, .height = 1100, .x_dpi = 200, .y_dpi = 100}, "", 2149},
        {{.width = 3400, .height = 4400, .x_dpi = 200, .y_dpi = 200}, "", 2149},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        make(files, &cases[i].page, 1, "w");
        assert_int_equal(tiff_facts_pages(cases[i].options, files->input, files->output), 1);
        assert_int_equal(tiff_facts_tag(files->output, 0, TIFFTAG_IMAGEWIDTH), 1728);
        assert_in_range(tiff_facts_tag(files->output, 0, TIFFTAG_IMAGELENGTH), cases[i].rows - 2, cases[i].rows + 2);
        assert_in_range(difference(files->output, 0, &cases[i].page, false), 0, 60);
    }
}

static void a_page_without_resolution_fills_the_width(void **state)
{
    struct files *files = *state;
    struct tiff_facts_page page = {.width = 500, .height = 500, .no_resolution = true};
    make(files, &page, 1, "w");
    assert_int_equal(tiff_facts_pages("", files->input, files->output), 1);
    assert_in_range(tiff_facts_tag(files->output, 0, TIFFTAG_IMAGELENGTH), 1659, 1661); /* 8.47 inches at 196 */
    struct tiff_facts_page fax = {.width = 1728, .height = 1143, .no_resolution = true};
    make(files, &fax, 1, "w");
    assert_int_equal(tiff_facts_pages("", files->input, files->output), 1);
    assert_true(tiff_facts_same(files->input, 0, files->output, 0));
    assert_int_equal(tiff_facts_tag(files->output, 0, TIFFTAG_YRESOLUTION), 98);
}

static void grey_and_colour_become_black_and_white(void **state)
{
    struct files *files = *state;
    static const struct tiff_facts_page pages[] = {
        {.bits = 8, .photometric = PHOTOMETRIC_MINISBLACK, .compression = COMPRESSION_LZW},
        {.bits = 8, .photometric = PHOTOMETRIC_MINISWHITE, .compression = COMPRESSION_NONE},
        {.bits = 16, .photometric = PHOTOMETRIC_MINISBLACK, .compression = COMPRESSION_ADOBE_DEFLATE},
        {.bits = 8, .samples = 3, .photometric = PHOTOMETRIC_RGB, .compression = COMPRESSION_PACKBITS},
        {.bits = 8, .samples = 3, .photometric = PHOTOMETRIC_RGB, .compression = COMPRESSION_NONE, .planes = true},
        {.bits = 8, .samples = 4, .photometric = PHOTOMETRIC_RGB, .compression = COMPRESSION_LZW},
        {.bits = 8, .samples = 4, .photometric = PHOTOMETRIC_SEPARATED, .compression = COMPRESSION_LZW},
        {.bits = 8, .samples = 3, .photometric = PHOTOMETRIC_RGB, .compression = COMPRESSION_LZW, .tile = 64},
        {.bits = 8, .samples = 3, .photometric = PHOTOMETRIC_RGB, .compression = COMPRESSION_LZW, .orientation = 6},
        {.bits = 8, .photometric = PHOTOMETRIC_MINISBLACK, .compression = COMPRESSION_JPEG, .rows_per_strip = 16},
    };
    for (size_t i = 0; i < COUNT_OF(pages); i++) {
        struct tiff_facts_page page = pages[i];
        page.width = 864;
        page.height = 800;
        page.x_dpi = page.y_dpi = 102;
        make(files, &page, 1, i % 2 == 0 ? "wl" : "wb");
        assert_int_equal(tiff_facts_pages("", files->input, files->output), 1);
        int wrong = difference(files->output, 0, &page, page.orientation == 6);
        if (wrong > 30)
            fail_msg("kind %zu: %d of 1000 dots are wrong", i, wrong);
    }
}

static void middle_grey_is_kept_as_grey_by_dots(void **state)
{
    struct files *files = *state;
    struct tiff_facts_page page = {.width = 1728,
                                   .height = 600,
                                   .bits = 8,
                                   .photometric = PHOTOMETRIC_MINISBLACK,
                                   .compression = COMPRESSION_LZW,
                                   .grey = 128};
    make(files, &page, 1, "w");
    tiff_facts_pages("--dither threshold", files->input, files->output);
    int solid = tiff_facts_blackness(files->output, 0);
    tiff_facts_pages("--dither halftone", files->input, files->output);
    assert_in_range(tiff_facts_blackness(files->output, 0), solid * 4 / 10, solid * 6 / 10);
    tiff_facts_pages("--dither diffusion", files->input, files->output);
    assert_in_range(tiff_facts_blackness(files->output, 0), solid * 4 / 10, solid * 6 / 10);
    tiff_facts_pages("", files->input, files->output); /* auto sees a picture */
    assert_in_range(tiff_facts_blackness(files->output, 0), solid * 4 / 10, solid * 6 / 10);
}

/* Of the sample's lines of text the last two are of 73 % and 87 % grey: their strokes are whole, as those of 53 %. */
static void light_grey_letters_of_a_drawn_page_are_kept(void **state)
{
    struct files *files = *state;
    static const uint32_t lines[3][2] = {{1150, 1190}, {1220, 1260}, {1285, 1330}};
    const char *source = getenv("FAXD_SRC");
    char path[4096];
    uint32_t width = 0, height = 0;
    int black[3] = {0};
    snprintf(path, sizeof path, "%s/tests/data/documents/report-weasyprint.pdf", source != NULL ? source : ".");
    assert_int_equal(tiff_facts_pages("", path, files->output), 1);
    uint8_t *bits = tiff_facts_bits(files->output, 0, &width, &height);
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        for (uint32_t at = lines[i][0] * width / 8; at < lines[i][1] * width / 8; at++)
            black[i] += __builtin_popcount(bits[at]);
    }
    free(bits);
    assert_in_range(black[0], 3000, 6000);
    assert_in_range(black[1], 3000, 6000); /* a little shorter */
    assert_in_range(black[2], 2300, 4500); /* three quarters as long */
}

static void strict_fits_what_the_far_end_cannot_take(void **state)
{
    struct files *files = *state;
    static const struct tiff_facts_page pages[3] = {
        {.width = 1728, .height = 600}, {.width = 1728, .height = 300, .y_dpi = 98}, {.width = 2432, .height = 600}};
    make(files, pages, 3, "w");
    assert_int_equal(tiff_facts_pages("--strict --resolution standard", files->input, files->output), 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(tiff_facts_tag(files->output, i, TIFFTAG_IMAGEWIDTH), 1728);
        assert_int_equal(tiff_facts_tag(files->output, i, TIFFTAG_YRESOLUTION), 98);
    }
    assert_true(tiff_facts_same(files->input, 1, files->output, 1));
    assert_int_equal(tiff_facts_tag(files->output, 0, TIFFTAG_IMAGELENGTH), 300);
    assert_in_range(tiff_facts_tag(files->output, 2, TIFFTAG_IMAGELENGTH), 212, 214);
}

static void thumbnails_are_no_pages(void **state)
{
    struct files *files = *state;
    static const struct tiff_facts_page pages[3] = {{.width = 100, .height = 100, .subfile = FILETYPE_REDUCEDIMAGE},
                                                    {.width = 1728, .height = 300, .subfile = FILETYPE_PAGE},
                                                    {.width = 100, .height = 100, .subfile = FILETYPE_REDUCEDIMAGE}};
    make(files, pages, 3, "w");
    assert_int_equal(tiff_facts_pages("", files->input, files->output), 1);
    assert_int_equal(tiff_facts_tag(files->output, 0, TIFFTAG_IMAGELENGTH), 300);
    make(files, pages, 1, "w");
    assert_non_null(strstr(tiff_facts_message("", files->input, files->output), "only thumbnails"));
}

static void too_many_pages_are_refused(void **state)
{
    struct files *files = *state;
    static const struct tiff_facts_page pages[3] = {
        {.width = 1728, .height = 10}, {.width = 1728, .height = 10}, {.width = 1728, .height = 10}};
    make(files, pages, 3, "w");
    assert_string_equal(tiff_facts_message("--max-pages 2", files->input, files->output),
                        "too_many_pages: the document has more than 2 pages: send it in parts");
    assert_int_equal(tiff_facts_pages("--max-pages 3", files->input, files->output), 3);
}

static void a_failed_conversion_leaves_no_file(void **state)
{
    struct files *files = *state;
    close(facts_temporary_file(files->input));
    tiff_facts_store(files->input, "%PDF-1.4 ", 9);
    assert_non_null(
        strstr(tiff_facts_message("", files->input, files->output), "conversion_failed: the PDF file is damaged"));
    assert_int_not_equal(access(files->output, F_OK), 0);
    tiff_facts_store(files->input, "", 0);
    assert_string_equal(tiff_facts_message("", files->input, files->output),
                        "document_unsupported: the document is empty");
}

static void a_file_that_breaks_off_names_the_page(void **state)
{
    struct files *files = *state;
    static const struct tiff_facts_page pages[3] = {
        {.width = 1728, .height = 300}, {.width = 1728, .height = 300}, {.width = 1728, .height = 300}};
    size_t size;
    make(files, pages, 3, "w");
    uint8_t *data = tiff_facts_read(files->input, &size);
    tiff_facts_store(files->input, data, size - 40);
    const char *message = tiff_facts_message("", files->input, files->output);
    if (strstr(message, "conversion_failed: the file ends in page 3") == NULL)
        fail_msg("%s", message);
    free(data);
}

/* A little-endian classic TIFF by hand: header, one directory with these long entries, its next offset. */
static size_t by_hand(uint8_t *data, const uint32_t (*entries)[2], int count, uint32_t next)
{
    static const uint8_t header[8] = {'I', 'I', 42, 0, 8, 0, 0, 0};
    memcpy(data, header, 8);
    data[8] = (uint8_t)count;
    data[9] = 0;
    for (int i = 0; i < count; i++) {
        uint8_t *entry = data + 10 + 12 * i;
        memset(entry, 0, 12);
        entry[0] = (uint8_t)entries[i][0];
        entry[1] = (uint8_t)(entries[i][0] >> 8);
        entry[2] = 4;
        entry[4] = 1;
        for (int k = 0; k < 4; k++)
            entry[8 + k] = (uint8_t)(entries[i][1] >> 8 * k);
    }
    for (int k = 0; k < 4; k++)
        data[10 + 12 * count + k] = (uint8_t)(next >> 8 * k);
    return 10 + 12 * (size_t)count + 4;
}

/* Of those that have ended. What else the machine does takes none of it. */
static int64_t children_cpu_ms(void)
{
    struct rusage used;

    assert_int_equal(getrusage(RUSAGE_CHILDREN, &used), 0);
    return (int64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000 +
           (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1000;
}

static void lies_about_size_cost_little(void **state)
{
    struct files *files = *state;
    static const uint32_t sides[][3] = {
        /* width, height, rows a strip */
        {1728, 0x7fffffff, 0x7fffffff},
        {0x7fffffff, 1000, 1000},
        {0xffffffff, 0xffffffff, 1},
        {1728, 0xfffffff0, 1},
        {65535, 65535, 65535},
        {1728, 0, 1},
        {0, 1728, 1},
        {60000, 4900, 1},
        {1, 1000000, 1000000},
    };
    close(facts_temporary_file(files->input));
    for (size_t i = 0; i < COUNT_OF(sides); i++) {
        for (uint32_t depth = 1; depth <= 8; depth += 7) {
            uint8_t data[512] = {0};
            const uint32_t entries[][2] = {
                {256, sides[i][0]}, {257, sides[i][1]}, {258, depth},       {259, depth == 1 ? 4 : 1}, {262, 1},
                {273, 200},         {277, 1},           {278, sides[i][2]}, {279, 0x7ffffff0}};
            by_hand(data, entries, COUNT_OF(entries), 0);
            tiff_facts_store(files->input, data, sizeof data);
            int64_t start = children_cpu_ms();
            int status = 0;
            json_t *result = tiff_facts_convert(&status, "", files->input, files->output);
            assert_int_equal(status, 1);
            assert_true(children_cpu_ms() - start < 5000);
            json_decref(result);
        }
    }
}

static void directories_in_a_circle_end(void **state)
{
    struct files *files = *state;
    uint8_t data[4096] = {0};
    static const uint32_t entries[][2] = {{256, 16}, {257, 1}, {258, 1}, {259, 1}, {262, 0},
                                          {273, 8},  {277, 1}, {278, 1}, {279, 2}};
    size_t size = by_hand(data, entries, COUNT_OF(entries), 8);
    close(facts_temporary_file(files->input));
    tiff_facts_store(files->input, data, size);
    int status = 0;
    json_t *result = tiff_facts_convert(&status, "", files->input, files->output);
    assert_int_equal(status, 1);
    json_decref(result);
}

/* A million directories in a chain, each of its own. */
static void a_million_directories_end_at_the_limit(void **state)
{
    struct files *files = *state;
    static const uint32_t entries[][2] = {{256, 16}, {257, 1}, {258, 1}, {259, 1}, {262, 0},
                                          {273, 8},  {277, 1}, {278, 1}, {279, 2}};
    uint8_t one[256];
    size_t size = by_hand(one, entries, COUNT_OF(entries), 0) - 8, count = 1000000;
    uint8_t *data = malloc(8 + size * count);
    memcpy(data, one, 8);
    for (size_t i = 0; i < count; i++) {
        uint32_t next = (uint32_t)(i + 1 < count ? 8 + size * (i + 1) : 0);
        memcpy(data + 8 + size * i, one + 8, size);
        for (int k = 0; k < 4; k++)
            data[8 + size * (i + 1) - 4 + (size_t)k] = (uint8_t)(next >> 8 * k);
    }
    close(facts_temporary_file(files->input));
    tiff_facts_store(files->input, data, 8 + size * count);
    free(data);
    int64_t start = children_cpu_ms();
    assert_non_null(strstr(tiff_facts_message("", files->input, files->output), "too_many_pages"));
    assert_true(children_cpu_ms() - start < 5000);
}

static void octets_that_flip_never_crash_it(void **state)
{
    struct files *files = *state;
    static const struct tiff_facts_page pages[2] = {{.width = 1728, .height = 40},
                                                    {.width = 300,
                                                     .height = 40,
                                                     .bits = 8,
                                                     .samples = 3,
                                                     .photometric = PHOTOMETRIC_RGB,
                                                     .compression = COMPRESSION_LZW,
                                                     .x_dpi = 100,
                                                     .y_dpi = 100}};
    size_t size;
    make(files, pages, 2, "w");
    uint8_t *data = tiff_facts_read(files->input, &size);
    for (unsigned seed = 1; seed <= 60; seed++) {
        uint8_t *copy = malloc(size);
        unsigned random = seed;
        memcpy(copy, data, size);
        for (int i = 0; i < 4; i++)
            copy[(size_t)rand_r(&random) % size] ^= (uint8_t)(1 << rand_r(&random) % 8);
        tiff_facts_store(files->input, copy, size);
        int status = 0;
        json_t *result = tiff_facts_convert(&status, "", files->input, files->output);
        assert_in_range(status, 0, 1);
        json_decref(result);
        free(copy);
    }
    free(data);
}

/* One large page that a chain of directories shows again and again: small to send, long to convert. */
static void a_document_that_takes_too_long_says_so(void **state)
{
    struct files *files = *state;
    static const struct tiff_facts_page page = {.width = 5000, .height = 7000, .x_dpi = 600, .y_dpi = 600};
    enum { COPIES = 100 };
    size_t size;
    make(files, &page, 1, "w");
    uint8_t *data = tiff_facts_read(files->input, &size);
    uint32_t at;
    uint16_t entries;
    memcpy(&at, data + 4, sizeof at);
    memcpy(&entries, data + at, sizeof entries);
    size_t directory = 2 + 12 * (size_t)entries + 4, start = (size + 1) / 2 * 2;
    uint8_t *bomb = calloc(1, start + COPIES * directory);
    memcpy(bomb, data, size);
    for (uint32_t i = 0, last = at; i < COPIES; i++) {
        uint32_t next = (uint32_t)(start + i * directory);
        memcpy(bomb + last + directory - 4, &next, sizeof next);
        memcpy(bomb + next, data + at, directory);
        last = next;
    }
    tiff_facts_store(files->input, bomb, start + COPIES * directory);
    const char *message = tiff_facts_message("--cpu-s 1", files->input, files->output);
    if (strstr(message, "more than 1 seconds of computing") == NULL)
        fail_msg("%s", message);
    free(data);
    free(bomb);
}

static void an_encrypted_pdf_opens_with_its_passwords(void **state)
{
    struct files *files = *state;
    static const struct {
        const char *document, *password;
        bool opens;
    } table[] = {
        {"encrypted.pdf", "secret", true},        {"encrypted.pdf", "keeper", true},
        {"encrypted.pdf", "a-guess", false},      {"latin-password.pdf", "schl\u00fcssel", true},
        {"latin-password.pdf", "schloss", false}, {"owner-only-encrypted.pdf", "whatever", true},
        {"letter-cairo.pdf", "whatever", true},
    };
    const char *source = getenv("FAXD_SRC");
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        char path[4096], options[64];
        snprintf(path, sizeof path, "%s/tests/data/documents/%s", source != NULL ? source : ".", table[i].document);
        snprintf(options, sizeof options, "--password %s", table[i].password);
        if (table[i].opens)
            assert_int_equal(tiff_facts_pages(options, path, files->output), 2);
        else
            assert_string_equal(tiff_facts_message(options, path, files->output),
                                "document_unsupported: the PDF file is encrypted, and the password is not its own");
    }
}

int main(void)
{
    TIFFSetWarningHandler(NULL);
    static const struct CMUnitTest facts[] = {
        cmocka_unit_test_setup_teardown(itu_pages_are_kept_dot_for_dot, setup, teardown),
        cmocka_unit_test_setup_teardown(every_bilevel_storage_is_kept_dot_for_dot, setup, teardown),
        cmocka_unit_test_setup_teardown(tiles_are_kept_dot_for_dot, setup, teardown),
        cmocka_unit_test_setup_teardown(the_output_is_a_class_f_file, setup, teardown),
        cmocka_unit_test_setup_teardown(turned_pages_stand_upright, setup, teardown),
        cmocka_unit_test_setup_teardown(other_pages_are_fitted_without_distortion, setup, teardown),
        cmocka_unit_test_setup_teardown(a_page_without_resolution_fills_the_width, setup, teardown),
        cmocka_unit_test_setup_teardown(grey_and_colour_become_black_and_white, setup, teardown),
        cmocka_unit_test_setup_teardown(middle_grey_is_kept_as_grey_by_dots, setup, teardown),
        cmocka_unit_test_setup_teardown(light_grey_letters_of_a_drawn_page_are_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(strict_fits_what_the_far_end_cannot_take, setup, teardown),
        cmocka_unit_test_setup_teardown(thumbnails_are_no_pages, setup, teardown),
        cmocka_unit_test_setup_teardown(too_many_pages_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_failed_conversion_leaves_no_file, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_that_breaks_off_names_the_page, setup, teardown),
        cmocka_unit_test_setup_teardown(lies_about_size_cost_little, setup, teardown),
        cmocka_unit_test_setup_teardown(directories_in_a_circle_end, setup, teardown),
        cmocka_unit_test_setup_teardown(a_million_directories_end_at_the_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(octets_that_flip_never_crash_it, setup, teardown),
        cmocka_unit_test_setup_teardown(a_document_that_takes_too_long_says_so, setup, teardown),
        cmocka_unit_test_setup_teardown(an_encrypted_pdf_opens_with_its_passwords, setup, teardown),
    };
    return cmocka_run_group_tests(facts, NULL, NULL);
}
