/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The choice of a rendition in the phase B handler. spandsp neither rescales nor picks: it ends the call with a code
 * when the page does not fit, so the choice has to be made before it opens the document. */
#include "plugins/t30/rendition.h"

#define LENGTH_SPARE_MM 12

/* Bit n of DIS, counted from 1 in the first octet after the FCF (T.30 table 2). */
static bool dis_bit(const uint8_t *frame, int length, int bit)
{
    int octet = 3 + (bit - 1) / 8;

    return octet < length && (frame[octet] & (1 << ((bit - 1) % 8)));
}

static bool resolution_fits(enum options_resolution resolution, const uint8_t *frame, int length)
{
    switch (resolution) {
    case OPTIONS_STANDARD:
        return true;
    case OPTIONS_FINE:
        return dis_bit(frame, length, 15);
    case OPTIONS_SUPERFINE:
        return dis_bit(frame, length, 41);
    case OPTIONS_300:
        return dis_bit(frame, length, 42);
    case OPTIONS_400:
        return dis_bit(frame, length, 43);
    case OPTIONS_RESOLUTION_COUNT:
        break;
    }
    return false;
}

/* 0: 215 mm, 1: 255 mm, 2: 303 mm; -1: a width that T.30 has not. */
static int width_class(const struct options_file *file)
{
    static const int r8[] = {1728, 2048, 2432};
    static const int inch300[] = {2592, 3072, 3648};
    static const int r16[] = {3456, 4096, 4864};
    const int *widths = r8;
    int i;

    if (file->resolution == OPTIONS_300)
        widths = inch300;
    else if (file->resolution == OPTIONS_400)
        widths = r16;
    for (i = 0; i < 3; i++)
        if (widths[i] == file->width)
            return i;
    return -1;
}

/* Bits 17 and 18 as a number: 1 has 255 mm, 2 has 303 mm as well; 3 is invalid and read as 2 (table 2, note 6). */
static int far_width_class(const uint8_t *frame, int length)
{
    if (dis_bit(frame, length, 18))
        return 2;
    return dis_bit(frame, length, 17) ? 1 : 0;
}

/* Millimetres that a page may be long (bits 19 and 20), with what a header line adds; 0 = any. */
static int far_length_mm(const uint8_t *frame, int length)
{
    if (dis_bit(frame, length, 20))
        return 0;
    return dis_bit(frame, length, 19) ? 364 + LENGTH_SPARE_MM : 297 + LENGTH_SPARE_MM;
}

enum rendition_fault rendition_check(const struct options_file *file, const uint8_t *frame, int length)
{
    int width = width_class(file);

    if (!resolution_fits(file->resolution, frame, length))
        return RENDITION_RESOLUTION;
    if (width < 0 || width > far_width_class(frame, length))
        return RENDITION_WIDTH;
    if (far_length_mm(frame, length) > 0 && file->length_mm > far_length_mm(frame, length))
        return RENDITION_LENGTH;
    return RENDITION_FITS;
}

static bool is_finer(const struct options_file *a, const struct options_file *b)
{
    if (a->resolution != b->resolution)
        return a->resolution > b->resolution;
    return a->width > b->width;
}

static int choose(const struct options *options, const uint8_t *frame, int length, bool any_length,
                  enum rendition_fault *fault)
{
    enum rendition_fault reason = RENDITION_RESOLUTION, found;
    int best = -1, i;

    for (i = 0; i < options->file_count; i++) {
        found = rendition_check(&options->files[i], frame, length);
        if (found == RENDITION_WIDTH)
            reason = RENDITION_WIDTH;
        if (found != RENDITION_FITS && !(any_length && found == RENDITION_LENGTH))
            continue;
        if (best < 0 || (best > 0 && is_finer(&options->files[i], &options->files[best])))
            best = i;
    }
    *fault = best < 0 ? reason : RENDITION_FITS;
    return best;
}

int rendition_choose(const struct options *options, const uint8_t *frame, int length, enum rendition_fault *fault)
{
    int best = choose(options, frame, length, false, fault);

    return best >= 0 ? best : choose(options, frame, length, true, fault);
}
