/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about several faxes that become one. */
#include "config.h"

#include "tests/lib/facts.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <tiffio.h>
#include <unistd.h>

#include "server/base/err.h"
#include "spool/convert/compose.h"
#include "spool/convert/summary.h"
#include "tests/lib/tiff_facts.h"

#define COVER                                                                                                          \
    "<svg xmlns='http://www.w3.org/2000/svg' width='210mm' height='297mm'><text x='90' y='600' font-size='500'>"

static const struct tiff_facts_page two[2] = {{.width = 1728, .height = 60}, {.width = 1728, .height = 70}};
static const struct tiff_facts_page three[3] = {
    {.width = 1728, .height = 80}, {.width = 2432, .height = 90}, {.width = 1728, .height = 100, .y_dpi = 391}};

struct bench {
    char two[64], three[64], output[64];
    struct compose_options options;
    struct summary summary;
};

static int setup(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);
    tiff_facts_make(bench->two, two, 2, "w");
    tiff_facts_make(bench->three, three, 3, "w");
    close(facts_temporary_file(bench->output));
    bench->options.page = (struct prepare_options){.resolution = FAX_FINE, .width_max = 1728, .pages_max = 500};
    *state = bench;
    return 0;
}

static int teardown(void **state)
{
    struct bench *bench = *state;
    json_decref(bench->options.cover);
    unlink(bench->two);
    unlink(bench->three);
    unlink(bench->output);
    free(bench);
    return 0;
}

static int file_of(const char *text, size_t size)
{
    int fd = memfd_create("input", MFD_CLOEXEC);
    assert_int_equal(write(fd, text, size), size);
    return fd;
}

/* Inputs by path, at most four, ended with NULL; `cover` stands before them. */
static int run(struct bench *bench, const char *cover, const char *const *paths)
{
    int inputs[5], count = 0;
    int output = open(bench->output, O_RDWR | O_TRUNC | O_CLOEXEC);
    if (cover != NULL)
        inputs[count++] = file_of(cover, strlen(cover));
    for (int i = 0; paths[i] != NULL; i++)
        inputs[count++] = open(paths[i], O_RDONLY | O_CLOEXEC);
    bench->summary = (struct summary){0};
    int error = compose(&bench->summary, inputs, count, output, &bench->options);
    close(output);
    while (count > 0)
        close(inputs[--count]);
    return error;
}

#define RUN(bench, ...) run(bench, NULL, (const char *const[]){__VA_ARGS__, NULL})

static void pages_come_in_order_dot_for_dot(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(RUN(bench, bench->three, bench->two, bench->three), 0);
    assert_int_equal(bench->summary.pages, 8);
    assert_int_equal(bench->summary.width, 2432);
    assert_true(bench->summary.y_dpi == 391);
    for (int i = 0; i < 3; i++) {
        assert_true(tiff_facts_same(bench->output, i, bench->three, i));
        assert_true(tiff_facts_same(bench->output, 5 + i, bench->three, i));
        assert_int_equal(bench->summary.heights[i], three[i].height);
    }
    for (int i = 0; i < 2; i++)
        assert_true(tiff_facts_same(bench->output, 3 + i, bench->two, i));
    assert_int_equal(tiff_facts_tag(bench->output, 2, TIFFTAG_YRESOLUTION), 391);
}

static void pages_are_numbered_through(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(RUN(bench, bench->two, bench->three), 0);
    for (int i = 0; i < 5; i++)
        assert_int_equal(tiff_facts_tag(bench->output, i, TIFFTAG_PAGENUMBER), (uint32_t)i << 16 | 5);
}

static void ranges_choose_from_each(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(page_range_parse(&bench->options.ranges[0], "2"), 0);
    assert_int_equal(page_range_parse(&bench->options.ranges[1], "1,3-"), 0);
    assert_int_equal(page_range_parse(&bench->options.ranges[2], "9"), 0);
    assert_int_equal(RUN(bench, bench->two, bench->three, bench->two), 0);
    assert_int_equal(bench->summary.pages, 3);
    assert_true(tiff_facts_same(bench->output, 0, bench->two, 1));
    assert_true(tiff_facts_same(bench->output, 1, bench->three, 0));
    assert_true(tiff_facts_same(bench->output, 2, bench->three, 2));
    assert_int_equal(tiff_facts_tag(bench->output, 2, TIFFTAG_PAGENUMBER), 2 << 16 | 3);
}

static void other_compressions_keep_their_dots(void **state)
{
    struct bench *bench = *state;
    static const struct tiff_facts_page pages[] = {
        {.width = 1728, .height = 50, .compression = COMPRESSION_NONE},
        {.width = 1728, .height = 50, .compression = COMPRESSION_CCITTFAX3, .fill_order = 2},
        {.width = 1728, .height = 50, .rows_per_strip = 7},
        {.width = 1728, .height = 50, .photometric = PHOTOMETRIC_MINISBLACK},
    };
    char path[64];
    tiff_facts_make(path, pages, COUNT_OF(pages), "wb");
    assert_int_equal(RUN(bench, path, bench->two), 0);
    for (int i = 0; i < (int)COUNT_OF(pages); i++) {
        assert_true(tiff_facts_same(bench->output, i, path, i));
        assert_int_equal(tiff_facts_tag(bench->output, i, TIFFTAG_COMPRESSION), COMPRESSION_CCITTFAX4);
    }
    unlink(path);
}

static void a_fax_without_pages_is_none(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(page_range_parse(&bench->options.ranges[0], "9"), 0);
    assert_int_equal(RUN(bench, bench->two), ERR_INVALID);
    assert_string_equal(err_message(), "the fax has no page");
}

static void there_are_as_many_pages_as_allowed(void **state)
{
    struct bench *bench = *state;
    bench->options.page.pages_max = 5;
    assert_int_equal(RUN(bench, bench->two, bench->three), 0);
    bench->options.page.pages_max = 4;
    assert_int_equal(RUN(bench, bench->two, bench->three), ERR_TOO_BIG);
    assert_string_equal(err_message(), "the fax has 5 pages, the most is 4: send it in parts");
}

static void the_cover_counts_and_knows_how_many_there_are(void **state)
{
    struct bench *bench = *state;
    char first[64];
    bench->options.cover = json_pack("{s:s}", "pages", "99");
    assert_int_equal(run(bench, COVER "{{pages}}</text></svg>", (const char *[]){bench->two, bench->three, NULL}), 0);
    assert_int_equal(bench->summary.pages, 6);
    assert_true(tiff_facts_same(bench->output, 1, bench->two, 0));
    assert_true(tiff_facts_same(bench->output, 5, bench->three, 2));
    memcpy(first, bench->output, sizeof first);
    close(facts_temporary_file(bench->output));
    assert_int_equal(run(bench, COVER "6</text></svg>", (const char *[]){NULL}), 0);
    assert_int_equal(bench->summary.pages, 1);
    assert_true(tiff_facts_same(bench->output, 0, first, 0));
    assert_true(tiff_facts_blackness(first, 0) > 0);
    unlink(first);

    bench->options.page.pages_max = 5;
    assert_int_equal(run(bench, COVER "</text></svg>", (const char *[]){bench->two, bench->three, NULL}), ERR_TOO_BIG);
}

static void ranges_do_not_count_the_cover(void **state)
{
    struct bench *bench = *state;
    bench->options.cover = json_object();
    assert_int_equal(page_range_parse(&bench->options.ranges[0], "2"), 0);
    assert_int_equal(run(bench, COVER "x</text></svg>", (const char *[]){bench->two, bench->three, NULL}), 0);
    assert_int_equal(bench->summary.pages, 5);
    assert_true(tiff_facts_same(bench->output, 1, bench->two, 1));
}

static void a_cover_has_a_megabyte_at_the_most(void **state)
{
    struct bench *bench = *state;
    size_t size = (1 << 20) + 1;
    char *template = malloc(size + 1);
    memset(template, ' ', size);
    template[size] = '\0';
    bench->options.cover = json_object();
    assert_int_equal(run(bench, template, (const char *[]){NULL}), ERR_INVALID);
    assert_string_equal(err_message(), "the cover page has more than 1024 kB");
    free(template);
}

static void an_input_cut_anywhere_is_refused(void **state)
{
    struct bench *bench = *state;
    size_t size;
    uint8_t *data = tiff_facts_read(bench->three, &size);
    int two_fd = open(bench->two, O_RDONLY | O_CLOEXEC), refused = 0, passed = 0;
    int output = open(bench->output, O_RDWR | O_CLOEXEC);
    for (size_t cut = 0; cut < size; cut += 1 + cut / 300) {
        int inputs[2] = {two_fd, file_of((char *)data, cut)};
        struct summary summary = {0};
        assert_int_equal(ftruncate(output, 0), 0);
        int error = compose(&summary, inputs, 2, output, &bench->options);
        assert_true(error == 0 || error == ERR_INVALID || error == ERR_UNSUPPORTED);
        for (int i = 2; error == 0 && i < summary.pages; i++)
            assert_int_equal(summary.heights[i], three[i - 2].height);
        passed += error == 0;
        refused += error != 0;
        close(inputs[1]);
    }
    assert_true(refused > 10);
    assert_in_range(passed, 0, 2 * 4); /* without its last four octets a directory reads as the last */
    close(two_fd);
    close(output);
    free(data);
}

static void what_is_no_fax_is_refused(void **state)
{
    struct bench *bench = *state;
    static const struct tiff_facts_page grey = {.width = 100, .height = 10, .bits = 8, .compression = COMPRESSION_LZW};
    char path[64];
    tiff_facts_make(path, &grey, 1, "w");
    assert_int_equal(RUN(bench, bench->two, path), ERR_UNSUPPORTED);
    tiff_facts_store(path, "%PDF-1.4", 8);
    assert_int_equal(RUN(bench, bench->two, path), ERR_UNSUPPORTED);
    unlink(path);
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    TIFFSetWarningHandler(NULL);
    TIFFSetErrorHandler(NULL);
    static const struct CMUnitTest facts[] = {
        FACT(pages_come_in_order_dot_for_dot),
        FACT(pages_are_numbered_through),
        FACT(ranges_choose_from_each),
        FACT(other_compressions_keep_their_dots),
        FACT(a_fax_without_pages_is_none),
        FACT(there_are_as_many_pages_as_allowed),
        FACT(the_cover_counts_and_knows_how_many_there_are),
        FACT(ranges_do_not_count_the_cover),
        FACT(a_cover_has_a_megabyte_at_the_most),
        FACT(an_input_cut_anywhere_is_refused),
        FACT(what_is_no_fax_is_refused),
    };
    return cmocka_run_group_tests(facts, NULL, NULL);
}
