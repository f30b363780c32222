/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The forms in which a fax is prepared: the one that was asked for, and those for machines that can do less. spandsp
 * does not rescale, so all that a far end may want has to be there before the call.
 *
 * Thread: any (pure).
 */
#ifndef FAXD_SPOOL_RENDITION_H
#define FAXD_SPOOL_RENDITION_H

#include "server/base/media_type.h"

#include <jansson.h>
#include <stdbool.h>

#define RENDITIONS_MAX         5
#define RENDITION_RESOLUTION   16
#define RENDITION_WIDTH        1728 /* what every machine can take (T.30 Table 2) */
#define RENDITION_WIDTH_WIDEST 2432 /* A3 */
#define RENDITION_LENGTH_MM    297  /* A4 */
#define RENDITION_LENGTH_SPARE 12   /* that the engine allows as well: other writers' A4, header lines */
#define RENDITION_KEY_SIZE     400

struct rendition {
    char resolution[RENDITION_RESOLUTION]; /* "standard", "fine", "superfine" */
    int width_max;
    int length_max_mm; /* 0 = any */
    bool strict;       /* every page at that resolution and width */
};

/* The form that is asked for by `options` of a fax (resolution, fine unless said). */
void rendition_first(struct rendition *rendition, const json_t *options);

/* The others, when the first came out `width` wide, at most `resolution`, and its longest page `length_mm` long: fills
 * at most RENDITIONS_MAX - 1, returns how many. */
int rendition_others(struct rendition *list, int width, const char *resolution, int length_mm);

/* What an upload's prepared form depends on, in one canonical text: the key of document_prepared. `options` are the
 * fax's (dither, paper), `info` the upload's (pages, password). */
void rendition_key(char key[RENDITION_KEY_SIZE], const struct rendition *rendition, const json_t *options,
                   const json_t *info);

/* The converter's job for it (spool/converter.h). New reference. */
json_t *rendition_job(const struct rendition *rendition, const json_t *options, const json_t *info);

#endif
