/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Several faxes, and a cover before them, to one.
 *
 * Thread: any.
 */
#ifndef FAXD_CONVERT_COMPOSE_H
#define FAXD_CONVERT_COMPOSE_H

#include <jansson.h>

#include "server/base/page_range.h"
#include "spool/convert/prepare.h"

struct summary;

#define COMPOSE_INPUTS_MAX 30 /* as many descriptors as one datagram takes, less output and result */

struct compose_options {
    struct prepare_options page; /* of the cover */
    json_t *cover;               /* its fields; the first input is then its template. NULL = no cover */
    bool check;                  /* the template is new: refuse what cover_check.h does */
    struct page_range ranges[COMPOSE_INPUTS_MAX]; /* which pages of each fax, the template not counted */
};

/* The pages of the fax TIFF files among `inputs` in order, dot for dot, the cover first, to `output` (empty, seekable).
 * The field "pages" of the cover becomes the number of all pages. 0; ERR_INVALID for a file or a template that cannot
 * be read; ERR_UNSUPPORTED, ERR_TOO_BIG, ERR_FULL, ERR_IO. */
int compose(struct summary *summary, const int *inputs, int count, int output, const struct compose_options *options);

#endif
