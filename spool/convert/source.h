/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A stranger's document of any type, read page by page.
 *
 * Thread: any, one at a time for each source.
 */
#ifndef FAXD_CONVERT_SOURCE_H
#define FAXD_CONVERT_SOURCE_H

#include <stddef.h>

struct prepare_options;
struct sheet;
struct source;

#define SOURCE_PAGES_UNKNOWN (-1)

/* What a type of document has to offer. `*pages` is the number of pages, SOURCE_PAGES_UNKNOWN when only reading tells.
 * next() fills `sheet` (its raster is then the caller's) with the next page, or passes it over when `sheet` is NULL;
 * ERR_NOT_FOUND after the last. Messages name the page and what helps. */
struct source_type {
    int (*open)(void **self, int *pages, int fd, const struct prepare_options *options);
    int (*next)(struct sheet *sheet, void *self);
    int (*warnings)(const char **first, void *self); /* NULL = never any */
    void (*close)(void *self);
};

extern const struct source_type source_image, source_pdf, source_svg, source_text, source_tiff;

/* Open the document behind `fd` (regular; stays the caller's) by what it is. 0; ERR_UNSUPPORTED when it is of no type
 * that is read here; ERR_INVALID when it is damaged; ERR_FULL, ERR_IO. The caller closes with source_close. `options`
 * has to live as long. */
int source_open(struct source **out, int fd, const struct prepare_options *options);

int source_pages(const struct source *source);
int source_next(struct sheet *sheet, struct source *source);

/* What the reader had to say that did no harm: how often, and the first ("" when never). */
int source_warnings(const struct source *source, const char **first);

void source_close(struct source *source); /* NULL is fine */

/* For the types: all octets of `fd` in memory, which the caller frees with free(). 0, ERR_TOO_BIG, ERR_FULL, ERR_IO. */
int source_read_all(unsigned char **data, size_t *size, int fd);

#endif
