/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cover pages: an SVG template with {{fields}}.
 *
 * A field may stand in any text of the drawing. Beyond SVG a template may use, in user units of the root element:
 *   <text x y font-size data-width="120">{{to_name}}</text>     a line of at most that width: smaller, then cut
 *   <text ... data-width="170" data-height="90">{{note}}</text> a box that starts at x and y, wrapped; smaller when it
 *                                                              has to be, and an error when even that does not fit
 *   <g data-if="note">...</g>                                   left out when the field is empty
 *
 * Values are text, whatever stands in them: they are put into the document's tree, never into its markup.
 *
 * Thread: any.
 */
#ifndef FAXD_CONVERT_COVER_H
#define FAXD_CONVERT_COVER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct prepare_options;
struct sheet;

/* Draw the template with `fields` (name to text) as a page. 0; ERR_INVALID when the template is damaged, names a field
 * that is not given, or a text does not fit (the message names it), with `check` also for what cover_check.h refuses;
 * ERR_FULL. The sheet's raster is the caller's. */
int cover_draw(struct sheet *sheet, const void *template, size_t size, const json_t *fields,
               const struct prepare_options *options, bool check);

#endif
