/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TIFF files made and looked at through libtiff, and the real faxd-convert in its real sandbox. Anything that fails,
 * fails the test. */
#ifndef FAXD_TESTS_TIFF_FACTS_H
#define FAXD_TESTS_TIFF_FACTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A page to make; what is 0 gets the value in brackets. The picture is tiff_facts_black() in the upright page. */
struct tiff_facts_page {
    uint32_t width, height;
    uint16_t bits;           /* 1, 8 or 16 (1) */
    uint16_t samples;        /* 1, 3 or 4 (1); 4 is CMYK when so said, else RGB and alpha */
    uint16_t photometric;    /* PHOTOMETRIC_* (MINISWHITE) */
    uint16_t compression;    /* COMPRESSION_* (CCITTFAX4) */
    uint16_t orientation;    /* 1..8 (1) */
    uint16_t fill_order;     /* 1 or 2 (1) */
    uint32_t rows_per_strip; /* (height) */
    uint32_t tile;           /* side of square tiles (none) */
    bool planes;             /* samples apart */
    bool no_resolution;
    double x_dpi, y_dpi; /* (204, 196) */
    bool centimetres;    /* resolutions are written to the centimetre */
    uint32_t t4_options; /* GROUP3OPT_* */
    uint32_t subfile;    /* NewSubfileType */
    uint8_t grey;        /* of the black parts in pages that are not bilevel (0) */
};

/* True where the picture is black: blocks and slanted lines, different for each page. */
bool tiff_facts_black(uint32_t x, uint32_t y, int page);

/* Write pages to a new temporary file (`mode` as TIFFOpen: "w", "wb", "wl", "w8"); the name goes to `path`. */
void tiff_facts_make(char path[64], const struct tiff_facts_page *pages, int count, const char *mode);

/* Run faxd-convert with `options` ("--op cut --first 2"). The result, a new reference; its exit status in `*status`
 * when not NULL. */
json_t *tiff_facts_convert(int *status, const char *options, const char *input, const char *output);

/* As above, wants success, and returns the pages. */
int tiff_facts_pages(const char *options, const char *input, const char *output);

/* As above, wants a failure; its message is valid until the next call. */
const char *tiff_facts_message(const char *options, const char *input, const char *output);

/* The bits of one page (from 0), 1 = black, as libtiff decodes them; the caller frees. */
uint8_t *tiff_facts_bits(const char *path, int page, uint32_t *width, uint32_t *height);

/* True when both pages have the same size and dots. */
bool tiff_facts_same(const char *path_a, int page_a, const char *path_b, int page_b);

/* Share of black dots on a page, in 1/1000. */
int tiff_facts_blackness(const char *path, int page);

/* A number of a page's directory. */
uint32_t tiff_facts_tag(const char *path, int page, uint32_t tag);

/* A whole file; the caller frees. */
uint8_t *tiff_facts_read(const char *path, size_t *size);
void tiff_facts_store(const char *path, const void *data, size_t size);

#endif
