/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which pages of a document are meant: "2", "1-3,7", "5-" (from the fifth on).
 *
 * Thread: any (pure).
 */
#ifndef FAXD_BASE_PAGE_RANGE_H
#define FAXD_BASE_PAGE_RANGE_H

#include <stdbool.h>

#define PAGE_RANGE_PARTS 32

struct page_range {
    int count; /* 0 = all pages */
    struct {
        int first, last;
    } parts[PAGE_RANGE_PARTS];
};

/* Read `text`, "" = all: 0, or ERR_INVALID with a message that shows how it is written. */
int page_range_parse(struct page_range *range, const char *text);

/* True when `page` (from 1) is among them. */
bool page_range_has(const struct page_range *range, int page);

/* How many of the first `pages` pages are among them. */
int page_range_count(const struct page_range *range, int pages);

#endif
