/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cairo's PDF surface on a descriptor.
 */
#include "config.h"

#include "spool/convert/pdf_sheet.h"

#include <cairo-pdf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/base/err.h"
#include "spool/convert/coded_page.h"

static cairo_status_t write_proc(void *closure, const unsigned char *data, unsigned length)
{
    struct pdf_sheet *sheet = closure;
    while (length > 0) {
        ssize_t put = write(sheet->fd, data, length);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0) {
            sheet->io_errno = put < 0 ? errno : ENOSPC;
            return CAIRO_STATUS_WRITE_ERROR;
        }
        data += put;
        length -= (unsigned)put;
        sheet->bytes += put;
    }
    return CAIRO_STATUS_SUCCESS;
}

void pdf_sheet_open(struct pdf_sheet *sheet, int output)
{
    *sheet = (struct pdf_sheet){.fd = output};
    sheet->surface = cairo_pdf_surface_create_for_stream(write_proc, sheet, PDF_POINTS_PER_INCH, PDF_POINTS_PER_INCH);
    cairo_pdf_surface_set_metadata(sheet->surface, CAIRO_PDF_METADATA_CREATOR, "faxd");
    sheet->cairo = cairo_create(sheet->surface);
}

void pdf_sheet_size(struct pdf_sheet *sheet, double width, double height)
{
    cairo_pdf_surface_set_size(sheet->surface, width, height);
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

int pdf_sheet_page(struct pdf_sheet *sheet, struct coded_page *page, double width, double height)
{
    cairo_surface_t *image = attach(page);
    if (image == NULL)
        return err_set(ERR_FULL, "no memory for a page of the PDF file");
    cairo_save(sheet->cairo);
    cairo_scale(sheet->cairo, width, height);
    cairo_set_source_surface(sheet->cairo, image, 0, 0);
    cairo_pattern_set_filter(cairo_get_source(sheet->cairo), CAIRO_FILTER_NEAREST); /* no smoothing flag in the file */
    cairo_paint(sheet->cairo);
    cairo_restore(sheet->cairo);
    cairo_surface_destroy(image);
    return 0;
}

int pdf_sheet_close(struct pdf_sheet *sheet)
{
    cairo_destroy(sheet->cairo);
    cairo_surface_finish(sheet->surface);
    cairo_status_t status = cairo_surface_status(sheet->surface);
    cairo_surface_destroy(sheet->surface);
    if (sheet->io_errno != 0)
        return err_set(ERR_IO, "cannot write the PDF file: %s", strerror(sheet->io_errno));
    if (status != CAIRO_STATUS_SUCCESS)
        return err_set(ERR_INTERNAL, "cannot make the PDF file: %s", cairo_status_to_string(status));
    return 0;
}
