/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Black and white from grey, the last step before fax_tiff.c for all that did not come as bits.
 *
 * How long a fax takes on the line follows how well its dots compress, so paper that is almost white is made white and
 * ink that is almost black is made black before any screen is laid over them.
 */
#include "config.h" /* le64toh */

#include "spool/convert/dither.h"

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/err.h"
#include "spool/convert/ink.h"
#include "spool/convert/raster.h"
#include "spool/convert/sheet.h"

/* Lines thinner than a dot are grey, and letters may be as light: what is thin and so much darker than both its sides
 * is kept, if it is not too faint. */
#define THIN_CONTRAST 20
#define THIN_REACH    3 /* dots that it is wide at the most */

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

static struct picture whole(const struct raster *page)
{
    return (struct picture){0, 0, page->width, page->height};
}

static bool is_picture(const struct raster *page, struct picture area)
{
    size_t size = (size_t)(area.right - area.left) * (area.bottom - area.top), middle = 0;
    for (uint32_t y = area.top; y < area.bottom; y++) {
        const uint8_t *row = raster_row(page, y);
        for (uint32_t x = area.left; x < area.right; x++)
            middle += row[x] >= MIDDLE_LOW && row[x] < MIDDLE_HIGH;
    }
    return middle > size / PICTURE_SHARE;
}

/* Inlined, as mark_thin is, with a count that is fixed for nearly all tiles, so that many dots are taken at once.
 */
static inline void mark_ink(uint8_t *restrict dots, const uint8_t *restrict grey, uint8_t below, uint32_t count)
{
    for (uint32_t x = 0; x < count; x++)
        dots[x] = grey[x] < below;
}

static inline uint8_t lighter(uint8_t a, uint8_t b)
{
    return a > b ? a : b;
}

/* Dots that have none that is darker beside them, and paper not far on both sides; `step` is the way across. Of a line
 * that lies unevenly on two dots, so the darker one is kept. */
static inline void find_thin(uint8_t *restrict thin, const uint8_t *restrict grey, ptrdiff_t step, uint32_t count)
{
    for (uint32_t x = 0; x < count; x++) {
        const uint8_t *at = grey + x;
        uint8_t paper = (uint8_t)(at[0] + THIN_CONTRAST); /* no more than 255 where it counts */
        uint8_t before = lighter(lighter(at[-step], at[-2 * step]), at[-3 * step]);
        uint8_t after = lighter(lighter(at[step], at[2 * step]), at[3 * step]);
        thin[x] = (at[-step] >= at[0]) & (at[step] >= at[0]) & (before >= paper) & (after >= paper);
    }
}

/* Where strokes meet they are thin along both diagonals; the corner of a tinted ground is so along one. */
static inline void mark_thin(uint8_t *restrict dots, const uint8_t *restrict grey, ptrdiff_t stride, uint32_t count)
{
    uint8_t across[INK_TILE], down[INK_TILE], falling[INK_TILE], rising[INK_TILE];
    find_thin(across, grey, 1, count);
    find_thin(down, grey, stride, count);
    find_thin(falling, grey, stride + 1, count);
    find_thin(rising, grey, stride - 1, count);
    for (uint32_t x = 0; x < count; x++)
        dots[x] |= (grey[x] >= INK_BELOW) & (grey[x] < INK_FAINT) & (across[x] | down[x] | (falling[x] & rising[x]));
}

static inline uint8_t has_faint(const uint8_t *grey)
{
    uint8_t any = 0;
    for (uint32_t x = 0; x < INK_TILE; x++)
        any |= (grey[x] >= INK_BELOW) & (grey[x] < INK_FAINT);
    return any;
}

/* Those dots of a row of a tile that may be thin: not those at the edges of the page, which have no two sides. */
static void mark_thin_row(uint8_t *dots, const uint8_t *grey, const struct raster *from, uint32_t left, uint32_t right)
{
    ptrdiff_t stride = (ptrdiff_t)from->stride;
    uint32_t begin = left < THIN_REACH ? THIN_REACH : left;
    uint32_t end = right + THIN_REACH > from->width ? from->width - THIN_REACH : right;
    if (end - begin == INK_TILE) {
        if (has_faint(grey))
            mark_thin(dots, grey, stride, INK_TILE);
    } else if (from->width > 2 * THIN_REACH && begin < end) {
        mark_thin(dots + (begin - left), grey + (begin - left), stride, end - begin);
    }
}

/* Dots of one octet each to bits. The factor moves the lowest bit of each octet of a number to its place in the highest
 * octet; no two of its products meet. */
static void pack(uint8_t *to, const uint8_t *dots, uint32_t count)
{
    for (uint32_t x = 0; x < count; x += 8) {
        uint64_t eight;
        memcpy(&eight, dots + x, sizeof eight);
        to[x / 8] = (uint8_t)(le64toh(eight) * UINT64_C(0x8040201008040201) >> 56);
    }
}

static void threshold_tile(const struct raster *to, const struct raster *from, struct picture area, uint8_t below,
                           bool drawn)
{
    uint8_t dots[INK_TILE] = {0};
    uint32_t width = area.right - area.left;
    for (uint32_t y = area.top; y < area.bottom; y++) {
        const uint8_t *grey = raster_row(from, y) + area.left;
        if (width == INK_TILE)
            mark_ink(dots, grey, below, INK_TILE);
        else
            mark_ink(dots, grey, below, width);
        if (drawn && y >= THIN_REACH && y + THIN_REACH < from->height) /* in scans there are specks */
            mark_thin_row(dots, grey, from, area.left, area.right);
        pack(raster_row(to, y) + area.left / 8, dots, width);
    }
}

static int threshold(const struct raster *to, const struct raster *from, bool drawn)
{
    struct ink ink;
    int error = ink_find(&ink, from);
    if (error != 0)
        return error;
    for (uint32_t i = 0; i < ink.columns * ink.rows; i++) {
        if (ink.below[i] != INK_NONE)
            threshold_tile(to, from, ink_tile(from, i), ink.below[i], drawn);
    }
    ink_clear(&ink);
    return 0;
}

static void clear_area(const struct raster *to, struct picture area)
{
    for (uint32_t y = area.top; y < area.bottom; y++) {
        uint8_t *row = raster_row(to, y);
        for (uint32_t x = area.left; x < area.right; x++)
            row[x >> 3] &= (uint8_t) ~(0x80 >> (x & 7));
    }
}

/* The screen is the page's, so that pictures side by side fit together. */
static void halftone(const struct raster *to, const struct raster *from, struct picture area)
{
    uint8_t levels[256];
    for (int i = 0; i < 256; i++)
        levels[i] = (uint8_t)(255 - level((uint8_t)i));
    for (uint32_t y = area.top; y < area.bottom; y++) {
        const uint8_t *grey = raster_row(from, y), *dots = screen[y % 8];
        uint8_t *row = raster_row(to, y);
        for (uint32_t x = area.left; x < area.right; x++) {
            if (levels[grey[x]] > dots[x % 8] * 4 + 1)
                set_black(row, x);
        }
    }
}

/* One row of error diffusion (Floyd and Steinberg, 1976) from `left` to `right`, in the direction of `step`. Errors are
 * kept in sixteenths; both arrays have one element of margin at each end. */
static void diffuse_row(uint8_t *row, const uint8_t *grey, struct picture area, int *error, int *below, int step)
{
    int64_t x = step > 0 ? area.left : (int64_t)area.right - 1;
    for (uint32_t i = area.left; i < area.right; i++, x += step) {
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
static int diffusion(const struct raster *to, const struct raster *from, struct picture area)
{
    size_t room = (size_t)from->width + 2;
    int *errors = calloc(2 * room, sizeof *errors);
    if (errors == NULL)
        return err_set(ERR_FULL, "no memory to dither a page");
    for (uint32_t y = area.top; y < area.bottom; y++) {
        int *error = errors + (y % 2) * room, *below = errors + (1 - y % 2) * room;
        memset(below, 0, room * sizeof *below);
        diffuse_row(raster_row(to, y), raster_row(from, y), area, error + 1, below + 1, y % 2 == 0 ? 1 : -1);
    }
    free(errors);
    return 0;
}

static int lay_screen(const struct raster *to, const struct raster *from, struct picture area, enum dither dither)
{
    if (dither == DITHER_DIFFUSION)
        return diffusion(to, from, area);
    halftone(to, from, area);
    return 0;
}

/* Threshold for the page, a screen for those of its pictures that have greys: a scan in black and white has none. */
static int dither_pictures(const struct raster *to, const struct sheet *sheet, enum dither dither)
{
    int error = threshold(to, sheet->raster, sheet->drawn);
    for (int i = 0; i < sheet->picture_count && error == 0; i++) {
        if (!is_picture(sheet->raster, sheet->pictures[i]))
            continue;
        clear_area(to, sheet->pictures[i]);
        error = lay_screen(to, sheet->raster, sheet->pictures[i], dither);
    }
    return error;
}

static int dither_whole(const struct raster *to, const struct sheet *sheet, enum dither dither)
{
    const struct raster *from = sheet->raster;
    if (dither == DITHER_AUTO)
        dither = is_picture(from, whole(from)) ? DITHER_HALFTONE : DITHER_THRESHOLD;
    return dither == DITHER_THRESHOLD ? threshold(to, from, sheet->drawn) : lay_screen(to, from, whole(from), dither);
}

int dither_sheet(struct raster **out, const struct sheet *sheet, enum dither dither)
{
    struct raster *to = NULL;
    const struct raster *from = sheet->raster;
    int error = raster_new(&to, from->width, from->height, 1);
    if (error != 0)
        return error;
    to->x_dpi = from->x_dpi;
    to->y_dpi = from->y_dpi;
    if (sheet->picture_count == SHEET_PICTURES_UNKNOWN || dither == DITHER_THRESHOLD)
        error = dither_whole(to, sheet, dither);
    else
        error = dither_pictures(to, sheet, dither);
    if (error != 0) {
        raster_free(to);
        return error;
    }
    *out = to;
    return 0;
}
