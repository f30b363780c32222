/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who a fax goes to and comes from, where its request names them by the id of a contact or an identity.
 *
 * Thread: loop.
 */
#ifndef FAXD_WEB_PARTIES_H
#define FAXD_WEB_PARTIES_H

#include "web/fax_request.h"
#include "web/problem.h"

#include <stdbool.h>

struct request;
struct spool;

/* "contact:con_..." in `to` becomes the contact's number; a cover page gets the contact's name and organization where
 * the request does not say them. Faults are noted under "/to". */
void parties_recipient(struct fax_request *wanted, struct spool *spool, struct problems *problems);

/* "idn_..." in `from` becomes the identity's number, and its station id, header, time zone and caller id stand where
 * the request does not say them; without `from` the same with the default identity. Faults are noted under "/from". */
void parties_sender(struct fax_request *wanted, struct spool *spool, struct problems *problems);

/* The number may be called, as far as rules and earlier calls go; else a fault under "/to". */
void parties_callable(const struct fax_request *wanted, struct spool *spool, struct problems *problems);

/* All of them for a request's upload, a preview's without the last: false and the reply is made. */
bool parties_find(struct request *request);

#endif
