/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The dialogue with the modem. It is always in one state, which says what the modem was asked and what may come back;
 * T.30 changes what it wants at any time, and that is looked at when the modem is ready for the next command
 * (decide), or at once if it keeps the modem waiting in vain (follow_wish).
 *
 * The traps of spandsp's T.30: it sets receiver and transmitter one after the other, so nothing is done inside those
 * calls; it gives one frame at a time and wants each acknowledged, the end of frames too; and a phase that it has
 * queued begins only when it is told that the carrier is gone. */
#include "config.h"

#include "plugins/t30/class1.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The timers and the phase are in its private structs only. */
#define SPANDSP_EXPOSE_INTERNAL_STRUCTURES
#include <spandsp/expose.h>

#include "plugins/t30/dle.h"
#include "server/base/log.h"

#define MS(ms)          ((ms)*8)
#define SILENCE         "AT+FTS=8" /* 80 ms: T.30 5.3.2.2 wants 75 +- 20 before each transmission */
#define QUIET_MAX       MS(5000)   /* answers that are late by so much do not come */
#define CONNECT_MAX     MS(4500)   /* V.17's long training takes 1.4 s; the modem itself gives up after 5 s */
#define FRAME_CONNECT   MS(2000)   /* if it gets lost, flags go over the line, and T.30 bears 3 s of them */
#define FRAME_MAX       MS(10000)  /* a frame of 3 s, its preamble, and the modem's buffer */
#define END_MAX         MS(20000)  /* on top of what a page takes on the line */
#define HEAR_FRAME_MAX  MS(2900)   /* T.30 gives a call up after 3 s of flags, or of a frame */
#define HEAR_GAP_MAX    MS(8000)   /* between octets of a page */
#define HEAR_REST_MAX   MS(1000)   /* of a page that T.30 has done with */
#define RESULT_MAX      MS(5000)
#define FRAME_RESULT    MS(2000)  /* T.30 gives a call up when a frame has not ended after 3 s */
#define LISTEN_MAX      MS(60000) /* T.30's timers are shorter */
#define GAP_MAX         MS(2900)  /* between frames: T.30 says nothing before their carrier is gone */
#define PAGE_MAX        MS(30000) /* of one that the modem does not hear. Most are over, and no line is held for long */
#define OK_MAX          MS(1000)  /* between an OK and the CONNECT that was asked for */
#define ABORT_MAX       MS(1000)
#define ABORT_TRIES     4
#define REST            MS(50)
#define REFUSALS_MAX    5   /* of a command to send, in a row */
#define FAILURES_MAX    100 /* of a command to listen, each at once: there is no line */
#define FLAGS_PER_BPS   40  /* 200 ms of flags before a page's first frame, as octets: rate / 40 */
#define PAGE_OCTETS_MAX (32 << 20)
#define LAST_FLAGS      3
#define HDLC_MAX        600 /* octets that a frame of 256 can become */
#define CHUNK           256
#define FRAME_SIZE      264
#define LINE_SIZE       64
#define CAN             0x18
#define FINAL_FRAME     0x10 /* in the control field */
#define STATE_F_TCF     7    /* t30.c has it to itself: the training check is awaited */
#define FCS_OCTETS      2

enum state {
    STATE_READY,         /* for a command */
    STATE_QUIET,         /* +FTS: OK */
    STATE_SEND_ASKED,    /* +FTH, +FTM: CONNECT */
    STATE_SENDING_FRAME, /* CONNECT for the next one, OK after the final one */
    STATE_SENDING_PAGE,  /* OK at its end */
    STATE_HEAR_ASKED,    /* +FRH, +FRM: CONNECT */
    STATE_HEARING,       /* data until DLE ETX */
    STATE_HEARD,         /* OK, ERROR or NO CARRIER */
    STATE_ABORTING,      /* a final result */
    STATE_RESTING        /* nothing, for a moment */
};

enum reply { REPLY_NONE, REPLY_OK, REPLY_CONNECT, REPLY_NO_CARRIER, REPLY_ERROR, REPLY_OTHER_SIGNAL, REPLY_V21 };

enum pending { PENDING_NOTHING, PENDING_FRAME, PENDING_END };

/* What T.30 set last. */
struct wanted {
    int modem; /* T30_MODEM_* */
    int rate;
    bool short_train, hdlc;
};

struct class1 {
    t30_state_t *t30;
    bool calling;
    bool begun;
    struct wanted transmit, receive;
    unsigned changes; /* of these two */
    enum pending pending;
    uint8_t frame[FRAME_SIZE];
    int frame_size;
    enum state state;
    bool fast;      /* the command under way is one at page speed */
    bool quiet;     /* the silence before a transmission has been kept */
    bool open;      /* the modem waits for a frame already, by ATA */
    bool carrier;   /* T.30 was told of one */
    unsigned heard; /* `changes` when it was, or when the modem was asked to listen */
    int left;       /* samples until the state takes too long; 0 = it may */
    int tries, refusals, failures;
    int asked_for; /* samples since the modem was asked to listen */
    bool doubted;  /* whether it does: it said OK to that */
    struct dle dle;
    bool skip_lf;
    char line[LINE_SIZE];
    size_t line_size;
    uint8_t data[FRAME_SIZE + FCS_OCTETS];
    size_t data_size;
    size_t octets; /* heard since CONNECT */
    uint8_t *page; /* what is sent after the next CONNECT of +FTM, shielded, with its end */
    size_t page_size, page_room;
    bool page_made;
    uint8_t *out;
    size_t out_size, out_done, out_room;
    hdlc_tx_state_t *framer;
    hdlc_rx_state_t *deframer;
    bool frame_framed;
    const char *fault;
    int64_t samples; /* since the start */
    struct dialogue dialogue;
};

static void decide(struct class1 *class1);

/* ---- towards the modem ---- */

static void put(struct class1 *class1, const void *octets, size_t size)
{
    if (class1->out_done == class1->out_size)
        class1->out_done = class1->out_size = 0;
    if (class1->out_size + size > class1->out_room) {
        class1->out_room = class1->out_size + size;
        class1->out = xrealloc(class1->out, class1->out_room);
    }
    memcpy(class1->out + class1->out_size, octets, size);
    class1->out_size += size;
}

static void note(struct class1 *class1, bool received, const char *text)
{
    dialogue_add(&class1->dialogue, class1->samples / MS(1), received, text);
}

static void note_size(struct class1 *class1, bool received, const char *what, size_t size)
{
    char text[DIALOGUE_TEXT_SIZE];

    snprintf(text, sizeof text, "%s of %zu", what, size);
    note(class1, received, text);
}

static void enter(struct class1 *class1, enum state state, int limit)
{
    class1->state = state;
    class1->left = limit;
}

static void command(struct class1 *class1, const char *text, enum state next, int limit)
{
    put(class1, text, strlen(text));
    put(class1, "\r", 1);
    note(class1, false, text);
    class1->line_size = 0;
    enter(class1, next, limit);
}

static void give_up(struct class1 *class1, const char *why)
{
    if (!class1->fault)
        class1->fault = why;
}

/* Any octet ends a command to listen (T.31 8.3.3); at last a plain AT finds out whether anybody is there. */
static void press_on(struct class1 *class1)
{
    static const uint8_t can = CAN;

    if (class1->tries++ >= ABORT_TRIES) {
        give_up(class1, "the modem stopped answering");
        return;
    }
    if (class1->tries < ABORT_TRIES)
        put(class1, &can, 1);
    else
        put(class1, "\rAT\r", 4);
    note(class1, false, class1->tries < ABORT_TRIES ? "CAN" : "AT");
    class1->line_size = 0;
    enter(class1, STATE_ABORTING, ABORT_MAX);
}

static void stop(struct class1 *class1)
{
    class1->tries = 0;
    press_on(class1);
}

static void rest(struct class1 *class1)
{
    enter(class1, STATE_RESTING, REST);
}

/* ---- what T.30 wants ---- */

static void want(struct class1 *class1, struct wanted *wanted, int modem, int rate, int short_train, int hdlc)
{
    *wanted = (struct wanted){.modem = modem, .rate = rate, .short_train = short_train != 0, .hdlc = hdlc != 0};
    class1->changes++;
}

static void on_receive_type(void *user, int modem, int rate, int short_train, int hdlc)
{
    struct class1 *class1 = user;

    want(class1, &class1->receive, modem, rate, short_train, hdlc);
}

static void on_transmit_type(void *user, int modem, int rate, int short_train, int hdlc)
{
    struct class1 *class1 = user;

    want(class1, &class1->transmit, modem, rate, short_train, hdlc);
}

static void on_send_hdlc(void *user, const uint8_t *frame, int size)
{
    struct class1 *class1 = user;

    if (size < 0) {
        class1->pending = PENDING_NOTHING;
    } else if (size == 0 || !frame) {
        class1->pending = PENDING_END;
    } else if (size <= FRAME_SIZE) {
        memcpy(class1->frame, frame, (size_t)size);
        class1->frame_size = size;
        class1->pending = PENDING_FRAME;
    }
}

static bool is_fast(int modem)
{
    return modem == T30_MODEM_V17 || modem == T30_MODEM_V29 || modem == T30_MODEM_V27TER;
}

/* T.30 sends something, or is about to. CED and CNG were the modem's. */
static bool wants_to_send(const struct class1 *class1)
{
    return class1->transmit.modem == T30_MODEM_V21 || is_fast(class1->transmit.modem);
}

/* The number of a modem and rate in +FTM and +FRM (T.31 table 3). */
static int modulation(const struct wanted *wanted)
{
    int number = wanted->rate / 100;

    if (wanted->modem != T30_MODEM_V17)
        return number;
    return (number == 144 ? 145 : number == 120 ? 121 : number == 96 ? 97 : 73) + (wanted->short_train ? 1 : 0);
}

static void step_complete(struct class1 *class1)
{
    t30_front_end_status(class1->t30, T30_FRONT_END_SEND_STEP_COMPLETE);
}

/* ---- a page, made before it is sent ---- */

static bool make_room(struct class1 *class1, size_t more)
{
    if (class1->page_size + more > PAGE_OCTETS_MAX) {
        give_up(class1, "the page is too long for a call");
        return false;
    }
    if (class1->page_size + more > class1->page_room) {
        class1->page_room = 2 * class1->page_room + more + CHUNK;
        class1->page = xrealloc(class1->page, class1->page_room);
    }
    return true;
}

static bool add_to_page(struct class1 *class1, const uint8_t *octets, size_t size)
{
    if (!make_room(class1, 2 * size))
        return false;
    class1->page_size += dle_shield(class1->page + class1->page_size, octets, size);
    return true;
}

static void on_framed(void *user)
{
    ((struct class1 *)user)->frame_framed = true;
}

/* The framer's octets, until its frame is done or its end reached. It works with the first bit on top, Class 1 with
 * the first bit at the bottom. */
static bool add_framed(struct class1 *class1, int limit)
{
    uint8_t octets[HDLC_MAX];
    int count = 0, octet;

    class1->frame_framed = false;
    while (count < limit && !class1->frame_framed && (octet = hdlc_tx_get_byte(class1->framer)) >= 0)
        octets[count++] = bit_reverse8((uint8_t)octet);
    return add_to_page(class1, octets, (size_t)count);
}

static bool add_flags(struct class1 *class1, int count)
{
    uint8_t flags[CHUNK];

    memset(flags, bit_reverse8(0x7E), sizeof flags);
    for (; count > 0; count -= CHUNK)
        if (!add_to_page(class1, flags, (size_t)(count < CHUNK ? count : CHUNK)))
            return false;
    return true;
}

/* All frames of a block of ECM. The last step is completed when the modem has sent them. */
static bool make_frames(struct class1 *class1)
{
    bool made = add_flags(class1, class1->transmit.rate / FLAGS_PER_BPS);

    hdlc_tx_init(class1->framer, false, 1, false, on_framed, class1);
    while (made && class1->pending == PENDING_FRAME) {
        class1->pending = PENDING_NOTHING;
        hdlc_tx_frame(class1->framer, class1->frame, (size_t)class1->frame_size);
        made = add_framed(class1, HDLC_MAX);
        if (made)
            step_complete(class1);
    }
    class1->pending = PENDING_NOTHING;
    return made && add_framed(class1, LAST_FLAGS); /* the last frame's flag is perhaps not whole yet */
}

/* A page without ECM, or the training check. */
static bool make_bits(struct class1 *class1)
{
    uint8_t octets[CHUNK];
    int count;

    do {
        count = t30_non_ecm_get_chunk(class1->t30, octets, CHUNK);
        if (count > 0 && !add_to_page(class1, octets, (size_t)count))
            return false;
    } while (count == CHUNK);
    return true;
}

static bool make_page(struct class1 *class1)
{
    static const uint8_t end[2] = {DLE, DLE_ETX};

    class1->page_size = 0;
    if (!(class1->transmit.hdlc ? make_frames(class1) : make_bits(class1)) || !make_room(class1, sizeof end))
        return false;
    memcpy(class1->page + class1->page_size, end, sizeof end);
    class1->page_size += sizeof end;
    return true;
}

/* ---- sending ---- */

static void give_frame(struct class1 *class1)
{
    static const uint8_t end[2] = {DLE, DLE_ETX};
    uint8_t shielded[2 * FRAME_SIZE];
    size_t size = class1->pending == PENDING_FRAME ? (size_t)class1->frame_size : 0; /* 0: the end alone ends it */
    size_t shielded_size = dle_shield(shielded, class1->frame, size);

    class1->open = false;
    put(class1, shielded, shielded_size);
    put(class1, end, sizeof end);
    note_size(class1, false, "frame", size);
    class1->pending = PENDING_NOTHING;
    enter(class1, STATE_SENDING_FRAME, FRAME_MAX);
}

static void give_page(struct class1 *class1)
{
    int64_t line = (int64_t)class1->page_size * 8 * MS(1000) / class1->transmit.rate;

    put(class1, class1->page, class1->page_size);
    note_size(class1, false, "data", class1->page_size);
    class1->page_made = false;
    enter(class1, STATE_SENDING_PAGE, (int)(line + line / 4) + END_MAX);
}

static void ask_to_send(struct class1 *class1, bool fast)
{
    char text[24];

    class1->fast = fast;
    if (class1->open && !fast) {
        give_frame(class1);
        return;
    }
    if (!class1->quiet) {
        command(class1, SILENCE, STATE_QUIET, QUIET_MAX);
        return;
    }
    class1->quiet = false;
    if (fast && !class1->page_made && !(class1->page_made = make_page(class1)))
        return;
    snprintf(text, sizeof text, fast ? "AT+FTM=%d" : "AT+FTH=3", modulation(&class1->transmit));
    command(class1, text, STATE_SEND_ASKED, fast ? CONNECT_MAX : FRAME_CONNECT);
}

/* What was being sent is gone or given up; either way T.30 goes on, and the far end says what it has. */
static void frame_sent(struct class1 *class1)
{
    enter(class1, STATE_READY, 0);
    step_complete(class1);
    if (class1->pending != PENDING_END)
        return;
    class1->pending = PENDING_NOTHING;
    step_complete(class1);
}

static void page_sent(struct class1 *class1)
{
    class1->out_done = class1->out_size; /* a modem that stopped early takes no more of it */
    enter(class1, STATE_READY, 0);
    step_complete(class1);
}

static void next_frame(struct class1 *class1)
{
    step_complete(class1);
    give_frame(class1);
}

static void hear_send_answer(struct class1 *class1, enum reply reply)
{
    if (reply == REPLY_CONNECT) {
        class1->refusals = 0;
        if (class1->fast)
            give_page(class1);
        else
            give_frame(class1);
    } else if (reply != REPLY_OK) { /* one OK too many is a habit of some */
        if (++class1->refusals >= REFUSALS_MAX)
            give_up(class1, "the modem refuses to send");
        rest(class1);
    }
}

/* ---- hearing ---- */

static void tell_signal(struct class1 *class1, int status)
{
    if (class1->fast && !class1->receive.hdlc)
        t30_non_ecm_put_bit(class1->t30, status);
    else
        t30_hdlc_accept(class1->t30, NULL, status, 1);
}

static void on_deframed(void *user, const uint8_t *frame, int size, int ok)
{
    struct class1 *class1 = user;

    if (size >= 0 || size == SIG_STATUS_FRAMING_OK)
        t30_hdlc_accept(class1->t30, size >= 0 ? frame : NULL, size, ok);
}

static void begin_hearing(struct class1 *class1)
{
    class1->dle.escaped = false;
    class1->data_size = class1->octets = 0;
    class1->failures = 0;
    enter(class1, STATE_HEARING, class1->fast ? HEAR_GAP_MAX : HEAR_FRAME_MAX);
    if (!class1->fast) {
        tell_signal(class1, SIG_STATUS_CARRIER_UP);
        tell_signal(class1, SIG_STATUS_FRAMING_OK);
    } else if (class1->receive.hdlc) {
        hdlc_rx_init(class1->deframer, false, false, 5, on_deframed, class1);
        tell_signal(class1, SIG_STATUS_CARRIER_UP);
        tell_signal(class1, SIG_STATUS_TRAINING_SUCCEEDED);
    } else {
        tell_signal(class1, SIG_STATUS_TRAINING_SUCCEEDED);
    }
    class1->carrier = true;
    class1->heard = class1->changes;
}

static int listen_max(const struct class1 *class1)
{
    if (class1->carrier)
        return GAP_MAX;
    return class1->fast && class1->t30->state != STATE_F_TCF ? PAGE_MAX : LISTEN_MAX;
}

static void ask_to_hear(struct class1 *class1, bool fast)
{
    char text[24];

    class1->fast = fast;
    class1->heard = class1->changes;
    class1->asked_for = 0;
    class1->doubted = false;
    snprintf(text, sizeof text, fast ? "AT+FRM=%d" : "AT+FRH=3", modulation(&class1->receive));
    command(class1, text, STATE_HEAR_ASKED, listen_max(class1));
}

/* The carrier is gone, if T.30 still cares: a phase that it has queued begins. */
static void carrier_down(struct class1 *class1)
{
    bool cares = class1->carrier && class1->heard == class1->changes;

    enter(class1, STATE_READY, 0);
    class1->carrier = false;
    if (cares)
        tell_signal(class1, SIG_STATUS_CARRIER_DOWN);
}

static void hear_listen_answer(struct class1 *class1, enum reply reply)
{
    switch (reply) {
    case REPLY_CONNECT:
        begin_hearing(class1);
        return;
    case REPLY_OK: /* one too many, CONNECT follows; or the command was taken for the end of the one before */
        class1->doubted = !class1->fast;
        if (class1->doubted && class1->left > OK_MAX)
            class1->left = OK_MAX;
        return;
    case REPLY_V21: /* +FRH:3, by itself: CONNECT follows */
        class1->fast = false;
        return;
    case REPLY_OTHER_SIGNAL:
        if (class1->fast) { /* frames, where a page was expected: T.30 knows what to do with them */
            ask_to_hear(class1, false);
            return;
        }
        break;
    default:
        break;
    }
    if (class1->carrier) { /* between frames */
        carrier_down(class1);
        return;
    }
    if (class1->asked_for > MS(200))
        class1->failures = 0;
    else if (++class1->failures >= FAILURES_MAX)
        give_up(class1, "the modem has no line any more");
    rest(class1);
}

static void flush_data(struct class1 *class1)
{
    if (class1->heard != class1->changes) /* T.30 has done with it */
        class1->data_size = 0;
    if (class1->receive.hdlc)
        for (size_t i = 0; i < class1->data_size; i++)
            hdlc_rx_put_byte(class1->deframer, bit_reverse8(class1->data[i]));
    else if (class1->data_size > 0)
        t30_non_ecm_put_chunk(class1->t30, class1->data, (int)class1->data_size);
    class1->data_size = 0;
}

/* T.30 gives a frame 3 s from the flags on. Here the preamble goes before, and the modem's result may come late, so it
 * is told of flags again at the first octet and at the last. */
static void tell_framing(struct class1 *class1)
{
    if (class1->heard == class1->changes)
        tell_signal(class1, SIG_STATUS_FRAMING_OK);
}

static void hear_data(struct class1 *class1, uint8_t octet)
{
    uint8_t data[2];
    int count = dle_take(&class1->dle, octet, data);

    if (count == DLE_END) {
        note_size(class1, true, class1->fast ? "data" : "frame", class1->octets);
        if (class1->fast)
            flush_data(class1);
        else
            tell_framing(class1);
        class1->line_size = 0;
        enter(class1, STATE_HEARD, class1->fast ? RESULT_MAX : FRAME_RESULT);
        return;
    }
    for (int i = 0; i < count; i++)
        if (class1->data_size < sizeof class1->data) /* a longer frame is no frame of T.30, and its checksum fails */
            class1->data[class1->data_size++] = data[i];
    if (class1->octets == 0 && count > 0 && !class1->fast) {
        tell_framing(class1);
        class1->left = HEAR_FRAME_MAX;
    }
    class1->octets += (size_t)count;
    if (!class1->fast)
        return;
    if (class1->data_size >= CHUNK)
        flush_data(class1);
    if (class1->heard == class1->changes)
        class1->left = HEAR_GAP_MAX;
}

/* A frame has ended. A bad one is as if it had not been: its timers run on, and T.30 asks again. */
static void hear_frame_end(struct class1 *class1, enum reply reply)
{
    int size = (int)class1->data_size - FCS_OCTETS;
    bool good = reply == REPLY_OK && size >= 3;
    bool final = good && class1->data[1] & FINAL_FRAME;

    class1->data_size = 0;
    if (good && class1->heard == class1->changes)
        t30_hdlc_accept(class1->t30, class1->data, size, 1);
    if (final || reply == REPLY_NO_CARRIER || class1->heard != class1->changes) {
        carrier_down(class1);
        return;
    }
    ask_to_hear(class1, false);
}

static void hear_end(struct class1 *class1, enum reply reply)
{
    if (class1->fast)
        carrier_down(class1);
    else
        hear_frame_end(class1, reply);
}

/* ---- what the modem says ---- */

static enum reply read_reply(const char *line)
{
    static const struct {
        const char *text;
        enum reply reply;
    } replies[] = {{"OK", REPLY_OK},
                   {"NO CARRIER", REPLY_NO_CARRIER},
                   {"ERROR", REPLY_ERROR},
                   {"+FCERROR", REPLY_OTHER_SIGNAL},
                   {"+FRH:3", REPLY_V21},
                   {"BUSY", REPLY_NO_CARRIER},
                   {"NO DIALTONE", REPLY_NO_CARRIER}};

    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++)
        if (strcmp(line, replies[i].text) == 0)
            return replies[i].reply;
    return strncmp(line, "CONNECT", 7) == 0 ? REPLY_CONNECT : REPLY_NONE;
}

static void hear_reply(struct class1 *class1, enum reply reply)
{
    switch (class1->state) {
    case STATE_QUIET:
        class1->quiet = true;
        enter(class1, STATE_READY, 0);
        break;
    case STATE_SEND_ASKED:
        hear_send_answer(class1, reply);
        break;
    case STATE_SENDING_FRAME:
        if (reply == REPLY_CONNECT)
            next_frame(class1);
        else
            frame_sent(class1);
        break;
    case STATE_SENDING_PAGE:
        page_sent(class1);
        break;
    case STATE_HEAR_ASKED:
        hear_listen_answer(class1, reply);
        break;
    case STATE_HEARD:
        hear_end(class1, reply);
        break;
    case STATE_ABORTING:
        if (reply != REPLY_CONNECT) /* it came just before: data follow, then the result */
            enter(class1, STATE_READY, 0);
        break;
    default: /* an answer to nothing: late, or a RING */
        break;
    }
}

/* Octets of a line; what is no line of a modem's is left out. */
static void hear_line(struct class1 *class1, uint8_t octet)
{
    enum reply reply;

    if (octet != '\r' && octet != '\n') {
        if (class1->line_size < LINE_SIZE - 1)
            class1->line[class1->line_size++] = (char)octet;
        return;
    }
    class1->line[class1->line_size] = '\0';
    class1->line_size = 0;
    reply = read_reply(class1->line);
    class1->skip_lf = octet == '\r';
    if (class1->line[0])
        note(class1, true, class1->line);
    if (reply != REPLY_NONE)
        hear_reply(class1, reply);
}

/* T.30 has other plans than those for which the modem listens. */
static void follow_wish(struct class1 *class1)
{
    bool listens = class1->state == STATE_HEAR_ASKED || class1->state == STATE_HEARING;
    bool to_fast = is_fast(class1->receive.modem);

    if (!listens || class1->heard == class1->changes)
        return;
    if (class1->state == STATE_HEAR_ASKED && !wants_to_send(class1) && !class1->fast &&
        class1->receive.modem == T30_MODEM_V21 && !to_fast) {
        class1->heard = class1->changes; /* the same again */
    } else if (class1->state == STATE_HEARING && class1->fast && !wants_to_send(class1)) {
        if (class1->left > HEAR_REST_MAX)
            class1->left = HEAR_REST_MAX;
    } else {
        class1->carrier = false;
        stop(class1);
    }
}

/* The modem is ready: what next? */
static void decide(struct class1 *class1)
{
    while (class1->state == STATE_READY && !class1->fault) {
        int transmit = class1->transmit.modem;

        if (transmit == T30_MODEM_DONE || class1->receive.modem == T30_MODEM_DONE)
            return;
        if (transmit == T30_MODEM_CED || transmit == T30_MODEM_PAUSE) {
            /* CED was ATA's; a pause lets flow out what the modem, which has said OK, has sent already. */
            class1->transmit.modem = T30_MODEM_NONE;
            step_complete(class1);
        } else if (is_fast(transmit)) {
            ask_to_send(class1, true);
        } else if (transmit == T30_MODEM_V21) {
            if (class1->pending != PENDING_FRAME)
                return;
            ask_to_send(class1, false);
        } else if (class1->receive.modem == T30_MODEM_V21 || is_fast(class1->receive.modem)) {
            ask_to_hear(class1, is_fast(class1->receive.modem));
        } else {
            return;
        }
    }
}

static void settle(struct class1 *class1)
{
    follow_wish(class1);
    decide(class1);
}

void class1_receive(struct class1 *class1, const uint8_t *octets, size_t size)
{
    for (size_t i = 0; i < size && !class1->fault; i++) {
        bool skip = class1->skip_lf && octets[i] == '\n';

        class1->skip_lf = false;
        if (skip)
            continue;
        if (class1->state == STATE_HEARING)
            hear_data(class1, octets[i]);
        else
            hear_line(class1, octets[i]);
        settle(class1);
    }
}

/* ---- time ---- */

/* While a page is on the line that the modem did not train on, it says nothing, and T.30 would take the line for silent
 * after 7 s (T2) and speak into the page. Behind the page come frames, of which the modem tells, and T.30 asks for the
 * page again. Behind a training check they come sooner. */
static bool awaits_page(const struct class1 *class1)
{
    return class1->state == STATE_HEAR_ASKED && class1->fast && class1->t30->state != STATE_F_TCF;
}

static void advance_timers(struct class1 *class1, int samples)
{
    t30_state_t *t30 = class1->t30;
    int held = awaits_page(class1) ? t30->timer_t2_t4 : 0;

    t30->timer_t2_t4 -= held;
    t30_timer_update(t30, samples);
    t30->timer_t2_t4 += held;
}

static void out_of_time(struct class1 *class1)
{
    static const uint8_t end[2] = {DLE, DLE_ETX};

    switch (class1->state) {
    case STATE_QUIET:
        class1->quiet = true;
        enter(class1, STATE_READY, 0);
        break;
    case STATE_SEND_ASKED: /* its CONNECT got lost perhaps: what it sends now is nothing */
        put(class1, end, sizeof end);
        class1->page_made = false;
        enter(class1, class1->fast ? STATE_SENDING_PAGE : STATE_SENDING_FRAME, RESULT_MAX);
        break;
    case STATE_SENDING_FRAME:
        frame_sent(class1);
        stop(class1);
        break;
    case STATE_SENDING_PAGE:
        page_sent(class1);
        stop(class1);
        break;
    case STATE_HEAR_ASKED:
        if (awaits_page(class1) && class1->t30->timer_t2_t4 > 0)
            class1->t30->timer_t2_t4 = 1;
        carrier_down(class1);
        if (class1->doubted)
            put(class1, "\r", 1); /* ends what it listens for, and is nothing to a modem that waits for a command */
        else
            stop(class1);
        break;
    case STATE_HEARING:
        carrier_down(class1);
        stop(class1);
        break;
    case STATE_HEARD:
        hear_end(class1, REPLY_NO_CARRIER);
        break;
    case STATE_ABORTING:
        press_on(class1);
        break;
    case STATE_RESTING:
        enter(class1, STATE_READY, 0);
        break;
    case STATE_READY:
        break;
    }
}

static void begin(struct class1 *class1)
{
    class1->begun = true;
    class1->skip_lf = true;
    class1->open = !class1->calling;
    if (class1->calling)
        begin_hearing(class1);
}

void class1_advance(struct class1 *class1, int samples)
{
    if (!class1->begun)
        begin(class1);
    class1->samples += samples;
    class1->asked_for = class1->asked_for < MS(1000) ? class1->asked_for + samples : class1->asked_for;
    if (class1->left > 0 && (class1->left -= samples) <= 0) {
        class1->left = 0;
        out_of_time(class1);
    }
    advance_timers(class1, samples);
    settle(class1);
}

static void earlier(int *due, int other)
{
    if (other > 0 && other < *due)
        *due = other;
}

int class1_due(const struct class1 *class1)
{
    int due = INT_MAX;

    if (!class1->begun)
        return 0;
    earlier(&due, class1->left);
    earlier(&due, class1->t30->timer_t0_t1);
    earlier(&due, awaits_page(class1) ? 0 : class1->t30->timer_t2_t4);
    earlier(&due, class1->t30->timer_t3);
    earlier(&due, class1->t30->timer_t5);
    return due;
}

/* ---- the rest ---- */

struct class1 *class1_new(bool calling)
{
    struct class1 *class1 = xcalloc(1, sizeof *class1);

    class1->calling = calling;
    class1->framer = hdlc_tx_init(NULL, false, 1, false, on_framed, class1);
    class1->deframer = hdlc_rx_init(NULL, false, false, 5, on_deframed, class1);
    class1->t30 = t30_init(NULL, calling, on_receive_type, class1, on_transmit_type, class1, on_send_hdlc, class1);
    if (class1->framer && class1->deframer && class1->t30)
        return class1;
    class1_free(class1);
    return NULL;
}

void class1_free(struct class1 *class1)
{
    if (!class1)
        return;
    if (class1->framer)
        hdlc_tx_free(class1->framer);
    if (class1->deframer)
        hdlc_rx_free(class1->deframer);
    if (class1->t30)
        t30_free(class1->t30);
    free(class1->page);
    free(class1->out);
    free(class1);
}

t30_state_t *class1_t30(struct class1 *class1)
{
    return class1->t30;
}

const uint8_t *class1_output(const struct class1 *class1, size_t *size)
{
    *size = class1->out_size - class1->out_done;
    return class1->out ? class1->out + class1->out_done : NULL;
}

void class1_written(struct class1 *class1, size_t size)
{
    class1->out_done += size;
}

bool class1_is_sending_page(const struct class1 *class1)
{
    return class1->state == STATE_SENDING_PAGE;
}

bool class1_is_at_work(const struct class1 *class1)
{
    return class1->state != STATE_READY && class1->state != STATE_HEAR_ASKED && class1->state != STATE_RESTING;
}

void class1_leave(struct class1 *class1)
{
    static const uint8_t end[2] = {DLE, DLE_ETX}, can = CAN;

    class1->out_done = class1->out_size;
    if (class1->state == STATE_SENDING_PAGE || class1->state == STATE_SENDING_FRAME || class1->open)
        put(class1, end, sizeof end);
    else if (class1->state == STATE_HEAR_ASKED || class1->state == STATE_HEARING)
        put(class1, &can, 1);
}

const struct dialogue *class1_dialogue(const struct class1 *class1)
{
    return &class1->dialogue;
}

const char *class1_fault(const struct class1 *class1)
{
    return class1->fault;
}
