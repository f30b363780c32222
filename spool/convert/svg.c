/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Drawings: uploads (source_svg.c) and covers (cover.c).
 */
#include "spool/convert/svg.h"

#include <librsvg/rsvg.h>
#include <stdbool.h>
#include <stdlib.h>

#include "server/base/err.h"
#include "spool/convert/fit.h"
#include "spool/convert/paper.h"

#define SVG_DPI 96.0 /* CSS: an inch has 96 pixels */

struct svg {
    RsvgHandle *handle;
};

static int failed(GError *why)
{
    int error = err_set(ERR_INVALID, "the SVG drawing is damaged: %.200s", why != NULL ? why->message : "it is empty");
    g_clear_error(&why);
    return error;
}

int svg_read(struct svg **out, const void *data, size_t size)
{
    GError *why = NULL;
    struct svg *svg = calloc(1, sizeof *svg);
    if (svg == NULL)
        return err_set(ERR_FULL, "no memory for a drawing");
    /* Without a base address every reference to something outside is refused by librsvg. */
    svg->handle = rsvg_handle_new_from_data(data, size, &why);
    if (svg->handle == NULL) {
        free(svg);
        return failed(why);
    }
    rsvg_handle_set_dpi(svg->handle, SVG_DPI);
    *out = svg;
    return 0;
}

void svg_size(double *width, double *height, const struct svg *svg)
{
    gboolean has_box = FALSE;
    RsvgRectangle box;
    if (rsvg_handle_get_intrinsic_size_in_pixels(svg->handle, width, height) && *width > 0 && *height > 0) {
        *width *= FIT_POINTS_PER_INCH / SVG_DPI;
        *height *= FIT_POINTS_PER_INCH / SVG_DPI;
        return;
    }
    paper_size(width, height, PAPER_A4);
    rsvg_handle_get_intrinsic_dimensions(svg->handle, NULL, NULL, NULL, NULL, &has_box, &box);
    if (has_box && box.width > 0 && box.height > 0)
        *height = *width * box.height / box.width;
}

int svg_draw(const struct svg *svg, cairo_t *cairo, double width, double height)
{
    GError *why = NULL;
    const RsvgRectangle box = {0, 0, width, height};
    return rsvg_handle_render_document(svg->handle, cairo, &box, &why) ? 0 : failed(why);
}

void svg_free(struct svg *svg)
{
    if (svg == NULL)
        return;
    g_object_unref(svg->handle);
    free(svg);
}
