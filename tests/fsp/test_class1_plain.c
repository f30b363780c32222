/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Class 1 modems without error correction: the engine at one of them and efax, a Class 1 program that is not ours, at
 * the other; and lines on which rows get lost, which have to be counted. In real time. */
#include "config.h"

#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <tiffio.h>
#include <unistd.h>
#include <cmocka.h>

#include "server/base/err.h"
#include "tests/fsp/modem_pair.h"

#define EFAX_DELAY_MS 60 /* of the line; its receiver wants 40 at least */
#define EFAX_ROWS     200
#define EFAX_HEADER   20 /* rows with its header that efax puts before a page */
#define EFAX_OVER     10 /* rows of the page that its header may run into */
#define EFAX_S        240
#define PAGES_MAX     3
#define ROW_OCTETS    216
#define NOISE         -50.0
#define LOUD          "noise -21" /* V.27ter at 4800 bit/s loses rows of it */
#define BURSTS        6
#define SPOILT_ROWS   700

static char work[64];
static struct engine *engine;
static struct modem_bench *benches[2]; /* of efax, and of bad lines */

/* ---- pages ---- */

/* A page as rows, black is 1. */
struct rows {
    int count;
    uint8_t (*octets)[ROW_OCTETS];
};

static void read_rows(struct rows *rows, const char *path, int page)
{
    TIFF *tiff = TIFFOpen(path, "r");
    uint16_t photometric = PHOTOMETRIC_MINISWHITE;
    uint32_t width = 0, height = 0;

    if (!tiff || !TIFFSetDirectory(tiff, (uint16_t)page))
        fail_msg("%s has no page %d", path, page);
    TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
    TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &height);
    TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &photometric);
    assert_int_equal(width, 8 * ROW_OCTETS);
    rows->count = (int)height;
    rows->octets = malloc((size_t)height * ROW_OCTETS + 1);
    assert_non_null(rows->octets);
    for (uint32_t y = 0; y < height; y++) {
        assert_true(TIFFReadScanline(tiff, rows->octets[y], y, 0) > 0);
        for (int i = 0; photometric == PHOTOMETRIC_MINISBLACK && i < ROW_OCTETS; i++)
            rows->octets[y][i] = (uint8_t)~rows->octets[y][i];
    }
    TIFFClose(tiff);
}

static void same_rows(const struct rows *got, int got_from, const struct rows *want, int want_from)
{
    assert_true(got->count >= got_from + want->count);
    for (int y = want_from; y < want->count; y++)
        if (memcmp(got->octets[got_from + y], want->octets[y], ROW_OCTETS) != 0)
            fail_msg("row %d differs", y);
}

/* ---- efax ---- */

struct efax_call {
    struct modem_pair modems;
    int pages;
    bool efax_sends;
    char folder[96];
    int status;
    pthread_t thread;
};

static void write_pbm(const char *path, const char *document, int page)
{
    struct rows rows;
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    read_rows(&rows, document, page);
    fprintf(file, "P4\n%d %d\n", 8 * ROW_OCTETS, rows.count);
    assert_int_equal(fwrite(rows.octets, ROW_OCTETS, (size_t)rows.count, file), rows.count);
    assert_int_equal(fclose(file), 0);
    free(rows.octets);
}

static pid_t start_efax(const struct efax_call *call, enum pair_side side)
{
    const char *link = call->modems.links[side];
    char target[32];
    pid_t pid;

    snprintf(target, sizeof target, "T%s", call->modems.numbers[PAIR_RECEIVER]);
    pid = fork();
    assert(pid >= 0);
    if (pid > 0)
        return pid;
    /* It goes with us, if a test fails in between. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || chdir(call->folder) != 0 || !freopen("efax.log", "w", stderr) ||
        dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
        _exit(126);
    if (side == PAIR_RECEIVER)
        execlp("efax", "efax", "-d", link, "-x", "lock", "-v", "chewmainrxtf", "-l", "1", "-i", "Z", "-i", "E0", "-w",
               "-iS0=1", "-r", "page", (char *)NULL);
    else
        execlp("efax", "efax", "-d", link, "-x", "lock", "-v", "chewmainrxtf", "-l", "1", "-i", "Z", "-i", "E0", "-t",
               target, "sent0", call->pages > 1 ? "sent1" : NULL, "sent2", (char *)NULL);
    _exit(127);
}

static void name_file(char path[160], const struct efax_call *call, const char *format, int number)
{
    char name[32];

    snprintf(name, sizeof name, format, number);
    snprintf(path, 160, "%s/%s", call->folder, name);
}

/* It has set its modem up: a call that comes before finds it busy with that. */
static void await_efax(const struct efax_call *call)
{
    char path[160], line[512];
    bool ready = false;

    name_file(path, call, "efax.log", 0);
    for (int i = 0; i < EFAX_S * 10 && !ready; i++) {
        FILE *file = fopen(path, "r");

        while (file && !ready && fgets(line, sizeof line, file))
            ready = strstr(line, "waiting for activity") != NULL;
        if (file)
            fclose(file);
        poll(NULL, 0, 100);
    }
    assert(ready);
}

/* Its exit status; -1 when it had to be ended. */
static int efax_ends(pid_t pid)
{
    int status;

    for (int i = 0; i < EFAX_S * 10; i++) {
        if (waitpid(pid, &status, WNOHANG) == pid)
            return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        poll(NULL, 0, 100);
    }
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    return -1;
}

static void *run_efax_call(void *context)
{
    struct efax_call *call = context;
    enum pair_side ours = call->efax_sends ? PAIR_RECEIVER : PAIR_SENDER;
    int fd = modem_pair_open(call->modems.links[ours]);
    pid_t efax = start_efax(call, call->efax_sends ? PAIR_SENDER : PAIR_RECEIVER);
    char text[32];

    modem_pair_use(&call->modems, ours, fd);
    snprintf(text, sizeof text, "ATDT%s\r", call->modems.numbers[PAIR_RECEIVER]);
    if (call->efax_sends)
        modem_pair_await(fd, "RING");
    else
        await_efax(call);
    modem_pair_say(fd, call->efax_sends ? "ATA\r" : text);
    modem_pair_await(fd, "CONNECT");
    modem_pair_start(&call->modems, ours);
    modem_pair_follow(&call->modems, ours);
    call->status = efax_ends(efax);
    return NULL;
}

static void add_modem(struct modem_pair *modems, enum pair_side side, int number)
{
    snprintf(modems->numbers[side], sizeof modems->numbers[side], "%d", number);
    snprintf(modems->links[side], sizeof modems->links[side], "%s/%d", work, number);
    assert_int_equal(modem_bench_add_modem(modems->bench, modems->numbers[side], modems->links[side]), 0);
}

static void open_efax_call(struct efax_call *call, int number)
{
    char document[160], path[160];

    snprintf(call->folder, sizeof call->folder, "%s/efax%d", work, number);
    assert_int_equal(mkdir(call->folder, 0700), 0);
    name_file(document, call, "document.tif", 0);
    pair_make_short_document(document, call->pages, EFAX_ROWS);
    call->modems.bench = benches[0];
    call->modems.engine = engine;
    pair_init(&call->modems.pair, call->folder, document);
    for (int i = 0; i < 2; i++) {
        add_modem(&call->modems, (enum pair_side)i, 1000 * (i + 1) + number);
        json_object_set_new(call->modems.pair.ends[i].job, "ecm", json_false());
        json_object_set_new(call->modems.pair.ends[i].job, "compressions", json_pack("[s]", "mh"));
    }
    for (int page = 0; page < call->pages; page++) {
        name_file(path, call, "sent%d", page);
        write_pbm(path, document, page);
    }
    assert_int_equal(pthread_create(&call->thread, NULL, run_efax_call, call), 0);
}

static void show_log(const struct efax_call *call)
{
    char path[160], line[512];
    FILE *file;

    name_file(path, call, "efax.log", 0);
    file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        fputs(line, stderr);
    if (file)
        fclose(file);
}

static void check_efax_call(struct efax_call *call)
{
    const struct pair *pair = &call->modems.pair;
    const struct pair_end *end = &pair->ends[call->efax_sends ? PAIR_RECEIVER : PAIR_SENDER];
    char path[160];

    print_message("efax %s %d pages: %d, %s (%s), %lld bps, %lld bad rows\n", call->efax_sends ? "sends" : "receives",
                  call->pages, call->status, pair_text(end, "outcome"), pair_text(end, "message"),
                  pair_number(end, "rate_bps"), pair_number(end, "bad_rows"));
    if (call->status != 0 || strcmp(pair_text(end, "outcome"), "success") != 0) {
        show_log(call);
        json_dumpf(end->record, stderr, JSON_COMPACT);
    }
    assert_int_equal(call->status, 0);
    assert_string_equal(pair_text(end, "outcome"), "success");
    assert_int_equal(pair_number(end, call->efax_sends ? "pages_received" : "pages_confirmed"), call->pages);
    for (int page = 0; page < call->pages; page++) {
        struct rows sent, received;

        name_file(path, call, "page.%03d", page + 1);
        read_rows(&sent, pair->document, page);
        if (call->efax_sends) {
            read_rows(&received, pair->received, page);
            same_rows(&received, EFAX_HEADER, &sent, EFAX_OVER);
        } else {
            read_rows(&received, path, 0);
            assert_int_equal(received.count, sent.count);
            same_rows(&received, 0, &sent, 0);
        }
        free(sent.octets);
        free(received.octets);
    }
}

static void close_efax_call(struct efax_call *call)
{
    char path[160];

    for (int page = 0; page < call->pages; page++) {
        name_file(path, call, "sent%d", page);
        unlink(path);
        name_file(path, call, "page.%03d", page + 1);
        unlink(path);
    }
    name_file(path, call, "efax.log", 0);
    unlink(path);
    unlink(call->modems.pair.document);
    pair_clear(&call->modems.pair);
    assert_int_equal(rmdir(call->folder), 0);
}

static void pages_go_to_efax_and_come_from_it(void **state)
{
    static struct efax_call calls[] = {
        {.pages = 1}, {.pages = 3}, {.pages = 1, .efax_sends = true}, {.pages = 3, .efax_sends = true}};
    int count = (int)(sizeof calls / sizeof *calls);

    (void)state;
    for (int i = 0; i < count; i++)
        open_efax_call(&calls[i], i + 1);
    for (int i = 0; i < count; i++)
        assert_int_equal(pthread_join(calls[i].thread, NULL), 0);
    for (int i = 0; i < count; i++) {
        check_efax_call(&calls[i]);
        close_efax_call(&calls[i]);
    }
}

/* ---- bad rows ---- */

/* No two neighbours are the same, so that a row that stands for a lost one is seen. */
static void make_document_of_many_rows(const char *path)
{
    uint8_t row[ROW_OCTETS];
    TIFF *tiff = TIFFOpen(path, "w");

    assert_non_null(tiff);
    TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, 8 * ROW_OCTETS);
    TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, SPOILT_ROWS);
    TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 1);
    TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
    TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISWHITE);
    TIFFSetField(tiff, TIFFTAG_COMPRESSION, COMPRESSION_CCITTFAX4);
    TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, SPOILT_ROWS);
    TIFFSetField(tiff, TIFFTAG_XRESOLUTION, 204.0);
    TIFFSetField(tiff, TIFFTAG_YRESOLUTION, 196.0);
    TIFFSetField(tiff, TIFFTAG_RESOLUTIONUNIT, RESUNIT_INCH);
    for (int y = 0; y < SPOILT_ROWS; y++) {
        memset(row, 0, sizeof row);
        row[4 + y % 200] = 0x3C; /* with y / 200 this is y */
        row[206 + y / 200] = 0x18;
        for (int i = 10; i < 200; i += 23)
            row[i + y % 7] ^= (uint8_t)(0xF0 >> y % 4);
        assert_true(TIFFWriteScanline(tiff, row, (uint32_t)y, 0) > 0);
    }
    assert_true(TIFFWriteDirectory(tiff));
    TIFFClose(tiff);
}

static void command(const char *line)
{
    assert(modem_bench_command(benches[1], line) == 0);
}

/* Bursts of noise while the page goes over the line. */
static void make_noise(void *context)
{
    (void)context;
    poll(NULL, 0, 12000);
    for (int i = 0; i < BURSTS; i++) {
        command(LOUD);
        poll(NULL, 0, 60);
        command("noise -50");
        poll(NULL, 0, 1500);
    }
}

/* What the page shows of rows that were lost. */
struct spoilt {
    int repeated; /* the same as the row before, as no row of the document is */
    int foreign;  /* no row of the document, or one out of order */
    int missing;  /* rows of the document that are not there */
};

static void look_for_spoilt_rows(struct spoilt *spoilt, const struct rows *got, const struct rows *sent)
{
    int next = 0, found = 0;

    *spoilt = (struct spoilt){0};
    for (int y = 0; y < got->count; y++) {
        int at = next;

        if (y > 0 && memcmp(got->octets[y], got->octets[y - 1], ROW_OCTETS) == 0) {
            spoilt->repeated++;
            continue;
        }
        while (at < sent->count && memcmp(got->octets[y], sent->octets[at], ROW_OCTETS) != 0)
            at++;
        if (at == sent->count) {
            spoilt->foreign++;
        } else {
            next = at + 1;
            found++;
        }
    }
    spoilt->missing = sent->count - found;
}

static void the_bad_rows_reported_are_those_of_the_page(void **state)
{
    struct modem_pair modems = {.bench = benches[1], .engine = engine};
    char document[160];
    struct rows sent, got;
    struct spoilt spoilt;
    const struct pair_end *receiver = &modems.pair.ends[PAIR_RECEIVER];

    (void)state;
    snprintf(document, sizeof document, "%s/document.tif", work);
    make_document_of_many_rows(document);
    pair_init(&modems.pair, work, document);
    for (int i = 0; i < 2; i++) {
        add_modem(&modems, (enum pair_side)i, 3001 + i);
        json_object_set_new(modems.pair.ends[i].job, "ecm", json_false());
        json_object_set_new(modems.pair.ends[i].job, "compressions", json_pack("[s]", "mh"));
        json_object_set_new(modems.pair.ends[i].job, "modems", json_pack("[s]", "v27ter"));
    }
    modem_pair_run(&modems, make_noise, NULL);
    read_rows(&sent, document, 0);
    read_rows(&got, modems.pair.received, 0);
    look_for_spoilt_rows(&spoilt, &got, &sent);
    print_message("%s / %s: %lld bad rows reported, longest run %lld; of %d rows %d repeated, %d foreign, %d missing\n",
                  pair_text(&modems.pair.ends[PAIR_SENDER], "outcome"), pair_text(receiver, "outcome"),
                  pair_number(receiver, "bad_rows"), pair_number(receiver, "longest_bad_run"), got.count,
                  spoilt.repeated, spoilt.foreign, spoilt.missing);
    assert_string_equal(pair_text(receiver, "outcome"), "success");
    assert_true(pair_number(receiver, "bad_rows") > 0);
    assert_int_equal(pair_number(receiver, "bad_rows"), spoilt.repeated);
    free(sent.octets);
    free(got.octets);
    unlink(document);
    pair_clear(&modems.pair);
}

/* ---- all of them ---- */

static int open_all(void **state)
{
    static const int delays[2] = {EFAX_DELAY_MS, 0};
    char program[512];

    (void)state;
    snprintf(work, sizeof work, "/tmp/faxd-class1-XXXXXX");
    snprintf(program, sizeof program, "%s/faxd-t30", getenv("FAXD_BUILD"));
    if (!mkdtemp(work) || engine_open(&engine, program, 1) != 0)
        return -1;
    for (int i = 0; i < 2; i++) {
        const struct modem_bench_options options = {.delay_ms = delays[i], .noise_dbm0 = NOISE, .seed = 1};

        if (modem_bench_open(&benches[i], &options) != 0)
            return -1;
    }
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++)
        modem_bench_close(benches[i]);
    engine_close(engine);
    return rmdir(work);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_go_to_efax_and_come_from_it),
        cmocka_unit_test(the_bad_rows_reported_are_those_of_the_page),
    };

    return cmocka_run_group_tests(tests, open_all, close_all);
}
