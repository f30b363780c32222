/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GET /v1/faxes/{id}/document?format=pdf. cairo writes the file; each page is one image whose T.6 data is attached,
 * which cairo's PDF surface puts into the file instead of the image's own dots.
 */
#include "config.h"

#include "spool/convert/pdf.h"

#include "server/base/err.h"
#include "spool/convert/coded_page.h"
#include "spool/convert/pdf_sheet.h"
#include "spool/convert/prepare.h"
#include "spool/convert/summary.h"
#include "spool/convert/tiff_in.h"

static int draw(struct pdf_sheet *sheet, struct coded_page *page)
{
    double width = page->width / page->x_dpi * PDF_POINTS_PER_INCH;
    double height = page->height / page->y_dpi * PDF_POINTS_PER_INCH;
    pdf_sheet_size(sheet, width, height);
    int error = pdf_sheet_page(sheet, page, width, height);
    if (error == 0)
        cairo_show_page(sheet->cairo);
    return error;
}

static int draw_pages(struct summary *summary, struct pdf_sheet *sheet, struct tiff_in *in)
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
            error = draw(sheet, &data);
        coded_page_clear(&data);
        if (error == 0)
            error = summary_add(summary, data.width, data.height, data.y_dpi);
        if (error != 0)
            return error;
        if (cairo_status(sheet->cairo) != CAIRO_STATUS_SUCCESS)
            return 0; /* told by pdf_sheet_close */
    }
}

int pdf_document(struct summary *summary, int input, int output)
{
    struct tiff_in *in = NULL;
    struct pdf_sheet sheet;
    int error = tiff_in_open(&in, input, PREPARE_PIXELS_MAX);
    if (error != 0)
        return error;
    pdf_sheet_open(&sheet, output);
    error = draw_pages(summary, &sheet, in);
    int close_error = pdf_sheet_close(&sheet);
    summary->bytes = sheet.bytes;
    tiff_in_close(in);
    return error != 0 ? error : close_error;
}
