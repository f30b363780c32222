/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Black and white from grey, the last step before fax_tiff.c for all that did not come as bits.
 *
 * How long a fax takes on the line follows how well its dots compress, so paper that is almost white is made white and
 * ink that is almost black is made black before any screen is laid over them.
 */
#include "spool/convert/dither.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/err.h"
#include "spool/convert/raster.h"

/* Darker than this is ink: above the middle, since 128 loses grey text and hairlines that were averaged down. */
#define INK_BELOW 180

/* Levels taken as black and as white before a screen. */
#define BLACK_TO   32
#define WHITE_FROM 224

/* A page counts as a picture when more than one element in PICTURE_SHARE lies between these. */
#define MIDDLE_LOW    64
#define MIDDLE_HIGH   192
#define PICTURE_SHARE 12

/* A screen of 45 degrees, two dots in 8 by 8: the ranks of cos(a + b) + cos(a - b) over the cell, darkest first. */
static const uint8_t screen[8][8] = {
    {5, 19, 51, 60, 61, 53, 22, 7},   {18, 29, 35, 44, 45, 38, 31, 23}, {49, 34, 25, 12, 13, 27, 39, 55},
    {57, 41, 9, 1, 3, 15, 47, 63},    {56, 40, 8, 0, 2, 14, 46, 62},    {48, 32, 24, 10, 11, 26, 37, 54},
    {16, 28, 33, 42, 43, 36, 30, 21}, {4, 17, 50, 58, 59, 52, 20, 6},
};

int dither_parse(enum dither *dither, const char *word)
{
    static const char *const words[] = {
        [DITHER_AUTO] = "auto",
        [DITHER_THRESHOLD] = "threshold",
        [DITHER_DIFFUSION] = "diffusion",
        [DITHER_HALFTONE] = "halftone",
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(word, words[i]) == 0) {
            *dither = (enum dither)i;
            return 0;
        }
    }
    return err_set(ERR_INVALID, "dither is \"%.40s\", which is none of auto, threshold, diffusion, halftone", word);
}

static void set_black(uint8_t *row, uint32_t x)
{
    row[x >> 3] |= (uint8_t)(0x80 >> (x & 7));
}

static int level(uint8_t value)
{
    if (value <= BLACK_TO)
        return 0;
    if (value >= WHITE_FROM)
        return 255;
    return (value - BLACK_TO) * 255 / (WHITE_FROM - BLACK_TO);
}

static bool is_picture(const struct raster *page)
{
    size_t size = page->stride * page->height, middle = 0;
    for (size_t i = 0; i < size; i++)
        middle += page->data[i] >= MIDDLE_LOW && page->data[i] < MIDDLE_HIGH;
    return middle > size / PICTURE_SHARE;
}

static void threshold(const struct raster *to, const struct raster *from)
{
    for (uint32_t y = 0; y < from->height; y++) {
        const uint8_t *grey = raster_row(from, y);
        uint8_t *row = raster_row(to, y);
        for (uint32_t x = 0; x < from->width; x++) {
            if (grey[x] < INK_BELOW)
                set_black(row, x);
        }
    }
}

static void halftone(const struct raster *to, const struct raster *from)
{
    for (uint32_t y = 0; y < from->height; y++) {
        const uint8_t *grey = raster_row(from, y);
        uint8_t *row = raster_row(to, y);
        for (uint32_t x = 0; x < from->width; x++) {
            if (255 - level(grey[x]) > screen[y % 8][x % 8] * 4 + 1)
                set_black(row, x);
        }
    }
}

/* One row of error diffusion (Floyd and Steinberg, 1976), in the direction of `step`. Errors are kept in sixteenths;
 * both arrays have one element of margin at each end. */
static void diffuse_row(uint8_t *row, const uint8_t *grey, uint32_t width, int *error, int *below, int step)
{
    int64_t x = step > 0 ? 0 : (int64_t)width - 1;
    for (uint32_t i = 0; i < width; i++, x += step) {
        int wanted = level(grey[x]);
        int value = wanted == 0 || wanted == 255 ? wanted : wanted + error[x] / 16;
        bool black = value < 128;
        if (black)
            set_black(row, (uint32_t)x);
        int left = value - (black ? 0 : 255);
        error[x + step] += 7 * left;
        below[x - step] += 3 * left;
        below[x] += 5 * left;
        below[x + step] += left;
    }
}

/* Rows run to and fro, so that no grain leans to one side. */
static int diffusion(const struct raster *to, const struct raster *from)
{
    size_t room = (size_t)from->width + 2;
    int *errors = calloc(2 * room, sizeof *errors);
    if (errors == NULL)
        return err_set(ERR_FULL, "no memory to dither a page");
    for (uint32_t y = 0; y < from->height; y++) {
        int *error = errors + (y % 2) * room, *below = errors + (1 - y % 2) * room;
        memset(below, 0, room * sizeof *below);
        diffuse_row(raster_row(to, y), raster_row(from, y), from->width, error + 1, below + 1, y % 2 == 0 ? 1 : -1);
    }
    free(errors);
    return 0;
}

int dither_page(struct raster **out, const struct raster *from, enum dither dither)
{
    struct raster *to = NULL;
    int error = raster_new(&to, from->width, from->height, 1);
    if (error != 0)
        return error;
    to->x_dpi = from->x_dpi;
    to->y_dpi = from->y_dpi;
    if (dither == DITHER_AUTO)
        dither = is_picture(from) ? DITHER_HALFTONE : DITHER_THRESHOLD;
    switch (dither) {
    case DITHER_AUTO:
    case DITHER_THRESHOLD:
        threshold(to, from);
        break;
    case DITHER_HALFTONE:
        halftone(to, from);
        break;
    case DITHER_DIFFUSION:
        error = diffusion(to, from);
        break;
    }
    if (error != 0) {
        raster_free(to);
        return error;
    }
    *out = to;
    return 0;
}
