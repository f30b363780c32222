/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What signing in, the first user and the users' resource share.
 *
 * Thread: loop.
 */
#ifndef FAXD_WEB_SIGN_IN_H
#define FAXD_WEB_SIGN_IN_H

#include "spool/user.h"
#include "web/problem.h"

#include <jansson.h>

struct request;

/* A new session for `user`, in place of the one that the request came with; it is the reply, with its cookie. */
void sign_in(struct request *request, const struct user *user);

/* False and the reply is made, 429, when too many wrong passwords (or codes) came from the request's address, or for
 * `name` (NULL = none). Else a try has begun, which counts as a wrong one until sign_in_was_right(). */
bool sign_in_may_try(struct request *request, const char *name);
void sign_in_was_right(struct request *request, const char *name);
/* The name may be tried anew: somebody who may has given it a new password. */
void sign_in_unlock(struct request *request, const char *name);

/* Faults of a body that is no object, or that has other keys than the `count` `names`. */
void sign_in_check_keys(const json_t *root, const char *const *names, int count, struct problems *problems);

#endif
