/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hostile-t30: the T.30 engine with a bad character, for tests. It is faxd-t30 with this file linked in, and defines
 * hdlc_tx_frame, so that frames can be changed on their way to the modem. What it does is chosen by the call's station
 * id, so that a provider that uses it as its engine needs no further settings; any other id makes it well-behaved. */
#include "config.h"

#define SPANDSP_EXPOSE_INTERNAL_STRUCTURES
#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <tiffio.h>
#include <spandsp.h>
#include <spandsp/expose.h>

#define LONGEST 300

struct frame {
    uint8_t octets[LONGEST];
    size_t length;
    bool corrupt; /* send it with a wrong checksum */
};

struct trick {
    const char *station_id;
    uint8_t fcf; /* which frames, 0 = all */
    void (*change)(struct frame *frame);
};

static unsigned count; /* frames that a trick was tried on; one call a process is all that this program is for */

static void both_widths(struct frame *frame)
{
    frame->octets[5] |= 3;
}

static void unknown_rate(struct frame *frame)
{
    frame->octets[4] |= 0x3C;
}

static void cut_to_three(struct frame *frame)
{
    frame->length = 3;
}

static void cut_to_five(struct frame *frame)
{
    frame->length = 5;
}

static void stretch_to_sixty(struct frame *frame)
{
    frame->length = 60;
}

static void make_ctc(struct frame *frame, uint8_t rate, size_t length)
{
    frame->octets[2] = (uint8_t)(T30_CTC | (frame->octets[2] & 1));
    frame->octets[3] = 0;
    frame->octets[4] = rate;
    frame->length = length;
}

static void ctc_of_unknown_rate(struct frame *frame)
{
    make_ctc(frame, 0x3C, 5);
}

static void short_ctc(struct frame *frame)
{
    make_ctc(frame, 0, 4);
}

static void very_long_tsi(struct frame *frame)
{
    frame->octets[2] = T30_TSI | 1;
    frame->length = LONGEST;
}

static void short_ppr(struct frame *frame)
{
    frame->octets[2] = (uint8_t)(T30_PPR | (frame->octets[2] & 1));
    frame->length = 10;
}

static void lose_every_seventh_once(struct frame *frame)
{
    frame->corrupt = count % 7 == 3 && count < 100;
}

static void lose(struct frame *frame)
{
    frame->corrupt = true;
}

static void lose_first(struct frame *frame)
{
    frame->corrupt = count == 1;
}

static void refuse_first(struct frame *frame)
{
    if (count == 1)
        frame->octets[2] = (uint8_t)(T30_RTN | (frame->octets[2] & 1));
}

static void change_at_random(struct frame *frame)
{
    int changes = rand() % 4 == 0 ? 1 + rand() % 3 : 0;

    while (changes-- > 0)
        frame->octets[2 + (size_t)rand() % (frame->length - 2)] = (uint8_t)rand();
    if (rand() % 8 == 0)
        frame->length = 2 + (size_t)rand() % frame->length;
}

/* Not hostile at all: machines that can do less. Bits of DIS as T.30 table 2 counts them. */
static void clear_bits(struct frame *frame, const int *bits)
{
    for (; *bits; bits++) {
        size_t octet = 3 + (size_t)(*bits - 1) / 8;

        if (octet < frame->length)
            frame->octets[octet] &= (uint8_t) ~(1 << ((*bits - 1) % 8));
    }
}

static void only_standard(struct frame *frame)
{
    static const int resolutions[] = {15, 41, 42, 43, 0};

    clear_bits(frame, resolutions);
}

static void only_narrow(struct frame *frame)
{
    static const int widths[] = {17, 18, 0};

    clear_bits(frame, widths);
}

/* Not hostile to the far end but to its own engine, as a bug in spandsp would be. */
static void crash(struct frame *frame)
{
    if (count == 5)
        abort();
    (void)frame;
}

static void hang(struct frame *frame)
{
    struct timespec now;

    while (count == 5)
        clock_gettime(CLOCK_MONOTONIC, &now); /* ThreadSanitizer holds signals back from a loop that calls nothing */
    (void)frame;
}

static const struct trick tricks[] = {
    {"HOSTILE DCS WIDTH", T30_DCS, both_widths},
    {"HOSTILE DCS RATE", T30_DCS, unknown_rate},
    {"HOSTILE DCS SHORT", T30_DCS, cut_to_five},
    {"HOSTILE DCS LONG", T30_DCS, stretch_to_sixty},
    {"HOSTILE DIS SHORT", T30_DIS, cut_to_five},
    {"HOSTILE FCD SHORT", T4_FCD, cut_to_three},
    {"HOSTILE CTC", T30_PPS, ctc_of_unknown_rate},
    {"HOSTILE CTC SHORT", T30_PPS, short_ctc},
    {"HOSTILE PPS SHORT", T30_PPS, cut_to_five},
    {"HOSTILE PPR SHORT", T30_MCF, short_ppr},
    {"HOSTILE LONG", T4_FCD, very_long_tsi},
    {"LOSSY FCD", T4_FCD, lose_every_seventh_once},
    {"LOSSY MCF", T30_MCF, lose},
    {"CRASH IN PAGE", T4_FCD, crash},
    {"HANG IN PAGE", T4_FCD, hang},
    {"LOSE FIRST MCF", T30_MCF, lose_first},
    {"REFUSE FIRST PAGE", T30_MCF, refuse_first},
    {"ONLY STANDARD", T30_DIS, only_standard},
    {"ONLY NARROW", T30_DIS, only_narrow},
    {"HOSTILE RANDOM", 0, change_at_random}, /* followed by a seed */
};

static const struct trick *find_trick(const char *station_id)
{
    size_t i;

    for (i = 0; i < sizeof tricks / sizeof *tricks; i++)
        if (strcmp(station_id, tricks[i].station_id) == 0)
            return &tricks[i];
    if (strncmp(station_id, "HOSTILE RANDOM ", 15) != 0)
        return NULL;
    if (count == 0)
        srand((unsigned)atoi(station_id + 15));
    return &tricks[i - 1];
}

/* The second page of "MUTE SECOND PAGE" and the training check of "MUTE FIRST TCF" leave as silence: the receiver's
 * modem cannot train on them. */
static int pages;    /* begun in V.17, which trains on them shortly */
static bool checked; /* the first training check, trained on for long, is over */

__attribute__((visibility("default"))) int v17_tx_restart(v17_tx_state_t *modem, int rate, int tep, int short_train)
{
    static int (*real)(v17_tx_state_t *, int, int, int);

    if (!real)
        real = (int (*)(v17_tx_state_t *, int, int, int))dlsym(RTLD_NEXT, "v17_tx_restart");
    pages += short_train ? 1 : 0;
    return real(modem, rate, tep, short_train);
}

__attribute__((visibility("default"))) int v17_tx(v17_tx_state_t *modem, int16_t samples[], int count_max)
{
    static int (*real)(v17_tx_state_t *, int16_t *, int);
    const char *start = (const char *)modem - offsetof(fax_state_t, modems.fast_modems.v17_tx);
    const char *station_id = ((const fax_state_t *)(const void *)start)->t30.tx_info.ident;
    int made;

    if (!real)
        real = (int (*)(v17_tx_state_t *, int16_t *, int))dlsym(RTLD_NEXT, "v17_tx");
    made = real(modem, samples, count_max);
    if ((modem->short_train && pages == 2 && strcmp(station_id, "MUTE SECOND PAGE") == 0) ||
        (!modem->short_train && !checked && strcmp(station_id, "MUTE FIRST TCF") == 0))
        memset(samples, 0, (size_t)made * sizeof *samples);
    checked = checked || (!modem->short_train && made < count_max);
    return made;
}

/* The transmitter is a part of the fax state, which has the station id too. */
static const char *station_of(const hdlc_tx_state_t *hdlc)
{
    const char *start = (const char *)hdlc - offsetof(fax_state_t, modems.hdlc_tx);

    return ((const fax_state_t *)(const void *)start)->t30.tx_info.ident;
}

__attribute__((visibility("default"))) int hdlc_tx_frame(hdlc_tx_state_t *hdlc, const uint8_t *octets, size_t length)
{
    static int (*real)(hdlc_tx_state_t *, const uint8_t *, size_t);
    const struct trick *trick = find_trick(station_of(hdlc));
    struct frame frame = {.length = length};
    int result;

    if (!real)
        real = (int (*)(hdlc_tx_state_t *, const uint8_t *, size_t))dlsym(RTLD_NEXT, "hdlc_tx_frame");
    if (!trick || length < 3 || length > LONGEST || (trick->fcf && trick->fcf != (octets[2] & 0xFE)))
        return real(hdlc, octets, length);
    count++;
    memcpy(frame.octets, octets, length);
    trick->change(&frame);
    result = real(hdlc, frame.octets, frame.length);
    if (frame.corrupt)
        hdlc_tx_corrupt_frame(hdlc);
    return result;
}
