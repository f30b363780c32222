/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fax TIFF that providers are handed and the spool keeps: TIFF 6.0 class F (RFC 2306), T.6 in one strip a page.
 *
 * Thread: any, one at a time for each file.
 */
#ifndef FAXD_CONVERT_FAX_TIFF_H
#define FAXD_CONVERT_FAX_TIFF_H

#include <stdint.h>

struct coded_page;
struct raster;
struct fax_tiff;

/* Begin a file on `fd` (empty, read and write, seekable; stays the caller's). 0, ERR_FULL, ERR_IO. Ends with
 * fax_tiff_finish or fax_tiff_discard. */
int fax_tiff_begin(struct fax_tiff **out, int fd);

/* Append a page of depth 1. A T.4 resolution is written as 204 by 98, 196 or 391, others as they are (rounded; unknown
 * as square). 0, ERR_IO (also a disk or limit that is full), ERR_FULL. */
int fax_tiff_add(struct fax_tiff *tiff, const struct raster *page);

/* Append a page that is T.6 data already. As fax_tiff_add. */
int fax_tiff_add_coded(struct fax_tiff *tiff, const struct coded_page *page);

/* Write the number of pages into each (PageNumber (n, total), n from 0), report the size, and free. 0 or ERR_IO; freed
 * in either case. */
int fax_tiff_finish(struct fax_tiff *tiff, int64_t *size_bytes);

/* Free without finishing; the file is of no use. NULL is fine. */
void fax_tiff_discard(struct fax_tiff *tiff);

#endif
