/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tags of a fax once more, so that faxes are found by one. What a fax shows stands in the fax.
 *
 * Thread: loop.
 */
#ifndef FAXD_SPOOL_FAX_TAG_H
#define FAXD_SPOOL_FAX_TAG_H

#include <jansson.h>
#include <stdint.h>

struct spool;

/* Of a fax that has none yet: an array of texts, or NULL. 0 or an error. */
int fax_tags_add(struct spool *spool, int64_t fax, const json_t *tags);

/* Instead of those that it has. */
int fax_tags_set(struct spool *spool, int64_t fax, const json_t *tags);

#endif
