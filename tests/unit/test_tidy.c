/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about received files, whole and broken, and about faxes cut to their rest. */
#include "config.h"

#include "tests/lib/facts.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <tiffio.h>
#include <unistd.h>

#include <spandsp.h>

#include "server/base/err.h"
#include "spool/convert/summary.h"
#include "spool/convert/tidy.h"
#include "tests/lib/tiff_facts.h"

/* --- libtiff as the T.30 engine sees it: every write to a file opened for writing is kept, in order --- */

struct write_log {
    struct {
        uint64_t offset;
        size_t size;
        uint8_t *data;
    } writes[4096];
    int count;
    uint8_t *file;
    size_t size, room;
    uint64_t offset;
};

static struct write_log *recording;

static tmsize_t log_read(thandle_t handle, void *data, tmsize_t size)
{
    struct write_log *log = handle;
    tmsize_t left = log->offset < log->size ? (tmsize_t)(log->size - log->offset) : 0;
    tmsize_t got = size < left ? size : left;
    if (got > 0)
        memcpy(data, log->file + log->offset, (size_t)got);
    log->offset += (uint64_t)got;
    return got;
}

static void apply(struct write_log *log, uint64_t offset, const void *data, size_t size)
{
    if (offset + size > log->room) {
        log->room = 2 * (offset + size) + 65536;
        log->file = realloc(log->file, log->room);
    }
    if (offset > log->size)
        memset(log->file + log->size, 0, offset - log->size);
    if (size > 0)
        memcpy(log->file + offset, data, size);
    if (offset + size > log->size)
        log->size = offset + size;
}

static tmsize_t log_write_proc(thandle_t handle, void *data, tmsize_t size)
{
    struct write_log *log = handle;
    assert_in_range(log->count, 0, COUNT_OF(log->writes) - 1);
    log->writes[log->count].offset = log->offset;
    log->writes[log->count].size = (size_t)size;
    log->writes[log->count].data = malloc((size_t)size + 1);
    memcpy(log->writes[log->count++].data, data, (size_t)size);
    apply(log, log->offset, data, (size_t)size);
    log->offset += (uint64_t)size;
    return size;
}

static toff_t log_seek(thandle_t handle, toff_t offset, int whence)
{
    struct write_log *log = handle;
    log->offset = offset + (whence == SEEK_CUR ? log->offset : whence == SEEK_END ? log->size : 0);
    return log->offset;
}

static int log_close(thandle_t handle)
{
    (void)handle;
    return 0;
}

static toff_t log_size(thandle_t handle)
{
    return ((struct write_log *)handle)->size;
}

/* The program's own TIFFOpen wins over libtiff's in spandsp as well. */
__attribute__((visibility("default"))) TIFF *TIFFOpen(const char *name, const char *mode)
{
    if (strcmp(name, "recorded.tif") == 0)
        return TIFFClientOpen(name, mode, recording, log_read, log_write_proc, log_seek, log_close, log_size, NULL,
                              NULL);
    return TIFFOpenExt(name, mode, NULL);
}

static void log_clear(struct write_log *log)
{
    for (int i = 0; i < log->count; i++)
        free(log->writes[i].data);
    free(log->file);
    free(log);
}

/* --- helpers --- */

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

static const struct tiff_facts_page three[3] = {
    {.width = 1728, .height = 60}, {.width = 1728, .height = 70}, {.width = 1728, .height = 80}};

/* tidy_verify without a process, for the thousands of cases: the whole pages, or the error. */
static int verify(const void *data, size_t size, int pages_max, uint8_t **out, size_t *out_size)
{
    static struct summary summary;
    int input = memfd_create("input", MFD_CLOEXEC), output = memfd_create("output", MFD_CLOEXEC);
    assert_int_equal(write(input, data, size), size);
    memset(&summary, 0, sizeof summary);
    int error = tidy_verify(&summary, input, output, pages_max);
    off_t end = lseek(output, 0, SEEK_END);
    if (error == 0 && out != NULL) {
        *out = malloc((size_t)end + 1);
        *out_size = (size_t)end;
        assert_int_equal(pread(output, *out, (size_t)end, 0), end);
    }
    close(input);
    close(output);
    return error != 0 ? error : summary.pages;
}

/* --- facts --- */

static void a_file_of_another_writer_is_made_clean(void **state)
{
    struct files *files = *state;
    static const struct tiff_facts_page pages[] = {
        {.width = 1728, .height = 200, .compression = COMPRESSION_NONE, .rows_per_strip = 7},
        {.width = 1728, .height = 200, .compression = COMPRESSION_CCITTRLE, .fill_order = 2},
        {.width = 1728, .height = 200, .compression = COMPRESSION_CCITTFAX3, .rows_per_strip = 50},
        {.width = 1728, .height = 200, .compression = COMPRESSION_CCITTFAX4, .photometric = PHOTOMETRIC_MINISBLACK},
        {.width = 1728, .height = 200, .y_dpi = 98},
        {.width = 2592, .height = 200, .x_dpi = 300, .y_dpi = 300},
    };
    static const char *const modes[] = {"wl", "wb"};
    for (size_t m = 0; m < COUNT_OF(modes); m++) {
        if (files->input[0] != '\0')
            unlink(files->input);
        tiff_facts_make(files->input, pages, COUNT_OF(pages), modes[m]);
        assert_int_equal(tiff_facts_pages("--op verify", files->input, files->output), COUNT_OF(pages));
        for (int i = 0; i < (int)COUNT_OF(pages); i++) {
            assert_true(tiff_facts_same(files->input, i, files->output, i));
            assert_int_equal(tiff_facts_tag(files->output, i, TIFFTAG_COMPRESSION), COMPRESSION_CCITTFAX4);
            assert_int_equal(tiff_facts_tag(files->output, i, TIFFTAG_PAGENUMBER), (uint32_t)i << 16 | COUNT_OF(pages));
        }
        assert_int_equal(tiff_facts_tag(files->output, 4, TIFFTAG_YRESOLUTION), 98);
        assert_int_equal(tiff_facts_tag(files->output, 5, TIFFTAG_XRESOLUTION), 300);
    }
}

static void what_is_not_black_and_white_is_no_fax(void **state)
{
    struct files *files = *state;
    static const struct tiff_facts_page page = {.width = 100, .height = 10, .bits = 8, .compression = COMPRESSION_LZW};
    tiff_facts_make(files->input, &page, 1, "w");
    assert_string_equal(tiff_facts_message("--op verify", files->input, files->output),
                        "document_unsupported: page 1 is not black and white, so it is no fax page");
}

static void verify_takes_no_more_pages_than_told(void **state)
{
    struct files *files = *state;
    tiff_facts_make(files->input, three, 3, "w");
    assert_int_equal(tiff_facts_pages("--op verify --most-pages 2", files->input, files->output), 2);
    assert_int_equal(tiff_facts_tag(files->output, 1, TIFFTAG_PAGENUMBER), 1 << 16 | 2);
    assert_int_equal(tiff_facts_pages("--op verify --most-pages 9", files->input, files->output), 3);
    assert_string_equal(tiff_facts_message("--op verify --most-pages 0", files->input, files->output),
                        "conversion_failed: the file has no whole page");
}

static void a_file_cut_at_any_octet_keeps_its_whole_pages(void **state)
{
    struct files *files = *state;
    size_t size;
    int last = 0, seen[4] = {0};
    tiff_facts_make(files->input, three, 3, "w");
    uint8_t *data = tiff_facts_read(files->input, &size);
    for (size_t cut = 0; cut <= size; cut += cut % 8 == 0 && cut + 200 < size && cut > 200 ? 7 : 1) {
        uint8_t *out = NULL;
        size_t out_size = 0;
        int pages = verify(data, cut, -1, &out, &out_size);
        if (pages < 0) {
            assert_true(pages == ERR_INVALID || pages == ERR_UNSUPPORTED);
            pages = 0;
        }
        if (pages < last)
            fail_msg("%zu of %zu octets give %d pages, fewer gave %d", cut, size, pages, last);
        if (pages > last) { /* what is new has to be right */
            tiff_facts_store(files->output, out, out_size);
            for (int i = 0; i < pages; i++)
                assert_true(tiff_facts_same(files->input, i, files->output, i));
        }
        seen[pages]++;
        last = pages;
        free(out);
    }
    for (int i = 0; i < 4; i++)
        assert_true(seen[i] > 0);
    free(data);
}

/* What spandsp writes, killed between any two of its writes, and inside them: a page that has been reported as received
 * (its directory is in the file) is never lost again, not even while the totals are rewritten at the end of the call.
 */
static void a_receiver_killed_at_any_write_keeps_reported_pages(void **state)
{
    struct files *files = *state;
    int reported[5] = {0}; /* writes done when page n was reported */
    recording = calloc(1, sizeof *recording);
    tiff_facts_make(files->input, three, 3, "w");
    t4_rx_state_t *receiver = t4_rx_init(NULL, "recorded.tif", T4_COMPRESSION_ITU_T6);
    t4_rx_set_rx_encoding(receiver, T4_COMPRESSION_ITU_T6);
    t4_rx_set_x_resolution(receiver, T4_X_RESOLUTION_R8);
    t4_rx_set_y_resolution(receiver, T4_Y_RESOLUTION_FINE);
    t4_rx_set_image_width(receiver, 1728);
    for (int i = 0; i < 3; i++) {
        static uint8_t strip[65536];
        TIFF *tiff = TIFFOpen(files->input, "r");
        TIFFSetDirectory(tiff, (tdir_t)i);
        tmsize_t size = TIFFReadRawStrip(tiff, 0, strip, sizeof strip);
        assert_true(size > 0);
        for (tmsize_t k = 0; k < size; k++) /* T.4 data arrives low bit first */
            strip[k] = (uint8_t)((strip[k] * 0x0202020202ULL & 0x010884422010ULL) % 1023);
        TIFFClose(tiff);
        t4_rx_start_page(receiver);
        t4_rx_put_chunk(receiver, strip, (int)size);
        t4_rx_end_page(receiver);
        reported[i + 1] = recording->count;
    }
    t4_rx_free(receiver);
    assert_true(recording->count > reported[3]); /* the totals are written again */

    struct write_log *replay = calloc(1, sizeof *replay);
    for (int i = 0; i < recording->count; i++) {
        int want = 0;
        for (int page = 1; page <= 3; page++)
            want = i >= reported[page] ? page : want;
        for (size_t part = 0; part <= recording->writes[i].size; part += 1 + recording->writes[i].size / 5) {
            struct write_log copy = {0};
            apply(&copy, 0, replay->file != NULL ? replay->file : (uint8_t *)"", replay->size);
            apply(&copy, recording->writes[i].offset, recording->writes[i].data, part);
            int pages = verify(copy.file, copy.size, -1, NULL, NULL);
            if ((pages > 0 ? pages : 0) < want)
                fail_msg("killed in write %d of %d after %zu octets: %d pages, %d were reported", i, recording->count,
                         part, pages, want);
            free(copy.file);
        }
        apply(replay, recording->writes[i].offset, recording->writes[i].data, recording->writes[i].size);
    }
    uint8_t *out = NULL;
    size_t out_size = 0;
    assert_int_equal(verify(replay->file, replay->size, -1, &out, &out_size), 3);
    tiff_facts_store(files->output, out, out_size);
    for (int i = 0; i < 3; i++)
        assert_true(tiff_facts_same(files->input, i, files->output, i));
    free(out);
    log_clear(replay);
    log_clear(recording);
}

static void a_cut_fax_has_the_rest_of_the_pages(void **state)
{
    struct files *files = *state;
    tiff_facts_make(files->input, three, 3, "w");
    assert_int_equal(tiff_facts_pages("--op cut --first 2", files->input, files->output), 2);
    assert_true(tiff_facts_same(files->input, 1, files->output, 0));
    assert_true(tiff_facts_same(files->input, 2, files->output, 1));
    assert_int_equal(tiff_facts_tag(files->output, 0, TIFFTAG_PAGENUMBER), 2);
    assert_int_equal(tiff_facts_tag(files->output, 1, TIFFTAG_PAGENUMBER), 1 << 16 | 2);
    assert_string_equal(tiff_facts_message("--op cut --first 4", files->input, files->output),
                        "conversion_failed: the document has 3 pages, so nothing is left from page 4 on");
}

static void info_describes_without_reading_pictures(void **state)
{
    struct files *files = *state;
    tiff_facts_make(files->input, three, 3, "w");
    json_t *result = tiff_facts_convert(NULL, "--op info", files->input, "");
    assert_int_equal(json_integer_value(json_object_get(result, "pages")), 3);
    assert_int_equal(json_integer_value(json_array_get(json_object_get(result, "height"), 2)), 80);
    assert_string_equal(json_string_value(json_object_get(result, "resolution")), "fine");
    assert_true(json_is_true(json_object_get(result, "complete")));
    json_decref(result);
}

static int measure(struct summary *summary, const char *path)
{
    int input = open(path, O_RDONLY | O_CLOEXEC);
    *summary = (struct summary){0};
    int error = tidy_measure(summary, input);
    close(input);
    return error;
}

static void measure_tells_the_ink_and_the_octets_of_each_page(void **state)
{
    struct files *files = *state;
    static struct summary summary;
    static const struct tiff_facts_page pages[] = {{.width = 1728, .height = 1100},
                                                   {.width = 2432, .height = 50, .compression = COMPRESSION_NONE},
                                                   {.width = 1, .height = 1}};
    tiff_facts_make(files->input, pages, COUNT_OF(pages), "w");
    assert_int_equal(measure(&summary, files->input), 0);
    assert_int_equal(summary.pages, COUNT_OF(pages));
    for (int i = 0; i < 3; i++)
        assert_int_equal(summary.ink[i], tiff_facts_blackness(files->input, i));
    TIFF *tiff = TIFFOpen(files->input, "r"); /* T.6 has one form of each page, but for its end */
    assert_in_range(summary.coded[0], TIFFRawStripSize(tiff, 0) - 4, TIFFRawStripSize(tiff, 0) + 4);
    TIFFClose(tiff);
    assert_true(summary.coded[1] > 10 && summary.coded[1] < summary.coded[0]);
}

static void measure_wants_whole_fax_pages(void **state)
{
    struct files *files = *state;
    static struct summary summary;
    static const struct tiff_facts_page grey = {.width = 100, .height = 10, .bits = 8, .compression = COMPRESSION_LZW};
    size_t size;
    tiff_facts_make(files->input, three, 3, "w");
    uint8_t *data = tiff_facts_read(files->input, &size);
    tiff_facts_store(files->input, data, size - 60);
    assert_int_equal(measure(&summary, files->input), ERR_INVALID);
    free(data);
    unlink(files->input);
    tiff_facts_make(files->input, &grey, 1, "w");
    assert_int_equal(measure(&summary, files->input), ERR_UNSUPPORTED);
}

int main(void)
{
    TIFFSetWarningHandler(NULL);
    TIFFSetErrorHandler(NULL);
    static const struct CMUnitTest facts[] = {
        cmocka_unit_test_setup_teardown(a_file_of_another_writer_is_made_clean, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_not_black_and_white_is_no_fax, setup, teardown),
        cmocka_unit_test_setup_teardown(verify_takes_no_more_pages_than_told, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_cut_at_any_octet_keeps_its_whole_pages, setup, teardown),
        cmocka_unit_test_setup_teardown(a_receiver_killed_at_any_write_keeps_reported_pages, setup, teardown),
        cmocka_unit_test_setup_teardown(a_cut_fax_has_the_rest_of_the_pages, setup, teardown),
        cmocka_unit_test_setup_teardown(info_describes_without_reading_pictures, setup, teardown),
        cmocka_unit_test_setup_teardown(measure_tells_the_ink_and_the_octets_of_each_page, setup, teardown),
        cmocka_unit_test_setup_teardown(measure_wants_whole_fax_pages, setup, teardown),
    };
    return cmocka_run_group_tests(facts, NULL, NULL);
}
