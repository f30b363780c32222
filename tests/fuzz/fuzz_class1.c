/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A Class 1 modem that says anything at any time, to a whole T.30 session. The first octet is what the session does
 * (bit 0 calls, bit 1 sends, bit 2 ECM, bit 3 only V.27ter, bit 4 the device takes few octets at a time), then come
 * pieces: one octet of time, one of length, the octets. Afterwards the modem is dead. Whatever it said, the session has
 * to end, in bounded time and with a record that claims nothing that cannot be.
 *
 * FUZZ_SHOW in the environment shows what came of each input.
 *
 * The input is also shielded and taken again: it has to be what it was. */
#include "config.h"

#include "plugins/t30/dialogue.h"
#include "plugins/t30/dle.h"
#include "plugins/t30/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <tiffio.h>
#include <unistd.h>

#include "server/base/log.h"

#define PAGES           2
#define ROWS            40
#define ROW_OCTETS      216
#define RATES           "[24,48,72,96,73,74,97,98,121,122,145,146]"
#define SHORT_TIMES     200                      /* of the octet of time: 5 ms each; from there on 250 ms each */
#define SILENCE_MAX     (SESSION_RATE * 60 * 60) /* a modem that is dead for an hour was given up long before */
#define TURNS_MAX       (1 << 20)                /* of time: more is a loop that goes nowhere */
#define FEW             7
#define OUTPUT_MAX      (8 << 20) /* that waits for the modem; the pages here are small */
#define FILE_OCTETS_MAX (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int document = -1;

static void make_document(void)
{
    uint8_t row[ROW_OCTETS];
    TIFF *tiff;

    document = memfd_create("document", MFD_CLOEXEC);
    tiff = TIFFFdOpen(dup(document), "document", "w");
    if (!tiff)
        abort();
    for (int page = 0; page < PAGES; page++) {
        TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, ROW_OCTETS * 8);
        TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, ROWS);
        TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 1);
        TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
        TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISWHITE);
        TIFFSetField(tiff, TIFFTAG_COMPRESSION, COMPRESSION_CCITTFAX4);
        TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, ROWS);
        TIFFSetField(tiff, TIFFTAG_XRESOLUTION, 204.0);
        TIFFSetField(tiff, TIFFTAG_YRESOLUTION, 196.0);
        TIFFSetField(tiff, TIFFTAG_RESOLUTIONUNIT, RESUNIT_INCH);
        for (int y = 0; y < ROWS; y++) {
            memset(row, 0, sizeof row);
            row[20 + y] = (uint8_t)(0xF0 >> page);
            if (TIFFWriteScanline(tiff, row, (uint32_t)y, 0) <= 0)
                abort();
        }
        if (!TIFFWriteDirectory(tiff))
            abort();
    }
    TIFFClose(tiff);
}

static void set_up(void)
{
    if (document >= 0)
        return;
    log_open("fuzz_class1", LOG_LEVEL_ERROR);
    session_setup();
    make_document();
}

/* ---- the session ---- */

static void read_job(struct options *options, uint8_t kind)
{
    char job[512];

    snprintf(job, sizeof job,
             "{\"role\":\"%s\",\"direction\":\"%s\",\"carrier\":\"modem\",\"media\":\"serial\",\"journal\":false,"
             "\"station_id\":\"+15550001\",\"ecm\":%s,\"modems\":[%s],\"files\":[{\"resolution\":\"fine\"}],"
             "\"modem\":{\"transmit\":" RATES ",\"receive\":" RATES "},\"limits\":{\"file_bytes\":%d}}",
             kind & 1 ? "caller" : "answerer", kind & 2 ? "send" : "receive", kind & 4 ? "true" : "false",
             kind & 8 ? "\"v27ter\"" : "", FILE_OCTETS_MAX);
    if (options_parse(options, job) != 0)
        abort();
}

/* The modem takes what there is, or a little of it. */
static void take_output(struct session *session, bool few)
{
    size_t waiting;
    const uint8_t *octets = session_output(session, &waiting);
    volatile uint8_t seen = 0;

    if (waiting > OUTPUT_MAX)
        abort();
    for (size_t i = 0; i < waiting; i++)
        seen = (uint8_t)(seen ^ octets[i]);
    if (waiting > 0)
        session_written(session, few && waiting > FEW ? FEW : waiting);
}

/* Line time goes by as the engine lets it: from one time due to the next. */
static void pass(struct session *session, int samples, bool few)
{
    for (int turns = 0; samples > 0 && !session_is_over(session); turns++) {
        int due = session_due(session);
        int step = due < samples ? due : samples;

        if (due < 0 || turns > TURNS_MAX)
            abort();
        session_advance(session, step);
        samples -= step;
        take_output(session, few);
    }
}

static void talk(struct session *session, const uint8_t *data, size_t size, bool few)
{
    while (size >= 2 && !session_is_over(session)) {
        int time =
            data[0] < SHORT_TIMES ? data[0] * SESSION_RATE / 200 : (data[0] - SHORT_TIMES + 4) * SESSION_RATE / 4;
        size_t length = data[1];

        data += 2;
        size -= 2;
        length = length < size ? length : size;
        pass(session, time, few);
        session_octets(session, data, length);
        take_output(session, few);
        data += length;
        size -= length;
    }
}

/* ---- what came of it ---- */

static int pages_of(int file)
{
    int copy = dup(file), pages = 0;
    TIFF *tiff = TIFFFdOpen(copy, "received", "r");

    if (!tiff) { /* no page at all */
        close(copy);
        return 0;
    }
    pages = (int)TIFFNumberOfDirectories(tiff);
    TIFFClose(tiff);
    return pages;
}

static void check_record(const struct session *session, bool sending, int received)
{
    json_t *record = session_record(session);
    const char *outcome = json_string_value(json_object_get(record, "outcome"));
    json_int_t pages = json_integer_value(json_object_get(record, sending ? "pages_confirmed" : "pages_received"));
    bool success = outcome && strcmp(outcome, "success") == 0;

    if (!outcome)
        abort();
    if (getenv("FUZZ_SHOW"))
        printf("# %s, %d pages: %s\n", outcome, (int)pages, json_string_value(json_object_get(record, "message")));
    if (sending ? pages > PAGES || (success && pages != PAGES) : pages != pages_of(received))
        abort();
    if (json_array_size(json_object_get(record, "modem_dialogue")) > DIALOGUE_FIRST + DIALOGUE_LAST)
        abort();
    json_decref(record);
}

static void run_session(uint8_t kind, const uint8_t *data, size_t size)
{
    static const struct session_hooks hooks;
    bool sending = kind & 2, few = kind & 16;
    int received = sending ? -1 : memfd_create("received", MFD_CLOEXEC);
    struct options options;
    struct session *session;

    read_job(&options, kind);
    session = session_new(&options, NULL, sending ? &document : &received, -1, &hooks, NULL);
    if (!session)
        abort();
    session_advance(session, 0);
    talk(session, data, size, few);
    pass(session, SILENCE_MAX, false);
    if (!session_is_over(session))
        abort();
    session_leave(session);
    take_output(session, false);
    check_record(session, sending, received);
    session_free(session);
    if (received >= 0)
        close(received);
}

/* ---- shielding ---- */

static void shield(const uint8_t *data, size_t size)
{
    uint8_t *shielded = xmalloc(2 * size + 1);
    size_t length = dle_shield(shielded, data, size), taken = 0;
    struct dle dle = {0};
    uint8_t octets[2];

    for (size_t i = 0; i < length; i++) {
        int count = dle_take(&dle, shielded[i], octets);

        if (count == DLE_END || count > 1 || (count == 1 && (taken == size || octets[0] != data[taken])))
            abort();
        taken += (size_t)count;
    }
    if (taken != size || dle.escaped || dle_take(&dle, DLE, octets) != 0 || dle_take(&dle, DLE_ETX, octets) != DLE_END)
        abort();
    free(shielded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    set_up();
    shield(data, size);
    if (size > 0)
        run_session(data[0], data + 1, size - 1);
    return 0;
}
