/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts about a fax TIFF that an FSP needs to know: how many pages, how fine.
 *
 * The file is one that the server made or checked; still it is read with bounds, and an unreadable one is an error.
 *
 * Thread: any.
 */
#ifndef FAXD_PLUGINS_COMMON_DOCUMENT_H
#define FAXD_PLUGINS_COMMON_DOCUMENT_H

#define DOCUMENT_PAGES_MAX 10000

struct document {
    int pages;              /* 1..DOCUMENT_PAGES_MAX */
    int width;              /* pixels, of the widest page */
    const char *resolution; /* "standard", "fine", "superfine", "300", "400", of the finest page */
    int length_mm;          /* of the longest page */
};

/* 0, ERR_INVALID when it is no TIFF of bilevel pages, ERR_TOO_BIG. */
int document_read(struct document *document, const char *path);

/* Append the first `pages` pages of the TIFF at `from` to the empty file at `to`, which must exist; after each page
 * that is wholly in the file and synced, page(context, n, size of the file) runs, and a result other than 0 ends the
 * copy with it. 0, ERR_INVALID, ERR_IO. */
int document_copy(const char *to, const char *from, int pages, int (*page)(void *context, int number, long long size),
                  void *context);

#endif
