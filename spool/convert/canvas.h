/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Drawing with cairo onto a grey fax page.
 *
 * Thread: any.
 */
#ifndef FAXD_CONVERT_CANVAS_H
#define FAXD_CONVERT_CANVAS_H

#include <cairo.h>

struct fit;
struct raster;

/* Draws a sheet in points from its top left corner; called for each band of the page anew. 0 or an error. */
typedef int (*canvas_draw_fn)(cairo_t *cairo, void *context);

/* The page that `fit` describes, depth 8, on white, with its resolution. In bands, so that a long page takes no more
 * memory than a short one. 0; what `draw` said; ERR_FULL. The caller frees with raster_free. */
int canvas_render(struct raster **out, const struct fit *fit, int y_dpi, canvas_draw_fn draw, void *context);

#endif
