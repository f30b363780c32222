/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fax that a request is about.
 *
 * Thread: loop.
 */
#ifndef FAXD_WEB_FAX_FOUND_H
#define FAXD_WEB_FAX_FOUND_H

#include "spool/fax.h"

#include <stdbool.h>

struct request;

/* The fax of the first parameter of the path. False and the reply is made; else the caller clears it with fax_clear. */
bool fax_found(struct fax *fax, struct request *request);

#endif
