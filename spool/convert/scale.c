/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Area averaging, for fitting uploads to a fax page (prepare.c) and for page images (png.c).
 *
 * Positions are counted in 1/256 of an element of the source. Rows are first averaged across, from running sums, then
 * down, weighted by how much of each source row a new row covers. All sums are exact integers: a page scaled by one, or
 * by a whole factor, has no rounding in it.
 */
#include "spool/convert/scale.h"

#include <stdlib.h>
#include <string.h>

#include "server/base/err.h"
#include "spool/convert/raster.h"

#define ONE 256u

struct scaler {
    const struct raster *from;
    uint32_t width, height; /* of the scaled picture */
    uint32_t *sums;         /* of a source row: sums[x] = elements left of x; from->width + 1 of them */
    uint8_t *row;           /* the source row in grey */
    uint8_t *across;        /* the source row `across_y` at the new width */
    uint32_t across_y;
    uint64_t *down; /* weighted sum of rows, `width` of them */
};

static void scaler_clear(struct scaler *scaler)
{
    free(scaler->sums);
    free(scaler->row);
    free(scaler->across);
    free(scaler->down);
}

static int scaler_init(struct scaler *scaler, const struct raster *from, uint32_t width, uint32_t height)
{
    *scaler = (struct scaler){.from = from, .width = width, .height = height, .across_y = UINT32_MAX};
    scaler->sums = malloc((from->width + 1) * sizeof *scaler->sums);
    scaler->row = malloc(from->width + 1);
    scaler->across = malloc(width);
    scaler->down = malloc(width * sizeof *scaler->down);
    if (scaler->sums != NULL && scaler->row != NULL && scaler->across != NULL && scaler->down != NULL)
        return 0;
    scaler_clear(scaler);
    return err_set(ERR_FULL, "no memory to scale a page");
}

static void load_row(struct scaler *scaler, uint32_t y)
{
    const uint8_t *from = raster_row(scaler->from, y);
    uint32_t width = scaler->from->width, sum = 0;
    if (scaler->from->depth == 8) {
        memcpy(scaler->row, from, width);
    } else {
        for (uint32_t x = 0; x < width; x++)
            scaler->row[x] = from[x >> 3] >> (7 - (x & 7)) & 1 ? 0 : 255;
    }
    for (uint32_t x = 0; x < width; x++) {
        scaler->sums[x] = sum;
        sum += scaler->row[x];
    }
    scaler->sums[width] = sum;
    scaler->row[width] = 0; /* read with weight 0 at the right edge */
}

/* Sum of a row from its left edge to `position`. */
static uint64_t sum_to(const struct scaler *scaler, uint64_t position)
{
    uint64_t x = position / ONE;
    return (uint64_t)scaler->sums[x] * ONE + position % ONE * scaler->row[x];
}

static void average_across(struct scaler *scaler, uint32_t y)
{
    if (scaler->across_y == y)
        return;
    load_row(scaler, y);
    uint64_t from = 0, sum_from = 0;
    for (uint32_t x = 0; x < scaler->width; x++) {
        uint64_t to = (uint64_t)(x + 1) * scaler->from->width * ONE / scaler->width;
        uint64_t sum = sum_to(scaler, to), span = to > from ? to - from : 1;
        uint64_t value = to > from ? (sum - sum_from + span / 2) / span : scaler->row[to / ONE];
        scaler->across[x] = (uint8_t)value;
        from = to;
        sum_from = sum;
    }
    scaler->across_y = y;
}

static void average_down(struct scaler *scaler, uint32_t y, uint8_t *to)
{
    uint64_t begin = (uint64_t)y * scaler->from->height * ONE / scaler->height;
    uint64_t end = (uint64_t)(y + 1) * scaler->from->height * ONE / scaler->height;
    if (end == begin)
        end = begin + 1;
    memset(scaler->down, 0, scaler->width * sizeof *scaler->down);
    for (uint64_t at = begin; at < end;) {
        uint64_t row_end = (at / ONE + 1) * ONE;
        uint64_t weight = (row_end < end ? row_end : end) - at;
        average_across(scaler, (uint32_t)(at / ONE));
        for (uint32_t x = 0; x < scaler->width; x++)
            scaler->down[x] += weight * scaler->across[x];
        at += weight;
    }
    uint64_t span = end - begin;
    for (uint32_t x = 0; x < scaler->width; x++)
        to[x] = (uint8_t)((scaler->down[x] + span / 2) / span);
}

int scale_to_grey(struct raster **out, const struct raster *from, uint32_t width, uint32_t height, uint32_t page_width)
{
    struct raster *to = NULL;
    struct scaler scaler;
    int error = raster_new(&to, page_width, height, 8);
    if (error != 0)
        return error;
    error = scaler_init(&scaler, from, width, height);
    if (error != 0) {
        raster_free(to);
        return error;
    }
    memset(to->data, 255, to->stride * to->height);
    for (uint32_t y = 0; y < height; y++)
        average_down(&scaler, y, raster_row(to, y) + (page_width - width) / 2);
    scaler_clear(&scaler);
    *out = to;
    return 0;
}
