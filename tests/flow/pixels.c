/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a person sees of a bilevel TIFF, as text to compare: one line for each page, "WIDTH HEIGHT HASH", the hash over
 * the dots with black as 1, however the file stores them. Exit status 1 when a page cannot be read whole. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <tiffio.h>

/* FNV-1a, 64 bits. */
static uint64_t hash_more(uint64_t hash, const unsigned char *octets, size_t size)
{
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ octets[i]) * 0x100000001b3u;
    return hash;
}

static int print_page(TIFF *tiff)
{
    uint32_t width = 0, height = 0;
    uint16_t photometric = PHOTOMETRIC_MINISWHITE, bits = 1;
    uint64_t hash = 0xcbf29ce484222325u;
    unsigned char *row;
    int good = 1;

    TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
    TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &height);
    TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &photometric);
    TIFFGetField(tiff, TIFFTAG_BITSPERSAMPLE, &bits);
    size_t size = (width + 7) / 8;
    row = calloc(1, (size_t)TIFFScanlineSize(tiff) + size);
    if (row == NULL || bits != 1)
        return 0;
    for (uint32_t y = 0; y < height && good; y++) {
        good = TIFFReadScanline(tiff, row, y, 0) == 1;
        for (size_t i = 0; i < size && photometric == PHOTOMETRIC_MINISBLACK; i++)
            row[i] = (unsigned char)~row[i];
        if (width % 8 != 0)
            row[size - 1] &= (unsigned char)(0xff << (8 - width % 8));
        hash = hash_more(hash, row, size);
    }
    free(row);
    printf("%" PRIu32 " %" PRIu32 " %016" PRIx64 "\n", width, height, hash);
    return good;
}

int main(int argc, char **argv)
{
    TIFF *tiff = argc == 2 ? TIFFOpen(argv[1], "r") : NULL;
    int good = tiff != NULL;

    while (good) {
        good = print_page(tiff);
        if (!TIFFReadDirectory(tiff))
            break;
    }
    if (tiff != NULL)
        TIFFClose(tiff);
    return good ? 0 : 1;
}
