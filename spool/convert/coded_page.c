/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For pdf.c, which puts pages into a PDF file, and compose.c, which puts them into one fax.
 */
#include "spool/convert/coded_page.h"

#include <stdbool.h>
#include <stdlib.h>
#include <tiffio.h>

#include "server/base/err.h"
#include "spool/convert/fax_page.h"
#include "spool/convert/g4.h"
#include "spool/convert/raster.h"
#include "spool/convert/tiff_in.h"
#include "spool/convert/tiff_page.h"

#define STRIP_BYTES_MAX (64u << 20)

/* True when the page is stored as it is to be: T.6, one strip, first dot in the high bit, upright. */
static bool passes_through(TIFF *tiff, const struct tiff_page *page)
{
    uint16_t fill_order = FILLORDER_MSB2LSB;
    TIFFGetFieldDefaulted(tiff, TIFFTAG_FILLORDER, &fill_order);
    return page->compression == COMPRESSION_CCITTFAX4 && page->photometric == PHOTOMETRIC_MINISWHITE &&
           fill_order == FILLORDER_MSB2LSB && page->orientation == ORIENTATION_TOPLEFT && !TIFFIsTiled(tiff) &&
           TIFFNumberOfStrips(tiff) == 1;
}

static int read_strip(struct coded_page *out, struct tiff_in *in)
{
    TIFF *tiff = tiff_in_handle(in);
    uint64_t size = TIFFRawStripSize64(tiff, 0);
    if (size == 0 || size > STRIP_BYTES_MAX)
        return tiff_in_failed(in);
    out->octets = malloc(size);
    if (out->octets == NULL)
        return err_set(ERR_FULL, "no memory for a page of %llu octets", (unsigned long long)size);
    if (TIFFReadRawStrip(tiff, 0, out->octets, (tmsize_t)size) != (tmsize_t)size) {
        free(out->octets);
        out->octets = NULL;
        return tiff_in_failed(in);
    }
    out->size = size;
    return 0;
}

static int encode(struct coded_page *out, struct tiff_in *in, const struct tiff_page *page)
{
    struct raster *raster = NULL;
    int error = tiff_page_load(&raster, in, page);
    if (error != 0)
        return error;
    out->width = raster->width;
    out->height = raster->height;
    out->x_dpi = raster->x_dpi;
    out->y_dpi = raster->y_dpi;
    error = g4_encode(&out->octets, &out->size, raster);
    raster_free(raster);
    return error;
}

int coded_page_load(struct coded_page *out, struct tiff_in *in, const struct tiff_page *page)
{
    enum fax_resolution resolution;
    if (!page->bilevel)
        return err_set(ERR_UNSUPPORTED, "page %d is not black and white, so it is no fax page", page->number);
    *out = (struct coded_page){NULL, 0, page->width, page->height, page->x_dpi, page->y_dpi};
    int error = passes_through(tiff_in_handle(in), page) ? read_strip(out, in) : encode(out, in, page);
    if (error != 0)
        return error;
    if (fax_page_is_width(out->width) && fax_page_is_t4(&resolution, out->x_dpi, out->y_dpi, out->height)) {
        out->x_dpi = FAX_PAGE_X_DPI;
        out->y_dpi = fax_resolution_y_dpi(resolution);
    }
    if (out->x_dpi == 0.0)
        out->x_dpi = out->y_dpi != 0.0 ? out->y_dpi : FAX_PAGE_X_DPI;
    if (out->y_dpi == 0.0)
        out->y_dpi = out->x_dpi;
    return 0;
}

void coded_page_clear(struct coded_page *page)
{
    free(page->octets);
    page->octets = NULL;
}
