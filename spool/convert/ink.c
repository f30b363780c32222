/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Table heads, marked rows and form fields are often grey. One threshold for the whole page makes light ones white,
 * which is right, and dark ones black together with what is written on them, which loses text. So grounds are looked
 * for: tiles without any paper white, joined to regions of the same shade. A region that has something clearly darker
 * on it is a ground for letters and becomes white; one without is a shape (a bar of a chart, a logo) and stays black.
 */
#include "spool/convert/ink.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/err.h"
#include "spool/convert/raster.h"
#include "spool/convert/sheet.h"

#define SAME_SHADE 12 /* levels by which tiles of one ground may differ */
#define CONTRAST   48 /* levels that letters are darker than their ground */

static uint32_t tiles_along(uint32_t dots)
{
    return (dots + INK_TILE - 1) / INK_TILE;
}

struct picture ink_tile(const struct raster *page, uint32_t tile)
{
    uint32_t columns = tiles_along(page->width), left = tile % columns * INK_TILE, top = tile / columns * INK_TILE;
    return (struct picture){left, top, page->width - left < INK_TILE ? page->width : left + INK_TILE,
                            page->height - top < INK_TILE ? page->height : top + INK_TILE};
}

struct tile {
    uint8_t low, high;
    bool seen;
};

/* Inlined with a count that is fixed for all but the last column of tiles, so that many elements are taken at once. */
static inline void measure_columns(uint8_t *restrict low, uint8_t *restrict high, const uint8_t *restrict row,
                                   uint32_t count)
{
    for (uint32_t x = 0; x < count; x++) {
        low[x] = row[x] < low[x] ? row[x] : low[x];
        high[x] = row[x] > high[x] ? row[x] : high[x];
    }
}

static void measure_tile(struct tile *tile, struct picture area, const struct raster *page)
{
    uint8_t low[INK_TILE], high[INK_TILE];
    uint32_t width = area.right - area.left;
    memset(low, 255, sizeof low);
    memset(high, 0, sizeof high);
    for (uint32_t y = area.top; y < area.bottom; y++) {
        const uint8_t *row = raster_row(page, y) + area.left;
        if (width == INK_TILE)
            measure_columns(low, high, row, INK_TILE);
        else
            measure_columns(low, high, row, width);
    }
    *tile = (struct tile){.low = 255};
    for (uint32_t x = 0; x < INK_TILE; x++) {
        tile->low = low[x] < tile->low ? low[x] : tile->low;
        tile->high = high[x] > tile->high ? high[x] : tile->high;
    }
}

static bool is_ground(const struct tile *tile)
{
    return tile->high < INK_BELOW;
}

static uint32_t sum(const struct raster *page, struct picture area)
{
    uint32_t sum = 0;
    for (uint32_t y = area.top; y < area.bottom; y++) {
        const uint8_t *row = raster_row(page, y);
        for (uint32_t x = area.left; x < area.right; x++)
            sum += row[x];
    }
    return sum;
}

struct region {
    const struct raster *page;
    struct tile *tiles;
    uint32_t columns, rows;
    uint32_t *members; /* a list of tiles that doubles as the queue of the search */
    uint32_t count;
    uint8_t low, high; /* where it has letters: the darkest, the lightest ground; low > high = nowhere */
};

/* Letters are the lesser part of what they stand on; where the darker part is the larger, it is a shape and its edge.
 */
static bool has_letters(const struct region *region, uint32_t at)
{
    const struct tile *tile = &region->tiles[at];
    if (tile->high - tile->low < CONTRAST)
        return false;
    struct picture area = ink_tile(region->page, at);
    uint32_t count = (area.right - area.left) * (area.bottom - area.top);
    return 2 * sum(region->page, area) > (uint32_t)(tile->low + tile->high) * count;
}

static void visit(struct region *region, uint32_t from, uint32_t to)
{
    struct tile *tile = &region->tiles[to];
    int difference = tile->high - region->tiles[from].high;
    if (tile->seen || !is_ground(tile) || difference > SAME_SHADE || difference < -SAME_SHADE)
        return;
    tile->seen = true;
    region->members[region->count++] = to;
}

static void grow(struct region *region, uint32_t start)
{
    region->count = 0;
    region->low = 255;
    region->high = 0;
    region->tiles[start].seen = true;
    region->members[region->count++] = start;
    for (uint32_t i = 0; i < region->count; i++) {
        uint32_t at = region->members[i], x = at % region->columns, y = at / region->columns;
        const struct tile *tile = &region->tiles[at];
        if (has_letters(region, at)) {
            region->low = tile->low < region->low ? tile->low : region->low;
            region->high = tile->high > region->high ? tile->high : region->high;
        }
        if (x > 0)
            visit(region, at, at - 1);
        if (x + 1 < region->columns)
            visit(region, at, at + 1);
        if (y > 0)
            visit(region, at, at - region->columns);
        if (y + 1 < region->rows)
            visit(region, at, at + region->columns);
    }
}

/* The region, and the tiles around it, into which its edges reach. */
static void set_threshold(const struct ink *ink, const struct region *region)
{
    uint8_t below = (uint8_t)((region->low + region->high) / 2);
    for (uint32_t i = 0; i < region->count; i++) {
        uint32_t x = region->members[i] % ink->columns, y = region->members[i] / ink->columns;
        for (uint32_t row = y > 0 ? y - 1 : 0; row <= y + 1 && row < ink->rows; row++) {
            for (uint32_t column = x > 0 ? x - 1 : 0; column <= x + 1 && column < ink->columns; column++) {
                uint8_t *at = &ink->below[row * ink->columns + column];
                *at = below < *at ? below : *at;
            }
        }
    }
}

static void find_grounds(const struct ink *ink, struct region *region)
{
    for (uint32_t i = 0; i < ink->columns * ink->rows; i++) {
        if (region->tiles[i].seen || !is_ground(&region->tiles[i]))
            continue;
        grow(region, i);
        if (region->low < region->high)
            set_threshold(ink, region);
    }
}

/* Nothing has to be looked at there any more. */
static void note_paper(const struct ink *ink, const struct tile *tiles)
{
    for (uint32_t i = 0; i < ink->columns * ink->rows; i++) {
        if (tiles[i].low >= INK_FAINT)
            ink->below[i] = INK_NONE;
    }
}

int ink_find(struct ink *ink, const struct raster *page)
{
    ink->columns = tiles_along(page->width);
    ink->rows = tiles_along(page->height);
    size_t count = (size_t)ink->columns * ink->rows;
    struct region region = {.page = page, .columns = ink->columns, .rows = ink->rows};
    ink->below = malloc(count);
    region.tiles = malloc(count * sizeof *region.tiles);
    region.members = malloc(count * sizeof *region.members);
    int error = 0;
    if (ink->below == NULL || region.tiles == NULL || region.members == NULL) {
        error = err_set(ERR_FULL, "no memory to look at a page");
        ink_clear(ink);
    } else {
        memset(ink->below, INK_BELOW, count);
        for (uint32_t i = 0; i < count; i++)
            measure_tile(&region.tiles[i], ink_tile(page, i), page);
        find_grounds(ink, &region);
        note_paper(ink, region.tiles);
    }
    free(region.tiles);
    free(region.members);
    return error;
}

void ink_clear(struct ink *ink)
{
    free(ink->below);
    ink->below = NULL;
}
