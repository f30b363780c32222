/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text in points, the same at every resolution of the page that it is drawn on.
 *
 * Thread: any.
 */
#ifndef FAXD_CONVERT_TYPESET_H
#define FAXD_CONVERT_TYPESET_H

#include <pango/pango.h>

/* A layout without text: one point is one unit, nothing is rounded to dots. Drawn with pango_cairo_show_layout on
 * whatever scale. The caller frees with g_object_unref. */
PangoLayout *typeset_new(void);

#endif
