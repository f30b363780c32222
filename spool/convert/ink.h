/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What on a grey page is ink and what is paper: the threshold for each tile of it.
 *
 * Thread: any.
 */
#ifndef FAXD_CONVERT_INK_H
#define FAXD_CONVERT_INK_H

#include <stdint.h>

struct picture;
struct raster;

#define INK_TILE 32 /* dots a side */
#define INK_BELOW                                                                                                      \
    180 /* darker is ink: above the middle, since 128 loses grey text and hairlines that were averaged down */
#define INK_FAINT 236 /* lighter is paper, even where it is the trace of a line */
#define INK_NONE  0   /* the threshold of a tile that is all paper */

struct ink {
    uint32_t columns, rows; /* tiles */
    uint8_t *below;         /* rows * columns: darker than this is ink */
};

/* Look at a page of depth 8. Where letters stand on a tinted ground that is dark enough to become ink itself, the
 * threshold lies between the two: the ground goes, the letters stay. 0 or ERR_FULL; the caller frees with ink_clear. */
int ink_find(struct ink *ink, const struct raster *page);

/* Where tile number `tile` lies, from 0, row by row. */
struct picture ink_tile(const struct raster *page, uint32_t tile);

void ink_clear(struct ink *ink);

#endif
