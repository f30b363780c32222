/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a TIFF page to a raster, in three ways:
 *
 *   bilevel   rows or tiles of bits, exact: what fax pages are;
 *   samples   rows of 8 or 16 bit grey or RGB samples: what scanners write, read without holding the page twice;
 *   rgba      everything else that libtiff knows (palettes, CMYK, CIE L*a*b*, planes, tiles of colour), strip by strip
 *             through its RGBA interface.
 */
#include "spool/convert/tiff_page.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>

#include "server/base/err.h"
#include "spool/convert/raster.h"
#include "spool/convert/tiff_in.h"

#define PIECE_BYTES_MAX (64 << 20)  /* one row or tile as libtiff decodes it */
#define RGBA_PIXELS_MAX (32u << 20) /* one strip or tile in the rgba way, 4 octets each */

static int too_large(const struct tiff_page *page, const char *piece)
{
    return err_set(ERR_UNSUPPORTED, "page %d is stored in one %s that is too large to read: save it in smaller strips",
                   page->number, piece);
}

static int no_memory(const struct tiff_page *page)
{
    return err_set(ERR_FULL, "no memory to read page %d", page->number);
}

/* Bits of the file to 1 = black; bits past the width, which the file may have set, to 0. */
static void finish_bits(const struct raster *raster, bool invert)
{
    uint8_t last = (uint8_t)(raster->width % 8 == 0 ? 0xff : 0xff00 >> (raster->width % 8));
    for (uint32_t y = 0; y < raster->height; y++) {
        uint8_t *row = raster_row(raster, y);
        if (invert) {
            for (size_t i = 0; i < raster->stride; i++)
                row[i] = (uint8_t)~row[i];
        }
        row[raster->stride - 1] &= last;
    }
}

static int read_bit_rows(const struct raster *raster, struct tiff_in *in, const struct tiff_page *page)
{
    TIFF *tiff = tiff_in_handle(in);
    if (TIFFScanlineSize64(tiff) != raster->stride)
        return err_set(ERR_INVALID, "page %d is damaged: its rows are not as wide as it says", page->number);
    for (uint32_t y = 0; y < raster->height; y++) {
        if (TIFFReadScanline(tiff, raster_row(raster, y), y, 0) != 1)
            return tiff_in_failed(in);
    }
    /* A bad code word in T.4 spoils its row, which libtiff mends as a fax machine does; in T.6 all rows below it. */
    if (page->compression == COMPRESSION_CCITTFAX4 && tiff_in_had_error(in))
        return tiff_in_failed(in);
    return 0;
}

static void copy_tile(const struct raster *raster, const uint8_t *tile, uint32_t x, uint32_t y, uint32_t tile_width,
                      uint32_t tile_height)
{
    size_t offset = x / 8, stride = tile_width / 8;
    size_t octets = raster->stride - offset < stride ? raster->stride - offset : stride;
    for (uint32_t row = 0; row < tile_height && y + row < raster->height; row++)
        memcpy(raster_row(raster, y + row) + offset, tile + row * stride, octets);
}

static int read_bit_tiles(const struct raster *raster, struct tiff_in *in, const struct tiff_page *page)
{
    TIFF *tiff = tiff_in_handle(in);
    uint32_t tile_width = 0, tile_height = 0;
    TIFFGetField(tiff, TIFFTAG_TILEWIDTH, &tile_width);
    TIFFGetField(tiff, TIFFTAG_TILELENGTH, &tile_height);
    uint64_t size = TIFFTileSize64(tiff);
    if (tile_width == 0 || tile_width % 16 != 0 || tile_height == 0) /* TIFF 6.0 section 15 */
        return err_set(ERR_INVALID, "page %d is damaged: tiles of %u by %u", page->number, tile_width, tile_height);
    if (size > PIECE_BYTES_MAX || size != (uint64_t)tile_width / 8 * tile_height)
        return too_large(page, "tile");
    uint8_t *tile = malloc(size);
    if (tile == NULL)
        return no_memory(page);
    int error = 0;
    for (uint32_t y = 0; y < raster->height && error == 0; y += tile_height) {
        for (uint32_t x = 0; x < raster->width && error == 0; x += tile_width) {
            if (TIFFReadTile(tiff, tile, x, y, 0, 0) < 0)
                error = tiff_in_failed(in);
            else
                copy_tile(raster, tile, x, y, tile_width, tile_height);
        }
    }
    free(tile);
    return error;
}

static int load_bits(struct raster **out, struct tiff_in *in, const struct tiff_page *page)
{
    struct raster *raster = NULL;
    int error = raster_new(&raster, page->width, page->height, 1);
    if (error != 0)
        return error;
    bool tiled = TIFFIsTiled(tiff_in_handle(in)) != 0;
    error = tiled ? read_bit_tiles(raster, in, page) : read_bit_rows(raster, in, page);
    if (error != 0) {
        raster_free(raster);
        return error;
    }
    finish_bits(raster, page->photometric == PHOTOMETRIC_MINISBLACK);
    *out = raster;
    return 0;
}

/* How an element's samples make a grey value in the samples way. */
struct samples {
    unsigned colours; /* 1 or 3 */
    unsigned count;   /* samples an element, colours and more */
    unsigned octets;  /* 1 or 2 a sample */
    uint16_t alpha;   /* EXTRASAMPLE_* of the sample after the colours, 0 = none that matters */
    bool invert;      /* grey with 0 = white */
};

/* True when the page can be read in the samples way. */
static bool samples_describe(struct samples *samples, TIFF *tiff, const struct tiff_page *page)
{
    uint16_t planar = PLANARCONFIG_CONTIG, extra_count = 0, *extra = NULL;
    TIFFGetFieldDefaulted(tiff, TIFFTAG_PLANARCONFIG, &planar);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_EXTRASAMPLES, &extra_count, &extra);
    uint16_t format = SAMPLEFORMAT_UINT;
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLEFORMAT, &format);
    bool rgb = page->photometric == PHOTOMETRIC_RGB;
    if (page->photometric == PHOTOMETRIC_YCBCR && page->compression == COMPRESSION_JPEG)
        rgb = TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB) != 0;
    bool grey = page->photometric == PHOTOMETRIC_MINISBLACK || page->photometric == PHOTOMETRIC_MINISWHITE;
    *samples = (struct samples){.colours = rgb ? 3 : 1,
                                .count = page->samples,
                                .octets = page->bits / 8u,
                                .invert = page->photometric == PHOTOMETRIC_MINISWHITE};
    if ((!rgb && !grey) || page->samples < samples->colours || page->samples > 16)
        return false;
    if (page->samples > samples->colours && extra_count > 0 && extra != NULL)
        samples->alpha = extra[0];
    return (page->bits == 8 || page->bits == 16) && planar == PLANARCONFIG_CONTIG && format == SAMPLEFORMAT_UINT &&
           page->compression != COMPRESSION_OJPEG && !TIFFIsTiled(tiff);
}

/* The high octet of a sample; libtiff gives 16 bit samples in the order of this machine. */
static unsigned sample(const uint8_t *row, size_t index, unsigned octets)
{
    if (octets == 1)
        return row[index];
    uint16_t value;
    memcpy(&value, row + 2 * index, sizeof value);
    return value >> 8;
}

static void grey_row(uint8_t *to, const uint8_t *from, uint32_t width, const struct samples *samples)
{
    for (uint32_t x = 0; x < width; x++) {
        size_t at = (size_t)x * samples->count;
        unsigned value = sample(from, at, samples->octets);
        if (samples->colours == 3)
            value =
                raster_luminance(value, sample(from, at + 1, samples->octets), sample(from, at + 2, samples->octets));
        if (samples->invert)
            value = 255 - value;
        if (samples->alpha == EXTRASAMPLE_ASSOCALPHA || samples->alpha == EXTRASAMPLE_UNASSALPHA) {
            unsigned alpha = sample(from, at + samples->colours, samples->octets);
            if (samples->alpha == EXTRASAMPLE_UNASSALPHA)
                value = value * alpha / 255;
            value = value + 255 - alpha < 255 ? value + 255 - alpha : 255;
        }
        to[x] = (uint8_t)value;
    }
}

static int load_samples(struct raster **out, struct tiff_in *in, const struct tiff_page *page,
                        const struct samples *samples)
{
    TIFF *tiff = tiff_in_handle(in);
    struct raster *raster = NULL;
    uint64_t size = TIFFScanlineSize64(tiff);
    if (size != (uint64_t)page->width * samples->count * samples->octets)
        return err_set(ERR_INVALID, "page %d is damaged: its rows are not as wide as it says", page->number);
    if (size > PIECE_BYTES_MAX)
        return too_large(page, "row");
    uint8_t *row = malloc(size);
    int error = row == NULL ? no_memory(page) : raster_new(&raster, page->width, page->height, 8);
    for (uint32_t y = 0; error == 0 && y < page->height; y++) {
        if (TIFFReadScanline(tiff, row, y, 0) != 1)
            error = tiff_in_failed(in);
        else
            grey_row(raster_row(raster, y), row, page->width, samples);
    }
    free(row);
    if (error != 0)
        raster_free(raster);
    else
        *out = raster;
    return error;
}

/* One piece in the rgba way goes into the raster. libtiff gives its rows from the bottom, colours times alpha. */
static void copy_rgba(const struct raster *raster, const uint32_t *piece, uint32_t x, uint32_t y, uint32_t width,
                      uint32_t height, uint32_t rows)
{
    for (uint32_t row = 0; row < rows && y + row < raster->height; row++) {
        const uint32_t *from = piece + (size_t)(height - 1 - row) * width;
        uint8_t *to = raster_row(raster, y + row);
        for (uint32_t column = 0; column < width && x + column < raster->width; column++) {
            uint32_t rgba = from[column];
            unsigned value = raster_luminance(TIFFGetR(rgba), TIFFGetG(rgba), TIFFGetB(rgba)) + 255 - TIFFGetA(rgba);
            to[x + column] = (uint8_t)(value < 255 ? value : 255);
        }
    }
}

static int read_rgba_tiles(const struct raster *raster, uint32_t *piece, struct tiff_in *in, uint32_t width,
                           uint32_t height)
{
    for (uint32_t y = 0; y < raster->height; y += height) {
        for (uint32_t x = 0; x < raster->width; x += width) {
            if (TIFFReadRGBATileExt(tiff_in_handle(in), x, y, piece, 1) == 0)
                return tiff_in_failed(in);
            copy_rgba(raster, piece, x, y, width, height, height);
        }
    }
    return 0;
}

static int read_rgba_strips(const struct raster *raster, uint32_t *piece, struct tiff_in *in, uint32_t height)
{
    for (uint32_t y = 0; y < raster->height; y += height) {
        uint32_t rows = raster->height - y < height ? raster->height - y : height;
        if (TIFFReadRGBAStripExt(tiff_in_handle(in), y, piece, 1) == 0)
            return tiff_in_failed(in);
        copy_rgba(raster, piece, 0, y, raster->width, rows, rows);
    }
    return 0;
}

static int load_rgba(struct raster **out, struct tiff_in *in, const struct tiff_page *page)
{
    TIFF *tiff = tiff_in_handle(in);
    char reason[1024] = "";
    if (TIFFRGBAImageOK(tiff, reason) == 0)
        return err_set(ERR_UNSUPPORTED, "page %d is of a kind that is not read here: %s", page->number, reason);
    TIFFSetField(tiff, TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT); /* turned by raster_upright, not by libtiff as well */

    uint32_t width = page->width, height = 0;
    bool tiled = TIFFIsTiled(tiff) != 0;
    TIFFGetFieldDefaulted(tiff, tiled ? TIFFTAG_TILELENGTH : TIFFTAG_ROWSPERSTRIP, &height);
    if (tiled)
        TIFFGetField(tiff, TIFFTAG_TILEWIDTH, &width);
    else if (height > page->height)
        height = page->height;
    if (width == 0 || height == 0)
        return err_set(ERR_INVALID, "page %d is damaged: strips or tiles of no size", page->number);
    if ((uint64_t)width * height > RGBA_PIXELS_MAX)
        return too_large(page, tiled ? "tile" : "strip");

    struct raster *raster = NULL;
    int error = raster_new(&raster, page->width, page->height, 8);
    if (error != 0)
        return error;
    uint32_t *piece = calloc((size_t)width * height, sizeof *piece);
    if (piece == NULL)
        error = no_memory(page);
    else if (tiled)
        error = read_rgba_tiles(raster, piece, in, width, height);
    else
        error = read_rgba_strips(raster, piece, in, height);
    free(piece);
    if (error != 0)
        raster_free(raster);
    else
        *out = raster;
    return error;
}

int tiff_page_load(struct raster **out, struct tiff_in *in, const struct tiff_page *page)
{
    struct samples samples;
    struct raster *raster = NULL;
    int error;
    if (page->bilevel)
        error = load_bits(&raster, in, page);
    else if (samples_describe(&samples, tiff_in_handle(in), page))
        error = load_samples(&raster, in, page, &samples);
    else
        error = load_rgba(&raster, in, page);
    if (error != 0)
        return error;
    raster->x_dpi = page->x_dpi;
    raster->y_dpi = page->y_dpi;
    error = raster_upright(&raster, page->orientation);
    if (error != 0) {
        raster_free(raster);
        return error;
    }
    *out = raster;
    return 0;
}
