/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The line on top of each page that says when, from whom and which page it is (47 CFR 68.318(d)).
 *
 * Thread: any.
 */
#ifndef FAXD_CONVERT_HEADER_H
#define FAXD_CONVERT_HEADER_H

#include <stdbool.h>

struct raster;

#define HEADER_TEXT_SIZE 512

struct header {
    char text[HEADER_TEXT_SIZE]; /* any script, UTF-8; what is too long for the line is cut */
    int pages;                   /* of the whole fax, for "2/3" at the right; 0 = no page numbers */
};

/* Put the line onto page `number` (from 1) of depth 1: into its top margin where that is white, else above it, and then
 * as much white is taken from its foot as there is. `*page` is replaced when it grows. 0 or ERR_FULL. */
int header_stamp(struct raster **page, const struct header *header, int number);

#endif
