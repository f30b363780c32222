/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sizes of paper to fax pages. Everything that is drawn (PDF, text, SVG, covers) asks here, so that a sheet lies the
 * same way whatever it came as.
 */
#include "spool/convert/fit.h"

#include <math.h>
#include <stddef.h>

#include "spool/convert/fax_page.h"
#include "spool/convert/prepare.h"
#include "spool/convert/sheet.h"

#define POINTS_MIN 1.0
#define POINTS_MAX 100000.0

/* So much may be lost to a page that is a little narrower: Letter is 216 mm, a fax page 215 mm. */
#define TOLERANCE 1.02

static double sane(double points)
{
    if (!(points >= POINTS_MIN)) /* also NaN */
        return POINTS_MIN;
    return points > POINTS_MAX ? POINTS_MAX : points;
}

static uint32_t page_width(double inches, uint32_t width_max)
{
    static const uint32_t widths[] = {FAX_PAGE_WIDTH, 2048, 2432};
    uint32_t best = FAX_PAGE_WIDTH;
    for (size_t i = 0; i < sizeof widths / sizeof widths[0] && widths[i] <= width_max; i++) {
        best = widths[i];
        if (inches <= TOLERANCE * best / FAX_PAGE_X_DPI)
            break;
    }
    return best;
}

void fit_paper(struct fit *fit, double width, double height, const struct prepare_options *options)
{
    double fax_inches = (double)FAX_PAGE_WIDTH / FAX_PAGE_X_DPI;
    width = sane(width);
    height = sane(height);
    fit->paper_height = height;
    fit->turned = width > height && width / FIT_POINTS_PER_INCH > TOLERANCE * fax_inches;
    double across = (fit->turned ? height : width) / FIT_POINTS_PER_INCH;
    double down = (fit->turned ? width : height) / FIT_POINTS_PER_INCH;
    fit->width = page_width(across, options->width_max);
    double shrink = fit->width / (double)FAX_PAGE_X_DPI / across;
    double inches_max = fax_page_inches_max(options->length_max_mm);
    if (shrink > inches_max / down)
        shrink = inches_max / down;
    if (shrink > 1.0)
        shrink = 1.0;
    int y_dpi = fax_resolution_y_dpi(options->resolution);
    fit->x_scale = shrink * FAX_PAGE_X_DPI / FIT_POINTS_PER_INCH;
    fit->y_scale = shrink * y_dpi / FIT_POINTS_PER_INCH;
    fit->left = (fit->width - across * shrink * FAX_PAGE_X_DPI) / 2;
    fit->height = (uint32_t)fmax(1.0, round(down * shrink * y_dpi));
}

static uint32_t clip(double dots, uint32_t limit)
{
    return dots <= 0 ? 0 : dots >= limit ? limit : (uint32_t)dots;
}

bool fit_area(struct picture *area, const struct fit *fit, double left, double top, double right, double bottom)
{
    if (fit->turned) {
        double old_left = left, old_right = right;
        left = fit->paper_height - bottom;
        right = fit->paper_height - top;
        top = old_left;
        bottom = old_right;
    }
    area->left = clip(floor(fit->left + left * fit->x_scale), fit->width);
    area->right = clip(ceil(fit->left + right * fit->x_scale), fit->width);
    area->top = clip(floor(top * fit->y_scale), fit->height);
    area->bottom = clip(ceil(bottom * fit->y_scale), fit->height);
    return area->right > area->left && area->bottom > area->top;
}
