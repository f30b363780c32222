/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages in memory. tiff_page.c fills them, scale.c and dither.c change them, fax_tiff.c and png.c write them.
 */
#include "spool/convert/raster.h"

#include <stdbool.h>
#include <stdlib.h>

#include "server/base/err.h"

int raster_new(struct raster **out, uint32_t width, uint32_t height, unsigned depth)
{
    if (width == 0 || height == 0)
        return err_set(ERR_UNSUPPORTED, "a page of %u by %u has no picture", width, height);
    if (width > RASTER_WIDTH_MAX || height > RASTER_HEIGHT_MAX)
        return err_set(ERR_UNSUPPORTED, "a page of %u by %u is too large: at most %u by %u are read", width, height,
                       RASTER_WIDTH_MAX, RASTER_HEIGHT_MAX);
    size_t stride = depth == 1 ? (width + 7u) / 8u : width;
    if (stride * height > RASTER_BYTES_MAX)
        return err_set(ERR_UNSUPPORTED, "a page of %u by %u takes more than %u MB: save it at a lower resolution",
                       width, height, RASTER_BYTES_MAX >> 20);

    struct raster *raster = calloc(1, sizeof *raster);
    uint8_t *data = depth == 1 ? calloc(height, stride) : malloc(stride * height);
    if (raster == NULL || data == NULL) {
        free(raster);
        free(data);
        return err_set(ERR_FULL, "no memory for a page of %u by %u", width, height);
    }
    *raster = (struct raster){.width = width, .height = height, .depth = depth, .stride = stride, .data = data};
    *out = raster;
    return 0;
}

void raster_free(struct raster *raster)
{
    if (raster == NULL)
        return;
    free(raster->data);
    free(raster);
}

uint8_t *raster_row(const struct raster *raster, uint32_t y)
{
    return raster->data + (size_t)y * raster->stride;
}

static uint8_t element(const struct raster *raster, uint32_t x, uint32_t y)
{
    const uint8_t *row = raster_row(raster, y);
    return raster->depth == 8 ? row[x] : (uint8_t)(row[x >> 3] >> (7 - (x & 7)) & 1);
}

static void set_element(const struct raster *raster, uint32_t x, uint32_t y, uint8_t value)
{
    uint8_t *row = raster_row(raster, y);
    if (raster->depth == 8)
        row[x] = value;
    else if (value != 0)
        row[x >> 3] |= (uint8_t)(0x80 >> (x & 7));
}

/* How row 0 and column 0 of the file lie on the page, from the table of the Orientation tag. */
struct turn {
    bool swap;   /* the file's rows are the page's columns */
    bool flip_x; /* counted on the upright page */
    bool flip_y;
};

static const struct turn turns[9] = {
    [2] = {false, true, false}, [3] = {false, true, true}, [4] = {false, false, true}, [5] = {true, false, false},
    [6] = {true, true, false},  [7] = {true, true, true},  [8] = {true, false, true},
};

static void copy_turned(struct raster *to, const struct raster *from, struct turn turn)
{
    for (uint32_t y = 0; y < from->height; y++) {
        for (uint32_t x = 0; x < from->width; x++) {
            uint32_t to_x = turn.swap ? y : x;
            uint32_t to_y = turn.swap ? x : y;
            if (turn.flip_x)
                to_x = to->width - 1 - to_x;
            if (turn.flip_y)
                to_y = to->height - 1 - to_y;
            set_element(to, to_x, to_y, element(from, x, y));
        }
    }
}

int raster_upright(struct raster **raster, unsigned orientation)
{
    if (orientation < 2 || orientation > 8)
        return 0;
    struct raster *from = *raster, *to = NULL;
    struct turn turn = turns[orientation];
    int error =
        raster_new(&to, turn.swap ? from->height : from->width, turn.swap ? from->width : from->height, from->depth);
    if (error != 0)
        return error;
    copy_turned(to, from, turn);
    to->x_dpi = turn.swap ? from->y_dpi : from->x_dpi;
    to->y_dpi = turn.swap ? from->x_dpi : from->y_dpi;
    raster_free(from);
    *raster = to;
    return 0;
}
