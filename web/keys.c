/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /v1/api-keys: making, listing and revoking keys. The secret is in the reply of POST and nowhere else. */
#include "spool/key.h"
#include "web/api.h"
#include "web/auth.h"
#include "web/request.h"
#include "web/web_private.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct wanted_key {
    const char *name;
    unsigned scopes;
    bool test;
    int64_t expires_at;
    const char *user; /* public id, NULL = nobody's */
};

static const char *const key_names[] = {"name", "scopes", "test", "expires_at", "user"};

static void take_expiry(struct wanted_key *wanted, const json_t *value, const char *pointer, struct problems *problems)
{
    if (json_is_null(value))
        return;
    if (!json_is_string(value) || clock_parse(&wanted->expires_at, json_string_value(value)) < 0)
        problem_add(problems, pointer, "invalid_time", "a time like 2026-11-21T09:30:00Z is needed here");
    else if (wanted->expires_at <= clock_now_ms())
        problem_add(problems, pointer, "in_the_past", "the key would expire at once");
}

static void take_key(struct wanted_key *wanted, const char *key, const json_t *value, const char *pointer,
                     struct problems *problems)
{
    if (strcmp(key, "name") == 0) {
        wanted->name = json_string_value(value);
        if (!wanted->name || !*wanted->name || strlen(wanted->name) > 127)
            problem_add(problems, pointer, "invalid_name", "text of 1 to 127 octets is needed here");
    } else if (strcmp(key, "scopes") == 0) {
        if (key_scopes_parse(&wanted->scopes, value) < 0)
            problem_add(problems, pointer, "unknown_scope", "%s", err_message());
    } else if (strcmp(key, "test") == 0) {
        wanted->test = json_is_true(value);
        if (!json_is_boolean(value))
            problem_add(problems, pointer, "wrong_type", "true or false is needed here");
    } else if (strcmp(key, "expires_at") == 0) {
        take_expiry(wanted, value, pointer, problems);
    } else if (strcmp(key, "user") == 0) {
        wanted->user = json_string_value(value);
        if (!wanted->user && !json_is_null(value))
            problem_add(problems, pointer, "wrong_type", "the id of a user, or null, is needed here");
    } else {
        char *near = problem_near(key, key_names, 5);
        problem_add(problems, pointer, "unknown_key", "\"%.60s\" is not a key that is known here%s", key, near);
        free(near);
    }
}

static void read_key(struct wanted_key *wanted, json_t *root, struct problems *problems)
{
    const char *key;
    json_t *value;

    *wanted = (struct wanted_key){0};
    if (!json_is_object(root))
        problem_add(problems, "", "wrong_type", "the body has to be a JSON object");
    json_object_foreach(root, key, value)
    {
        char *pointer = problem_pointer("", key);
        take_key(wanted, key, value, pointer, problems);
        free(pointer);
    }
    if (!json_object_get(root, "name"))
        problem_add(problems, "/name", "missing", "a name is needed, so that the key can be told from others");
    if (!json_object_get(root, "scopes"))
        problem_add(problems, "/scopes", "missing", "a list of scopes is needed");
}

/* Whose the key is to be; id 0 = nobody's. */
static void find_user(struct user *user, struct request *request, const struct wanted_key *wanted,
                      struct problems *problems)
{
    *user = (struct user){0};
    if (wanted->user && user_find(user, request->web->options.spool, wanted->user) < 0)
        problem_add(problems, "/user", "unknown_user", "there is no user %.60s: see /v1/users", wanted->user);
}

/* A key cannot make one that may do more than itself. */
static bool may_grant(struct request *request, unsigned scopes)
{
    unsigned more = scopes & ~request->key.scopes;

    if (more)
        request_problem(request, 403, "insufficient_scope", "this key cannot grant the scope %s, which it lacks",
                        auth_scope_name(more));
    return !more;
}

void keys_post(struct request *request)
{
    struct problems problems = {0};
    struct wanted_key wanted;
    struct user user;
    char token[KEY_TOKEN_SIZE];
    struct key key;
    json_t *root = request_json(request), *reply;
    int result;

    if (!root)
        return;
    read_key(&wanted, root, &problems);
    find_user(&user, request, &wanted, &problems);
    if (problem_any(&problems)) {
        request_problems(request, &problems);
    } else if (may_grant(request, wanted.scopes)) {
        result = key_create(token, &key, request->web->options.spool, wanted.name, wanted.scopes, wanted.test,
                            wanted.expires_at);
        if (result == 0 && user.id)
            result = key_give(&key, request->web->options.spool, &user);
        if (result < 0) {
            request_error(request, result);
        } else {
            reply = key_json(&key);
            json_object_set_new(reply, "token", json_string(token));
            sodium_memzero(token, sizeof token);
            request->location = xasprintf("/v1/api-keys/%s", key.public_id);
            request_reply(request, 201, reply);
        }
    }
    json_decref(root);
}

void keys_list(struct request *request)
{
    request_reply(request, 200, json_pack("{s:o}", "data", keys_json(request->web->options.spool)));
}

static bool found(struct request *request, int result)
{
    if (result == ERR_NOT_FOUND)
        request_problem(request, 404, "no_such_key", "there is no key %s", request->params[0]);
    else if (result < 0)
        request_error(request, result);
    return result == 0;
}

void keys_get(struct request *request)
{
    struct key key;

    if (found(request, key_find(&key, request->web->options.spool, request->params[0])))
        request_reply(request, 200, key_json(&key));
}

void keys_delete(struct request *request)
{
    if (found(request, key_revoke(request->web->options.spool, request->params[0])))
        request_reply_empty(request, 204);
}
