/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The first thing that happens to an upload (submit -> convert -> queued): pages that are fax pages already stay as
 * they are, so that a scanner's fax TIFF arrives bit for bit; the rest is fitted.
 */
#include "spool/convert/prepare.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>

#include "server/base/err.h"
#include "spool/convert/fax_tiff.h"
#include "spool/convert/raster.h"
#include "spool/convert/scale.h"
#include "spool/convert/summary.h"
#include "spool/convert/tiff_in.h"
#include "spool/convert/tiff_page.h"

/* Elements more than this times as long as wide are a wrong tag, not a scanner. */
#define ASPECT_MAX 8.0

static bool keeps(const struct raster *page, const struct prepare_options *options)
{
    enum fax_resolution resolution;
    if (page->depth != 1 || !fax_page_is_width(page->width) ||
        !fax_page_is_t4(&resolution, page->x_dpi, page->y_dpi, page->height))
        return false;
    return !options->strict || (page->width == FAX_PAGE_WIDTH && resolution == options->resolution);
}

static int too_long(int number, double inches)
{
    return err_set(ERR_UNSUPPORTED, "page %d is %.0f inches long, the most is %d: cut it into pages", number, inches,
                   FAX_PAGE_MAX_INCHES);
}

/* The size that `page` gets on a fax page with `y_dpi` lines an inch: its real size where the file says it and it fits,
 * else the full width. */
static int fitted_size(uint32_t *width, uint32_t *height, const struct raster *page, double y_dpi, int number)
{
    double x = page->x_dpi, y = page->y_dpi;
    if (x == 0.0)
        x = y;
    if (y == 0.0 || y / x > ASPECT_MAX || x / y > ASPECT_MAX)
        y = x;
    double inches_across = (double)FAX_PAGE_WIDTH / FAX_PAGE_X_DPI, inches_down;
    if (x == 0.0) {
        inches_down = inches_across * page->height / page->width;
    } else {
        double shrink = inches_across / (page->width / x);
        if (shrink > 1.0)
            shrink = 1.0;
        inches_across = page->width / x * shrink;
        inches_down = page->height / y * shrink;
    }
    if (inches_down > FAX_PAGE_MAX_INCHES)
        return too_long(number, inches_down);
    *width = (uint32_t)fmax(1.0, round(inches_across * FAX_PAGE_X_DPI));
    *height = (uint32_t)fmax(1.0, round(inches_down * y_dpi));
    return 0;
}

/* Replace `*page` by its form on a fax page. */
static int fit(struct raster **page, const struct prepare_options *options, int number)
{
    uint32_t width = 0, height = 0;
    struct raster *grey = NULL, *bits = NULL;
    int y_dpi = fax_resolution_y_dpi(options->resolution);
    int error = fitted_size(&width, &height, *page, y_dpi, number);
    if (error == 0)
        error = scale_to_grey(&grey, *page, width, height, FAX_PAGE_WIDTH);
    if (error != 0)
        return error;
    /* Averaged lines and letters are no picture, however thin they were. */
    enum dither dither = options->dither;
    if (dither == DITHER_AUTO && (*page)->depth == 1)
        dither = DITHER_THRESHOLD;
    raster_free(*page); /* before the next is made: it may be large */
    *page = NULL;
    grey->x_dpi = FAX_PAGE_X_DPI;
    grey->y_dpi = y_dpi;
    error = dither_page(&bits, grey, dither);
    raster_free(grey);
    *page = bits;
    return error;
}

static int kept_length(const struct raster *page, int number)
{
    enum fax_resolution resolution = FAX_FINE;
    fax_page_is_t4(&resolution, page->x_dpi, page->y_dpi, page->height);
    double inches = (double)page->height / fax_resolution_y_dpi(resolution);
    return inches > FAX_PAGE_MAX_INCHES ? too_long(number, inches) : 0;
}

static double page_y_dpi(const struct raster *page)
{
    enum fax_resolution resolution = FAX_FINE;
    fax_page_is_t4(&resolution, page->x_dpi, page->y_dpi, page->height);
    return fax_resolution_y_dpi(resolution);
}

static int prepare_page(struct summary *summary, struct fax_tiff *fax, struct tiff_in *in, const struct tiff_page *page,
                        const struct prepare_options *options)
{
    struct raster *raster = NULL;
    int error = tiff_page_load(&raster, in, page);
    if (error != 0)
        return error;
    error = keeps(raster, options) ? kept_length(raster, page->number) : fit(&raster, options, page->number);
    if (error == 0)
        error = fax_tiff_add(fax, raster);
    if (error == 0)
        error = summary_add(summary, raster->width, raster->height, page_y_dpi(raster));
    raster_free(raster);
    return error;
}

/* Walk the directories before any picture is read: a file that ends early, or has too many pages, is refused at once.
 */
static int count_pages(int input, int pages_max)
{
    struct tiff_in *in = NULL;
    struct tiff_page page;
    int pages = 0, walked = 0;
    int error = tiff_in_open(&in, input, PREPARE_PIXELS_MAX);
    while (error == 0) {
        error = tiff_in_next(&page, in);
        if (error != 0)
            break;
        pages += !page.reduced;
        if (pages > pages_max || ++walked > 4 * pages_max)
            error = err_set(ERR_TOO_BIG, "the document has more than %d pages: send it in parts", pages_max);
    }
    tiff_in_close(in);
    if (error != ERR_NOT_FOUND)
        return error;
    return pages > 0 ? 0 : err_set(ERR_UNSUPPORTED, "the document has only thumbnails, no page");
}

int prepare(struct summary *summary, int input, int output, const struct prepare_options *options)
{
    struct tiff_in *in = NULL;
    struct fax_tiff *fax = NULL;
    int error = count_pages(input, options->pages_max);
    if (error == 0)
        error = tiff_in_open(&in, input, PREPARE_PIXELS_MAX);
    if (error == 0)
        error = fax_tiff_begin(&fax, output);
    while (error == 0) {
        struct tiff_page page;
        error = tiff_in_next(&page, in);
        if (error == ERR_NOT_FOUND) {
            error = fax_tiff_finish(fax, &summary->bytes);
            fax = NULL;
            break;
        }
        if (error == 0 && !page.reduced)
            error = prepare_page(summary, fax, in, &page, options);
    }
    if (in != NULL) {
        summary->warnings = tiff_in_warnings(in);
        if (summary->warnings > 0)
            snprintf(summary->note, sizeof summary->note, "%s", tiff_in_first_warning(in));
    }
    fax_tiff_discard(fax);
    tiff_in_close(in);
    return error;
}
