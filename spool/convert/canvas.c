/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one place where drawings become dots.
 */
#include "config.h" /* M_PI */

#include "spool/convert/canvas.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "server/base/err.h"
#include "spool/convert/fax_page.h"
#include "spool/convert/fit.h"
#include "spool/convert/raster.h"

#define BAND_ROWS 5000u /* an A4 page in the finest resolution in one piece; 40 MB at the most */

static cairo_t *begin(cairo_surface_t *surface, const struct fit *fit, uint32_t top)
{
    cairo_t *cairo = cairo_create(surface);
    cairo_set_source_rgb(cairo, 1, 1, 1);
    cairo_paint(cairo);
    cairo_set_source_rgb(cairo, 0, 0, 0);
    cairo_translate(cairo, fit->left, -(double)top);
    cairo_scale(cairo, fit->x_scale, fit->y_scale);
    if (fit->turned) {
        cairo_translate(cairo, fit->paper_height, 0);
        cairo_rotate(cairo, M_PI / 2);
    }
    return cairo;
}

static void take_rows(const struct raster *to, uint32_t top, cairo_surface_t *surface, uint32_t rows)
{
    const uint8_t *data = cairo_image_surface_get_data(surface);
    size_t stride = (size_t)cairo_image_surface_get_stride(surface);
    for (uint32_t y = 0; y < rows; y++) {
        const uint32_t *from = (const void *)(data + y * stride);
        uint8_t *row = raster_row(to, top + y);
        for (uint32_t x = 0; x < to->width; x++)
            row[x] = raster_luminance(from[x] >> 16 & 255, from[x] >> 8 & 255, from[x] & 255);
    }
}

static int draw_band(const struct raster *to, uint32_t top, uint32_t rows, const struct fit *fit, canvas_draw_fn draw,
                     void *context)
{
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)to->width, (int)rows);
    cairo_t *cairo = begin(surface, fit, top);
    int error = draw(cairo, context);
    cairo_destroy(cairo);
    cairo_surface_flush(surface);
    if (error == 0 && cairo_surface_status(surface) != CAIRO_STATUS_SUCCESS)
        error = err_set(ERR_FULL, "cannot draw a page: %s", cairo_status_to_string(cairo_surface_status(surface)));
    if (error == 0)
        take_rows(to, top, surface, rows);
    cairo_surface_destroy(surface);
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
