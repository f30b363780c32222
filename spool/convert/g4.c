/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each row becomes a list of the places where its colour changes, and lists are what T.6 compares: a row is coded by
 * where it differs from the one above. Names as a0, b1 are those of the recommendation.
 */
#include "config.h" /* be64toh */

#include "spool/convert/g4.h"

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/err.h"
#include "spool/convert/raster.h"

#define ENDS       4 /* width once more at the end of a list, for those that look ahead */
#define REACH      3 /* dots that a vertical mode can tell */
#define MAKEUP_MAX 2560u

struct code {
    uint16_t bits, length;
};

/* T.4 tables 2, 3a and 3b: runs of 0..63, then 64, 128, .. 2560; white, black. */
static const struct code runs[2][64 + MAKEUP_MAX / 64] = {
    {{0x35, 8},  {0x7, 6},   {0x7, 4},   {0x8, 4},   {0xb, 4},   {0xc, 4},   {0xe, 4},   {0xf, 4},   {0x13, 5},
     {0x14, 5},  {0x7, 5},   {0x8, 5},   {0x8, 6},   {0x3, 6},   {0x34, 6},  {0x35, 6},  {0x2a, 6},  {0x2b, 6},
     {0x27, 7},  {0xc, 7},   {0x8, 7},   {0x17, 7},  {0x3, 7},   {0x4, 7},   {0x28, 7},  {0x2b, 7},  {0x13, 7},
     {0x24, 7},  {0x18, 7},  {0x2, 8},   {0x3, 8},   {0x1a, 8},  {0x1b, 8},  {0x12, 8},  {0x13, 8},  {0x14, 8},
     {0x15, 8},  {0x16, 8},  {0x17, 8},  {0x28, 8},  {0x29, 8},  {0x2a, 8},  {0x2b, 8},  {0x2c, 8},  {0x2d, 8},
     {0x4, 8},   {0x5, 8},   {0xa, 8},   {0xb, 8},   {0x52, 8},  {0x53, 8},  {0x54, 8},  {0x55, 8},  {0x24, 8},
     {0x25, 8},  {0x58, 8},  {0x59, 8},  {0x5a, 8},  {0x5b, 8},  {0x4a, 8},  {0x4b, 8},  {0x32, 8},  {0x33, 8},
     {0x34, 8},  {0x1b, 5},  {0x12, 5},  {0x17, 6},  {0x37, 7},  {0x36, 8},  {0x37, 8},  {0x64, 8},  {0x65, 8},
     {0x68, 8},  {0x67, 8},  {0xcc, 9},  {0xcd, 9},  {0xd2, 9},  {0xd3, 9},  {0xd4, 9},  {0xd5, 9},  {0xd6, 9},
     {0xd7, 9},  {0xd8, 9},  {0xd9, 9},  {0xda, 9},  {0xdb, 9},  {0x98, 9},  {0x99, 9},  {0x9a, 9},  {0x18, 6},
     {0x9b, 9},  {0x8, 11},  {0xc, 11},  {0xd, 11},  {0x12, 12}, {0x13, 12}, {0x14, 12}, {0x15, 12}, {0x16, 12},
     {0x17, 12}, {0x1c, 12}, {0x1d, 12}, {0x1e, 12}, {0x1f, 12}},
    {{0x37, 10}, {0x2, 3},   {0x3, 2},   {0x2, 2},   {0x3, 3},   {0x3, 4},   {0x2, 4},   {0x3, 5},   {0x5, 6},
     {0x4, 6},   {0x4, 7},   {0x5, 7},   {0x7, 7},   {0x4, 8},   {0x7, 8},   {0x18, 9},  {0x17, 10}, {0x18, 10},
     {0x8, 10},  {0x67, 11}, {0x68, 11}, {0x6c, 11}, {0x37, 11}, {0x28, 11}, {0x17, 11}, {0x18, 11}, {0xca, 12},
     {0xcb, 12}, {0xcc, 12}, {0xcd, 12}, {0x68, 12}, {0x69, 12}, {0x6a, 12}, {0x6b, 12}, {0xd2, 12}, {0xd3, 12},
     {0xd4, 12}, {0xd5, 12}, {0xd6, 12}, {0xd7, 12}, {0x6c, 12}, {0x6d, 12}, {0xda, 12}, {0xdb, 12}, {0x54, 12},
     {0x55, 12}, {0x56, 12}, {0x57, 12}, {0x64, 12}, {0x65, 12}, {0x52, 12}, {0x53, 12}, {0x24, 12}, {0x37, 12},
     {0x38, 12}, {0x27, 12}, {0x28, 12}, {0x58, 12}, {0x59, 12}, {0x2b, 12}, {0x2c, 12}, {0x5a, 12}, {0x66, 12},
     {0x67, 12}, {0xf, 10},  {0xc8, 12}, {0xc9, 12}, {0x5b, 12}, {0x33, 12}, {0x34, 12}, {0x35, 12}, {0x6c, 13},
     {0x6d, 13}, {0x4a, 13}, {0x4b, 13}, {0x4c, 13}, {0x4d, 13}, {0x72, 13}, {0x73, 13}, {0x74, 13}, {0x75, 13},
     {0x76, 13}, {0x77, 13}, {0x52, 13}, {0x53, 13}, {0x54, 13}, {0x55, 13}, {0x5a, 13}, {0x5b, 13}, {0x64, 13},
     {0x65, 13}, {0x8, 11},  {0xc, 11},  {0xd, 11},  {0x12, 12}, {0x13, 12}, {0x14, 12}, {0x15, 12}, {0x16, 12},
     {0x17, 12}, {0x1c, 12}, {0x1d, 12}, {0x1e, 12}, {0x1f, 12}},
};

/* T.6 table 1. */
static const struct code pass = {1, 4}, horizontal = {1, 3};
static const struct code vertical[2 * REACH + 1] = {{2, 7}, {2, 6}, {2, 3}, {1, 1}, {3, 3}, {3, 6}, {3, 7}};
static const struct code end_of_line = {1, 12};

struct writer {
    uint8_t *octets;
    size_t size, room;
    uint64_t bits; /* the lowest `waiting` of them are not in octets yet, at most 31 between calls */
    unsigned waiting;
};

/* Room for a row: no mode takes more than 12 bits a dot, but for the few codes of long runs. */
static int reserve(struct writer *writer, uint32_t width)
{
    size_t end = writer->size + 2 * (size_t)width + 64;
    if (end <= writer->room)
        return 0;
    size_t room = 2 * end;
    uint8_t *octets = realloc(writer->octets, room);
    if (octets == NULL)
        return err_set(ERR_FULL, "no memory to compress a page");
    writer->octets = octets;
    writer->room = room;
    return 0;
}

static inline void put(struct writer *writer, struct code code)
{
    writer->bits = writer->bits << code.length | code.bits;
    writer->waiting += code.length;
    if (writer->waiting < 32)
        return;
    writer->waiting -= 32;
    uint32_t four = htobe32((uint32_t)(writer->bits >> writer->waiting));
    memcpy(writer->octets + writer->size, &four, sizeof four);
    writer->size += sizeof four;
}

static void put_run(struct writer *writer, uint32_t length, bool black)
{
    for (; length >= MAKEUP_MAX + 64; length -= MAKEUP_MAX)
        put(writer, runs[black][63 + MAKEUP_MAX / 64]);
    if (length >= 64)
        put(writer, runs[black][63 + length / 64]);
    put(writer, runs[black][length % 64]);
}

/* The block ends with two ends of line, filled up to a whole octet. */
static void put_end(struct writer *writer)
{
    put(writer, end_of_line);
    put(writer, end_of_line);
    while (writer->waiting >= 8) {
        writer->waiting -= 8;
        writer->octets[writer->size++] = (uint8_t)(writer->bits >> writer->waiting);
    }
    if (writer->waiting > 0)
        writer->octets[writer->size++] = (uint8_t)(writer->bits << (8 - writer->waiting));
}

/* The places of a row where the colour changes, from white before the first dot; what is past the width is none. */
static void find_changes(uint32_t *list, const uint8_t *row, uint32_t width)
{
    uint32_t *changes = list;
    uint64_t before = 0;
    size_t octets = (width + 7) / 8;
    for (size_t i = 0; i < octets; i += sizeof before) {
        uint64_t dots = 0;
        memcpy(&dots, row + i, octets - i < sizeof dots ? octets - i : sizeof dots);
        dots = be64toh(dots);
        uint64_t edges = dots ^ (dots >> 1 | before << 63);
        before = dots;
        while (edges != 0) {
            unsigned at = (unsigned)__builtin_clzll(edges);
            edges ^= UINT64_C(1) << 63 >> at;
            *changes++ = (uint32_t)(8 * i + at);
        }
    }
    while (changes > list && changes[-1] >= width)
        changes--;
    for (int i = 0; i < ENDS; i++)
        changes[i] = width;
}

static void put_row(struct writer *writer, const uint32_t *changes, const uint32_t *above, uint32_t width)
{
    const uint32_t *a1 = changes, *b1 = above;
    uint32_t a0 = 0;
    bool black = false;
    while (a0 < width) {
        int64_t right = (int64_t)*b1 - *a1; /* how far the change above is to the right of ours */
        if (b1[1] < *a1) {
            put(writer, pass);
            a0 = b1[1];
        } else if (right >= -REACH && right <= REACH) {
            put(writer, vertical[REACH - right]);
            a0 = *a1++;
            black = !black;
            b1 += b1 == above ? 1 : -1; /* to a change of the other kind */
        } else {
            put(writer, horizontal);
            put_run(writer, *a1 - a0, black);
            put_run(writer, a1[1] - *a1, !black);
            a0 = a1[1];
            a1 += 2;
        }
        while (*b1 <= a0 && *b1 < width)
            b1 += 2;
    }
}

int g4_encode(uint8_t **out, uint64_t *size, const struct raster *page)
{
    struct writer writer = {.octets = NULL};
    size_t room = (size_t)page->width + 8 + ENDS; /* as many changes as dots, of the last octets that are read */
    uint32_t *lists = malloc(2 * room * sizeof *lists);
    if (lists == NULL)
        return err_set(ERR_FULL, "no memory to compress a page");
    uint32_t *changes = lists, *above = lists + room;
    for (int i = 0; i < ENDS; i++)
        above[i] = page->width; /* white */
    int error = reserve(&writer, 0);
    for (uint32_t y = 0; error == 0 && y < page->height; y++) {
        find_changes(changes, raster_row(page, y), page->width);
        error = reserve(&writer, page->width);
        if (error == 0)
            put_row(&writer, changes, above, page->width);
        uint32_t *spare = above;
        above = changes;
        changes = spare;
    }
    free(lists);
    if (error != 0) {
        free(writer.octets);
        return error;
    }
    put_end(&writer);
    *out = writer.octets;
    *size = writer.size;
    return 0;
}
