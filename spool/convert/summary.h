/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an operation says about the fax it wrote or looked at; job.c turns it into the result.
 *
 * Thread: any.
 */
#ifndef FAXD_CONVERT_SUMMARY_H
#define FAXD_CONVERT_SUMMARY_H

#include <stdbool.h>
#include <stdint.h>

#define SUMMARY_PAGES_MAX 5000 /* their heights fit into one datagram */
#define SUMMARY_TEXT_SIZE 400

struct summary {
    int pages;
    uint32_t heights[SUMMARY_PAGES_MAX]; /* rows of each page */
    uint32_t coded[SUMMARY_PAGES_MAX];   /* measure: octets of each page as T.6 data */
    uint16_t ink[SUMMARY_PAGES_MAX];     /* measure: thousandths of each page that are black */
    uint32_t width;                      /* of the widest */
    double y_dpi;                        /* of the finest */
    double length_mm;                    /* of the longest */
    int64_t bytes;                       /* of the file written */
    bool incomplete;                     /* the file has or claims more than could be read; `note` says why */
    int parts;                           /* of the document that was shared out, 1 = it was not */
    int warnings;
    char note[SUMMARY_TEXT_SIZE];
};

/* Count one page in. 0, or ERR_TOO_BIG when there are SUMMARY_PAGES_MAX already. */
int summary_add(struct summary *summary, uint32_t width, uint32_t height, double y_dpi);

#endif
