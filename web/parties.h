/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who a fax goes to and comes from, where its request names them by the id of a contact or an identity.
 *
 * Thread: loop.
 */
#ifndef FAXD_WEB_PARTIES_H
#define FAXD_WEB_PARTIES_H

#include <stdbool.h>

struct request;

/* In a request's upload, "contact:con_..." in `to` becomes the contact's number, and a cover page gets the contact's
 * name and organization where the request does not say them; "idn_..." in `from` becomes the identity's number, and its
 * station id, header, time zone and caller id stand where the request does not say them; without `from` the same with
 * the default identity. The number has to be callable, but for a preview. False and the reply is made. */
bool parties_find(struct request *request);

/* May the number be called, as far as rules and earlier calls go? False and the reply is made. */
bool parties_callable(struct request *request, const char *to);

#endif
