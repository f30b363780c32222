/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rights. What somebody must not know of is not there for them; what they may see but not do is refused. */
#include "web/access.h"

#include "web/cookie.h"
#include "web/request.h"
#include "web/web_private.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/str.h"

#include <sodium.h>
#include <string.h>
#include <strings.h>

/* --- who --- */

int access_session(struct session *session, struct user *user, struct spool *spool, const char *cookie)
{
    char token[SESSION_TOKEN_SIZE];
    int result;

    if (!cookie_find(token, sizeof token, cookie, ACCESS_COOKIE))
        return err_set(ERR_NOT_FOUND, "no session");
    result = session_check(session, spool, token);
    if (result == 0)
        result = user_get(user, spool, session->user_id);
    if (result == 0 && user->disabled)
        result = err_set(ERR_NOT_FOUND, "no session");
    if (result < 0) {
        *session = (struct session){0};
        *user = (struct user){0};
    }
    return result;
}

unsigned access_scopes(const struct user *user)
{
    switch (user->role) {
    case USER_ADMIN:
        return KEY_ALL;
    case USER_OPERATOR:
        return KEY_FAX_SEND | KEY_FAX_READ | KEY_FAX_CANCEL | KEY_DOCUMENT_READ | KEY_INBOX_MANAGE;
    case USER_SENDER:
        return KEY_FAX_SEND | KEY_FAX_READ | KEY_FAX_CANCEL | KEY_DOCUMENT_READ;
    case USER_READER:
        return KEY_FAX_READ | KEY_DOCUMENT_READ;
    }
    return 0;
}

void access_pass_take(struct access_pass *pass, const struct request *request)
{
    *pass = (struct access_pass){.key = request->key.id,
                                 .user = request->user.id,
                                 .session = request->session.id,
                                 .token_until = request->key.token_until,
                                 .role = request->user.role};
    str_copy(pass->key_id, sizeof pass->key_id, request->key.public_id);
}

static bool key_lasts(struct spool *spool, const struct access_pass *pass)
{
    struct key key;

    return key_find(&key, spool, pass->key_id) == 0 && key.revoked_at == 0 &&
           (key.expires_at == 0 || key.expires_at > clock_now_ms()) &&
           (pass->token_until == 0 || pass->token_until > clock_now_ms());
}

bool access_lasts(struct spool *spool, const struct access_pass *pass)
{
    struct user user;

    if (pass->key && !key_lasts(spool, pass))
        return false;
    if (pass->user == 0)
        return true;
    return user_get(&user, spool, pass->user) == 0 && !user.disabled && user.role == pass->role &&
           (pass->session == 0 || session_lasts(spool, pass->session));
}

/* --- from where --- */

static bool is_read(const char *method)
{
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

/* "https://fax.example:8443" and "fax.example:8443". */
static bool is_of_host(const char *origin, const char *host)
{
    const char *authority = strstr(origin, "://");

    return authority && host && strcasecmp(authority + 3, host) == 0;
}

/* What a browser says by itself of where the page is from; others say nothing. The first is of the page and of the
 * address that the browser knows, so that it holds behind a proxy that changes Host. */
bool access_same_origin(struct request *request)
{
    const char *site = request_header_in(request, "Sec-Fetch-Site");
    const char *origin = request_header_in(request, "Origin");
    bool same = site     ? strcmp(site, "same-origin") == 0
                : origin ? is_of_host(origin, request_header_in(request, "Host"))
                         : true;

    if (!same)
        request_problem(request, 403, "cross_origin", "this comes from a page of another site");
    return same;
}

bool access_meant(struct request *request)
{
    const char *token = request_header_in(request, "X-CSRF-Token");

    if (is_read(request->method))
        return true;
    if (!access_same_origin(request))
        return false;
    if (token && strlen(token) == SESSION_CSRF_SIZE - 1 &&
        sodium_memcmp(token, request->session.csrf, SESSION_CSRF_SIZE - 1) == 0)
        return true;
    request_problem(request, 403, "csrf_token", "the header X-CSRF-Token has to be the \"csrf\" of GET /v1/session");
    return false;
}

/* --- what --- */

int64_t access_user(const struct request *request)
{
    return request->user.role == USER_SENDER ? request->user.id : 0;
}

bool access_sees(const struct request *request, const struct fax *fax)
{
    int64_t user = access_user(request);

    return user == 0 || fax->user_id == user || fax->assigned == user;
}

bool access_check(struct request *request)
{
    if (request->user.id == 0 || request->user.role & request->route->roles)
        return true;
    access_refuse(request);
    return false;
}

void access_refuse(struct request *request)
{
    request_problem(request, 403, "role_not_allowed", "the role %s of %s does not allow this",
                    user_role_name(request->user.role), request->user.name);
}

/* By id, or by the number that the fax object has besides. */
static int find_fax(struct fax *fax, const struct request *request)
{
    struct spool *spool = request_spool(request);
    int64_t number;

    if (str_to_int(&number, request->params[0], 1, INT64_MAX) == 0)
        return fax_get(fax, spool, number);
    return fax_find(fax, spool, request->params[0]);
}

bool access_fax(struct fax *fax, struct request *request)
{
    int result = find_fax(fax, request);

    if (result == 0 && !access_sees(request, fax)) {
        fax_clear(fax);
        result = ERR_NOT_FOUND;
    }
    if (result == ERR_NOT_FOUND)
        request_problem(request, 404, "no_such_fax", "there is no fax %s", request->params[0]);
    else if (result < 0)
        request_error(request, result);
    else
        str_copy(request->params[0], sizeof request->params[0], fax->public_id); /* what all else goes by */
    return result == 0;
}

int64_t access_requester(const struct request *request)
{
    return request->key.id ? request->key.id : -request->user.id;
}
