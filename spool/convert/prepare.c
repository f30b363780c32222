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
#include "spool/convert/sheet.h"
#include "spool/convert/source.h"
#include "spool/convert/summary.h"

#define PHOTO_INCHES_MAX 11.0 /* Letter, and A4 with a margin */

#define PROGRESS_EVERY 5 /* pages */

/* Elements more than this times as long as wide are a wrong tag, not a scanner. */
#define ASPECT_MAX 8.0

static bool keeps(const struct raster *page, const struct prepare_options *options)
{
    enum fax_resolution resolution;
    if (page->depth != 1 || !fax_page_is_width(page->width) ||
        !fax_page_is_t4(&resolution, page->x_dpi, page->y_dpi, page->height))
        return false;
    if (page->height > fax_page_inches_max(options->length_max_mm) * fax_resolution_y_dpi(resolution) &&
        options->length_max_mm > 0)
        return false;
    return !options->strict || (page->width == FAX_PAGE_WIDTH && resolution == options->resolution);
}

static int too_long(int number, double inches)
{
    return err_set(ERR_UNSUPPORTED, "page %d is %.0f inches long, the most is %d: cut it into pages", number, inches,
                   FAX_PAGE_MAX_INCHES);
}

/* The size that `page` gets on a fax page with `y_dpi` lines an inch: its real size where the file says it and it fits,
 * else the full width; a photograph is no longer than a sheet of paper either. */
static int fitted_size(uint32_t *width, uint32_t *height, const struct sheet *sheet,
                       const struct prepare_options *options, int number)
{
    double y_dpi = fax_resolution_y_dpi(options->resolution);
    const struct raster *page = sheet->raster;
    double x = page->x_dpi, y = page->y_dpi;
    if (x == 0.0)
        x = y;
    if (y == 0.0 || y / x > ASPECT_MAX || x / y > ASPECT_MAX)
        y = x;
    double inches_across = (double)FAX_PAGE_WIDTH / FAX_PAGE_X_DPI, inches_down;
    if (x == 0.0) {
        inches_down = inches_across * page->height / page->width;
        if (sheet->photo && inches_down > PHOTO_INCHES_MAX) {
            inches_across *= PHOTO_INCHES_MAX / inches_down;
            inches_down = PHOTO_INCHES_MAX;
        }
    } else {
        double shrink = inches_across / (page->width / x);
        if (shrink > 1.0)
            shrink = 1.0;
        inches_across = page->width / x * shrink;
        inches_down = page->height / y * shrink;
    }
    if (inches_down > FAX_PAGE_MAX_INCHES)
        return too_long(number, inches_down);
    double inches_max = fax_page_inches_max(options->length_max_mm);
    if (inches_down > inches_max) {
        inches_across *= inches_max / inches_down;
        inches_down = inches_max;
    }
    *width = (uint32_t)fmax(1.0, round(inches_across * FAX_PAGE_X_DPI));
    *height = (uint32_t)fmax(1.0, round(inches_down * y_dpi));
    return 0;
}

/* Replace the sheet's raster by its form on a fax page, in grey. */
static int fit(struct sheet *sheet, const struct prepare_options *options, int number)
{
    uint32_t width = 0, height = 0;
    struct raster *grey = NULL;
    int y_dpi = fax_resolution_y_dpi(options->resolution);
    int error = fitted_size(&width, &height, sheet, options, number);
    if (error == 0)
        error = scale_to_grey(&grey, sheet->raster, width, height, FAX_PAGE_WIDTH);
    if (error != 0)
        return error;
    raster_free(sheet->raster);
    sheet->raster = grey;
    grey->x_dpi = FAX_PAGE_X_DPI;
    grey->y_dpi = y_dpi;
    return 0;
}

/* Replace the sheet's raster by black and white. */
static int make_bits(struct sheet *sheet, enum dither dither)
{
    struct raster *bits = NULL;
    int error = dither_sheet(&bits, sheet, dither);
    if (error != 0)
        return error;
    raster_free(sheet->raster);
    sheet->raster = bits;
    return 0;
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

/* The sheet's raster as a fax page. */
static int make_page(struct sheet *sheet, const struct prepare_options *options, int number)
{
    enum dither dither = options->dither;
    if (!sheet->drawn) {
        if (keeps(sheet->raster, options))
            return kept_length(sheet->raster, number);
        /* Averaged lines and letters are no picture, however thin they were. */
        if (dither == DITHER_AUTO && sheet->raster->depth == 1)
            dither = DITHER_THRESHOLD;
        int error = fit(sheet, options, number);
        if (error != 0)
            return error;
    }
    return make_bits(sheet, dither);
}

struct work {
    struct summary *summary;
    struct source *source;
    struct fax_tiff *fax;
    const struct prepare_options *options;
    int total;       /* pages wanted of the document, -1 = not known */
    int first, last; /* of these, what this part does: [first, last), from 0 */
    int wanted;      /* pages wanted that were passed so far */
};

/* What there is to do for this part. Only a document whose pages are known and many is shared out. */
static int share_out(struct work *work)
{
    const struct prepare_options *options = work->options;
    int pages = source_pages(work->source);
    work->total = pages == SOURCE_PAGES_UNKNOWN ? -1 : page_range_count(&options->range, pages);
    if (work->total > options->pages_max)
        return err_set(ERR_TOO_BIG, "the document has %d pages, the most is %d: send it in parts", work->total,
                       options->pages_max);
    if (work->total == 0)
        return err_set(ERR_UNSUPPORTED, "the document has %d pages, and none of those that are wanted", pages);
    work->summary->parts = options->parts > 1 && work->total >= 2 * PREPARE_PART_PAGES ? options->parts : 1;
    work->first = 0;
    work->last = work->total >= 0 ? work->total : options->pages_max;
    if (work->summary->parts > 1) {
        work->first = (int)((int64_t)work->total * options->part / options->parts);
        work->last = (int)((int64_t)work->total * (options->part + 1) / options->parts);
    }
    return 0;
}

static void tell_progress(const struct work *work)
{
    const struct prepare_options *options = work->options;
    if (options->progress != NULL && work->summary->pages % PROGRESS_EVERY == 0)
        options->progress(options->context, work->summary->pages, work->total, work->summary->parts);
}

static int add_page(const struct work *work, struct sheet *sheet, int number)
{
    int error = make_page(sheet, work->options, number);
    if (error == 0)
        error = fax_tiff_add(work->fax, sheet->raster);
    if (error == 0)
        error = summary_add(work->summary, sheet->raster->width, sheet->raster->height, page_y_dpi(sheet->raster));
    return error;
}

/* ERR_NOT_FOUND at the end of the document. */
static int next_page(struct work *work, int number)
{
    struct sheet sheet = {.raster = NULL};
    bool wanted = page_range_has(&work->options->range, number);
    bool mine = wanted && work->wanted >= work->first && work->wanted < work->last;
    if (work->total < 0 && wanted && work->wanted >= work->last) { /* one more would be too many: is there one? */
        int error = source_next(NULL, work->source);
        return error != 0 ? error
                          : err_set(ERR_TOO_BIG, "the document has more than %d pages: send it in parts",
                                    work->options->pages_max);
    }
    int error = source_next(mine ? &sheet : NULL, work->source);
    if (error == 0 && mine)
        error = add_page(work, &sheet, number);
    raster_free(sheet.raster);
    work->wanted += wanted;
    return error;
}

static int pages(struct work *work)
{
    int error = 0;
    tell_progress(work); /* the total, before the work begins */
    for (int number = 1; error == 0 && (work->total < 0 || work->wanted < work->last); number++) {
        int before = work->summary->pages;
        error = next_page(work, number);
        if (error == 0 && work->summary->pages != before)
            tell_progress(work);
    }
    if (error == ERR_NOT_FOUND && work->summary->pages == 0)
        return err_set(ERR_UNSUPPORTED, "the document has none of the pages that are wanted");
    return error == ERR_NOT_FOUND ? 0 : error;
}

static void note_warnings(const struct work *work)
{
    const char *first;
    work->summary->warnings = source_warnings(work->source, &first);
    if (work->summary->warnings > 0)
        snprintf(work->summary->note, sizeof work->summary->note, "%s", first);
}

int prepare(struct summary *summary, int input, int output, const struct prepare_options *options)
{
    struct work work = {.summary = summary, .options = options};
    int error = source_open(&work.source, input, options);
    if (error == 0)
        error = share_out(&work);
    if (error == 0)
        error = fax_tiff_begin(&work.fax, output);
    if (error == 0)
        error = pages(&work);
    if (error == 0) {
        error = fax_tiff_finish(work.fax, &summary->bytes);
        work.fax = NULL;
    }
    if (work.source != NULL)
        note_warnings(&work);
    fax_tiff_discard(work.fax);
    source_close(work.source);
    return error;
}
