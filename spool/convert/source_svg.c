/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An uploaded drawing: one page.
 */
#include "spool/convert/source.h"

#include <stdbool.h>
#include <stdlib.h>

#include "server/base/err.h"
#include "spool/convert/canvas.h"
#include "spool/convert/fax_page.h"
#include "spool/convert/fit.h"
#include "spool/convert/prepare.h"
#include "spool/convert/sheet.h"
#include "spool/convert/svg.h"

struct svg_source {
    const struct prepare_options *options;
    struct svg *svg;
    double width, height;
    bool given;
};

static int svg_open(void **self, int *pages, int fd, const struct prepare_options *options)
{
    struct svg_source *source = calloc(1, sizeof *source);
    unsigned char *data = NULL;
    size_t size = 0;
    if (source == NULL)
        return err_set(ERR_FULL, "no memory to read the document");
    source->options = options;
    int error = source_read_all(&data, &size, fd);
    if (error == 0)
        error = svg_read(&source->svg, data, size);
    free(data);
    if (error != 0) {
        free(source);
        return error;
    }
    svg_size(&source->width, &source->height, source->svg);
    *pages = 1;
    *self = source;
    return 0;
}

static int draw(cairo_t *cairo, void *context)
{
    const struct svg_source *source = context;
    return svg_draw(source->svg, cairo, source->width, source->height);
}

static int svg_next(struct sheet *sheet, void *self)
{
    struct svg_source *source = self;
    struct fit fit;
    if (source->given)
        return err_set(ERR_NOT_FOUND, "a drawing is one page");
    source->given = true;
    if (sheet == NULL)
        return 0;
    fit_paper(&fit, source->width, source->height, source->options);
    /* Photographs may be embedded anywhere in it. */
    *sheet = (struct sheet){.drawn = true, .picture_count = SHEET_PICTURES_UNKNOWN};
    return canvas_render(&sheet->raster, &fit, fax_resolution_y_dpi(source->options->resolution), draw, source);
}

static void svg_close(void *self)
{
    struct svg_source *source = self;
    svg_free(source->svg);
    free(source);
}

const struct source_type source_svg = {svg_open, svg_next, NULL, svg_close};
