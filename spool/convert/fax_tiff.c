/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one place that writes fax TIFF. prepare.c sends uploads here, tidy.c what was received or is to be cut.
 *
 * A page's number is known when it is written, the total only at the end (a received file may break off). The total is
 * then patched into the directories in place: PageNumber is two shorts inside its entry, so nothing moves.
 */
#include "config.h"

#include "spool/convert/fax_tiff.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>
#include <unistd.h>

#include "server/base/err.h"
#include "spool/convert/coded_page.h"
#include "spool/convert/fax_page.h"
#include "spool/convert/g4.h"
#include "spool/convert/raster.h"

#define PAGES_MAX   65535 /* PageNumber counts in 16 bits */
#define ENTRIES_MAX 32    /* tags in a directory of ours: 18 */

struct fax_tiff {
    TIFF *tiff;
    int fd;
    int64_t size, offset;
    int pages;
    int io_errno;
};

static tmsize_t write_proc(thandle_t handle, void *data, tmsize_t size)
{
    struct fax_tiff *file = handle;
    tmsize_t done = 0;
    while (done < size) {
        ssize_t put = pwrite(file->fd, (const char *)data + done, (size_t)(size - done), file->offset + done);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0) {
            file->io_errno = put < 0 ? errno : ENOSPC;
            return -1;
        }
        done += put;
    }
    file->offset += done;
    if (file->offset > file->size)
        file->size = file->offset;
    return done;
}

static tmsize_t read_proc(thandle_t handle, void *data, tmsize_t size)
{
    struct fax_tiff *file = handle;
    ssize_t got = pread(file->fd, data, (size_t)size, file->offset);
    file->offset += got > 0 ? got : 0;
    return got;
}

static toff_t seek_proc(thandle_t handle, toff_t offset, int whence)
{
    struct fax_tiff *file = handle;
    int64_t base = whence == SEEK_CUR ? file->offset : whence == SEEK_END ? file->size : 0;
    file->offset = base + (int64_t)offset;
    return (toff_t)file->offset;
}

static int close_proc(thandle_t handle)
{
    (void)handle;
    return 0;
}

static toff_t size_proc(thandle_t handle)
{
    const struct fax_tiff *file = handle;
    return (toff_t)file->size;
}

/* Failures of our own writing show in io_errno and in libtiff's results; its texts add nothing. */
static int quiet(TIFF *tiff, void *user, const char *module, const char *format, va_list arguments)
{
    (void)tiff, (void)user, (void)module, (void)format, (void)arguments;
    return 1;
}

int fax_tiff_begin(struct fax_tiff **out, int fd)
{
    struct fax_tiff *file = calloc(1, sizeof *file);
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (file != NULL && options != NULL) {
        file->fd = fd;
        TIFFOpenOptionsSetErrorHandlerExtR(options, quiet, NULL);
        TIFFOpenOptionsSetWarningHandlerExtR(options, quiet, NULL);
        file->tiff = TIFFClientOpenExt("fax", "wm", file, read_proc, write_proc, seek_proc, close_proc, size_proc, NULL,
                                       NULL, options);
    }
    if (options != NULL)
        TIFFOpenOptionsFree(options);
    if (file == NULL || file->tiff == NULL) {
        int error = file != NULL && file->io_errno != 0
                        ? err_set(ERR_IO, "cannot write the fax: %s", strerror(file->io_errno))
                        : err_set(ERR_FULL, "no memory to write the fax");
        free(file);
        return error;
    }
    *out = file;
    return 0;
}

static void set_resolution(TIFF *tiff, const struct coded_page *page)
{
    enum fax_resolution resolution;
    double x_dpi = page->x_dpi, y_dpi = page->y_dpi;
    if (fax_page_is_width(page->width) && fax_page_is_t4(&resolution, x_dpi, y_dpi, page->height)) {
        x_dpi = FAX_PAGE_X_DPI;
        y_dpi = fax_resolution_y_dpi(resolution);
    }
    if (x_dpi == 0.0)
        x_dpi = y_dpi == 0.0 ? FAX_PAGE_X_DPI : y_dpi;
    if (y_dpi == 0.0)
        y_dpi = x_dpi;
    TIFFSetField(tiff, TIFFTAG_RESOLUTIONUNIT, RESUNIT_INCH);
    TIFFSetField(tiff, TIFFTAG_XRESOLUTION, round(x_dpi));
    TIFFSetField(tiff, TIFFTAG_YRESOLUTION, round(y_dpi));
}

/* The tags of RFC 2306 section 2.2, each said even where it has a default. */
static void set_tags(TIFF *tiff, const struct coded_page *page, int number)
{
    TIFFSetField(tiff, TIFFTAG_SUBFILETYPE, FILETYPE_PAGE);
    TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, page->width);
    TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, page->height);
    TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 1);
    TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, 1);
    TIFFSetField(tiff, TIFFTAG_COMPRESSION, COMPRESSION_CCITTFAX4);
    TIFFSetField(tiff, TIFFTAG_GROUP4OPTIONS, 0);
    TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISWHITE);
    TIFFSetField(tiff, TIFFTAG_FILLORDER, FILLORDER_MSB2LSB);
    TIFFSetField(tiff, TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT);
    TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, page->height);
    TIFFSetField(tiff, TIFFTAG_PAGENUMBER, number, 0);
    TIFFSetField(tiff, TIFFTAG_SOFTWARE, "faxd");
    set_resolution(tiff, page);
}

static int write_failed(const struct fax_tiff *file)
{
    if (file->io_errno == EFBIG)
        return err_set(ERR_FULL, "the fax grows over the limit of a document: send it in parts");
    if (file->io_errno == 0)
        return err_set(ERR_FULL, "no memory for page %d of the fax", file->pages + 1);
    return err_set(ERR_IO, "cannot write page %d of the fax: %s", file->pages + 1, strerror(file->io_errno));
}

int fax_tiff_add(struct fax_tiff *file, const struct raster *page)
{
    struct coded_page coded = {
        .width = page->width, .height = page->height, .x_dpi = page->x_dpi, .y_dpi = page->y_dpi};
    int error = g4_encode(&coded.octets, &coded.size, page);
    if (error == 0)
        error = fax_tiff_add_coded(file, &coded);
    coded_page_clear(&coded);
    return error;
}

int fax_tiff_add_coded(struct fax_tiff *file, const struct coded_page *page)
{
    if (file->pages == PAGES_MAX)
        return err_set(ERR_TOO_BIG, "a fax has at most %d pages", PAGES_MAX);
    set_tags(file->tiff, page, file->pages);
    if (TIFFWriteRawStrip(file->tiff, 0, page->octets, (tmsize_t)page->size) < 0 ||
        TIFFWriteDirectory(file->tiff) == 0 || file->io_errno != 0)
        return write_failed(file);
    file->pages++;
    return 0;
}

/* The total of pages into the directory at `*offset`, which moves on to the next. The file is ours: classic TIFF in the
 * order of this machine, a count, entries of 12 octets (tag, type, count, value), the next offset. */
static bool patch_total(int fd, uint32_t *offset, uint16_t total)
{
    uint8_t directory[2 + 12 * ENTRIES_MAX + 4];
    uint16_t entries = 0;
    ssize_t got = pread(fd, directory, sizeof directory, *offset);
    if (got < 2)
        return false;
    memcpy(&entries, directory, sizeof entries);
    if (entries > ENTRIES_MAX || got < 2 + 12 * entries + 4)
        return false;
    bool patched = false;
    for (int i = 0; i < entries && !patched; i++) {
        int at = 2 + 12 * i;
        uint16_t tag;
        memcpy(&tag, directory + at, sizeof tag);
        if (tag == TIFFTAG_PAGENUMBER)
            patched = pwrite(fd, &total, sizeof total, *offset + at + 10) == (ssize_t)sizeof total;
    }
    memcpy(offset, directory + 2 + 12 * entries, sizeof *offset);
    return patched;
}

static int patch_totals(int fd, int pages)
{
    uint32_t offset = 0;
    bool good = pread(fd, &offset, sizeof offset, 4) == (ssize_t)sizeof offset;
    for (int i = 0; i < pages && good; i++)
        good = patch_total(fd, &offset, (uint16_t)pages);
    return good ? 0 : err_set(ERR_IO, "cannot number the pages of the fax: %s", strerror(errno));
}

int fax_tiff_finish(struct fax_tiff *file, int64_t *size_bytes)
{
    TIFFClose(file->tiff);
    file->tiff = NULL;
    int error = file->io_errno != 0 ? write_failed(file) : patch_totals(file->fd, file->pages);
    *size_bytes = file->size;
    fax_tiff_discard(file);
    return error;
}

void fax_tiff_discard(struct fax_tiff *file)
{
    if (file == NULL)
        return;
    if (file->tiff != NULL)
        TIFFClose(file->tiff);
    free(file);
}
