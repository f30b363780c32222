/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a fax page may be: the widths and resolutions of T.4, and how a file's numbers are read as one of them.
 *
 * T.4 2.2 and Table 2 count in picture elements per millimetre; TIFF class F writes the same as 204 by 98, 196 or 391
 * dots an inch (RFC 2306 section 2.2.2), and files from other systems say 200, 203.2 or 80.3 to the centimetre.
 *
 * Thread: any.
 */
#ifndef FAXD_CONVERT_FAX_PAGE_H
#define FAXD_CONVERT_FAX_PAGE_H

#include <stdbool.h>
#include <stdint.h>

#define FAX_PAGE_WIDTH      1728 /* A4 and letter at 204 dots an inch (T.4 2.2) */
#define FAX_PAGE_X_DPI      204
#define FAX_PAGE_MAX_INCHES 117 /* ten A4 pages; longer uploads are refused as a mistake */

enum fax_resolution { FAX_STANDARD, FAX_FINE, FAX_SUPERFINE };

/* "standard", "fine" or "superfine" to a resolution: 0, or ERR_INVALID with a message that lists them. */
int fax_resolution_parse(enum fax_resolution *resolution, const char *word);

/* The word for a resolution; never NULL. */
const char *fax_resolution_name(enum fax_resolution resolution);

/* Lines an inch: 98, 196 or 391. */
int fax_resolution_y_dpi(enum fax_resolution resolution);

/* The resolution nearest to `y_dpi` lines an inch, for words about a page of any kind. */
enum fax_resolution fax_resolution_nearest(double y_dpi);

/* Inches that a page may be long under options that allow so many millimetres, 0 = any. */
double fax_page_inches_max(int length_max_mm);

/* True for 1728, 2048 (B4) and 2432 (A3) picture elements. */
bool fax_page_is_width(uint32_t width);

/* True when `x_dpi` by `y_dpi` is one of the three T.4 resolutions within what different writers make of it; the
 * resolution goes to `*resolution`. 0 for either means that the file does not say: a page of fax width is then taken as
 * fine when its rows are more than 1,400 (an A4 page has 1,143 in standard and 2,287 in fine). */
bool fax_page_is_t4(enum fax_resolution *resolution, double x_dpi, double y_dpi, uint32_t rows);

#endif
