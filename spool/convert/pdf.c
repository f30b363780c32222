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
#include "spool/convert/coded_page.h"
#include "spool/convert/prepare.h"
#include "spool/convert/summary.h"
#include "spool/convert/tiff_in.h"

#define POINTS_PER_INCH 72.0

struct sink {
    int fd;
    int io_errno;
    int64_t bytes;
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

/* An image with the page's data attached; takes page->octets. The image itself is one dot: cairo takes columns and rows
 * from the parameters and stretches to whatever size the image has, so a full one would only cost 16 MB a page. */
static cairo_surface_t *attach(struct coded_page *page)
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

static int draw(cairo_surface_t *surface, cairo_t *cairo, struct coded_page *page)
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
        struct coded_page data = {0};
        int error = tiff_in_next(&page, in);
        if (error == ERR_NOT_FOUND)
            return 0;
        if (error == 0)
            error = coded_page_load(&data, in, &page);
        if (error == 0)
            error = draw(surface, cairo, &data);
        coded_page_clear(&data);
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
