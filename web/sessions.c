/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /v1/session: signing in and out, and one's own password. A name that nobody has takes as long as a wrong password and
 * gets the same replies, also when it is locked. */
#include "web/sign_in.h"

#include "spool/session.h"
#include "spool/user.h"
#include "web/access.h"
#include "web/api.h"
#include "web/password.h"
#include "web/request.h"
#include "web/stream.h"
#include "web/web_private.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* --- the session --- */

static void reply_session(struct request *request)
{
    char expires[CLOCK_TEXT_SIZE];

    request_reply(request, 200,
                  json_pack("{s:o, s:s, s:s}", "user", user_json(&request->user), "csrf", request->session.csrf,
                            "expires_at", clock_format(expires, request->session.expires_at)));
}

/* A browser says where its page is from; over TLS, ours or that of a proxy before us, the cookie is for TLS alone. */
static bool is_secure(const struct request *request)
{
    const char *origin = request_header_in(request, "Origin");

    return request->web->tls || (origin && strncasecmp(origin, "https://", 8) == 0);
}

static void set_cookie(struct request *request, const char *token)
{
    char *cookie = xasprintf(ACCESS_COOKIE "=%s; HttpOnly; SameSite=Strict; Path=/%s%s", token,
                             *token ? "" : "; Max-Age=0", is_secure(request) ? "; Secure" : "");

    request_header(request, "Set-Cookie", cookie);
    sodium_memzero(cookie, strlen(cookie));
    free(cookie);
}

/* Whatever cookie a request came with, the session has another: what somebody else planted there is worth nothing. */
static int end_old_session(struct request *request)
{
    struct session old;
    struct user user;

    if (access_session(&old, &user, request_spool(request), request_header_in(request, "Cookie")) < 0)
        return 0;
    return session_end(request_spool(request), old.id);
}

void sign_in(struct request *request, const struct user *user)
{
    struct spool *spool = request_spool(request);
    char token[SESSION_TOKEN_SIZE];
    int result = end_old_session(request);

    if (result == 0)
        result = session_create(token, &request->session, spool, user->id, request->address,
                                request_header_in(request, "User-Agent"));
    if (result == 0)
        result = user_signed_in(spool, user->id, clock_now_ms());
    if (result == 0)
        result = sign_in_is_known(request, user);
    if (result == 0)
        result = user_get(&request->user, spool, user->id);
    if (result < 0) {
        request_error(request, result);
        return;
    }
    witness_about(request, user->public_id);
    set_cookie(request, token);
    sodium_memzero(token, sizeof token);
    reply_session(request);
}

/* --- POST /v1/session --- */

/* A text of an object, or a fault. */
static const char *take_text(const json_t *root, const char *key, struct problems *problems)
{
    const char *text = json_string_value(json_object_get(root, key));
    char *pointer = problem_pointer("", key);

    if (!text || !*text || strlen(text) > PASSWORD_MOST)
        problem_add(problems, pointer, "wrong_type", "a text of 1 to %d octets is needed here", PASSWORD_MOST);
    free(pointer);
    return text;
}

void sign_in_check_keys(const json_t *root, const char *const *names, int count, struct problems *problems)
{
    const char *key;
    const json_t *value;

    if (!json_is_object(root))
        problem_add(problems, "", "wrong_type", "the body has to be a JSON object");
    json_object_foreach((json_t *)root, key, value)
    {
        int at = 0;
        while (at < count && strcmp(names[at], key) != 0)
            at++;
        if (at < count)
            continue;
        char *pointer = problem_pointer("", key), *near = problem_near(key, names, count);
        problem_add(problems, pointer, "unknown_key", "\"%.60s\" is not a key that is known here%s", key, near);
        free(near);
        free(pointer);
    }
}

/* Who had the name when the password was given, if he is let in. */
static bool find_user(struct user *user, struct request *request)
{
    return user_get(user, request_spool(request), request->password->user_id) == 0 && !user->disabled;
}

static void write_session(struct request *request)
{
    struct user user;

    if (find_user(&user, request))
        sign_in(request, &user);
    else
        request_problem(request, 401, "wrong_password", "the name or the password is wrong");
}

static void on_compared(struct request *request)
{
    const char *name = json_string_value(json_object_get(request->password->root, "name"));
    struct user user;
    bool known = find_user(&user, request);

    if (known && request->password->right) {
        sign_in_was_right(request, name);
        web_write(request, write_session);
        return;
    }
    request_header(request, "WWW-Authenticate", "Bearer realm=\"faxd\"");
    request_problem(request, 401, "wrong_password", "the name or the password is wrong");
    if (known) {
        witness_about(request, user.public_id);
        sign_in_was_wrong(request, &user);
    }
    request_finish(request);
}

void sessions_post(struct request *request)
{
    static const char *const names[] = {"name", "password"};
    char stored[USER_PASSWORD_SIZE] = "";
    struct problems problems = {0};
    struct user user = {0};
    const char *name, *password;
    json_t *root = access_same_origin(request) ? request_json(request) : NULL;

    if (!root)
        return;
    sign_in_check_keys(root, names, 2, &problems);
    name = take_text(root, "name", &problems);
    password = take_text(root, "password", &problems);
    if (problem_any(&problems)) {
        request_problems(request, &problems);
    } else if (sign_in_may_try(request, name)) {
        if (user_find_name(&user, request_spool(request), name) == 0 && !user.disabled)
            user_password(stored, request_spool(request), user.id);
        if (!password_start(request, json_incref(root), password, stored, NULL, on_compared))
            sign_in_was_none(request, name);
        request->password->user_id = user.id;
    }
    json_decref(root);
}

/* --- the others --- */

void sessions_get(struct request *request)
{
    reply_session(request);
}

void sessions_delete(struct request *request)
{
    int result = session_end(request_spool(request), request->session.id);

    if (result < 0) {
        request_error(request, result);
        return;
    }
    witness_about(request, request->user.public_id);
    set_cookie(request, "");
    streams_review(request->web->streams);
    request_reply_empty(request, 204);
}

static void write_password(struct request *request)
{
    struct spool *spool = request_spool(request);
    int result = user_set_password(spool, request->user.id, request->password->made);

    if (result == 0)
        result = session_end_others(spool, request->user.id, request->session.id);
    if (result < 0) {
        request_error(request, result);
        return;
    }
    witness_about(request, request->user.public_id);
    streams_review(request->web->streams);
    request_reply_empty(request, 204);
}

static void on_made(struct request *request)
{
    struct problems problems = {0};

    if (request->password->right) {
        sign_in_was_right(request, request->user.name);
        web_write(request, write_password);
        return;
    }
    sign_in_was_wrong(request, &request->user);
    problem_add(&problems, "/old", "wrong_password", "this is not the password");
    request_problems(request, &problems); /* cleared there */
    request_finish(request);
}

void sessions_password(struct request *request)
{
    static const char *const names[] = {"old", "new"};
    char stored[USER_PASSWORD_SIZE] = "";
    struct problems problems = {0};
    const char *old, *fresh;
    json_t *root = request_json(request);

    if (!root)
        return;
    sign_in_check_keys(root, names, 2, &problems);
    old = take_text(root, "old", &problems);
    fresh = json_string_value(json_object_get(root, "new"));
    password_check(fresh, request->user.name, "/new", &problems);
    if (problem_any(&problems)) {
        request_problems(request, &problems);
    } else if (sign_in_may_try(request, request->user.name)) {
        user_password(stored, request_spool(request), request->user.id);
        if (!password_start(request, json_incref(root), old, stored, fresh, on_made))
            sign_in_was_none(request, request->user.name);
    }
    json_decref(root);
}
