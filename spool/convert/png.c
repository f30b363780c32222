/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Page images and thumbnails (GET /v1/faxes/{id}/pages/n). A fax page has dots twice as high as wide in standard
 * resolution; here they become square, by averages, which also keeps small letters readable in a thumbnail.
 */
#include "config.h"

#include "spool/convert/png.h"

#include <errno.h>
#include <math.h>
#include <png.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/base/err.h"
#include "spool/convert/fax_page.h"
#include "spool/convert/prepare.h"
#include "spool/convert/raster.h"
#include "spool/convert/scale.h"
#include "spool/convert/tiff_in.h"
#include "spool/convert/tiff_page.h"

/* The fastest level: fax pages are mostly white, so more costs time and saves little. */
#define PNG_LEVEL 1

struct sink {
    int fd;
    int io_errno;
    int64_t bytes;
};

static void write_proc(png_structp png, png_bytep data, size_t size)
{
    struct sink *sink = png_get_io_ptr(png);
    while (size > 0) {
        ssize_t put = write(sink->fd, data, size);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0) {
            sink->io_errno = put < 0 ? errno : ENOSPC;
            png_error(png, "write failed");
        }
        data += put;
        size -= (size_t)put;
        sink->bytes += put;
    }
}

static void flush_proc(png_structp png)
{
    (void)png;
}

static void on_error(png_structp png, png_const_charp message)
{
    (void)message;
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
    (void)png, (void)message;
}

/* Everything between here and its return is libpng's, which leaves by longjmp: nothing else may be owned meanwhile. */
static bool write_picture(png_structp png, png_infop info, const struct raster *picture)
{
    if (setjmp(png_jmpbuf(png)) != 0)
        return false;
    png_set_compression_level(png, PNG_LEVEL);
    png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_FILTER_NONE);
    png_set_IHDR(png, info, picture->width, picture->height, 8, PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_set_user_limits(png, RASTER_HEIGHT_MAX, RASTER_HEIGHT_MAX);
    png_write_info(png, info);
    for (uint32_t y = 0; y < picture->height; y++)
        png_write_row(png, raster_row(picture, y));
    png_write_end(png, info);
    return true;
}

static int write_png(struct png_result *result, int output, const struct raster *picture)
{
    struct sink sink = {.fd = output};
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, on_error, on_warning);
    png_infop info = png != NULL ? png_create_info_struct(png) : NULL;
    int error = 0;
    if (info == NULL) {
        error = err_set(ERR_FULL, "no memory to write the picture");
        goto out;
    }
    png_set_write_fn(png, &sink, write_proc, flush_proc);
    if (!write_picture(png, info, picture))
        error = sink.io_errno != 0 ? err_set(ERR_IO, "cannot write the picture: %s", strerror(sink.io_errno))
                                   : err_set(ERR_FULL, "no memory to write the picture");
    *result = (struct png_result){picture->width, picture->height, sink.bytes};
out:
    png_destroy_write_struct(&png, &info);
    return error;
}

/* How many times as high as wide a dot of the page is. */
static double dot_aspect(const struct raster *page)
{
    enum fax_resolution resolution;
    if (fax_page_is_width(page->width) && fax_page_is_t4(&resolution, page->x_dpi, page->y_dpi, page->height))
        return (double)FAX_PAGE_X_DPI / fax_resolution_y_dpi(resolution);
    return page->x_dpi > 0.0 && page->y_dpi > 0.0 ? page->x_dpi / page->y_dpi : 1.0;
}

static int load(struct raster **raster, int input, int number)
{
    struct tiff_in *in = NULL;
    struct tiff_page page = {0};
    int error = tiff_in_open(&in, input, PREPARE_PIXELS_MAX);
    while (error == 0 && page.number < number)
        error = tiff_in_next(&page, in);
    if (error == ERR_NOT_FOUND)
        error = err_set(ERR_INVALID, "the document has %d pages, so there is no page %d", page.number, number);
    else if (error == 0)
        error = tiff_page_load(raster, in, &page);
    tiff_in_close(in);
    return error;
}

int png_page(struct png_result *result, int input, int output, int page, uint32_t width)
{
    struct raster *raster = NULL, *picture = NULL;
    int error = load(&raster, input, page);
    if (error != 0)
        return error;
    if (width == 0)
        width = raster->width < PNG_WIDTH_MAX ? raster->width : PNG_WIDTH_MAX;
    double height = round(raster->height * dot_aspect(raster) * width / raster->width);
    if (height > RASTER_HEIGHT_MAX)
        height = RASTER_HEIGHT_MAX; /* refused below for its size, with its figures */
    error = scale_to_grey(&picture, raster, width, height < 1.0 ? 1 : (uint32_t)height, width);
    raster_free(raster);
    if (error == 0)
        error = write_png(result, output, picture);
    raster_free(picture);
    return error;
}
