/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who asks, and may they: API keys as bearer tokens (RFC 6750).
 *
 * Thread: loop.
 */
#ifndef FAXD_WEB_AUTH_H
#define FAXD_WEB_AUTH_H

#include "spool/key.h"

#include <stdbool.h>

struct request;
struct route;

/* The key of an Authorization header's value: 0, ERR_NOT_FOUND (no valid key). */
int auth_key(struct key *key, struct spool *spool, const char *authorization);

/* May whoever sends this have its body read? Nothing is told about why not. `key` and `user`, all zero before, get who
 * it is. */
bool auth_admits(struct key *key, struct user *user, struct spool *spool, const struct route *route,
                 const char *authorization, const char *cookie);

/* Fill request->key, or request->session, and request->user, and check them against the route's scope and roles. False
 * and the reply is made: 401, 403. */
bool auth_check(struct request *request);

/* The same for a scope that a handler has found to be needed. */
bool auth_has(struct request *request, unsigned scope);

/* "fax:send"; of several bits, the lowest. */
const char *auth_scope_name(unsigned scope);

#endif
