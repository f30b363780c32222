/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The documents of a fax as replies, for those who have found out by other means which may be given.
 *
 * Thread: loop.
 */
#ifndef FAXD_WEB_DOCUMENTS_H
#define FAXD_WEB_DOCUMENTS_H

#include <stdbool.h>
#include <stdint.h>

struct fax;
struct request;

/* Is there one? False and the reply is made: 410 purged, 409 not ready, 404. */
bool documents_there(struct request *request, const struct fax *fax, bool original);

/* Reply with the pages as "pdf", "tiff" or "pdf-searchable", or with the original, upload `number` from 1. The file's
 * name is made of the path's first parameter, which has to be the id of the fax. */
void documents_give(struct request *request, const struct fax *fax, const char *format, bool original, int64_t number);

#endif
