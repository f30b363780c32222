/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a sheet of paper lies on a fax page.
 *
 * Thread: any (pure).
 */
#ifndef FAXD_CONVERT_FIT_H
#define FAXD_CONVERT_FIT_H

#include <stdbool.h>
#include <stdint.h>

struct prepare_options;

#define FIT_POINTS_PER_INCH 72.0

/* Paper coordinates are points from its top left corner; x' = left + x * x_scale, y' = y * y_scale, after the turn. */
struct fit {
    uint32_t width, height;  /* of the fax page, in dots */
    double x_scale, y_scale; /* dots a point */
    double left;             /* dots */
    double paper_height;     /* points, of the sheet before the turn */
    bool turned;             /* a quarter to the right: its left edge is on top */
};

/* Paper of `width` by `height` points in its real size where that fits, shrunk without distortion where it does not,
 * centred. What is wider than high and wider than the page is turned first. The page is the narrowest of the T.4 widths
 * up to options->width_max that takes the paper in its real size. Any numbers are taken: absurd ones are clamped. */
void fit_paper(struct fit *fit, double width, double height, const struct prepare_options *options);

/* A rectangle on the paper, in points, to dots of the page; clipped. False when nothing of it is on the page. */
struct picture;
bool fit_area(struct picture *area, const struct fit *fit, double left, double top, double right, double bottom);

#endif
