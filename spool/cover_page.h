/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Templates of cover pages that were stored by way of the API: rows. Those of the configuration are files (cover.h).
 *
 * Thread: loop.
 */
#ifndef FAXD_SPOOL_COVER_PAGE_H
#define FAXD_SPOOL_COVER_PAGE_H

#include "spool/cover.h"

#define COVER_PAGES_MAX          200
#define COVER_PAGE_TEMPLATE_SIZE (256 << 10) /* octets of one */

struct spool;

/* A new row: 0, ERR_CONFLICT (there is one of that name), ERR_FULL. */
int cover_page_create(struct spool *spool, const char *name, const char *template, int64_t owner);

/* The row as a cover, which the caller clears with cover_clear(): 0, ERR_NOT_FOUND. */
int cover_page_find(struct cover *cover, struct spool *spool, const char *name);

/* 0, ERR_NOT_FOUND. Faxes that wait have a copy of their own, so that nothing becomes of them. */
int cover_page_change(struct spool *spool, const char *name, const char *template);
int cover_page_delete(struct spool *spool, const char *name);

/* The names of all rows, sorted: a new array of texts, or NULL and an error. */
json_t *cover_page_names(struct spool *spool);

#endif
