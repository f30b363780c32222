/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counts pages for the result of an operation. */
#include "spool/convert/summary.h"

#include "server/base/err.h"

int summary_add(struct summary *summary, uint32_t width, uint32_t height, double y_dpi)
{
    if (summary->pages == SUMMARY_PAGES_MAX)
        return err_set(ERR_TOO_BIG, "the document has more than %d pages: send it in parts", SUMMARY_PAGES_MAX);
    summary->heights[summary->pages++] = height;
    if (width > summary->width)
        summary->width = width;
    if (y_dpi > summary->y_dpi)
        summary->y_dpi = y_dpi;
    if (y_dpi > 0 && height / y_dpi * 25.4 > summary->length_mm)
        summary->length_mm = height / y_dpi * 25.4;
    return 0;
}
