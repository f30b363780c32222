/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An SVG drawing on paper, by librsvg. Nothing outside the drawing is fetched: no files, no network, no entities.
 *
 * Thread: any.
 */
#ifndef FAXD_CONVERT_SVG_H
#define FAXD_CONVERT_SVG_H

#include <cairo.h>
#include <stddef.h>

struct svg;

/* Read a drawing from memory. 0; ERR_INVALID when it is no SVG, or damaged. The caller frees with svg_free. */
int svg_read(struct svg **out, const void *data, size_t size);

/* Its own size in points; that of a page when it has none. */
void svg_size(double *width, double *height, const struct svg *svg);

/* Draw it into a box of that many points at the origin. 0 or ERR_INVALID. */
int svg_draw(const struct svg *svg, cairo_t *cairo, double width, double height);

void svg_free(struct svg *svg); /* NULL is fine */

#endif
