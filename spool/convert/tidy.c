/* SPDX-License-Identifier: GPL-2.0-or-later */
/* On the way out a fax is cut to the pages not yet confirmed; on the way in every received file comes through here, as
 * spandsp or a foreign provider wrote it (compressions 1 to 4, either byte and fill order, any strips), perhaps by a
 * process that was killed in the middle of a page.
 */
#include "spool/convert/tidy.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/base/err.h"
#include "spool/convert/fax_page.h"
#include "spool/convert/fax_tiff.h"
#include "spool/convert/g4.h"
#include "spool/convert/header.h"
#include "spool/convert/prepare.h"
#include "spool/convert/raster.h"
#include "spool/convert/summary.h"
#include "spool/convert/tiff_in.h"
#include "spool/convert/tiff_page.h"

static double words_y_dpi(double x_dpi, double y_dpi, uint32_t rows)
{
    enum fax_resolution resolution;
    if (fax_page_is_t4(&resolution, x_dpi, y_dpi, rows))
        return fax_resolution_y_dpi(resolution);
    return y_dpi;
}

static int load(struct raster **raster, struct tiff_in *in, const struct tiff_page *page)
{
    if (!page->bilevel)
        return err_set(ERR_UNSUPPORTED, "page %d is not black and white, so it is no fax page", page->number);
    return tiff_page_load(raster, in, page);
}

static int add(struct summary *summary, struct fax_tiff *fax, const struct raster *raster)
{
    int error = fax_tiff_add(fax, raster);
    if (error == 0)
        error = summary_add(summary, raster->width, raster->height,
                            words_y_dpi(raster->x_dpi, raster->y_dpi, raster->height));
    return error;
}

int tidy_cut(struct summary *summary, int input, int output, int first, bool repeat_first, const struct header *header)
{
    struct tiff_in *in = NULL;
    struct fax_tiff *fax = NULL;
    struct tiff_page page = {0};
    int error = tiff_in_open(&in, input, PREPARE_PIXELS_MAX);
    if (error == 0)
        error = fax_tiff_begin(&fax, output);
    while (error == 0) {
        struct raster *raster = NULL;
        error = tiff_in_next(&page, in);
        if (error == 0 && (page.number >= first || (repeat_first && page.number == 1))) {
            error = load(&raster, in, &page);
            if (error == 0 && header != NULL)
                error = header_stamp(&raster, header, page.number);
            if (error == 0)
                error = add(summary, fax, raster);
            raster_free(raster);
        }
    }
    if (error == ERR_NOT_FOUND && summary->pages == 0) {
        error =
            err_set(ERR_INVALID, "the document has %d pages, so nothing is left from page %d on", page.number, first);
    } else if (error == ERR_NOT_FOUND) {
        error = fax_tiff_finish(fax, &summary->bytes);
        fax = NULL;
    }
    fax_tiff_discard(fax);
    tiff_in_close(in);
    return error;
}

/* Copy whole pages until the end, the most that is wanted, or the first that cannot be read: `*read_error` is what the
 * reading ended with (ERR_NOT_FOUND at the end). Returns failures of the writing. */
static int copy_whole_pages(struct summary *summary, int *read_error, struct fax_tiff *fax, struct tiff_in *in,
                            int pages_max)
{
    int error = 0;
    *read_error = 0;
    while (error == 0) {
        struct tiff_page page;
        struct raster *raster = NULL;
        if (summary->pages == pages_max) {
            *read_error = ERR_NOT_FOUND;
            break;
        }
        *read_error = tiff_in_next(&page, in);
        if (*read_error == 0)
            *read_error = load(&raster, in, &page);
        if (*read_error != 0)
            break;
        error = add(summary, fax, raster);
        raster_free(raster);
    }
    return error;
}

static void keep_note(struct summary *summary)
{
    summary->incomplete = true;
    snprintf(summary->note, sizeof summary->note, "%s", err_message());
}

int tidy_verify(struct summary *summary, int input, int output, int pages_max)
{
    struct tiff_in *in = NULL;
    struct fax_tiff *fax = NULL;
    int read_error = 0;
    int error = tiff_in_open(&in, input, PREPARE_PIXELS_MAX);
    if (error == 0)
        error = fax_tiff_begin(&fax, output);
    if (error == 0)
        error = copy_whole_pages(summary, &read_error, fax, in, pages_max);
    if (error == 0 && read_error != ERR_NOT_FOUND)
        keep_note(summary);
    if (error == 0 && summary->pages == 0) {
        error = read_error != ERR_NOT_FOUND ? read_error : err_set(ERR_INVALID, "the file has no whole page");
    } else if (error == 0) {
        error = fax_tiff_finish(fax, &summary->bytes);
        fax = NULL;
    }
    if (in != NULL)
        summary->warnings = tiff_in_warnings(in);
    fax_tiff_discard(fax);
    tiff_in_close(in);
    return error;
}

int tidy_info(struct summary *summary, int input)
{
    struct tiff_in *in = NULL;
    int error = tiff_in_open(&in, input, UINT64_MAX);
    while (error == 0) {
        struct tiff_page page;
        error = tiff_in_next(&page, in);
        if (error == 0)
            error = summary_add(summary, page.width, page.height, words_y_dpi(page.x_dpi, page.y_dpi, page.height));
    }
    tiff_in_close(in);
    if (error == ERR_NOT_FOUND)
        return 0;
    if (summary->pages == 0)
        return error;
    keep_note(summary);
    return 0;
}

static uint16_t ink_of(const struct raster *raster)
{
    uint64_t black = 0;
    for (size_t i = 0; i < raster->stride * raster->height; i++)
        black += (unsigned)__builtin_popcount(raster->data[i]);
    return (uint16_t)(black * 1000 / ((uint64_t)raster->width * raster->height));
}

static int measure_page(struct summary *summary, struct tiff_in *in, const struct tiff_page *page)
{
    struct raster *raster = NULL;
    uint8_t *octets = NULL;
    uint64_t size = 0;
    int at = summary->pages;
    int error = load(&raster, in, page);
    if (error == 0)
        error = g4_encode(&octets, &size, raster);
    if (error == 0)
        error = summary_add(summary, raster->width, raster->height,
                            words_y_dpi(raster->x_dpi, raster->y_dpi, raster->height));
    if (error == 0) {
        summary->coded[at] = (uint32_t)size;
        summary->ink[at] = ink_of(raster);
    }
    free(octets);
    raster_free(raster);
    return error;
}

int tidy_measure(struct summary *summary, int input)
{
    struct tiff_in *in = NULL;
    struct tiff_page page;
    int error = tiff_in_open(&in, input, PREPARE_PIXELS_MAX);
    while (error == 0 && (error = tiff_in_next(&page, in)) == 0)
        error = measure_page(summary, in, &page);
    tiff_in_close(in);
    return error == ERR_NOT_FOUND ? 0 : error;
}
