/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The directories of a stranger's TIFF file. Every operation of the converter starts here; tiff_page.c reads the
 * pictures.
 *
 * libtiff walks the directories one at a time; a file that claims a million of them, or a circle of them, costs no more
 * than its reader asks for (libtiff itself refuses to visit an offset twice).
 */
#include "config.h"

#include "spool/convert/tiff_in.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/base/err.h"
#include "spool/convert/raster.h"

/* What libtiff may ask for in one piece: a decoded strip, a tag's values. */
#define LIBTIFF_ALLOC_MAX (192 << 20)

/* Resolutions outside are taken as not said: 1 means "no idea" to many writers, and 20,000 is noise. */
#define DPI_LOW  10.0
#define DPI_HIGH 9600.0

#define TEXT_SIZE 200

struct tiff_in {
    TIFF *tiff;
    int fd;
    int64_t size, offset;
    uint64_t pixels_max;
    int page; /* number of the current page, 0 before the first */
    bool failed;
    bool hit_end; /* a read asked for octets past the end of the file */
    int io_errno;
    int warnings;
    char warning[TEXT_SIZE];
    char error[TEXT_SIZE]; /* the first since the page began: later ones are its consequences */
};

static tmsize_t read_proc(thandle_t handle, void *data, tmsize_t size)
{
    struct tiff_in *in = handle;
    tmsize_t done = 0;
    while (done < size) {
        ssize_t got = pread(in->fd, (char *)data + done, (size_t)(size - done), in->offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            in->io_errno = errno;
        if (got == 0)
            in->hit_end = true;
        if (got <= 0)
            break;
        in->offset += got;
        done += got;
    }
    return done;
}

static tmsize_t write_proc(thandle_t handle, void *data, tmsize_t size)
{
    (void)handle, (void)data, (void)size;
    return -1;
}

static toff_t seek_proc(thandle_t handle, toff_t offset, int whence)
{
    struct tiff_in *in = handle;
    int64_t base = whence == SEEK_CUR ? in->offset : whence == SEEK_END ? in->size : 0;
    if (offset > (toff_t)(INT64_MAX - base))
        return (toff_t)-1;
    in->offset = base + (int64_t)offset;
    if (in->offset > in->size)
        in->hit_end = true;
    return (toff_t)in->offset;
}

static int close_proc(thandle_t handle)
{
    (void)handle;
    return 0;
}

static toff_t size_proc(thandle_t handle)
{
    const struct tiff_in *in = handle;
    return (toff_t)in->size;
}

/* libtiff puts texts of the file into its messages (names of unknown tags); they end in logs and API answers. */
static void keep_message(char text[TEXT_SIZE], const char *format, va_list arguments)
{
    vsnprintf(text, TEXT_SIZE, format, arguments);
    for (char *c = text; *c != '\0'; c++) {
        if (*c < ' ' || *c > '~')
            *c = '?';
    }
}

static int on_error(TIFF *tiff, void *user, const char *module, const char *format, va_list arguments)
{
    (void)tiff, (void)module;
    struct tiff_in *in = user;
    if (in->error[0] == '\0')
        keep_message(in->error, format, arguments);
    return 1; /* handled: nothing goes to standard error */
}

static int on_warning(TIFF *tiff, void *user, const char *module, const char *format, va_list arguments)
{
    (void)tiff, (void)module;
    struct tiff_in *in = user;
    if (in->warnings++ == 0)
        keep_message(in->warning, format, arguments);
    return 1;
}

static TIFF *open_handle(struct tiff_in *in)
{
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (options == NULL)
        return NULL;
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, LIBTIFF_ALLOC_MAX);
    TIFFOpenOptionsSetErrorHandlerExtR(options, on_error, in);
    TIFFOpenOptionsSetWarningHandlerExtR(options, on_warning, in);
    TIFF *tiff = TIFFClientOpenExt("upload", "rm", in, read_proc, write_proc, seek_proc, close_proc, size_proc, NULL,
                                   NULL, options);
    TIFFOpenOptionsFree(options);
    return tiff;
}

/* Why the first directory could not be read. Looking at the first octets tells a damaged TIFF from something else. */
static int open_failed(struct tiff_in *in)
{
    uint8_t magic[4] = {0};
    in->offset = 0;
    tmsize_t got = read_proc(in, magic, sizeof magic);
    if (in->io_errno != 0)
        return err_set(ERR_IO, "cannot read the document: %s", strerror(in->io_errno));
    if (got == 0)
        return err_set(ERR_UNSUPPORTED, "the document is empty");
    if (got == 4 && memcmp(magic, "%PDF", 4) == 0)
        return err_set(ERR_UNSUPPORTED, "the document is a PDF file: save it as TIFF, which is what is read here");
    bool little = got == 4 && magic[0] == 'I' && magic[1] == 'I' && (magic[2] == 42 || magic[2] == 43) && magic[3] == 0;
    bool big = got == 4 && magic[0] == 'M' && magic[1] == 'M' && magic[2] == 0 && (magic[3] == 42 || magic[3] == 43);
    if (!little && !big)
        return err_set(ERR_UNSUPPORTED, "the document is not a TIFF file: save it as TIFF, which is what is read here");
    in->page = 1;
    return tiff_in_failed(in);
}

int tiff_in_open(struct tiff_in **out, int fd, uint64_t pixels_max)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return err_set(ERR_IO, "cannot read the document: %s", strerror(errno));
    struct tiff_in *in = calloc(1, sizeof *in);
    if (in == NULL)
        return err_set(ERR_FULL, "no memory to read the document");
    in->fd = fd;
    in->size = status.st_size;
    in->pixels_max = pixels_max;
    in->tiff = open_handle(in);
    if (in->tiff == NULL) {
        int error = open_failed(in);
        free(in);
        return error;
    }
    *out = in;
    return 0;
}

void tiff_in_close(struct tiff_in *in)
{
    if (in == NULL)
        return;
    TIFFClose(in->tiff);
    free(in);
}

int tiff_in_failed(const struct tiff_in *in)
{
    if (in->io_errno != 0)
        return err_set(ERR_IO, "cannot read the document: %s", strerror(in->io_errno));
    if (in->hit_end)
        return err_set(ERR_INVALID, "the file ends in page %d: it is incomplete, send it again", in->page);
    const char *reason = in->error[0] != '\0' ? in->error : in->warning;
    return err_set(ERR_INVALID, "page %d is damaged%s%s", in->page, reason[0] != '\0' ? ": " : "", reason);
}

static double resolution(TIFF *tiff, uint32_t tag, uint16_t unit)
{
    float value = 0;
    if (unit == RESUNIT_NONE || TIFFGetField(tiff, tag, &value) == 0)
        return 0.0;
    double dpi = unit == RESUNIT_CENTIMETER ? (double)value * 2.54 : (double)value;
    return dpi >= DPI_LOW && dpi <= DPI_HIGH ? dpi : 0.0; /* NaN fails both */
}

static bool is_ccitt(uint16_t compression)
{
    return compression == COMPRESSION_CCITTRLE || compression == COMPRESSION_CCITTFAX3 ||
           compression == COMPRESSION_CCITTFAX4 || compression == COMPRESSION_CCITTRLEW;
}

static void describe(struct tiff_page *page, struct tiff_in *in)
{
    TIFF *tiff = in->tiff;
    uint16_t unit = RESUNIT_INCH;
    uint32_t subfile = 0;
    *page = (struct tiff_page){.number = in->page};
    TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &page->width);
    TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &page->height);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &page->bits);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &page->samples);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_COMPRESSION, &page->compression);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_ORIENTATION, &page->orientation);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_RESOLUTIONUNIT, &unit);
    TIFFGetField(tiff, TIFFTAG_SUBFILETYPE, &subfile);
    if (TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &page->photometric) == 0)
        page->photometric = is_ccitt(page->compression) ? PHOTOMETRIC_MINISWHITE : PHOTOMETRIC_MINISBLACK;
    page->x_dpi = resolution(tiff, TIFFTAG_XRESOLUTION, unit);
    page->y_dpi = resolution(tiff, TIFFTAG_YRESOLUTION, unit);
    page->reduced = (subfile & (FILETYPE_REDUCEDIMAGE | FILETYPE_MASK)) != 0;
    page->bilevel = page->bits == 1 && page->samples == 1 &&
                    (page->photometric == PHOTOMETRIC_MINISWHITE || page->photometric == PHOTOMETRIC_MINISBLACK);
}

static int check_size(const struct tiff_page *page, const struct tiff_in *in)
{
    if (page->width == 0 || page->height == 0)
        return err_set(ERR_UNSUPPORTED, "page %d has no picture", page->number);
    if (page->width > RASTER_WIDTH_MAX || page->height > RASTER_HEIGHT_MAX ||
        (uint64_t)page->width * page->height > in->pixels_max)
        return err_set(ERR_UNSUPPORTED,
                       "page %d is too large: %u by %u dots, the most is %llu million in all: save it at a lower "
                       "resolution",
                       page->number, page->width, page->height, (unsigned long long)in->pixels_max / 1000000);
    return 0;
}

int tiff_in_next(struct tiff_page *page, struct tiff_in *in)
{
    if (in->failed)
        return err_set(ERR_INVALID, "page %d cannot be read", in->page);
    if (in->page > 0 && TIFFLastDirectory(in->tiff))
        return err_set(ERR_NOT_FOUND, "page %d is the last one", in->page);
    in->page++;
    in->hit_end = false;
    if (in->page > 1) { /* the first was read by the open, which left its errors */
        in->error[0] = '\0';
        if (TIFFReadDirectory(in->tiff) == 0) {
            in->failed = true;
            return tiff_in_failed(in);
        }
    }
    describe(page, in);
    int error = check_size(page, in);
    in->failed = error != 0;
    return error;
}

bool tiff_in_is_last(const struct tiff_in *in)
{
    return TIFFLastDirectory(in->tiff) != 0;
}

int tiff_in_warnings(const struct tiff_in *in)
{
    return in->warnings;
}

const char *tiff_in_first_warning(const struct tiff_in *in)
{
    return in->warning;
}

bool tiff_in_had_error(const struct tiff_in *in)
{
    return in->error[0] != '\0';
}

TIFF *tiff_in_handle(const struct tiff_in *in)
{
    return in->tiff;
}
