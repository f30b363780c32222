/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one place where drawings become dots. Most of a page is white, and here is where most octets of it are touched:
 * so paper is set and left in whole blocks, whose fixed size lets the compiler take many elements at once.
 */
#include "config.h" /* M_PI */

#include "spool/convert/canvas.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/err.h"
#include "spool/convert/fax_page.h"
#include "spool/convert/fit.h"
#include "spool/convert/raster.h"

#define BLOCK 32u
#define WHITE 0xffffffu

#define BAND_ROWS 5000u /* an A4 page in the finest resolution in one piece; 40 MB at the most */

static cairo_t *begin(cairo_surface_t *surface, const struct fit *fit, uint32_t top)
{
    cairo_t *cairo = cairo_create(surface);
    cairo_set_source_rgb(cairo, 0, 0, 0);
    cairo_translate(cairo, fit->left, -(double)top);
    cairo_scale(cairo, fit->x_scale, fit->y_scale);
    if (fit->turned) {
        cairo_translate(cairo, fit->paper_height, 0);
        cairo_rotate(cairo, M_PI / 2);
    }
    return cairo;
}

static bool is_white(const uint32_t *restrict from)
{
    uint32_t all = WHITE;
    for (uint32_t x = 0; x < BLOCK; x++)
        all &= from[x];
    return (all & WHITE) == WHITE;
}

static inline void take(uint8_t *restrict to, const uint32_t *restrict from, uint32_t count)
{
    for (uint32_t x = 0; x < count; x++)
        to[x] = raster_luminance(from[x] >> 16 & 255, from[x] >> 8 & 255, from[x] & 255);
}

static void take_row(uint8_t *to, const uint32_t *from, uint32_t width)
{
    uint32_t x = 0;
    for (; x + BLOCK <= width; x += BLOCK) {
        if (is_white(from + x))
            memset(to + x, 255, BLOCK);
        else
            take(to + x, from + x, BLOCK);
    }
    take(to + x, from + x, width - x);
}

static int draw_on(cairo_surface_t *surface, const struct fit *fit, uint32_t top, canvas_draw_fn draw, void *context)
{
    cairo_t *cairo = begin(surface, fit, top);
    int error = draw(cairo, context);
    cairo_destroy(cairo);
    cairo_surface_flush(surface);
    if (error == 0 && cairo_surface_status(surface) != CAIRO_STATUS_SUCCESS)
        error = err_set(ERR_FULL, "cannot draw a page: %s", cairo_status_to_string(cairo_surface_status(surface)));
    return error;
}

static int draw_band(const struct raster *to, uint32_t top, uint32_t rows, const struct fit *fit, canvas_draw_fn draw,
                     void *context)
{
    size_t size = (size_t)rows * to->width * sizeof(uint32_t);
    uint32_t *data = malloc(size);
    if (data == NULL)
        return err_set(ERR_FULL, "no memory to draw a page");
    memset(data, 255, size);
    cairo_surface_t *surface = cairo_image_surface_create_for_data((void *)data, CAIRO_FORMAT_RGB24, (int)to->width,
                                                                   (int)rows, (int)(to->width * sizeof(uint32_t)));
    int error = draw_on(surface, fit, top, draw, context);
    cairo_surface_finish(surface);
    cairo_surface_destroy(surface);
    for (uint32_t y = 0; error == 0 && y < rows; y++)
        take_row(raster_row(to, top + y), data + (size_t)y * to->width, to->width);
    free(data);
    return error;
}

int canvas_render(struct raster **out, const struct fit *fit, int y_dpi, canvas_draw_fn draw, void *context)
{
    struct raster *raster = NULL;
    int error = raster_new(&raster, fit->width, fit->height, 8);
    for (uint32_t top = 0; error == 0 && top < fit->height; top += BAND_ROWS) {
        uint32_t rows = fit->height - top < BAND_ROWS ? fit->height - top : BAND_ROWS;
        error = draw_band(raster, top, rows, fit, draw, context);
    }
    if (error != 0) {
        raster_free(raster);
        return error;
    }
    raster->x_dpi = FAX_PAGE_X_DPI;
    raster->y_dpi = y_dpi;
    *out = raster;
    return 0;
}
