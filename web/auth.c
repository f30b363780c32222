/* SPDX-License-Identifier: GPL-2.0-or-later */
/* API keys at the door. The challenge tells what was wrong in the terms of RFC 6750, never whether a key exists. */
#include "web/auth.h"

#include "web/access.h"
#include "web/limits.h"
#include "web/request.h"
#include "web/web_private.h"
#include "server/base/err.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define REALM "Bearer realm=\"faxd\""

const char *auth_scope_name(unsigned scope)
{
    static const char *const names[] = {"fax:send",     "fax:read", "fax:cancel", "document:read",
                                        "inbox:manage", "config:*", "audit:read"};

    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (scope & (1u << i))
            return names[i];
    }
    return "";
}

int auth_key(struct key *key, struct spool *spool, const char *authorization)
{
    const char *token;

    if (!authorization || strncasecmp(authorization, "Bearer ", 7) != 0)
        return err_set(ERR_NOT_FOUND, "no bearer token");
    token = authorization + 7 + strspn(authorization + 7, " ");
    if (strlen(token) >= KEY_TOKEN_SIZE)
        return err_set(ERR_NOT_FOUND, "no such key");
    return key_check(key, spool, token);
}

static bool refuse(struct request *request, const char *authorization)
{
    if (!authorization) {
        if (!limits_check(request))
            return false;
        request_header(request, "WWW-Authenticate", REALM);
        request_problem(request, 401, "unauthorized", "an API key is needed: Authorization: Bearer fxk_...");
    } else if (limits_failed(request)) {
        request_header(request, "WWW-Authenticate", REALM ", error=\"invalid_token\"");
        request_problem(request, 401, "invalid_key", "the API key is unknown, revoked or expired");
    }
    return false;
}

bool auth_has(struct request *request, unsigned scope)
{
    char challenge[128];

    if (request->key.scopes & scope)
        return true;
    if (request->session.id) {
        access_refuse(request);
        return false;
    }
    snprintf(challenge, sizeof challenge, REALM ", error=\"insufficient_scope\", scope=\"%s\"", auth_scope_name(scope));
    request_header(request, "WWW-Authenticate", challenge);
    request_problem(request, 403, "insufficient_scope", "this key lacks the scope %s", auth_scope_name(scope));
    return false;
}

/* The user of a key, who has to be let in as well: 0, ERR_NOT_FOUND. */
static int find_user(struct user *user, struct spool *spool, const struct key *key)
{
    int result = 0;

    if (key->user_id)
        result = user_get(user, spool, key->user_id);
    if (result == 0 && user->disabled)
        result = err_set(ERR_NOT_FOUND, "no such key");
    return result;
}

/* A key may be bound to networks. */
static bool is_from_here(struct request *request)
{
    char text[CIDR_TEXT_SIZE];

    if (key_rule_allows(&request->key.rule, gate_client(request->gate)))
        return true;
    request_problem(request, 403, "address_not_allowed", "this key may not be used from %s",
                    address_format(text, gate_client(request->gate)));
    return false;
}

bool auth_admits(struct key *key, struct user *user, struct spool *spool, const struct route *route,
                 const char *authorization, const char *cookie)
{
    struct session session = {0};

    if (route->scope == 0 && route->roles == 0)
        return true;
    if (route->scope == 0 || (!*authorization && *cookie))
        return access_session(&session, user, spool, cookie) == 0 && user->role & route->roles;
    return auth_key(key, spool, authorization) == 0 && find_user(user, spool, key) == 0 && key->scopes & route->scope &&
           (user->id == 0 || user->role & route->roles);
}

static bool check_key(struct request *request, const char *authorization)
{
    struct spool *spool = request_spool(request);
    int result = auth_key(&request->key, spool, authorization);

    if (result == 0)
        result = find_user(&request->user, spool, &request->key);
    if (result == ERR_NOT_FOUND)
        return refuse(request, authorization);
    if (result < 0) {
        request_error(request, result);
        return false;
    }
    if (!is_from_here(request) || !auth_has(request, request->route->scope) || !access_check(request))
        return false;
    if (request->user.id) /* what a handler asks for besides is bounded by both as well */
        request->key.scopes &= access_scopes(&request->user);
    return true;
}

static bool check_session(struct request *request, const char *cookie)
{
    struct spool *spool = request_spool(request);
    int result = access_session(&request->session, &request->user, spool, cookie);

    if (result == ERR_NOT_FOUND) {
        if (!limits_check(request))
            return false;
        request_header(request, "WWW-Authenticate", REALM);
        request_problem(request, 401, "not_signed_in", "nobody is signed in here, or not any more: POST /v1/session");
        return false;
    }
    if (result < 0) {
        request_error(request, result);
        return false;
    }
    request->key.scopes = access_scopes(&request->user);
    return access_check(request) && access_meant(request);
}

bool auth_check(struct request *request)
{
    const char *authorization = request_header_in(request, "Authorization");
    const char *cookie = request_header_in(request, "Cookie");
    const struct route *route = request->route;

    if (route->scope == 0 && route->roles == 0)
        return true;
    if (route->scope == 0 || (!authorization && cookie))
        return check_session(request, cookie);
    return check_key(request, authorization);
}
