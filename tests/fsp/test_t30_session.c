/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two T.30 sessions in one process: what is on disk at every moment of a call, and pages that are refused.
 *
 * This program defines write and pwrite, so that it sees each change of the received file and of the journal before it
 * happens, half done, and done. What the file holds then is what kill -9 in that moment would leave. */
#include "config.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cmocka.h>
#include <tiffio.h>

#include "plugins/t30/session.h"
#include "server/base/journal.h"

#define CHUNK       160
#define CALL_MS_MAX 600000
#define ROWS_MAX    2400
#define WIDTH       1728
#define ROW_OCTETS  (WIDTH / 8)

static struct {
    char work[64], document[96], received[96], sender_journal[96], receiver_journal[96];
    int rows, pages;
    int received_fd, journal_fd; /* watched; -1 = none */
    bool looking;
    bool spoilt; /* pages may differ from what was sent */
    int looks, most_pages;
} test;

/* A page that no other page resembles. */
static void draw_row(uint8_t octets[ROW_OCTETS], int page, int row)
{
    int i;

    memset(octets, 0, ROW_OCTETS);
    for (i = 10 + page; i < ROW_OCTETS - 10; i += 7 + page)
        octets[i + (row / (8 + page)) % 5] = (uint8_t)(0xF0 >> (row % 4));
}

static void make_document(void)
{
    uint8_t octets[ROW_OCTETS];
    int fd = open(test.document, O_RDWR | O_CREAT | O_TRUNC, 0600);
    TIFF *tiff = TIFFFdOpen(fd, test.document, "w");
    int page, row;

    assert_non_null(tiff);
    for (page = 0; page < test.pages; page++) {
        TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, WIDTH);
        TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, test.rows);
        TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 1);
        TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
        TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISWHITE);
        TIFFSetField(tiff, TIFFTAG_COMPRESSION, COMPRESSION_CCITTFAX4);
        TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, test.rows);
        TIFFSetField(tiff, TIFFTAG_XRESOLUTION, 204.0);
        TIFFSetField(tiff, TIFFTAG_YRESOLUTION, 196.0);
        TIFFSetField(tiff, TIFFTAG_RESOLUTIONUNIT, RESUNIT_INCH);
        for (row = 0; row < test.rows; row++) {
            draw_row(octets, page, row);
            assert_true(TIFFWriteScanline(tiff, octets, (uint32_t)row, 0) > 0);
        }
        assert_true(TIFFWriteDirectory(tiff));
    }
    TIFFClose(tiff);
}

static bool page_is_right(TIFF *tiff, int page)
{
    uint8_t want[ROW_OCTETS], got[ROW_OCTETS];
    uint32_t width = 0, length = 0;
    int row;

    TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
    TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &length);
    if (width != WIDTH || length != (uint32_t)test.rows)
        return false;
    for (row = 0; row < test.rows; row++) {
        draw_row(want, page, row);
        if (TIFFReadScanline(tiff, got, (uint32_t)row, 0) <= 0 || memcmp(want, got, ROW_OCTETS) != 0)
            return false;
    }
    return true;
}

/* How many right pages the file has before its end; `*whole` is false when that end is not one: a directory that cannot
 * be read, or a page that is not as it was sent. */
static int count_right_pages(bool *whole)
{
    int fd = open(test.received, O_RDONLY);
    TIFF *tiff = TIFFFdOpen(fd, test.received, "r");
    int pages = 0;

    *whole = true;
    if (!tiff) { /* a file of no pages */
        close(fd);
        return 0;
    }
    while (*whole) {
        if (!page_is_right(tiff, pages)) {
            *whole = false;
            break;
        }
        pages++;
        if (TIFFLastDirectory(tiff))
            break;
        *whole = TIFFReadDirectory(tiff);
    }
    TIFFClose(tiff);
    return pages;
}

/* What a kill now would leave: every page that the journal promises is there, and, but for the middle of a write,
 * nothing after it that looks like a page and is none. */
static void look(bool in_mid_write)
{
    struct journal_state journal;
    bool whole;
    int pages;

    test.looking = true;
    assert_int_equal(journal_read(&journal, test.receiver_journal), 0);
    pages = count_right_pages(&whole);
    if (pages < journal.pages_received || (!whole && !in_mid_write))
        fail_msg("look %d: the journal has %d pages, the file %d and %s end", test.looks, journal.pages_received, pages,
                 whole ? "an" : "no");
    assert_in_range(pages, journal.pages_received, journal.pages_received + 1);
    assert_true(!journal.receive_complete || journal.pages_received == test.pages);
    if (pages > test.most_pages)
        test.most_pages = pages;
    test.looks++;
    test.looking = false;
}

static bool is_watched(int fd)
{
    return !test.looking && !test.spoilt && fd >= 0 && (fd == test.received_fd || fd == test.journal_fd);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    size_t half = is_watched(fd) ? size / 2 : 0;

    if (is_watched(fd))
        look(false);
    if (half > 0) {
        if (syscall(SYS_pwrite64, fd, data, half, offset) != (ssize_t)half)
            return -1;
        look(true);
    }
    if (syscall(SYS_pwrite64, fd, (const char *)data + half, size - half, offset + (off_t)half) !=
        (ssize_t)(size - half))
        return -1;
    if (is_watched(fd))
        look(false);
    return (ssize_t)size;
}

ssize_t write(int fd, const void *data, size_t size)
{
    size_t half = is_watched(fd) ? size / 2 : 0;

    if (is_watched(fd))
        look(false);
    if (half > 0) {
        if (syscall(SYS_write, fd, data, half) != (ssize_t)half)
            return -1;
        look(true);
    }
    return syscall(SYS_write, fd, (const char *)data + half, size - half) < 0 ? -1 : (ssize_t)size;
}

enum weather { CLEAR, NOISE, SILENCE };

struct call {
    struct session *sender, *receiver;
    json_t *sent, *got; /* the records */
    struct journal_state sender_journal, receiver_journal;
    enum weather (*spoil)(struct call *); /* what the receiver hears now; NULL = the sender */
    int page;                             /* that the sender is at, from 0; -1 before the first */
    int64_t page_at_ms;
    int crackle_ms; /* of each 200 */
    int bursts;     /* 1 when the noise is over */
};

static void on_page(void *context, int number)
{
    struct call *call = context;

    call->page = number;
    call->page_at_ms = session_line_ms(call->sender);
}

static void on_phase(void *context, const char *phase, const char *station_id, int rate_bps)
{
    struct call *call = context;

    (void)station_id;
    (void)rate_bps;
    if (strcmp(phase, "sending") == 0 && call->page < 0)
        on_page(call, 0);
}

static void start(struct call *call, const char *extra)
{
    static const struct session_hooks sender_hooks = {.phase = on_phase, .page = on_page}, no_hooks;
    struct options options;
    char job[512];
    int document = open(test.document, O_RDONLY);

    snprintf(job, sizeof job,
             "{\"role\":\"caller\",\"direction\":\"send\",\"carrier\":\"audio\",\"media\":\"stream\","
             "\"files\":[{\"resolution\":\"fine\",\"width\":1728}]%s}",
             extra);
    assert_int_equal(options_parse(&options, job), 0);
    call->sender =
        session_new(&options, NULL, &document, open(test.sender_journal, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600),
                    &sender_hooks, call);
    snprintf(job, sizeof job,
             "{\"role\":\"answerer\",\"direction\":\"receive\",\"carrier\":\"audio\",\"media\":\"stream\"%s}", extra);
    assert_int_equal(options_parse(&options, job), 0);
    test.journal_fd = open(test.receiver_journal, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
    test.received_fd = open(test.received, O_RDWR | O_CREAT | O_TRUNC, 0600);
    call->receiver = session_new(&options, NULL, &test.received_fd, test.journal_fd, &no_hooks, call);
}

static void exchange(struct call *call)
{
    int16_t up[CHUNK], down[CHUNK];
    enum weather weather = call->spoil ? call->spoil(call) : CLEAR;
    int i;

    session_transmit(call->sender, up, CHUNK);
    session_transmit(call->receiver, down, CHUNK);
    for (i = 0; weather != CLEAR && i < CHUNK; i++)
        up[i] = (int16_t)(weather == NOISE ? rand() % 8000 - 4000 : 0);
    session_receive(call->receiver, up, CHUNK);
    session_receive(call->sender, down, CHUNK);
}

static void run(struct call *call, const char *extra)
{
    test.looks = test.most_pages = 0;
    start(call, extra);
    while (!session_is_over(call->sender) || !session_is_over(call->receiver)) {
        exchange(call);
        if (session_line_ms(call->receiver) > CALL_MS_MAX) {
            session_end(call->sender, OUTCOME_END_LIMIT, NULL);
            session_end(call->receiver, OUTCOME_END_LIMIT, NULL);
        }
    }
    call->sent = session_record(call->sender);
    call->got = session_record(call->receiver);
    session_free(call->sender);
    session_free(call->receiver);
    if (!test.spoilt)
        look(false);
    assert_int_equal(journal_read(&call->sender_journal, test.sender_journal), 0);
    assert_int_equal(journal_read(&call->receiver_journal, test.receiver_journal), 0);
}

static void end(struct call *call)
{
    json_decref(call->sent);
    json_decref(call->got);
    close(test.received_fd);
    close(test.journal_fd);
    test.received_fd = test.journal_fd = -1;
}

static const char *text(const json_t *record, const char *key)
{
    const char *found = json_string_value(json_object_get(record, key));

    return found ? found : "";
}

static void a_kill_at_any_moment_leaves_whole_pages(void **state)
{
    static const char *const modes[] = {"", ",\"ecm\":false", ",\"ecm\":false,\"compressions\":[\"mh\"]"};
    size_t i;

    (void)state;
    test.rows = 60;
    test.pages = 3;
    make_document();
    for (i = 0; i < sizeof modes / sizeof *modes; i++) {
        struct call call = {.page = -1};

        run(&call, modes[i]);
        assert_string_equal(text(call.sent, "outcome"), "success");
        assert_string_equal(text(call.got, "outcome"), "success");
        assert_true(call.receiver_journal.receive_complete);
        assert_int_equal(test.most_pages, 3);
        assert_true(test.looks > 60);
        end(&call);
    }
}

/* Crackling through most of the page `page` (from 0), the first time that it is sent: more than 15 % of its rows are
 * bad. (One long burst does not do: spandsp never sees the rows that are lost in it.) */
static enum weather spoil_page(struct call *call, int page)
{
    int64_t since_ms = session_line_ms(call->sender) - call->page_at_ms;
    bool now = call->page == page && call->bursts == 0 && since_ms > 2000;

    if (now && since_ms > 50000)
        call->bursts = 1;
    return now && since_ms % 200 < call->crackle_ms ? NOISE : CLEAR;
}

static enum weather spoil_first(struct call *call)
{
    return spoil_page(call, 0);
}

static enum weather spoil_last(struct call *call)
{
    return spoil_page(call, 1);
}

static void check_sent_again(enum weather (*spoil)(struct call *))
{
    struct call call = {.spoil = spoil, .page = -1, .crackle_ms = 60};
    bool whole;

    test.rows = ROWS_MAX;
    test.pages = 2;
    make_document();
    run(&call, ",\"ecm\":false,\"compressions\":[\"mh\"]");
    assert_int_equal(call.bursts, 1);
    assert_string_equal(text(call.sent, "outcome"), "success");
    assert_string_equal(text(call.got, "outcome"), "success");
    assert_true(json_integer_value(json_object_get(call.sent, "rate_bps")) < 14400); /* RTN steps the rate down */
    assert_true(call.sender_journal.final_confirmed);
    assert_int_equal(call.receiver_journal.pages_received, 2);
    assert_int_equal(count_right_pages(&whole), 2);
    assert_true(whole);
    end(&call);
}

static void a_spoilt_page_is_refused_and_sent_again(void **state)
{
    (void)state;
    check_sent_again(spoil_first);
}

static void a_spoilt_last_page_too(void **state)
{
    (void)state;
    check_sent_again(spoil_last);
}

/* Some 10 % of bad rows: RTP, which confirms the page and asks for training. */
static void a_poor_page_is_confirmed_and_its_bad_rows_counted(void **state)
{
    struct call call = {.spoil = spoil_first, .page = -1, .crackle_ms = 40};

    (void)state;
    test.rows = ROWS_MAX;
    test.pages = 2;
    test.spoilt = true;
    make_document();
    run(&call, ",\"ecm\":false,\"compressions\":[\"mh\"]");
    test.spoilt = false;
    assert_string_equal(text(call.sent, "outcome"), "success");
    assert_string_equal(text(call.got, "outcome"), "success");
    assert_int_equal(call.sender_journal.pages_confirmed, 2);
    assert_int_equal(call.receiver_journal.pages_received, 2);
    assert_true(json_integer_value(json_object_get(call.got, "bad_rows")) > 100);
    assert_true(json_integer_value(json_object_get(call.got, "longest_bad_run")) > 0);
    assert_true(json_integer_value(json_object_get(call.sent, "rate_bps")) < 14400);
    end(&call);
}

static enum weather lose_dcn(struct call *call)
{
    return call->page == 1 ? SILENCE : CLEAR;
}

static void a_lost_dcn_is_not_waited_for_for_ever(void **state)
{
    static const char *const modes[] = {"", ",\"ecm\":false"};
    size_t i;

    (void)state;
    test.rows = 60;
    test.pages = 1;
    make_document();
    for (i = 0; i < 2; i++) {
        struct call call = {.spoil = lose_dcn, .page = -1};

        run(&call, modes[i]);
        assert_string_equal(text(call.sent, "outcome"), "success");
        assert_string_equal(text(call.got, "outcome"), "success");
        assert_in_range(json_integer_value(json_object_get(call.got, "line_ms")), 1, 90000);
        end(&call);
    }
}

static int set_up(void **state)
{
    (void)state;
    test.received_fd = test.journal_fd = -1;
    snprintf(test.work, sizeof test.work, "/tmp/faxd-test-session-XXXXXX");
    if (!mkdtemp(test.work))
        return -1;
    snprintf(test.document, sizeof test.document, "%s/document.tif", test.work);
    snprintf(test.received, sizeof test.received, "%s/received.tif", test.work);
    snprintf(test.sender_journal, sizeof test.sender_journal, "%s/sender.journal", test.work);
    snprintf(test.receiver_journal, sizeof test.receiver_journal, "%s/receiver.journal", test.work);
    session_setup();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(test.document);
    unlink(test.received);
    unlink(test.sender_journal);
    unlink(test.receiver_journal);
    return rmdir(test.work);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kill_at_any_moment_leaves_whole_pages),
        cmocka_unit_test(a_spoilt_page_is_refused_and_sent_again),
        cmocka_unit_test(a_spoilt_last_page_too),
        cmocka_unit_test(a_lost_dcn_is_not_waited_for_for_ever),
        cmocka_unit_test(a_poor_page_is_confirmed_and_its_bad_rows_counted),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
