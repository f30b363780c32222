/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A page in memory: one bit a picture element (1 = black, first in the high bit) or eight (0 = black).
 *
 * Rows are padded to whole octets; bits past the width are 0. Thread: any; a raster belongs to whoever made it.
 */
#ifndef FAXD_CONVERT_RASTER_H
#define FAXD_CONVERT_RASTER_H

#include <stddef.h>
#include <stdint.h>

#define RASTER_WIDTH_MAX  65535u
#define RASTER_HEIGHT_MAX 1000000u
#define RASTER_BYTES_MAX  (160u << 20) /* A4 in grey at 1,200 dots an inch */

struct raster {
    uint32_t width, height;
    unsigned depth;      /* 1 or 8 bits an element */
    size_t stride;       /* octets a row */
    double x_dpi, y_dpi; /* dots an inch, 0 = unknown */
    uint8_t *data;
};

/* A new raster of `depth` 1 or 8: white when 1, undefined when 8. 0; ERR_UNSUPPORTED when a side is 0 or over the
 * limits above (checked before memory is asked for); ERR_FULL when there is no memory. The caller frees with
 * raster_free. */
int raster_new(struct raster **out, uint32_t width, uint32_t height, unsigned depth);

/* NULL is fine. */
void raster_free(struct raster *raster);

/* Row `y` (from the top), which has to be below height. */
uint8_t *raster_row(const struct raster *raster, uint32_t y);

/* The grey of a colour, 0..255 (weights of ITU-R BT.601). */
static inline uint8_t raster_luminance(unsigned red, unsigned green, unsigned blue)
{
    return (uint8_t)((red * 77 + green * 150 + blue * 29) >> 8);
}

/* Turn upright what is stored in TIFF orientation 1..8 (TIFF 6.0 page 36); other values count as 1. Resolutions go
 * with their sides. `*raster` is replaced; on failure (ERR_FULL, ERR_UNSUPPORTED) it is as it was. */
int raster_upright(struct raster **raster, unsigned orientation);

#endif
