/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plugins/t30/tones.h"

#include <stdlib.h>
#include <tiffio.h>
#include <spandsp.h>

#include "server/base/log.h"

struct tones {
    modem_connect_tones_rx_state_t *detector;
    tones_heard_fn *heard;
    void *context;
    unsigned said; /* bit for each tone of spandsp's */
};

static const char *name_of(int tone)
{
    switch (tone) {
    case MODEM_CONNECT_TONES_FAX_CNG:
        return "cng";
    case MODEM_CONNECT_TONES_ANS:
    case MODEM_CONNECT_TONES_ANS_PR:
    case MODEM_CONNECT_TONES_ANSAM:
    case MODEM_CONNECT_TONES_ANSAM_PR:
        return "ced";
    case MODEM_CONNECT_TONES_FAX_PREAMBLE:
        return "preamble";
    default:
        return NULL;
    }
}

static void on_tone(void *user, int tone, int level, int delay)
{
    struct tones *tones = user;
    const char *name = name_of(tone);

    (void)level, (void)delay;
    if (!name || (tones->said & 1u << tone))
        return;
    tones->said |= 1u << tone;
    tones->heard(tones->context, name);
}

struct tones *tones_new(bool calling, tones_heard_fn *heard, void *context)
{
    struct tones *tones = xcalloc(1, sizeof *tones);
    int kind = calling ? MODEM_CONNECT_TONES_FAX_CED_OR_PREAMBLE : MODEM_CONNECT_TONES_FAX_CNG;

    tones->heard = heard;
    tones->context = context;
    tones->detector = modem_connect_tones_rx_init(NULL, kind, on_tone, tones);
    if (tones->detector)
        return tones;
    free(tones);
    return NULL;
}

void tones_free(struct tones *tones)
{
    if (!tones)
        return;
    modem_connect_tones_rx_free(tones->detector);
    free(tones);
}

void tones_receive(struct tones *tones, const int16_t *samples, int count)
{
    if (tones)
        modem_connect_tones_rx(tones->detector, samples, count);
}
