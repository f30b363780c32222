/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For texts, covers and header lines. The layout does not come from the cairo context that it is drawn with: pango
 * would take that one's scale into its measures, and gets the height of empty lines wrong by it.
 */
#include "spool/convert/typeset.h"

#include <pango/pangocairo.h>

#define POINTS_PER_INCH 72.0

PangoLayout *typeset_new(void)
{
    PangoContext *context = pango_font_map_create_context(pango_cairo_font_map_get_default());
    cairo_font_options_t *options = cairo_font_options_create();
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    pango_cairo_context_set_font_options(context, options);
    pango_cairo_context_set_resolution(context, POINTS_PER_INCH);
    pango_context_set_round_glyph_positions(context, FALSE);
    pango_context_set_base_dir(context, PANGO_DIRECTION_LTR);
    PangoLayout *layout = pango_layout_new(context);
    cairo_font_options_destroy(options);
    g_object_unref(context);
    return layout;
}
