/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GET /v1/faxes/{id}/document?format=pdf. cairo writes the file; each page is one image whose T.6 data is attached,
 * which cairo's PDF surface puts into the file instead of the image's own dots.
 */
#include "config.h"

#include "spool/convert/pdf.h"

#include <cairo-pdf.h>
#include <cairo.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>
#include <unistd.h>

#include "server/base/err.h"
#include "spool/convert/fax_page.h"
#include "spool/convert/fax_tiff.h"
#include "spool/convert/prepare.h"
#include "spool/convert/raster.h"
#include "spool/convert/summary.h"
#include "spool/convert/tiff_in.h"
#include "spool/convert/tiff_page.h"

#define POINTS_PER_INCH 72.0
#define STRIP_BYTES_MAX (64u << 20)

struct sink {
    int fd;
    int io_errno;
    int64_t bytes;
};

/* A page's T.6 data and figures. */
struct pdf_page {
    uint8_t *octets;
    uint64_t size;
    uint32_t width, height;
    double x_dpi, y_dpi;
};

static cairo_status_t write_proc(void *closure, const unsigned char *data, unsigned length)
{
    struct sink *sink = closure;
    while (length > 0) {
        ssize_t put = write(sink->fd, data, length);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0) {
            sink->io_errno = put < 0 ? errno : ENOSPC;
            return CAIRO_STATUS_WRITE_ERROR;
        }
        data += put;
        length -= (unsigned)put;
        sink->bytes += put;
    }
    return CAIRO_STATUS_SUCCESS;
}

/* True when the page is stored as PDF wants it: T.6, one strip, first dot in the high bit, upright. */
static bool passes_through(TIFF *tiff, const struct tiff_page *page)
{
    uint16_t fill_order = FILLORDER_MSB2LSB;
    TIFFGetFieldDefaulted(tiff, TIFFTAG_FILLORDER, &fill_order);
    return page->compression == COMPRESSION_CCITTFAX4 && page->photometric == PHOTOMETRIC_MINISWHITE &&
           fill_order == FILLORDER_MSB2LSB && page->orientation == ORIENTATION_TOPLEFT && !TIFFIsTiled(tiff) &&
           TIFFNumberOfStrips(tiff) == 1;
}

static int read_strip(struct pdf_page *out, struct tiff_in *in)
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

static int encode(struct pdf_page *out, struct tiff_in *in, const struct tiff_page *page)
{
    struct raster *raster = NULL;
    int error = tiff_page_load(&raster, in, page);
    if (error != 0)
        return error;
    out->width = raster->width;
    out->height = raster->height;
    out->x_dpi = raster->x_dpi;
    out->y_dpi = raster->y_dpi;
    error = fax_tiff_encode(&out->octets, &out->size, raster);
    raster_free(raster);
    return error;
}

/* The caller frees out->octets. */
static int load(struct pdf_page *out, struct tiff_in *in, const struct tiff_page *page)
{
    enum fax_resolution resolution;
    if (!page->bilevel)
        return err_set(ERR_UNSUPPORTED, "page %d is not black and white, so it is no fax page", page->number);
    *out = (struct pdf_page){NULL, 0, page->width, page->height, page->x_dpi, page->y_dpi};
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

/* An image with the page's data attached; takes page->octets. The image itself is one dot: cairo takes columns and rows
 * from the parameters and stretches to whatever size the image has, so a full one would only cost 16 MB a page. */
static cairo_surface_t *attach(struct pdf_page *page)
{
    cairo_surface_t *image = cairo_image_surface_create(CAIRO_FORMAT_RGB24, 1, 1);
    char *params = malloc(80);
    if (params == NULL) {
        cairo_surface_destroy(image);
        return NULL;
    }
    int length = snprintf(params, 80, "Columns=%u Rows=%u K=-1", page->width, page->height);
    cairo_status_t status = cairo_surface_set_mime_data(image, CAIRO_MIME_TYPE_CCITT_FAX_PARAMS,
                                                        (unsigned char *)params, (unsigned long)length, free, params);
    if (status != CAIRO_STATUS_SUCCESS) {
        free(params);
        cairo_surface_destroy(image);
        return NULL;
    }
    status =
        cairo_surface_set_mime_data(image, CAIRO_MIME_TYPE_CCITT_FAX, page->octets, page->size, free, page->octets);
    if (status != CAIRO_STATUS_SUCCESS) {
        cairo_surface_destroy(image);
        return NULL;
    }
    page->octets = NULL;
    return image;
}

static int draw(cairo_surface_t *surface, cairo_t *cairo, struct pdf_page *page)
{
    double width = page->width / page->x_dpi * POINTS_PER_INCH, height = page->height / page->y_dpi * POINTS_PER_INCH;
    cairo_surface_t *image = attach(page);
    if (image == NULL)
        return err_set(ERR_FULL, "no memory for a page of the PDF file");
    cairo_pdf_surface_set_size(surface, width, height);
    cairo_save(cairo);
    cairo_scale(cairo, width, height);
    cairo_set_source_surface(cairo, image, 0, 0);
    cairo_pattern_set_filter(cairo_get_source(cairo), CAIRO_FILTER_NEAREST); /* no smoothing flag in the file */
    cairo_paint(cairo);
    cairo_restore(cairo);
    cairo_show_page(cairo);
    cairo_surface_destroy(image);
    return 0;
}

static int draw_pages(struct summary *summary, cairo_surface_t *surface, cairo_t *cairo, struct tiff_in *in)
{
    for (;;) {
        struct tiff_page page;
        struct pdf_page data = {0};
        int error = tiff_in_next(&page, in);
        if (error == ERR_NOT_FOUND)
            return 0;
        if (error == 0)
            error = load(&data, in, &page);
        if (error == 0)
            error = draw(surface, cairo, &data);
        free(data.octets);
        if (error == 0)
            error = summary_add(summary, data.width, data.height, data.y_dpi);
        if (error != 0)
            return error;
        if (cairo_status(cairo) != CAIRO_STATUS_SUCCESS)
            return 0; /* told by the surface's status */
    }
}

static int finish(struct summary *summary, cairo_surface_t *surface, const struct sink *sink)
{
    cairo_surface_finish(surface);
    summary->bytes = sink->bytes;
    if (sink->io_errno != 0)
        return err_set(ERR_IO, "cannot write the PDF file: %s", strerror(sink->io_errno));
    cairo_status_t status = cairo_surface_status(surface);
    if (status != CAIRO_STATUS_SUCCESS)
        return err_set(ERR_INTERNAL, "cannot make the PDF file: %s", cairo_status_to_string(status));
    return 0;
}

int pdf_document(struct summary *summary, int input, int output)
{
    struct tiff_in *in = NULL;
    struct sink sink = {.fd = output};
    int error = tiff_in_open(&in, input, PREPARE_PIXELS_MAX);
    if (error != 0)
        return error;
    cairo_surface_t *surface = cairo_pdf_surface_create_for_stream(write_proc, &sink, POINTS_PER_INCH, POINTS_PER_INCH);
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATOR, "faxd");
    cairo_t *cairo = cairo_create(surface);
    error = draw_pages(summary, surface, cairo, in);
    cairo_destroy(cairo);
    int finish_error = finish(summary, surface, &sink);
    if (error == 0)
        error = finish_error;
    cairo_surface_destroy(surface);
    tiff_in_close(in);
    return error;
}
