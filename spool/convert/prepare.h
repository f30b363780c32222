/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An uploaded TIFF becomes a fax.
 *
 * Thread: any.
 */
#ifndef FAXD_CONVERT_PREPARE_H
#define FAXD_CONVERT_PREPARE_H

#include <stdbool.h>

#include "spool/convert/dither.h"
#include "spool/convert/fax_page.h"

struct summary;

#define PREPARE_PIXELS_MAX 300000000ull /* a page; A3 in black and white at 1,200 dots an inch has 278 million */

struct prepare_options {
    enum fax_resolution resolution; /* of pages that have to be fitted */
    enum dither dither;
    int pages_max;
    bool strict; /* keep only pages that are 1728 wide at `resolution`: a rendition for a machine that can do no more */
};

/* Read `input`, write fax TIFF to `output` (empty, seekable). Black and white pages of a fax width and a T.4 resolution
 * are kept bit for bit (see strict); all others are fitted to 1728 without distortion, narrow ones centred. Thumbnails
 * and masks are passed over. 0; ERR_TOO_BIG for too many pages; ERR_UNSUPPORTED, ERR_INVALID for a document that cannot
 * be read; ERR_FULL, ERR_IO. Messages name the page and what helps. */
int prepare(struct summary *summary, int input, int output, const struct prepare_options *options);

#endif
