/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Drawn by pango, so that a name in any script is what its owner writes; spandsp's own line knows ASCII only.
 */
#include "spool/convert/header.h"

#include <math.h>
#include <pango/pangocairo.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "server/base/err.h"
#include "spool/convert/fax_page.h"
#include "spool/convert/fit.h"
#include "spool/convert/raster.h"
#include "spool/convert/typeset.h"

#define FONT        "DejaVu Sans, sans-serif 8"
#define TOP         3.0  /* points above the line: what printers cannot reach */
#define LINE_HEIGHT 11.0 /* points */
#define MARGIN      22.0 /* points at each side, 8 mm */
#define GAP         12.0 /* between text and page number */
#define INK_FROM    96   /* of 255: thin strokes are worth keeping */

/* A line of text, LTR as a whole: its parts are in their place whatever scripts they are in. */
static PangoLayout *lay_out(const char *text)
{
    PangoLayout *layout = typeset_new();
    PangoFontDescription *font = pango_font_description_from_string(FONT);
    pango_layout_set_auto_dir(layout, FALSE);
    pango_layout_set_single_paragraph_mode(layout, TRUE);
    pango_layout_set_font_description(layout, font);
    pango_layout_set_text(layout, text, -1);
    pango_font_description_free(font);
    return layout;
}

static void draw(cairo_t *cairo, double width, const struct header *header, int number)
{
    char pages[32];
    int page_width = 0;
    if (header->pages > 0)
        snprintf(pages, sizeof pages, "%d/%d", number, header->pages);
    PangoLayout *text = lay_out(header->text), *page = lay_out(header->pages > 0 ? pages : "");
    pango_layout_get_size(page, &page_width, NULL);
    double right = width - MARGIN - (double)page_width / PANGO_SCALE;
    pango_layout_set_width(text, (int)((right - GAP - MARGIN) * PANGO_SCALE));
    pango_layout_set_ellipsize(text, PANGO_ELLIPSIZE_END);
    cairo_move_to(cairo, MARGIN, 0);
    pango_cairo_show_layout(cairo, text);
    cairo_move_to(cairo, right, 0);
    pango_cairo_show_layout(cairo, page);
    g_object_unref(text);
    g_object_unref(page);
}

static bool is_blank(const struct raster *page, uint32_t y)
{
    const uint8_t *row = raster_row(page, y);
    return row[0] == 0 && memcmp(row, row + 1, page->stride - 1) == 0;
}

static uint32_t blank_rows(const struct raster *page, uint32_t most, bool from_foot)
{
    uint32_t count = 0;
    while (count < most && count < page->height && is_blank(page, from_foot ? page->height - 1 - count : count))
        count++;
    return count;
}

/* Make `rows` white rows on top of the page. */
static int make_room(struct raster **page, uint32_t rows)
{
    struct raster *from = *page, *to = NULL;
    uint32_t blank = blank_rows(from, rows, false), more = rows - blank;
    if (more == 0)
        return 0;
    uint32_t inked = from->height - blank;
    uint32_t spare = blank_rows(from, more < inked ? more : inked, true);
    int error = raster_new(&to, from->width, from->height + more - spare, 1);
    if (error != 0)
        return error;
    memcpy(raster_row(to, more), from->data, (size_t)(from->height - spare) * from->stride);
    to->x_dpi = from->x_dpi;
    to->y_dpi = from->y_dpi;
    raster_free(from);
    *page = to;
    return 0;
}

static void take_ink(const struct raster *page, uint32_t top, cairo_surface_t *surface, uint32_t rows)
{
    const uint8_t *data = cairo_image_surface_get_data(surface);
    size_t stride = (size_t)cairo_image_surface_get_stride(surface);
    for (uint32_t y = 0; y < rows && top + y < page->height; y++) {
        uint8_t *row = raster_row(page, top + y);
        for (uint32_t x = 0; x < page->width; x++) {
            if (data[y * stride + x] >= INK_FROM)
                row[x >> 3] |= (uint8_t)(0x80 >> (x & 7));
        }
    }
}

int header_stamp(struct raster **page, const struct header *header, int number)
{
    enum fax_resolution resolution = FAX_FINE;
    fax_page_is_t4(&resolution, (*page)->x_dpi, (*page)->y_dpi, (*page)->height);
    double x_scale = FAX_PAGE_X_DPI / FIT_POINTS_PER_INCH;
    double y_scale = fax_resolution_y_dpi(resolution) / FIT_POINTS_PER_INCH;
    uint32_t top = (uint32_t)ceil(TOP * y_scale), rows = (uint32_t)ceil(LINE_HEIGHT * y_scale);
    int error = make_room(page, top + rows);
    if (error != 0)
        return error;
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_A8, (int)(*page)->width, (int)rows);
    cairo_t *cairo = cairo_create(surface);
    cairo_scale(cairo, x_scale, y_scale);
    draw(cairo, (*page)->width / x_scale, header, number);
    cairo_destroy(cairo);
    cairo_surface_flush(surface);
    if (cairo_surface_status(surface) != CAIRO_STATUS_SUCCESS)
        error =
            err_set(ERR_FULL, "cannot draw the header line: %s", cairo_status_to_string(cairo_surface_status(surface)));
    else
        take_ink(*page, top, surface, rows);
    cairo_surface_destroy(surface);
    return error;
}
