/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The picture of one page of a stranger's TIFF file.
 *
 * Thread: any, one at a time for each file.
 */
#ifndef FAXD_CONVERT_TIFF_PAGE_H
#define FAXD_CONVERT_TIFF_PAGE_H

struct raster;
struct tiff_in;
struct tiff_page;

/* Read the current page of `in`, which tiff_in_next described as `page`: depth 1 and exact when it is bilevel, else
 * grey (colours by luminance, transparent parts on white), upright, with its resolutions. 0; ERR_INVALID when it is
 * damaged or the file ends in it; ERR_UNSUPPORTED when libtiff cannot read its kind or it is too large; ERR_FULL
 * without memory. Messages name the page. The caller frees with raster_free. */
int tiff_page_load(struct raster **out, struct tiff_in *in, const struct tiff_page *page);

#endif
