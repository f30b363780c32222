/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a request may see and do, by the role of its user: the one who signed in, or whose key it is. A key that is
 * nobody's may do what its scopes say, with all faxes.
 *
 * Thread: loop.
 */
#ifndef FAXD_WEB_ACCESS_H
#define FAXD_WEB_ACCESS_H

#include "spool/fax.h"
#include "spool/key.h"
#include "spool/session.h"
#include "spool/user.h"

#include <stdbool.h>
#include <stdint.h>

#define ACCESS_COOKIE "faxd_session"

struct request;
struct spool;

/* The session that a Cookie header names, and who signed in: 0, ERR_NOT_FOUND (none, over, or the user is disabled). */
int access_session(struct session *session, struct user *user, struct spool *spool, const char *cookie);
/* What a role allows, in the words of keys: for what a handler finds out to be needed besides. */
unsigned access_scopes(const struct user *user);

/* Does a request with a cookie come from a page of ours? What changes something has to bring the session's token in
 * X-CSRF-Token; a browser that says where the page is from has to say here. False and the reply is made: 403. */
bool access_meant(struct request *request);
/* The second half of that, for what needs no session. */
bool access_same_origin(struct request *request);

/* What let a request in, for a reply without an end, which outlives the request. */
struct access_pass {
    int64_t key, user, session; /* rows, 0 = none */
    char key_id[KEY_ID_SIZE];
    int64_t token_until; /* of the key: UTC ms, 0 = with the key */
    enum user_role role;
};

void access_pass_take(struct access_pass *pass, const struct request *request);
/* Is it still good? */
bool access_lasts(struct spool *spool, const struct access_pass *pass);

/* Row of the user whose faxes alone may be seen, own ones and those that are theirs to see to; 0 = all may. */
int64_t access_user(const struct request *request);
bool access_sees(const struct request *request, const struct fax *fax);

/* May the role of the request's user do what the route does? False and the reply is made: 403. */
bool access_check(struct request *request);
/* The reply of those that the role does not allow. */
void access_refuse(struct request *request);

/* The fax of the path's first parameter, an id or a number, when it may be seen; the caller clears it, and the
 * parameter is its id from then on. False and the reply is made: 404 whether it is not there or not to be seen. */
bool access_fax(struct fax *fax, struct request *request);

/* Who asks, as a number that no other requester has: > 0 a key, < 0 a user who signed in, 0 nobody. */
int64_t access_requester(const struct request *request);

#endif
