/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A fax page as its T.6 data, passed on without looking at a dot.
 *
 * Thread: any.
 */
#ifndef FAXD_CONVERT_CODED_PAGE_H
#define FAXD_CONVERT_CODED_PAGE_H

#include <stdint.h>

struct tiff_in;
struct tiff_page;

struct coded_page {
    uint8_t *octets;
    uint64_t size;
    uint32_t width, height;
    double x_dpi, y_dpi; /* T.4's own figures for a fax page, never 0 */
};

/* The current page of `in`, which tiff_in_next described as `page`: T.6 data goes through as it is, other compressions
 * are written as T.6: dots stay dots. 0; ERR_UNSUPPORTED when it is not black and white; ERR_INVALID; ERR_FULL. The
 * caller frees with coded_page_clear. */
int coded_page_load(struct coded_page *out, struct tiff_in *in, const struct tiff_page *page);

void coded_page_clear(struct coded_page *page);

#endif
