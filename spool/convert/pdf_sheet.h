/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A PDF file that is drawn sheet by sheet.
 *
 * Thread: any.
 */
#ifndef FAXD_CONVERT_PDF_SHEET_H
#define FAXD_CONVERT_PDF_SHEET_H

#include <cairo.h>
#include <stdint.h>

#define PDF_POINTS_PER_INCH 72.0

struct coded_page;

struct pdf_sheet {
    cairo_surface_t *surface;
    cairo_t *cairo; /* to draw with, in points */
    int fd, io_errno;
    int64_t bytes; /* written so far; all after pdf_sheet_close */
};

/* Begin a file on `output` (empty). To be closed with pdf_sheet_close, whatever happens in between. */
void pdf_sheet_open(struct pdf_sheet *sheet, int output);

/* The size in points of the sheet that is drawn next. */
void pdf_sheet_size(struct pdf_sheet *sheet, double width, double height);

/* Draw a fax page, dot for dot, as large as that, at the cairo context's origin; takes page->octets. 0 or ERR_FULL. */
int pdf_sheet_page(struct pdf_sheet *sheet, struct coded_page *page, double width, double height);

/* Write the rest. 0, ERR_IO, ERR_INTERNAL. */
int pdf_sheet_close(struct pdf_sheet *sheet);

#endif
