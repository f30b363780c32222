/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The last step of preparing: what was converted document by document becomes one fax. Pages go through as T.6 data;
 * the cover is drawn here, when the number of pages is known.
 */
#include "spool/convert/compose.h"

#include <stdio.h>
#include <stdlib.h>

#include "server/base/err.h"
#include "spool/convert/coded_page.h"
#include "spool/convert/cover.h"
#include "spool/convert/dither.h"
#include "spool/convert/fax_page.h"
#include "spool/convert/fax_tiff.h"
#include "spool/convert/raster.h"
#include "spool/convert/sheet.h"
#include "spool/convert/source.h"
#include "spool/convert/summary.h"
#include "spool/convert/tiff_in.h"

#define TEMPLATE_BYTES_MAX (1u << 20)

/* Pages that are wanted go to `fax` and into the summary; with `fax` NULL they are only counted. */
static int each_page(int *pages, int input, const struct page_range *range, struct summary *summary,
                     struct fax_tiff *fax)
{
    struct tiff_in *in = NULL;
    struct tiff_page page;
    int error = tiff_in_open(&in, input, PREPARE_PIXELS_MAX);
    while (error == 0 && (error = tiff_in_next(&page, in)) == 0) {
        struct coded_page coded = {0};
        if (!page_range_has(range, page.number))
            continue;
        (*pages)++;
        if (fax == NULL)
            continue;
        error = coded_page_load(&coded, in, &page);
        if (error == 0)
            error = fax_tiff_add_coded(fax, &coded);
        coded_page_clear(&coded);
        if (error == 0)
            error = summary_add(summary, coded.width, coded.height, coded.y_dpi);
    }
    tiff_in_close(in);
    return error == ERR_NOT_FOUND ? 0 : error;
}

static int count_pages(int *pages, struct summary *summary, const int *inputs, int count,
                       const struct compose_options *options)
{
    int error = 0;
    for (int i = 0; i < count && error == 0; i++)
        error = each_page(pages, inputs[i], &options->ranges[i], summary, NULL);
    return error;
}

static int draw_cover(struct raster **out, int template, const struct compose_options *options)
{
    struct sheet sheet = {.raster = NULL};
    unsigned char *data = NULL;
    size_t size = 0;
    int error = source_read_all(&data, &size, template);
    if (error == 0 && size > TEMPLATE_BYTES_MAX)
        error = err_set(ERR_INVALID, "the cover page has more than %u kB", TEMPLATE_BYTES_MAX >> 10);
    if (error == 0)
        error = cover_draw(&sheet, data, size, options->cover, &options->page, options->check);
    free(data);
    if (error == 0)
        error = dither_sheet(out, &sheet, options->page.dither);
    raster_free(sheet.raster);
    return error;
}

static int add_cover(struct summary *summary, struct fax_tiff *fax, int template, int pages,
                     const struct compose_options *options)
{
    struct raster *page = NULL;
    char text[16];
    snprintf(text, sizeof text, "%d", pages + 1);
    json_object_set_new(options->cover, "pages", json_string(text));
    int error = draw_cover(&page, template, options);
    if (error == 0)
        error = fax_tiff_add(fax, page);
    if (error == 0)
        error = summary_add(summary, page->width, page->height, fax_resolution_y_dpi(options->page.resolution));
    raster_free(page);
    return error;
}

int compose(struct summary *summary, const int *inputs, int count, int output, const struct compose_options *options)
{
    struct fax_tiff *fax = NULL;
    int pages = 0, first = options->cover != NULL ? 1 : 0;
    int error = count_pages(&pages, summary, inputs + first, count - first, options);
    if (error == 0 && pages + first > options->page.pages_max)
        error = err_set(ERR_TOO_BIG, "the fax has %d pages, the most is %d: send it in parts", pages + first,
                        options->page.pages_max);
    if (error == 0)
        error = fax_tiff_begin(&fax, output);
    if (error == 0 && first == 1)
        error = add_cover(summary, fax, inputs[0], pages, options);
    for (int i = first; i < count && error == 0; i++)
        error = each_page(&pages, inputs[i], &options->ranges[i - first], summary, fax);
    if (error == 0 && summary->pages == 0)
        error = err_set(ERR_INVALID, "the fax has no page");
    if (error == 0) {
        error = fax_tiff_finish(fax, &summary->bytes);
        fax = NULL;
    }
    fax_tiff_discard(fax);
    return error;
}
