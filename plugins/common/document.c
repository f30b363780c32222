/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads a fax TIFF's directories with libtiff, and copies pages of one as they are (strips are not decoded). Used
 * before a call (call.c) and by the simulator, which receives by copying.
 */
#include "config.h"

#include "plugins/common/document.h"

#include "server/base/err.h"
#include "server/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <tiffio.h>
#include <unistd.h>

#define STRIP_MAX (64l << 20) /* octets */

/* libtiff's own messages go to standard error without a name; ours say all that is needed. */
static void tiff_hush(void)
{
    TIFFSetErrorHandler(NULL);
    TIFFSetWarningHandler(NULL);
}

static TIFF *tiff_open(const char *path, int flags, const char *mode)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    int fd = open(path, flags | O_CLOEXEC | O_NOCTTY);
    TIFF *tiff;

    pthread_once(&once, tiff_hush);
    if (fd < 0) {
        err_set(ERR_IO, "cannot open %s: %s", path, strerror(errno));
        return NULL;
    }
    tiff = TIFFFdOpen(fd, path, mode);
    if (!tiff) {
        err_set(ERR_INVALID, "%s is not a TIFF file", path);
        close(fd);
    }
    return tiff;
}

static const char *const resolution_names[] = {"standard", "fine", "superfine", "300", "400"};

/* Of the current page: its index in the names, and dots an inch down the page. */
static int resolution_of(float *y_dpi, TIFF *tiff)
{
    float x = 204, y = 98;
    uint16_t unit = RESUNIT_INCH;

    TIFFGetField(tiff, TIFFTAG_XRESOLUTION, &x);
    TIFFGetField(tiff, TIFFTAG_YRESOLUTION, &y);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_RESOLUTIONUNIT, &unit);
    if (unit == RESUNIT_CENTIMETER) {
        x *= 2.54f;
        y *= 2.54f;
    }
    *y_dpi = y > 50 ? y : 98;
    if (x > 350)
        return 4;
    if (x > 250)
        return 3;
    return y > 300 ? 2 : y > 150 ? 1 : 0;
}

/* One page's share of the facts: what a far end has to be able to print is the most that any page needs. */
static void add_page(struct document *document, int *finest, TIFF *tiff)
{
    uint32_t width = 0, rows = 0;
    float y_dpi;
    int resolution = resolution_of(&y_dpi, tiff);

    TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
    TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &rows);
    if (width <= 16384 && (int)width > document->width)
        document->width = (int)width;
    if (rows <= 1000000 && (int)((float)rows / y_dpi * 25.4f) > document->length_mm)
        document->length_mm = (int)((float)rows / y_dpi * 25.4f);
    if (resolution > *finest)
        *finest = resolution;
}

int document_read(struct document *document, const char *path)
{
    TIFF *tiff = tiff_open(path, O_RDONLY, "r");
    int err = 0, finest = 0;

    if (!tiff)
        return ERR_INVALID;
    document->pages = document->width = document->length_mm = 0;
    do {
        add_page(document, &finest, tiff);
        document->pages++;
    } while (document->pages <= DOCUMENT_PAGES_MAX && TIFFReadDirectory(tiff));
    document->resolution = resolution_names[finest];
    if (!document->width)
        err = err_set(ERR_INVALID, "%s has an impossible width", path);
    else if (document->pages > DOCUMENT_PAGES_MAX)
        err = err_set(ERR_TOO_BIG, "%s has more than %d pages", path, DOCUMENT_PAGES_MAX);
    TIFFClose(tiff);
    return err;
}

static void copy_tags(TIFF *to, TIFF *from)
{
    static const ttag_t longs[] = {TIFFTAG_SUBFILETYPE, TIFFTAG_IMAGEWIDTH, TIFFTAG_IMAGELENGTH, TIFFTAG_ROWSPERSTRIP,
                                   TIFFTAG_GROUP3OPTIONS};
    static const ttag_t shorts[] = {TIFFTAG_BITSPERSAMPLE, TIFFTAG_SAMPLESPERPIXEL, TIFFTAG_COMPRESSION,
                                    TIFFTAG_PHOTOMETRIC,   TIFFTAG_FILLORDER,       TIFFTAG_ORIENTATION,
                                    TIFFTAG_RESOLUTIONUNIT};
    static const ttag_t reals[] = {TIFFTAG_XRESOLUTION, TIFFTAG_YRESOLUTION};
    uint32_t number;
    uint16_t small;
    float real;

    for (size_t i = 0; i < sizeof(shorts) / sizeof(shorts[0]); i++) {
        if (TIFFGetField(from, shorts[i], &small))
            TIFFSetField(to, shorts[i], small);
    }
    for (size_t i = 0; i < sizeof(longs) / sizeof(longs[0]); i++) {
        if (TIFFGetField(from, longs[i], &number))
            TIFFSetField(to, longs[i], number);
    }
    for (size_t i = 0; i < sizeof(reals) / sizeof(reals[0]); i++) {
        if (TIFFGetField(from, reals[i], &real))
            TIFFSetField(to, reals[i], real);
    }
}

static int copy_strip(TIFF *to, TIFF *from, tstrip_t strip)
{
    tmsize_t size = (tmsize_t)TIFFRawStripSize64(from, strip);
    void *strip_data;
    int err = 0;

    if (size <= 0 || size > STRIP_MAX)
        return err_set(ERR_INVALID, "a strip has an impossible size");
    strip_data = xmalloc((unsigned long)size);
    if (TIFFReadRawStrip(from, strip, strip_data, size) != size)
        err = err_set(ERR_INVALID, "a strip cannot be read");
    else if (TIFFWriteRawStrip(to, strip, strip_data, size) != size)
        err = err_set(ERR_IO, "a strip cannot be written");
    free(strip_data);
    return err;
}

static int copy_page(TIFF *to, TIFF *from, int number)
{
    tstrip_t strips = TIFFNumberOfStrips(from);
    int err = 0;

    copy_tags(to, from);
    TIFFSetField(to, TIFFTAG_PAGENUMBER, number - 1, 0);
    for (tstrip_t i = 0; !err && i < strips; i++)
        err = copy_strip(to, from, i);
    if (!err && (!TIFFWriteDirectory(to) || !TIFFFlush(to) || fdatasync(TIFFFileno(to))))
        err = err_set(ERR_IO, "a page cannot be written");
    return err;
}

static int copy_pages(TIFF *to, TIFF *from, int pages, int (*page)(void *context, int number, long long size),
                      void *context)
{
    int err = 0;

    for (int number = 1; !err && number <= pages; number++) {
        struct stat file;

        if (number > 1 && !TIFFReadDirectory(from))
            return 0;
        err = copy_page(to, from, number);
        if (!err && fstat(TIFFFileno(to), &file))
            err = err_set(ERR_IO, "cannot look at the copy: %s", strerror(errno));
        if (!err && page)
            err = page(context, number, (long long)file.st_size);
    }
    return err;
}

int document_copy(const char *to, const char *from, int pages, int (*page)(void *context, int number, long long size),
                  void *context)
{
    TIFF *in = tiff_open(from, O_RDONLY, "r");
    TIFF *out = in ? tiff_open(to, O_RDWR, "wl") : NULL;
    int err = in && out ? copy_pages(out, in, pages, page, context) : ERR_INVALID;

    if (out)
        TIFFClose(out);
    if (in)
        TIFFClose(in);
    return err;
}
