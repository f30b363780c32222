/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The line on top of each page: when, who, from and to which number (47 CFR 68.318(d)). The converter draws it.
 *
 * Thread: loop.
 */
#ifndef FAXD_SPOOL_HEADER_LINE_H
#define FAXD_SPOOL_HEADER_LINE_H

#include <jansson.h>
#include <stdint.h>

struct spool;

/* The "header" of a converter's cut job (spool/converter.h) for a fax with these options (header, header_show,
 * page_numbers, time_zone), from and to these numbers, of so many pages, sent now: a new reference; NULL when it gets
 * none. */
json_t *header_line(const struct spool *spool, const json_t *options, const char *from, const char *to, int pages);

#endif
