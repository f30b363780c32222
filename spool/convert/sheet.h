/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A page as its document gives it, on the way to a fax page.
 *
 * Thread: any; a sheet belongs to whoever filled it.
 */
#ifndef FAXD_CONVERT_SHEET_H
#define FAXD_CONVERT_SHEET_H

#include <stdbool.h>
#include <stdint.h>

struct raster;

#define SHEET_PICTURES_MAX     64
#define SHEET_PICTURES_UNKNOWN (-1)

/* A part of the page that shows a picture, in dots of the raster; right and bottom are outside. */
struct picture {
    uint32_t left, top, right, bottom;
};

struct sheet {
    struct raster *raster; /* depth 1: dot for dot; depth 8: grey */
    bool drawn;            /* it was drawn for the fax page, at its size and resolution; else it has to be fitted */
    bool photo;            /* a picture of unknown size fills the width of the page, or its length */
    int picture_count;     /* or SHEET_PICTURES_UNKNOWN: the greys decide for the page as a whole */
    struct picture pictures[SHEET_PICTURES_MAX];
};

#endif
