/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One page as a picture for a browser.
 *
 * Thread: any.
 */
#ifndef FAXD_CONVERT_PNG_H
#define FAXD_CONVERT_PNG_H

#include <stdint.h>

#define PNG_WIDTH_MAX 4096

struct png_result {
    uint32_t width, height;
    int64_t bytes;
};

/* Page `page` (from 1) of the TIFF file `input` as a grey PNG with square dots on `output` (empty): `width` dots wide
 * (1 to PNG_WIDTH_MAX), or as wide as the page when 0. 0; ERR_INVALID when there is no such page or the file is
 * damaged; ERR_UNSUPPORTED; ERR_FULL; ERR_IO. */
int png_page(struct png_result *result, int input, int output, int page, uint32_t width);

#endif
