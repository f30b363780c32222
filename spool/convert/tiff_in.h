/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A stranger's TIFF file, read page by page through libtiff from an open descriptor.
 *
 * Nothing in the file is believed: sides, strips and directories are bounded before memory or time is spent on them,
 * the file is read by pread (a file that shrinks is an error, not a SIGBUS), and what libtiff has to say goes into the
 * message of the failure, never to standard error.
 *
 * Thread: any, one at a time for each file.
 */
#ifndef FAXD_CONVERT_TIFF_IN_H
#define FAXD_CONVERT_TIFF_IN_H

#include <stdbool.h>
#include <stdint.h>
#include <tiffio.h>

struct raster;
struct tiff_in;

struct tiff_page {
    int number;             /* from 1, in the order of the file */
    uint32_t width, height; /* as stored, before orientation */
    double x_dpi, y_dpi;    /* dots an inch, 0 = not said or not believable */
    uint16_t bits, samples; /* bits a sample, samples an element */
    uint16_t photometric;   /* as said, or what libtiff assumes for the compression */
    uint16_t compression;
    uint16_t orientation; /* 1..8 */
    bool bilevel;         /* one bit, black and white */
    bool reduced;         /* a thumbnail or mask of another page (NewSubfileType bits 0 and 2) */
};

/* Open the file behind `fd` (regular, or anything pread works on; stays the caller's). `pixels_max` bounds each page.
 * 0; ERR_UNSUPPORTED when it is not a TIFF file; ERR_INVALID when its first directory is damaged; ERR_IO. The caller
 * frees with tiff_in_close. */
int tiff_in_open(struct tiff_in **out, int fd, uint64_t pixels_max);

void tiff_in_close(struct tiff_in *in);

/* Step to the next page, the first at the first call, and describe it. 0; ERR_NOT_FOUND after the last one; ERR_INVALID
 * when the file ends or is damaged before the page is described; ERR_UNSUPPORTED when the page is too large or of a
 * kind that is not read. Messages name the page. After an error every further call fails. */
int tiff_in_next(struct tiff_page *page, struct tiff_in *in);

/* True when the current page is the last that the file claims to have. */
bool tiff_in_is_last(const struct tiff_in *in);

/* How many warnings libtiff gave since the file was opened, and the first of them ("" when none, printable ASCII). */
int tiff_in_warnings(const struct tiff_in *in);
const char *tiff_in_first_warning(const struct tiff_in *in);

/* For tiff_page.c: true when libtiff reported an error in the current page, even if it went on. */
bool tiff_in_had_error(const struct tiff_in *in);

/* For tiff_page.c: libtiff's handle, positioned on the current page. */
TIFF *tiff_in_handle(const struct tiff_in *in);

/* For tiff_page.c: set the message for a page that libtiff could not read, "the file ends in page 3" or "page 3 is
 * damaged: ...", and return ERR_INVALID. */
int tiff_in_failed(const struct tiff_in *in);

#endif
