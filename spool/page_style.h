/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the configuration says about pages: the defaults of requests, cover pages, the header line, other programs.
 *
 * Thread: loop.
 */
#ifndef FAXD_SPOOL_PAGE_STYLE_H
#define FAXD_SPOOL_PAGE_STYLE_H

#include <jansson.h>
#include <stdbool.h>

struct spool;

/* All texts are copied when it is set; never NULL in what page_style() gives. */
struct page_style {
    const char *sender;    /* in the header line of faxes that bring no name */
    const char *time_zone; /* "" = the machine's */
    const char *paper;     /* "a4", "letter", "legal" */
    bool header;           /* false: no page gets a header line */
    int pages_max;
    const char *covers[2];    /* folders of templates: the office's own, the shipped ones; "" = none */
    const json_t *programs;   /* {"postscript": [argv], "office": [argv]}: those that are installed */
    const json_t *searchable; /* argv that makes a searchable PDF of a fax; NULL = not offered */
};

/* Before it is called everything has its default. */
void page_style_set(struct spool *spool, const struct page_style *style);

const struct page_style *page_style(const struct spool *spool);

#endif
