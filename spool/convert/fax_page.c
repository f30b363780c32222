/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which pages are fax pages already. prepare.c asks before it decides to keep a page or to fit it; fax_tiff.c asks for
 * the figures to write.
 */
#include "spool/convert/fax_page.h"

#include <stddef.h>
#include <string.h>

#include "server/base/err.h"

/* 200 (inch-based machines, RFC 2301 4.4.2), 203.2 (8 per mm), 204 and what rounding leaves of them. */
#define X_DPI_LOW  198.0
#define X_DPI_HIGH 206.0

#define UNKNOWN_IS_FINE_ROWS 1400

static const struct {
    const char *name;
    int y_dpi;
    double low, high; /* what other writers put for it: 3.85 lines a mm is 97.8, and 100 is said as well */
} resolutions[] = {
    [FAX_STANDARD] = {"standard", 98, 95.0, 102.0},
    [FAX_FINE] = {"fine", 196, 191.0, 204.5},
    [FAX_SUPERFINE] = {"superfine", 391, 385.0, 403.0},
};

#define RESOLUTION_COUNT (sizeof resolutions / sizeof resolutions[0])

int fax_resolution_parse(enum fax_resolution *resolution, const char *word)
{
    for (size_t i = 0; i < RESOLUTION_COUNT; i++) {
        if (strcmp(word, resolutions[i].name) == 0) {
            *resolution = (enum fax_resolution)i;
            return 0;
        }
    }
    return err_set(ERR_INVALID, "resolution is \"%.40s\", which is none of standard, fine, superfine", word);
}

const char *fax_resolution_name(enum fax_resolution resolution)
{
    return resolutions[resolution].name;
}

int fax_resolution_y_dpi(enum fax_resolution resolution)
{
    return resolutions[resolution].y_dpi;
}

enum fax_resolution fax_resolution_nearest(double y_dpi)
{
    if (y_dpi < 147.0)
        return FAX_STANDARD;
    return y_dpi < 293.0 ? FAX_FINE : FAX_SUPERFINE;
}

double fax_page_inches_max(int length_max_mm)
{
    return length_max_mm > 0 ? length_max_mm / 25.4 : FAX_PAGE_MAX_INCHES;
}

bool fax_page_is_width(uint32_t width)
{
    return width == FAX_PAGE_WIDTH || width == 2048 || width == 2432;
}

bool fax_page_is_t4(enum fax_resolution *resolution, double x_dpi, double y_dpi, uint32_t rows)
{
    if (x_dpi != 0.0 && (x_dpi < X_DPI_LOW || x_dpi > X_DPI_HIGH))
        return false;
    if (y_dpi == 0.0) {
        *resolution = rows > UNKNOWN_IS_FINE_ROWS ? FAX_FINE : FAX_STANDARD;
        return true;
    }
    for (size_t i = 0; i < RESOLUTION_COUNT; i++) {
        if (y_dpi >= resolutions[i].low && y_dpi <= resolutions[i].high) {
            *resolution = (enum fax_resolution)i;
            return true;
        }
    }
    return false;
}
