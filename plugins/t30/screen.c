/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The frame screen, as one table of frame types and their lengths and a few rules on contents. It stands between the
 * HDLC receiver and spandsp's T.30 (session.c defines t30_hdlc_accept), for audio now and for every other front end. */
#include "plugins/t30/screen.h"

#include <stdio.h>
#include <stdlib.h>
#include <tiffio.h>
#include <spandsp.h>

#define ADDRESS       0xFF /* T.30 5.3.4: the only HDLC address */
#define CONTROL       0x03 /* T.30 5.3.5: with 0x10 in the last frame of a sequence */
#define CONTROL_FINAL 0x13
#define FRAME_MAX     253  /* longer ones break the 3 s rule of T.30 5.3.3 at 300 bit/s many times over */
#define FCD_MAX       260  /* T.4 A.3.1: header, number, 256 octets of data */
#define DCS_MAX       22   /* T30_MAX_DIS_DTC_DCS_LEN: spandsp prints a longer DCS past its buffer */
#define WIDTH_BITS    0x03 /* bits 17 and 18 of DIS and DCS; both set is invalid (table 2, note 6) */
#define RATE_BITS     0x3C /* bits 11 to 14 */
#define SAME_FOR_BOTH 0xFE /* bit 0 of the FCF tells who received DIS (the X of T.30 5.3.6) */

/* What spandsp needs to be there, since it does not look. `fcf` with the X bit clear. */
struct rule {
    const char *name;
    uint8_t fcf;
    uint8_t minimum;
    uint16_t maximum;
};

static const struct rule rules[] = {
    {"DIS", T30_DIS &SAME_FOR_BOTH, 6, FRAME_MAX},
    {"CSI", T30_CSI &SAME_FOR_BOTH, 3, FRAME_MAX},
    {"NSF", T30_NSF &SAME_FOR_BOTH, 5, FRAME_MAX}, /* the country code is read without a look at the length */
    {"DCS", T30_DCS &SAME_FOR_BOTH, 6, DCS_MAX},
    {"TSI", T30_TSI &SAME_FOR_BOTH, 3, FRAME_MAX},
    {"NSS", T30_NSS &SAME_FOR_BOTH, 4, FRAME_MAX},
    {"SUB", T30_SUB &SAME_FOR_BOTH, 3, FRAME_MAX},
    {"SEP", T30_SEP &SAME_FOR_BOTH, 3, FRAME_MAX},
    {"SID", T30_SID &SAME_FOR_BOTH, 3, FRAME_MAX},
    {"PWD", T30_PWD &SAME_FOR_BOTH, 3, FRAME_MAX},
    {"CTC", T30_CTC &SAME_FOR_BOTH, 5, FRAME_MAX},
    {"CTR", T30_CTR &SAME_FOR_BOTH, 3, FRAME_MAX},
    {"CFR", T30_CFR &SAME_FOR_BOTH, 3, FRAME_MAX},
    {"FTT", T30_FTT &SAME_FOR_BOTH, 3, FRAME_MAX},
    {"EOM", T30_EOM &SAME_FOR_BOTH, 3, FRAME_MAX},
    {"MPS", T30_MPS &SAME_FOR_BOTH, 3, FRAME_MAX},
    {"EOP", T30_EOP &SAME_FOR_BOTH, 3, FRAME_MAX},
    {"EOS", T30_EOS &SAME_FOR_BOTH, 3, FRAME_MAX},
    {"PRI-EOM", T30_PRI_EOM &SAME_FOR_BOTH, 3, FRAME_MAX},
    {"PRI-MPS", T30_PRI_MPS &SAME_FOR_BOTH, 3, FRAME_MAX},
    {"PRI-EOP", T30_PRI_EOP &SAME_FOR_BOTH, 3, FRAME_MAX},
    {"PPS", T30_PPS &SAME_FOR_BOTH, 7, FRAME_MAX},
    {"EOR", T30_EOR &SAME_FOR_BOTH, 4, FRAME_MAX},
    {"RR", T30_RR &SAME_FOR_BOTH, 3, FRAME_MAX},
    {"MCF", T30_MCF &SAME_FOR_BOTH, 3, FRAME_MAX},
    {"RTP", T30_RTP &SAME_FOR_BOTH, 3, FRAME_MAX},
    {"RTN", T30_RTN &SAME_FOR_BOTH, 3, FRAME_MAX},
    {"PIP", T30_PIP &SAME_FOR_BOTH, 3, FRAME_MAX},
    {"PIN", T30_PIN &SAME_FOR_BOTH, 3, FRAME_MAX},
    {"PPR", T30_PPR &SAME_FOR_BOTH, 35, 35},
    {"RNR", T30_RNR &SAME_FOR_BOTH, 3, FRAME_MAX},
    {"ERR", T30_ERR &SAME_FOR_BOTH, 3, FRAME_MAX},
    {"DCN", T30_DCN &SAME_FOR_BOTH, 3, FRAME_MAX},
    {"CRP", T30_CRP &SAME_FOR_BOTH, 3, FRAME_MAX},
    {"FNV", T30_FNV &SAME_FOR_BOTH, 4, FRAME_MAX},
    {"FCD", T4_FCD &SAME_FOR_BOTH, 4, FCD_MAX},
    {"RCP", T4_RCP &SAME_FOR_BOTH, 3, FRAME_MAX},
};

static const struct rule *find_rule(uint8_t fcf)
{
    size_t i;

    for (i = 0; i < sizeof rules / sizeof *rules; i++)
        if (rules[i].fcf == (fcf & SAME_FOR_BOTH))
            return &rules[i];
    return NULL;
}

static const char *plain_name(uint8_t fcf)
{
    const struct rule *rule = find_rule(fcf);

    /* The frames of the side that wants to be sent to, T.30 5.3.6.1.2: the X bit is part of their names. */
    if (fcf == T30_DTC)
        return "DTC";
    if (fcf == T30_CIG)
        return "CIG";
    if (fcf == T30_NSC)
        return "NSC";
    return rule ? rule->name : NULL;
}

char *screen_frame_name(char *name, size_t size, const uint8_t *frame, int length)
{
    const char *plain = length >= 3 ? plain_name(frame[2]) : "frame";
    const char *second = NULL;

    if (length >= 4 && ((frame[2] & SAME_FOR_BOTH) == T30_PPS || (frame[2] & SAME_FOR_BOTH) == T30_EOR))
        second = (frame[3] & SAME_FOR_BOTH) == T30_NULL ? "NULL" : plain_name(frame[3]);
    if (plain && second)
        snprintf(name, size, "%s-%s", plain, second);
    else if (plain)
        snprintf(name, size, "%s", plain);
    else
        snprintf(name, size, "0x%02X", frame[2]);
    return name;
}

static enum screen_verdict refuse(char *why, size_t size, const uint8_t *frame, int length, const char *reason)
{
    char name[16];

    snprintf(why, size, "%s: %s", screen_frame_name(name, sizeof name, frame, length), reason);
    return SCREEN_REFUSE;
}

/* T.30 table 2, bits 11 to 14 of DCS: the eight codes that name a modem of ours. Any other makes spandsp read before
 * its table of rates. */
static int rate_is_known(uint8_t octet)
{
    switch (octet & RATE_BITS) {
    case 0x00: /* V.27ter 2400 */
    case 0x08: /* V.27ter 4800 */
    case 0x04: /* V.29 9600 */
    case 0x0C: /* V.29 7200 */
    case 0x20: /* V.17 14400 */
    case 0x28: /* V.17 12000 */
    case 0x24: /* V.17 9600 */
    case 0x2C: /* V.17 7200 */
        return 1;
    default:
        return 0;
    }
}

/* Frames that a receiver may always ignore (T.30 5.3.6.1): a strange one of these is no reason to lose a call. */
static int is_optional(uint8_t fcf)
{
    return (fcf & SAME_FOR_BOTH) == (T30_NSF & SAME_FOR_BOTH) || (fcf & SAME_FOR_BOTH) == (T30_NSS & SAME_FOR_BOTH);
}

static enum screen_verdict judge_contents(const uint8_t *frame, int length, char *why, size_t size)
{
    switch (frame[2] & SAME_FOR_BOTH) {
    case T30_DCS &SAME_FOR_BOTH:
        if ((frame[5] & WIDTH_BITS) == WIDTH_BITS)
            return refuse(why, size, frame, length, "both width bits are set");
        if (!rate_is_known(frame[4]))
            return refuse(why, size, frame, length, "unknown modem and rate");
        return SCREEN_PASS;
    case T30_CTC &SAME_FOR_BOTH:
        if (!rate_is_known(frame[4]))
            return refuse(why, size, frame, length, "unknown modem and rate");
        return SCREEN_PASS;
    default:
        return SCREEN_PASS;
    }
}

enum screen_verdict screen_judge(const uint8_t *frame, int length, char *why, size_t size)
{
    const struct rule *rule;

    if (length < 2 || frame[0] != ADDRESS || (frame[1] != CONTROL && frame[1] != CONTROL_FINAL))
        return SCREEN_DROP;
    if (length < 3)
        return refuse(why, size, frame, length, "too short for a command");
    rule = find_rule(frame[2]);
    if (length > (rule ? rule->maximum : FRAME_MAX))
        return refuse(why, size, frame, length, "too long");
    if (rule && length < rule->minimum)
        return is_optional(frame[2]) ? SCREEN_DROP : refuse(why, size, frame, length, "too short");
    return judge_contents(frame, length, why, size);
}
