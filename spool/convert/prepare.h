/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An uploaded document becomes a fax.
 *
 * Thread: any.
 */
#ifndef FAXD_CONVERT_PREPARE_H
#define FAXD_CONVERT_PREPARE_H

#include <stdbool.h>
#include <stdint.h>

#include "server/base/page_range.h"
#include "spool/convert/dither.h"
#include "spool/convert/fax_page.h"
#include "spool/convert/paper.h"

struct summary;

#define PREPARE_PIXELS_MAX    300000000ull /* a page; A3 in black and white at 1,200 dots an inch has 278 million */
#define PREPARE_PASSWORD_SIZE 128
#define PREPARE_PARTS_MAX     8
#define PREPARE_PART_PAGES    8 /* fewer pages than twice these are not shared out */

struct prepare_options {
    enum fax_resolution resolution; /* of pages that have to be drawn or fitted */
    enum dither dither;
    enum paper paper;   /* of texts */
    int length_max_mm;  /* 0 = any: longer pages are shrunk to it */
    uint32_t width_max; /* 1728, 2048 or 2432: wider paper is shrunk to it */
    int pages_max;
    struct page_range range;              /* the pages that are wanted */
    char password[PREPARE_PASSWORD_SIZE]; /* of an encrypted PDF, "" = none */
    /* Keep only pages that are 1728 wide at `resolution`: a rendition for a machine that can do no more. */
    bool strict;
    /* Several processes may share a document out: this one does `part` of `parts` (from 0). */
    int part, parts;
    /* Called now and then with the pages done, the pages there will be (-1 = not known), and summary->parts; NULL =
     * nobody asks. */
    void (*progress)(void *context, int done, int total, int parts);
    void *context;
};

/* Read `input`, write fax TIFF to `output` (empty, seekable). Black and white pages of a fax width and a T.4 resolution
 * are kept bit for bit (see strict); all others are drawn or fitted without distortion, narrow ones centred.
 * summary->parts says among how many the document is shared out: 1 when it is short, whatever was asked for.
 * 0; ERR_TOO_BIG for too many pages; ERR_UNSUPPORTED, ERR_INVALID for a document that cannot be read; ERR_FULL, ERR_IO.
 * Messages name the page and what helps. */
int prepare(struct summary *summary, int input, int output, const struct prepare_options *options);

#endif
