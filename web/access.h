/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a request may see and do, by the role of its user: the one who signed in, or whose key it is. A key that is
 * nobody's may do what its scopes say, with all faxes.
 *
 * Thread: loop.
 */
#ifndef FAXD_WEB_ACCESS_H
#define FAXD_WEB_ACCESS_H

#include "spool/fax.h"

#include <stdbool.h>
#include <stdint.h>

struct request;

/* Row of the user whose faxes alone may be seen, own ones and those that are theirs to see to; 0 = all may. */
int64_t access_user(const struct request *request);
bool access_sees(const struct request *request, const struct fax *fax);

/* May the role of the request's user do what the route does? False and the reply is made: 403. */
bool access_check(struct request *request);

/* The fax of the path's first parameter, when it may be seen; the caller clears it. False and the reply is made: 404
 * whether it is not there or not to be seen. */
bool access_fax(struct fax *fax, struct request *request);

/* Who asks, as a number that no other requester has: > 0 a key, < 0 a user who signed in, 0 nobody. */
int64_t access_requester(const struct request *request);

#endif
