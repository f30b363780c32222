/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the front end on a Class 1 modem does when the modem does what none should: a session without a modem, whose
 * part the desk here plays octet by octet, and the small parts around it. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>
#include <tiffio.h>
#include <spandsp.h>

#include "plugins/t30/dialogue.h"
#include "plugins/t30/dle.h"
#include "plugins/t30/options.h"
#include "plugins/t30/session.h"
#include "server/base/err.h"
#include "server/base/log.h"

#define ROWS       40
#define ROW_OCTETS 216
#define RATES      "[24,48,72,96,73,74,97,98,121,122,145,146]"
#define ANSWER_MS  50
#define LINE_MAX_S 3600
#define TURNS_MAX  4000
#define SAID_SIZE  65536

/* ---- DLE ---- */

static void every_octet_is_heard_as_it_was_shielded(void **state)
{
    uint8_t octets[512], shielded[1024], data[2];
    struct dle dle = {0};
    size_t size, heard = 0;

    (void)state;
    for (size_t i = 0; i < sizeof octets; i++)
        octets[i] = i < 256 ? (uint8_t)i : DLE;
    size = dle_shield(shielded, octets, sizeof octets);
    assert_int_equal(size, sizeof octets + 257);
    for (size_t i = 0; i < size; i++)
        for (int count = dle_take(&dle, shielded[i], data); count > 0; count--)
            assert_int_equal(data[0], octets[heard++]);
    assert_int_equal(heard, sizeof octets);
}

static void a_dle_stands_for_what_follows_it(void **state)
{
    static const struct {
        uint8_t behind;
        int count;
    } facts[] = {{DLE, 1}, {DLE_SUB, 2}, {DLE_ETX, DLE_END}, {'X', 0}, {0, 0}};
    uint8_t data[2];

    (void)state;
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        struct dle dle = {0};

        assert_int_equal(dle_take(&dle, DLE, data), 0);
        assert_int_equal(dle_take(&dle, facts[i].behind, data), facts[i].count);
        for (int j = 0; j < facts[i].count; j++)
            assert_int_equal(data[j], DLE);
        assert_int_equal(dle_take(&dle, DLE_ETX, data), 1); /* no ETX alone ends */
        assert_int_equal(data[0], DLE_ETX);
    }
}

/* ---- the dialogue ---- */

static void the_first_and_the_last_lines_of_a_dialogue_are_kept(void **state)
{
    struct dialogue *dialogue = calloc(1, sizeof *dialogue);
    int kept = DIALOGUE_FIRST + DIALOGUE_LAST, said = 3 * kept + 7;
    char text[DIALOGUE_TEXT_SIZE];
    unsigned omitted;
    json_t *lines;

    (void)state;
    assert_non_null(dialogue);
    for (int i = 0; i < said; i++) {
        snprintf(text, sizeof text, "line %d", i);
        dialogue_add(dialogue, i, i % 2 == 1, text);
        if (i != DIALOGUE_FIRST && i != kept - 1 && i != kept && i != said - 1)
            continue;
        lines = dialogue_to_json(dialogue, &omitted);
        assert_int_equal(json_array_size(lines), i + 1 < kept ? i + 1 : kept);
        assert_int_equal(omitted, i + 1 < kept ? 0 : i + 1 - kept);
        for (size_t at = 0; at < json_array_size(lines); at++) {
            const json_t *line = json_array_get(lines, at);
            int number = (int)at + (at < DIALOGUE_FIRST ? 0 : (int)omitted);

            snprintf(text, sizeof text, "line %d", number);
            assert_string_equal(json_string_value(json_object_get(line, "text")), text);
            assert_string_equal(json_string_value(json_object_get(line, "dir")), number % 2 ? "received" : "sent");
            assert_int_equal(json_integer_value(json_object_get(line, "at_ms")), number);
        }
        json_decref(lines);
    }
    free(dialogue);
}

static void a_line_of_a_dialogue_is_short_and_printable(void **state)
{
    struct dialogue *dialogue = calloc(1, sizeof *dialogue);

    (void)state;
    assert_non_null(dialogue);
    dialogue_add(dialogue, 0, true, "\x01\x7f\xffOK");
    dialogue_add(dialogue, 0, true, "0123456789012345678901234567890123456789");
    assert_string_equal(dialogue->lines[0].text, "???OK");
    assert_string_equal(dialogue->lines[1].text, "01234567890123456789012");
    free(dialogue);
}

/* ---- the job ---- */

static const char *modem_job(char job[1024], const char *direction, const char *modem)
{
    snprintf(job, 1024,
             "{\"role\":\"caller\",\"direction\":\"%s\",\"carrier\":\"modem\",\"media\":\"serial\",\"journal\":false,"
             "\"files\":[{\"resolution\":\"fine\"}]%s%s}",
             direction, modem ? ",\"modem\":" : "", modem ? modem : "");
    return job;
}

static void a_call_uses_what_the_modem_has_whole(void **state)
{
    static const struct {
        const char *transmit, *receive;
        unsigned send, hear;
    } facts[] = {
        {RATES, RATES, OPTIONS_V17 | OPTIONS_V29 | OPTIONS_V27TER, OPTIONS_V17 | OPTIONS_V29 | OPTIONS_V27TER},
        {"[24,48]", RATES, OPTIONS_V27TER, OPTIONS_V17 | OPTIONS_V29 | OPTIONS_V27TER},
        {RATES, "[24,48,72,96]", OPTIONS_V17 | OPTIONS_V29 | OPTIONS_V27TER, OPTIONS_V29 | OPTIONS_V27TER},
        /* no short training of one rate, or of all; one rate missing; a rate of V.29 missing */
        {"[24,48,72,96,73,74,97,98,121,122,145]", RATES, OPTIONS_V29 | OPTIONS_V27TER, 7},
        {"[24,48,72,96,73,97,121,145]", RATES, OPTIONS_V29 | OPTIONS_V27TER, 7},
        {"[24,48,72,96,97,98,121,122,145,146]", RATES, OPTIONS_V29 | OPTIONS_V27TER, 7},
        {"[24,48,96,73,74,97,98,121,122,145,146]", RATES, OPTIONS_V17 | OPTIONS_V27TER, 7},
        /* others, and what is no number, are nothing */
        {"[3,24,48,\"96\",\"72\",null,1e3,300]", RATES, OPTIONS_V27TER, 7},
    };
    char job[1024], modem[512];
    struct options options;

    (void)state;
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        snprintf(modem, sizeof modem, "{\"transmit\":%s,\"receive\":%s}", facts[i].transmit, facts[i].receive);
        assert_int_equal(options_parse(&options, modem_job(job, "send", modem)), 0);
        assert_int_equal(options.modem.transmit, facts[i].send);
        assert_int_equal(options.modem.receive, facts[i].hear);
        assert_int_equal(options.modems, facts[i].send);
        assert_true(options.serial && !options.datagram && !options.modem.xon_xoff && !options.modem.realtime);
        assert_int_equal(options_parse(&options, modem_job(job, "receive", modem)), 0);
        assert_int_equal(options.modems, facts[i].hear);
    }
}

static void what_a_job_says_of_its_modem_is_checked(void **state)
{
    static const struct {
        const char *modem, *named;
    } facts[] = {
        {NULL, "\"modem\" is not an object"},
        {"[]", "\"modem\" is not an object"},
        {"{}", "\"transmit\" is not a list of numbers"},
        {"{\"transmit\":96,\"receive\":" RATES "}", "\"transmit\" is not a list of numbers"},
        {"{\"transmit\":{},\"receive\":" RATES "}", "\"transmit\" is not a list of numbers"},
        {"{\"transmit\":" RATES "}", "\"receive\" is not a list of numbers"},
        {"{\"transmit\":" RATES ",\"receive\":\"24,48\"}", "\"receive\" is not a list of numbers"},
        {"{\"transmit\":[],\"receive\":" RATES "}", "\"transmit\" is not a list with 24 and 48"},
        {"{\"transmit\":" RATES ",\"receive\":[24,72,96]}", "\"receive\" is not a list with 24 and 48"},
        {"{\"transmit\":" RATES ",\"receive\":[\"24\",\"48\"]}", "\"receive\" is not a list with 24 and 48"},
        {"{\"transmit\":" RATES ",\"receive\":" RATES ",\"flow\":\"xon\"}", "\"modem.flow\""},
        {"{\"transmit\":" RATES ",\"receive\":" RATES ",\"realtime\":1}", "\"realtime\""},
    };
    struct options options;
    char job[1024];

    (void)state;
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        assert_int_equal(options_parse(&options, modem_job(job, "send", facts[i].modem)), ERR_INVALID);
        if (!strstr(err_message(), facts[i].named))
            fail_msg("%s: %s", facts[i].modem, err_message());
    }
}

static void flow_control_by_octets_is_asked_for(void **state)
{
    static const struct {
        const char *flow;
        bool xon_xoff;
    } facts[] = {{"hardware", false}, {"none", false}, {"software", true}};
    char job[1024], modem[512];
    struct options options;

    (void)state;
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        snprintf(modem, sizeof modem,
                 "{\"transmit\":" RATES ",\"receive\":" RATES ",\"flow\":\"%s\",\"realtime\":true}", facts[i].flow);
        assert_int_equal(options_parse(&options, modem_job(job, "send", modem)), 0);
        assert_int_equal(options.modem.xon_xoff, facts[i].xon_xoff);
        assert_true(options.modem.realtime);
    }
}

/* ---- a session, and a desk in place of the modem ---- */

/* What the desk does otherwise than a good modem and a good far end. */
struct mischief {
    const char *to;     /* a command: the next `times` of these that begin so ... */
    int times;          /* ... (-1: all) ... */
    int skip;           /* ... after so many of them ... */
    const char *answer; /* ... get this instead, octets for octets; "" = nothing ... */
    int answer_ms;      /* ... after so long */
    const char *before; /* ... or this first, and then what is due */
    bool echo;          /* commands come back */
    bool lose_frame_ok; /* no result behind frames that are heard */
    bool train_again;   /* when it is done, DCS comes again */
    bool refuse_pages;  /* RTN for each page */
    bool two_frames;    /* before DCS the far end says who it is */
};

struct frame {
    uint8_t octets[16];
    size_t size;
};

struct desk {
    struct session *session;
    struct mischief mischief;
    bool sending;  /* the session does */
    int met, done; /* commands that the mischief is for, and those that it was done to */
    int received;
    char said[SAID_SIZE]; /* commands of the session, one a line */
    size_t said_size;
    char line[64];
    size_t line_size;
    enum { EXPECTS_COMMAND, EXPECTS_FRAME, EXPECTS_PAGE } expects;
    struct dle dle;
    uint8_t frame[300];
    size_t frame_size;
    size_t page_size;
    int pages;           /* of the session, trainings among them */
    struct frame far[8]; /* frames of the far end that wait to be heard, the last is final */
    int far_count;
    uint8_t last;         /* frame of the session: its control field */
    int64_t answer_at_ms; /* the mischief's answer is said then; 0 = none waits */
};

static int document = -1;

static void draw(uint8_t row[ROW_OCTETS], int y)
{
    memset(row, 0, ROW_OCTETS);
    row[20 + y] = 0xF0;
}

static int make_document(void **state)
{
    uint8_t row[ROW_OCTETS];
    TIFF *tiff;

    (void)state;
    log_open("test_class1_parts", LOG_LEVEL_ERROR);
    session_setup();
    document = memfd_create("document", MFD_CLOEXEC);
    tiff = TIFFFdOpen(dup(document), "document", "w");
    if (!tiff)
        return -1;
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
        draw(row, y);
        if (TIFFWriteScanline(tiff, row, (uint32_t)y, 0) <= 0)
            return -1;
    }
    TIFFClose(tiff);
    return 0;
}

static void far_says(struct desk *desk, const void *octets, size_t size)
{
    struct frame *frame = &desk->far[desk->far_count++];

    assert_true(desk->far_count <= 8 && size <= sizeof frame->octets);
    memcpy(frame->octets, octets, size);
    frame->size = size;
}

static void far_says_dcs(struct desk *desk)
{
    far_says(desk, (const uint8_t[]){0xFF, 0x13, T30_DCS | 1, 0x00, 0x4A, 0x70}, 6);
}

static void far_says_code(struct desk *desk, uint8_t control)
{
    far_says(desk, (const uint8_t[]){0xFF, 0x13, control}, 3);
}

static void say(struct desk *desk, const void *octets, size_t size)
{
    session_octets(desk->session, octets, size);
}

static void say_result(struct desk *desk, const char *result)
{
    char text[64];

    snprintf(text, sizeof text, "\r\n%s\r\n", result);
    say(desk, text, strlen(text));
}

/* A frame as +FRH hands it over; its checksum is the modem's business. */
static void say_frame(struct desk *desk)
{
    struct frame frame = desk->far[0];
    uint8_t octets[64];
    size_t size;

    memmove(desk->far, desk->far + 1, sizeof desk->far - sizeof *desk->far);
    desk->far_count--;
    frame.octets[frame.size++] = 0x12;
    frame.octets[frame.size++] = 0x34;
    size = dle_shield(octets, frame.octets, frame.size);
    octets[size++] = DLE;
    octets[size++] = DLE_ETX;
    say(desk, octets, size);
    if (!desk->mischief.lose_frame_ok)
        say_result(desk, "OK");
}

/* A row after the other, all white, as MH; the first bit at the bottom. */
static void say_page(struct desk *desk)
{
    static const char eol[] = "000000000001", white[] = "01001101100110101";
    uint8_t octets[ROWS * 8] = {0};
    int bits = 0;

    say_result(desk, "CONNECT");
    for (int y = 0; y < ROWS + 6; y++) {
        const char *codes[] = {eol, y < ROWS ? white : ""};

        for (int i = 0; i < 2; i++)
            for (const char *bit = codes[i]; *bit; bit++, bits++)
                octets[bits / 8] |= (uint8_t)((*bit - '0') << bits % 8);
    }
    assert_true(bits / 8 < (int)sizeof octets);
    for (int i = 0; i < bits / 8 + 1; i++) /* no DLE is among them, or it would be the end */
        assert_int_not_equal(octets[i], DLE);
    say(desk, octets, (size_t)bits / 8 + 1);
    say(desk, "\x10\x03", 2);
    say_result(desk, "NO CARRIER");
}

static void say_training(struct desk *desk)
{
    static const uint8_t zeros[1024];

    say_result(desk, "CONNECT");
    say(desk, zeros, sizeof zeros);
    say(desk, "\x10\x03", 2);
    say_result(desk, "NO CARRIER");
}

/* The session said this in a last frame: what a good far end says to it. */
static void far_answers(struct desk *desk)
{
    switch (desk->last) {
    case T30_DIS:
        desk->far_count = 0;
        if (desk->mischief.two_frames)
            far_says(desk, (const uint8_t[]){0xFF, 0x03, T30_TSI | 1, '1'}, 4);
        far_says_dcs(desk);
        break;
    case T30_EOP | 1:
    case T30_EOP:
        far_says_code(desk, desk->mischief.refuse_pages ? T30_RTN : T30_MCF);
        break;
    case T30_CFR | 1:
    case T30_CFR:
        far_says_code(desk, T30_EOP | 1);
        break;
    case T30_MCF | 1:
    case T30_MCF:
        far_says_code(desk, T30_DCN | 1);
        break;
    default:
        break;
    }
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* A command has come, and is answered as a good modem does. */
static void answer(struct desk *desk)
{
    if (begins(desk->line, "AT+FTH")) {
        desk->expects = EXPECTS_FRAME;
        say_result(desk, "CONNECT");
    } else if (begins(desk->line, "AT+FTM")) {
        desk->expects = EXPECTS_PAGE;
        say_result(desk, "CONNECT");
    } else if (begins(desk->line, "AT+FRH")) {
        if (desk->far_count > 0) {
            say_result(desk, "CONNECT");
            say_frame(desk);
        }
    } else if (begins(desk->line, "AT+FRM")) {
        if (desk->last == T30_DIS)
            say_training(desk);
        else
            say_page(desk);
    } else {
        say_result(desk, "OK");
    }
}

static void take_command(struct desk *desk)
{
    const struct mischief *mischief = &desk->mischief;
    size_t size = strlen(desk->line);

    if (desk->said_size + size + 2 < SAID_SIZE) {
        memcpy(desk->said + desk->said_size, desk->line, size);
        desk->said_size += size;
        desk->said[desk->said_size++] = '\n';
    }
    if (mischief->echo) {
        say(desk, desk->line, size);
        say(desk, "\r", 1);
    }
    if (!mischief->to || !begins(desk->line, mischief->to) || desk->met++ < mischief->skip ||
        (mischief->times >= 0 && desk->done >= mischief->times)) {
        answer(desk);
        return;
    }
    desk->done++;
    if (mischief->train_again)
        far_says_dcs(desk);
    if (mischief->before) {
        say(desk, mischief->before, strlen(mischief->before));
        answer(desk);
    } else if (mischief->answer_ms > 0) {
        desk->answer_at_ms = session_line_ms(desk->session) + mischief->answer_ms;
    } else {
        say(desk, mischief->answer, strlen(mischief->answer));
    }
}

static void take_frame_octet(struct desk *desk, uint8_t octet)
{
    uint8_t data[2];
    int count = dle_take(&desk->dle, octet, data);

    for (int i = 0; i < count && desk->frame_size < sizeof desk->frame; i++)
        desk->frame[desk->frame_size++] = data[i];
    if (count != DLE_END)
        return;
    if (desk->frame_size >= 3)
        desk->last = desk->frame[2];
    if (desk->frame_size >= 3 && !(desk->frame[1] & 0x10)) {
        say_result(desk, "CONNECT");
    } else {
        desk->expects = EXPECTS_COMMAND;
        if (desk->frame_size >= 3)
            far_answers(desk);
        say_result(desk, "OK");
    }
    desk->frame_size = 0;
}

static void take_page_octet(struct desk *desk, uint8_t octet)
{
    uint8_t data[2];
    int count = dle_take(&desk->dle, octet, data);

    if (count != DLE_END) {
        desk->page_size += (size_t)count;
        return;
    }
    desk->expects = EXPECTS_COMMAND;
    if (desk->pages++ == 0)
        far_says_code(desk, T30_CFR);
    say_result(desk, "OK");
}

static void take_command_octet(struct desk *desk, uint8_t octet)
{
    if (octet == 0x18) { /* CAN: what was asked for is off */
        desk->line_size = 0;
        say_result(desk, "OK");
    } else if (octet == '\r') {
        desk->line[desk->line_size] = '\0';
        desk->line_size = 0;
        if (desk->line[0])
            take_command(desk);
    } else if (desk->line_size < sizeof desk->line - 1) {
        desk->line[desk->line_size++] = (char)octet;
    }
}

static void take_octet(struct desk *desk, uint8_t octet)
{
    switch (desk->expects) {
    case EXPECTS_COMMAND:
        take_command_octet(desk, octet);
        break;
    case EXPECTS_FRAME:
        take_frame_octet(desk, octet);
        break;
    case EXPECTS_PAGE:
        take_page_octet(desk, octet);
        break;
    }
}

/* All that the session has to say now. Answers change what it has to say. */
static void take_output(struct desk *desk)
{
    size_t size;
    const uint8_t *octets = session_output(desk->session, &size);
    uint8_t *copy;

    if (size == 0)
        return;
    copy = malloc(size);
    assert_non_null(copy);
    memcpy(copy, octets, size);
    session_written(desk->session, size);
    for (size_t i = 0; i < size; i++)
        take_octet(desk, copy[i]);
    free(copy);
}

static void open_desk(struct desk *desk, bool sending, const struct mischief *mischief)
{
    static const struct session_hooks hooks;
    char job[1024];
    struct options options;

    memset(desk, 0, sizeof *desk);
    desk->mischief = *mischief;
    desk->sending = sending;
    desk->received = memfd_create("received", MFD_CLOEXEC);
    snprintf(job, sizeof job,
             "{\"role\":\"%s\",\"direction\":\"%s\",\"carrier\":\"modem\",\"media\":\"serial\",\"journal\":false,"
             "\"ecm\":false,\"modems\":[\"v27ter\"],\"compressions\":[\"mh\"],\"files\":[{\"resolution\":\"fine\"}],"
             "\"modem\":{\"transmit\":" RATES ",\"receive\":" RATES "}}",
             sending ? "caller" : "answerer", sending ? "send" : "receive");
    assert_int_equal(options_parse(&options, job), 0);
    desk->session = session_new(&options, NULL, sending ? &document : &desk->received, -1, &hooks, NULL);
    assert_non_null(desk->session);
    session_advance(desk->session, 0);
    if (sending) { /* ATD ended with CONNECT: a frame comes at once */
        far_says(desk, (const uint8_t[]){0xFF, 0x13, T30_DIS, 0x00, 0x4A, 0x70}, 6);
        say_frame(desk);
    } else {
        desk->expects = EXPECTS_FRAME;
    }
}

static void say_late_answer(struct desk *desk)
{
    if (desk->answer_at_ms == 0 || session_line_ms(desk->session) < desk->answer_at_ms)
        return;
    desk->answer_at_ms = 0;
    say(desk, desk->mischief.answer, strlen(desk->mischief.answer));
}

/* Until the session is over, which it has to be. */
static void run(struct desk *desk)
{
    int64_t limit_ms = LINE_MAX_S * INT64_C(1000);

    for (int turn = 0; !session_is_over(desk->session); turn++) {
        int due = session_due(desk->session);

        assert_true(turn < TURNS_MAX && session_line_ms(desk->session) < limit_ms);
        session_advance(desk->session, due < ANSWER_MS * 8 ? due : ANSWER_MS * 8);
        take_output(desk);
        say_late_answer(desk);
    }
}

static int count_said(const struct desk *desk, const char *command)
{
    int count = 0;

    for (const char *at = desk->said; (at = strstr(at, command)) != NULL; at++)
        count++;
    return count;
}

/* The record; the caller frees. */
static json_t *close_desk(struct desk *desk)
{
    json_t *record = session_record(desk->session);

    session_free(desk->session);
    close(desk->received);
    return record;
}

static const char *text_of(const json_t *record, const char *key)
{
    const char *text = json_string_value(json_object_get(record, key));

    return text ? text : "";
}

/* A call with such mischief, and how it has to end. */
static void expect(bool sending, const struct mischief *mischief, const char *outcome, const char *message)
{
    struct desk *desk = calloc(1, sizeof *desk);
    const char *pages = sending ? "pages_confirmed" : "pages_received";
    bool delivered = strcmp(outcome, "success") == 0;
    json_t *record;

    assert_non_null(desk);
    open_desk(desk, sending, mischief);
    run(desk);
    record = close_desk(desk);
    if (strcmp(text_of(record, "outcome"), outcome) != 0 || (message && !strstr(text_of(record, "message"), message)) ||
        json_integer_value(json_object_get(record, pages)) != delivered) {
        char *text = json_dumps(record, JSON_COMPACT);

        fprintf(stderr, "%s\n%s\n", desk->said, text); /* longer than cmocka's own */
        free(text);
        fail_msg("wanted %s (%s), for %s \"%s\"", outcome, message ? message : "", mischief->to, mischief->answer);
    }
    if (mischief->times > 0)
        assert_int_equal(desk->done, mischief->times);
    json_decref(record);
    free(desk);
}

static void a_page_is_sent_and_one_received(void **state)
{
    static const struct mischief none;

    (void)state;
    expect(true, &none, "success", NULL);
    expect(false, &none, "success", NULL);
}

static void what_a_modem_says_too_much_is_passed_over(void **state)
{
    static const struct mischief sending[] = {
        {.to = "AT+FTH", .times = -1, .before = "\r\nOK\r\n"},
        {.to = "AT+FTH", .times = -1, .before = "\r\nOK\r\n\r\nOK\r\n\r\nOK\r\n"},
        {.to = "AT+FTM", .times = -1, .before = "\r\nOK\r\n\r\nOK\r\n"},
        {.to = "AT+FRH", .times = -1, .before = "\r\nOK\r\n"},
        {.to = "AT", .times = -1, .before = "\r\nRING\r\n\r\nOK?\r\n CONNECT\r\n\x01\x02\xFE\r\n\r\n\r\n"},
        {.to = "AT", .times = -1, .before = "\xFF\x80{}{}~\x7F\r\n"},
        {.to = "AT",
         .times = -1,
         .before = "0123456789012345678901234567890123456789012345678901234567890123456789OK\r\n"},
        {.echo = true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof sending / sizeof *sending; i++) {
        expect(true, &sending[i], "success", NULL);
        expect(false, &sending[i], "success", NULL);
    }
}

static void a_modem_that_refuses_now_and_then_is_asked_again(void **state)
{
    static const struct mischief sending[] = {
        {.to = "AT+FTH", .times = 3, .answer = "\r\nERROR\r\n"},
        {.to = "AT+FTM", .times = 4, .answer = "\r\nERROR\r\n"},
        {.to = "AT+FTM", .times = 4, .answer = "\r\nNO CARRIER\r\n"},
        {.to = "AT+FTS", .times = 2, .answer = "\r\nERROR\r\n"}, /* it has no such command, and is quiet all the same */
        {.to = "AT+FRH", .times = 20, .answer = "\r\nNO CARRIER\r\n"},
        {.to = "AT+FRH", .times = 20, .answer = "\r\nERROR\r\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof sending / sizeof *sending; i++)
        expect(true, &sending[i], "success", NULL);
}

static void a_modem_that_only_refuses_is_given_up(void **state)
{
    (void)state;
    expect(true, &(struct mischief){.to = "AT+FTH", .times = 5, .answer = "\r\nERROR\r\n"}, "disconnected",
           "the modem refuses to send");
    expect(true, &(struct mischief){.to = "AT+FTM", .times = 5, .answer = "\r\nERROR\r\n"}, "disconnected",
           "the modem refuses to send");
    expect(true, &(struct mischief){.to = "AT+FRH", .times = -1, .answer = "\r\nNO CARRIER\r\n"}, "disconnected",
           "the modem has no line any more");
    expect(false, &(struct mischief){.to = "AT+FRH", .times = -1, .answer = "\r\nERROR\r\n"}, "disconnected",
           "the modem has no line any more");
}

static void a_page_that_the_modem_did_not_send_is_sent_again(void **state)
{
    (void)state;
    /* CONNECT was lost: after a while the modem is told that what it sends has no contents, and T.30 does the rest. */
    expect(true, &(struct mischief){.to = "AT+FTH", .times = 1, .answer = ""}, "success", NULL);
    expect(true, &(struct mischief){.to = "AT+FTM", .times = 1, .answer = ""}, "success", NULL);
}

static void an_answer_that_was_not_heard_is_asked_for_again(void **state)
{
    (void)state;
    expect(true, &(struct mischief){.to = "AT+FRH", .times = 1, .answer = ""}, "success", NULL);
    expect(true, &(struct mischief){.to = "AT+FRH", .skip = 1, .times = 1, .answer = ""}, "success", NULL);
    expect(false, &(struct mischief){.to = "AT+FRH", .times = 1, .answer = ""}, "success", NULL);
    /* flags, and no frame: the far end's modem got none to send */
    expect(true, &(struct mischief){.to = "AT+FRH", .times = 1, .answer = "\r\nCONNECT\r\n"}, "success", NULL);
    expect(false, &(struct mischief){.to = "AT+FRH", .times = 1, .answer = "\r\nCONNECT\r\n"}, "success", NULL);
}

/* The line time that a call with such mischief takes, which has to succeed. */
static int64_t line_ms(bool sending, const struct mischief *mischief)
{
    struct desk *desk = calloc(1, sizeof *desk);
    json_t *record;
    int64_t ms;

    assert_non_null(desk);
    open_desk(desk, sending, mischief);
    run(desk);
    ms = session_line_ms(desk->session);
    assert_int_equal(desk->done, mischief->times);
    record = close_desk(desk);
    assert_string_equal(text_of(record, "outcome"), "success");
    json_decref(record);
    free(desk);
    return ms;
}

/* It took the command for the end of the one before, and said OK to that. The far end does not notice. */
static void a_modem_that_does_not_listen_is_asked_again(void **state)
{
    static const struct mischief none = {.two_frames = true};

    (void)state;
    for (int sending = 0; sending < 2; sending++)
        for (int skip = 0; skip < 2; skip++) {
            const struct mischief mischief = {
                .two_frames = true, .to = "AT+FRH", .skip = skip, .times = 1, .answer = "\r\nOK\r\n"};

            assert_true(line_ms(sending, &mischief) < line_ms(sending, &none) + 2000);
        }
}

/* T.30, which knows of the carrier, does nothing until it is gone. */
static void a_frame_that_does_not_follow_is_not_awaited_for_long(void **state)
{
    const struct mischief mischief = {.two_frames = true, .to = "AT+FRH", .skip = 1, .times = 1, .answer = ""};

    (void)state;
    assert_true(line_ms(false, &mischief) < line_ms(false, &(struct mischief){.two_frames = true}) + 6000);
}

/* Without its result nobody knows whether the frame was good. */
static void a_frame_without_a_result_is_no_frame(void **state)
{
    (void)state;
    expect(true, &(struct mischief){.lose_frame_ok = true}, "not_fax", NULL);
    expect(false, &(struct mischief){.lose_frame_ok = true}, "training_failed", NULL);
}

/* The page itself, not its training: a frame comes in its place, the end of the page, once that has gone by. */
static void expect_page_refused(int page_ms)
{
    static const char *const wanted[] = {"DIS", "DCS", "CFR", "EOP", "RTN"};
    const struct mischief mischief = {
        .to = "AT+FRM", .skip = 1, .times = 1, .answer = "\r\n+FCERROR\r\n", .answer_ms = page_ms};
    struct desk *desk = calloc(1, sizeof *desk);
    json_t *record, *frames;

    assert_non_null(desk);
    open_desk(desk, false, &mischief);
    run(desk);
    record = close_desk(desk);
    frames = json_object_get(record, "frames");
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        assert_string_equal(text_of(json_array_get(frames, i), "name"), wanted[i]);
    assert_int_equal(json_integer_value(json_object_get(record, "pages_received")), 1); /* at the far end's next try */
    json_decref(record);
    free(desk);
}

static void a_page_that_was_not_heard_is_refused(void **state)
{
    (void)state;
    expect_page_refused(0);
    expect_page_refused(6000);
    expect_page_refused(25000);
}

/* T.30 does at last what it does when no page comes: it begins anew. */
static void a_page_that_never_comes_is_not_awaited_for_ever(void **state)
{
    (void)state;
    assert_true(line_ms(false, &(struct mischief){.to = "AT+FRM", .skip = 1, .times = 1, .answer = ""}) < 50000);
}

static void a_result_that_never_comes_gives_the_modem_up(void **state)
{
    static const char *const commands[] = {"AT+FTS", "AT+FTH", "AT+FTM", "AT+FRH"};

    (void)state;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        struct desk *desk = calloc(1, sizeof *desk);
        const struct mischief mischief = {.to = commands[i], .times = -1, .answer = ""};
        json_t *record;

        assert_non_null(desk);
        open_desk(desk, true, &mischief);
        /* The modem is dead from there on. */
        for (int turn = 0; !session_is_over(desk->session) && turn < TURNS_MAX; turn++) {
            size_t size;
            int due = session_due(desk->session);

            session_advance(desk->session, due < ANSWER_MS * 8 ? due : ANSWER_MS * 8);
            if (desk->done == 0)
                take_output(desk);
            session_output(desk->session, &size);
            if (desk->done > 0)
                session_written(desk->session, size);
        }
        assert_true(session_is_over(desk->session));
        assert_int_equal(desk->done, 1);
        record = close_desk(desk);
        assert_string_equal(text_of(record, "outcome"), "disconnected");
        assert_string_equal(text_of(record, "message"), "the modem stopped answering");
        json_decref(record);
        free(desk);
    }
}

static void a_page_that_is_refused_is_not_confirmed(void **state)
{
    (void)state;
    expect(true, &(struct mischief){.refuse_pages = true}, "page_transfer_failed", NULL);
}

static void a_receiver_hears_frames_where_it_expected_a_page(void **state)
{
    struct desk *desk = calloc(1, sizeof *desk);
    /* V.21 in place of the training: the frames are asked for, and the sender's next try succeeds. */
    const struct mischief mischief = {.to = "AT+FRM", .times = 1, .answer = "\r\n+FCERROR\r\n", .train_again = true};
    json_t *record;

    (void)state;
    assert_non_null(desk);
    open_desk(desk, false, &mischief);
    run(desk);
    record = close_desk(desk);
    if (!strstr(desk->said, "AT+FRM=48\nAT+FRH=3\nAT+FRM=48\n"))
        fail_msg("%s", desk->said);
    assert_string_equal(text_of(record, "outcome"), "success");
    json_decref(record);
    free(desk);
}

static void a_receiver_asks_again_for_what_it_did_not_hear(void **state)
{
    struct desk *desk = calloc(1, sizeof *desk);
    const struct mischief mischief = {.to = "AT+FRH", .times = 3, .answer = "\r\nNO CARRIER\r\n"};

    (void)state;
    assert_non_null(desk);
    open_desk(desk, false, &mischief);
    run(desk);
    assert_true(count_said(desk, "AT+FRH=3") >= 6);
    json_decref(close_desk(desk));
    free(desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_octet_is_heard_as_it_was_shielded),
        cmocka_unit_test(a_dle_stands_for_what_follows_it),
        cmocka_unit_test(the_first_and_the_last_lines_of_a_dialogue_are_kept),
        cmocka_unit_test(a_line_of_a_dialogue_is_short_and_printable),
        cmocka_unit_test(a_call_uses_what_the_modem_has_whole),
        cmocka_unit_test(what_a_job_says_of_its_modem_is_checked),
        cmocka_unit_test(flow_control_by_octets_is_asked_for),
        cmocka_unit_test(a_page_is_sent_and_one_received),
        cmocka_unit_test(what_a_modem_says_too_much_is_passed_over),
        cmocka_unit_test(a_modem_that_refuses_now_and_then_is_asked_again),
        cmocka_unit_test(a_modem_that_only_refuses_is_given_up),
        cmocka_unit_test(a_page_that_the_modem_did_not_send_is_sent_again),
        cmocka_unit_test(an_answer_that_was_not_heard_is_asked_for_again),
        cmocka_unit_test(a_modem_that_does_not_listen_is_asked_again),
        cmocka_unit_test(a_frame_that_does_not_follow_is_not_awaited_for_long),
        cmocka_unit_test(a_frame_without_a_result_is_no_frame),
        cmocka_unit_test(a_page_that_was_not_heard_is_refused),
        cmocka_unit_test(a_page_that_never_comes_is_not_awaited_for_ever),
        cmocka_unit_test(a_result_that_never_comes_gives_the_modem_up),
        cmocka_unit_test(a_page_that_is_refused_is_not_confirmed),
        cmocka_unit_test(a_receiver_hears_frames_where_it_expected_a_page),
        cmocka_unit_test(a_receiver_asks_again_for_what_it_did_not_hear),
    };

    return cmocka_run_group_tests(tests, make_document, NULL);
}
