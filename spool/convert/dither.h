/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From grey to black and white.
 *
 * Thread: any.
 */
#ifndef FAXD_CONVERT_DITHER_H
#define FAXD_CONVERT_DITHER_H

struct raster;
struct sheet;

enum dither {
    DITHER_AUTO,      /* threshold, with halftone for what is a picture: much of it is neither light nor dark */
    DITHER_THRESHOLD, /* best for text and lines */
    DITHER_DIFFUSION, /* best looking greys; compresses badly */
    DITHER_HALFTONE   /* dots in a screen; a fifth of the line time of diffusion */
};

/* "auto", "threshold", "diffusion" or "halftone": 0, or ERR_INVALID with a message that lists them. */
int dither_parse(enum dither *dither, const char *word);

/* A new page of depth 1 from the grey page of `sheet` (depth 8), with its resolutions. Where the sheet knows its
 * pictures a screen is laid over them alone. What is 0 or 255 stays black or white in every way. 0, or what raster_new
 * says. The caller frees with raster_free. */
int dither_sheet(struct raster **out, const struct sheet *sheet, enum dither dither);

#endif
