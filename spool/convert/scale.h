/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages of another size: each new element is the average of the area it covers.
 *
 * Thread: any.
 */
#ifndef FAXD_CONVERT_SCALE_H
#define FAXD_CONVERT_SCALE_H

#include <stdint.h>

struct raster;

/* Scale `from` (depth 1 or 8) to `width` by `height` in grey, on a white page `page_width` wide (at least `width`),
 * centred. Scaling by one changes nothing, so bits come out as 0 and 255. The resolutions of the new page are unknown.
 * 0, or what raster_new says. The caller frees with raster_free. */
int scale_to_grey(struct raster **out, const struct raster *from, uint32_t width, uint32_t height, uint32_t page_width);

#endif
