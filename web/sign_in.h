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

/* sign_in_tries.c: false and the reply is made, 429, when too many wrong passwords (or codes) came from the request's
 * address, or for `name` (NULL = none). Else a try has begun, which counts as a wrong one until one of the next two. */
bool sign_in_may_try(struct request *request, const char *name);
void sign_in_was_right(struct request *request, const char *name);
/* Nothing came of it: it is as if it had not been tried. */
void sign_in_was_none(struct request *request, const char *name);
/* It was wrong, and of a user who there is: the row and the log hear of it. */
void sign_in_was_wrong(struct request *request, const struct user *user);
/* The user has signed in: the request's address is a known one from now on. 0, or an error of the store. */
int sign_in_is_known(struct request *request, const struct user *user);
/* The name may be tried anew: somebody who may has given it a new password. */
void sign_in_unlock(struct request *request, const char *name);

/* Faults of a body that is no object, or that has other keys than the `count` `names`. */
void sign_in_check_keys(const json_t *root, const char *const *names, int count, struct problems *problems);

#endif
