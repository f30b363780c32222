/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Photographs, screenshots, pictures of paper: whatever gdk-pixbuf has a loader for. The octets are fed to the loader
 * of the type that was recognised, so that no loader is tried on what is not its own.
 */
#include "config.h" /* memmem */

#include "spool/convert/source.h"

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/err.h"
#include "server/base/media_type.h"
#include "spool/convert/prepare.h"
#include "spool/convert/raster.h"
#include "spool/convert/sheet.h"

#define PIXELS_MAX                                                                                                     \
    60000000.0           /* 60 megapixels, 240 MB: what a camera makes; larger ones are loaded smaller if they can be */
#define WIDTH_SPARE 7296 /* three dots for each of the widest fax page */
#define DPI_LOW     100  /* 72 and 96 are what is written when nobody knows */
#define DPI_HIGH    2400

struct image_source {
    GdkPixbuf *image;
    bool given;
};

static const char *loader_name(enum media_type type)
{
    switch (type) {
    case MEDIA_JPEG:
        return "jpeg";
    case MEDIA_PNG:
        return "png";
    case MEDIA_GIF:
        return "gif";
    case MEDIA_BMP:
        return "bmp";
    case MEDIA_WEBP:
        return "webp";
    default:
        return "heif/avif";
    }
}

/* JPEG is decoded smaller at once; other types are refused when their pixels are too many. */
static void on_size(GdkPixbufLoader *loader, int width, int height, gpointer context)
{
    bool *too_large = context;
    double pixels = (double)width * height;
    if (pixels <= PIXELS_MAX)
        return;
    const char *name = gdk_pixbuf_format_get_name(gdk_pixbuf_loader_get_format(loader));
    double shrink = (double)WIDTH_SPARE / (width > height ? width : height);
    if (strcmp(name, "jpeg") == 0 && shrink < 1 && pixels < 64 * PIXELS_MAX)
        gdk_pixbuf_loader_set_size(loader, (int)(width * shrink) + 1, (int)(height * shrink) + 1);
    else
        *too_large = true;
}

static int failed(const GError *why, enum media_type type)
{
    return err_set(ERR_INVALID, "the %s picture is damaged: %.120s", media_type_name(type),
                   why != NULL ? why->message : "it ends too early");
}

static int feed(GdkPixbufLoader *loader, const unsigned char *data, size_t size, enum media_type type,
                const bool *too_large)
{
    GError *why = NULL;
    int error = 0;
    const size_t chunk = 65536; /* the size is known before the pixels come */
    for (size_t at = 0; at < size && error == 0; at += chunk) {
        if (!gdk_pixbuf_loader_write(loader, data + at, size - at < chunk ? size - at : chunk, &why))
            error = failed(why, type);
        if (*too_large)
            error = err_set(ERR_UNSUPPORTED, "the picture has more than %.0f million dots: send it smaller",
                            PIXELS_MAX / 1e6);
    }
    g_clear_error(&why);
    if (!gdk_pixbuf_loader_close(loader, &why) && error == 0)
        error = failed(why, type);
    g_clear_error(&why);
    return error;
}

/* libjpeg makes grey of what is missing at the end, and nobody would be told. Thumbnails in front have ends too. */
static bool is_cut_jpeg(const unsigned char *data, size_t size)
{
    return memmem(data + size / 2, size - size / 2, "\xFF\xD9", 2) == NULL;
}

static int load(struct image_source *source, const unsigned char *data, size_t size)
{
    enum media_type type = media_type_of(data, size < MEDIA_TYPE_HEAD ? size : MEDIA_TYPE_HEAD);
    bool too_large = false;
    if (type == MEDIA_JPEG && is_cut_jpeg(data, size))
        return failed(NULL, type);
    GdkPixbufLoader *loader = gdk_pixbuf_loader_new_with_type(loader_name(type), NULL);
    if (loader == NULL)
        return err_set(ERR_UNSUPPORTED, "this server has no loader for %s pictures: send it as PDF or JPEG",
                       media_type_name(type));
    g_signal_connect(loader, "size-prepared", G_CALLBACK(on_size), &too_large);
    int error = feed(loader, data, size, type, &too_large);
    GdkPixbuf *image = error == 0 ? gdk_pixbuf_loader_get_pixbuf(loader) : NULL;
    if (error == 0 && image == NULL)
        error = failed(NULL, type);
    if (error == 0)
        source->image = gdk_pixbuf_apply_embedded_orientation(image);
    if (error == 0 && source->image == NULL)
        error = err_set(ERR_FULL, "no memory for the picture");
    g_object_unref(loader);
    return error;
}

static void image_close(void *self)
{
    struct image_source *source = self;
    if (source->image != NULL)
        g_object_unref(source->image);
    free(source);
}

static int image_open(void **self, int *pages, int fd, const struct prepare_options *options)
{
    (void)options;
    struct image_source *source = calloc(1, sizeof *source);
    unsigned char *data = NULL;
    size_t size = 0;
    if (source == NULL)
        return err_set(ERR_FULL, "no memory to read the document");
    int error = source_read_all(&data, &size, fd);
    if (error == 0)
        error = load(source, data, size);
    free(data);
    if (error != 0) {
        image_close(source);
        return error;
    }
    *pages = 1;
    *self = source;
    return 0;
}

static double dpi(GdkPixbuf *image, const char *option)
{
    const char *text = gdk_pixbuf_get_option(image, option);
    int value = text != NULL ? atoi(text) : 0;
    return value >= DPI_LOW && value <= DPI_HIGH ? value : 0.0;
}

static void take_row(uint8_t *to, const guchar *from, uint32_t width, int channels)
{
    for (uint32_t x = 0; x < width; x++, from += channels) {
        unsigned grey = raster_luminance(from[0], from[1], from[2]);
        if (channels == 4) /* what is transparent shows the paper */
            grey = (grey * from[3] + 255u * (255u - from[3]) + 127) / 255;
        to[x] = (uint8_t)grey;
    }
}

static int image_next(struct sheet *sheet, void *self)
{
    struct image_source *source = self;
    if (source->given)
        return err_set(ERR_NOT_FOUND, "a picture is one page");
    source->given = true;
    if (sheet == NULL)
        return 0;
    GdkPixbuf *image = source->image;
    *sheet = (struct sheet){.picture_count = SHEET_PICTURES_UNKNOWN};
    int error =
        raster_new(&sheet->raster, (uint32_t)gdk_pixbuf_get_width(image), (uint32_t)gdk_pixbuf_get_height(image), 8);
    if (error != 0)
        return error;
    const guchar *pixels = gdk_pixbuf_read_pixels(image);
    size_t stride = (size_t)gdk_pixbuf_get_rowstride(image);
    for (uint32_t y = 0; y < sheet->raster->height; y++)
        take_row(raster_row(sheet->raster, y), pixels + y * stride, sheet->raster->width,
                 gdk_pixbuf_get_n_channels(image));
    sheet->raster->x_dpi = dpi(image, "x-dpi");
    sheet->raster->y_dpi = dpi(image, "y-dpi");
    sheet->photo = sheet->raster->x_dpi == 0.0;
    return 0;
}

const struct source_type source_image = {image_open, image_next, NULL, image_close};
