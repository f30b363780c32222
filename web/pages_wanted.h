/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a fax and a preview have in common: documents and a cover page that this server can make pages of.
 *
 * Thread: loop.
 */
#ifndef FAXD_WEB_PAGES_WANTED_H
#define FAXD_WEB_PAGES_WANTED_H

#include "web/fax_request.h"

#include <stdbool.h>
#include <stddef.h>

struct request;
struct spool;

/* The cover page of a request: its template's octets, NULL = none. */
struct cover_use {
    char *data;
    size_t size;
};

/* Documents that need another program have it. False and the reply is made. */
bool can_be_read(struct request *request);

/* The cover page is there and gets all fields that it asks for. False and the reply is made; else the caller clears
 * with cover_use_clear. */
bool cover_check(struct cover_use *cover, struct request *request);
void cover_use_clear(struct cover_use *cover);

/* What the request leaves open is as the configuration says. */
void use_style(struct fax_request *wanted, const struct spool *spool);

#endif
