/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /v1/api-keys: making, listing and revoking keys. The secret is in the reply of POST and nowhere else. */
#include "spool/key.h"
#include "web/api.h"
#include "web/auth.h"
#include "web/request.h"
#include "web/stream.h"
#include "web/web_private.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define OVERLAP_S     86400
#define OVERLAP_MAX_S 2592000

struct wanted_key {
    const char *name;
    unsigned scopes;
    bool test;
    int64_t expires_at;
    struct key_rule rule;
    const char *user; /* public id, NULL = nobody's */
};

static const char *const key_names[] = {"name", "scopes", "test", "expires_at", "user", "allow_from", "per_minute"};

static void take_expiry(struct wanted_key *wanted, const json_t *value, const char *pointer, struct problems *problems)
{
    if (json_is_null(value)) {
        wanted->expires_at = 0;
        return;
    }
    if (!json_is_string(value) || clock_parse(&wanted->expires_at, json_string_value(value)) < 0)
        problem_add(problems, pointer, "invalid_time", "a time like 2026-11-21T09:30:00Z is needed here");
    else if (wanted->expires_at <= clock_now_ms())
        problem_add(problems, pointer, "in_the_past", "the key would expire at once");
}

static int64_t take_number(const json_t *value, int64_t most, const char *pointer, struct problems *problems)
{
    int64_t number = json_integer_value(value);

    if (json_is_integer(value) && number >= 0 && number <= most)
        return number;
    problem_add(problems, pointer, "out_of_range", "a whole number from 0 to %lld is needed here", (long long)most);
    return 0;
}

static void take_networks(struct key_rule *rule, const json_t *value, const char *pointer, struct problems *problems)
{
    const json_t *item;
    size_t i;

    if (!json_is_array(value) || json_array_size(value) > KEY_ALLOW_MAX) {
        problem_add(problems, pointer, "wrong_type", "a list of up to %d networks is needed here", KEY_ALLOW_MAX);
        return;
    }
    rule->allow_count = 0;
    json_array_foreach(value, i, item)
    {
        char *at = xasprintf("%s/%zu", pointer, i);
        if (!json_is_string(item))
            problem_add(problems, at, "wrong_type", "text like 192.0.2.0/24 is needed here");
        else if (cidr_parse(&rule->allow[rule->allow_count++], json_string_value(item)) < 0)
            problem_add(problems, at, "invalid_network", "%s", err_message());
        free(at);
    }
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
    } else if (strcmp(key, "allow_from") == 0) {
        take_networks(&wanted->rule, value, pointer, problems);
    } else if (strcmp(key, "per_minute") == 0) {
        wanted->rule.per_minute = (int)take_number(value, KEY_PER_MINUTE_MAX, pointer, problems);
    } else if (strcmp(key, "user") == 0) {
        wanted->user = json_string_value(value);
        if (!wanted->user && !json_is_null(value))
            problem_add(problems, pointer, "wrong_type", "the id of a user, or null, is needed here");
    } else {
        char *near = problem_near(key, key_names, sizeof key_names / sizeof *key_names);
        problem_add(problems, pointer, "unknown_key", "\"%.60s\" is not a key that is known here%s", key, near);
        free(near);
    }
}

/* Over what `wanted` is already. */
static void read_members(struct wanted_key *wanted, json_t *root, struct problems *problems)
{
    const char *key;
    json_t *value;

    if (!json_is_object(root))
        problem_add(problems, "", "wrong_type", "the body has to be a JSON object");
    json_object_foreach(root, key, value)
    {
        char *pointer = problem_pointer("", key);
        take_key(wanted, key, value, pointer, problems);
        free(pointer);
    }
}

static void read_key(struct wanted_key *wanted, json_t *root, struct problems *problems)
{
    *wanted = (struct wanted_key){0};
    read_members(wanted, root, problems);
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
    if (wanted->user && user_find(user, request_spool(request), wanted->user) < 0)
        problem_add(problems, "/user", "unknown_user", "there is no user %.60s: see /v1/users", wanted->user);
}

/* A key cannot make one that may do more than itself, nor one for tests another that places calls. */
static bool may_grant(struct request *request, unsigned scopes, bool test)
{
    unsigned more = scopes & ~request->key.scopes;

    if (request->key.test && !test) {
        request_problem(request, 403, "test_key", "a test key cannot make or change keys that are none");
        return false;
    }
    if (more)
        request_problem(request, 403, "insufficient_scope", "this key cannot grant the scope %s, which it lacks",
                        auth_scope_name(more));
    return !more;
}

/* This once. */
static void reply_token(struct request *request, int status, const struct key *key, char token[KEY_TOKEN_SIZE])
{
    json_t *reply = key_json(key);

    json_object_set_new(reply, "token", json_string(token));
    sodium_memzero(token, KEY_TOKEN_SIZE);
    request_reply(request, status, reply);
}

void keys_post(struct request *request)
{
    struct problems problems = {0};
    struct wanted_key wanted;
    struct user user;
    char token[KEY_TOKEN_SIZE];
    struct key key;
    json_t *root = request_json(request);
    int result;

    if (!root)
        return;
    read_key(&wanted, root, &problems);
    find_user(&user, request, &wanted, &problems);
    if (problem_any(&problems)) {
        request_problems(request, &problems);
    } else if (may_grant(request, wanted.scopes, wanted.test)) {
        result =
            key_create(token, &key, request_spool(request), wanted.name, wanted.scopes, wanted.test, wanted.expires_at);
        if (result == 0)
            result = key_bind(&key, request_spool(request), &wanted.rule);
        if (result == 0 && user.id)
            result = key_give(&key, request_spool(request), &user);
        if (result < 0) {
            request_error(request, result);
        } else {
            request->location = xasprintf("/v1/api-keys/%s", key.public_id);
            reply_token(request, 201, &key, token);
        }
    }
    json_decref(root);
}

void keys_list(struct request *request)
{
    request_reply(request, 200, json_pack("{s:o}", "data", keys_json(request_spool(request))));
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

    if (found(request, key_find(&key, request_spool(request), request->params[0])))
        request_reply(request, 200, key_json(&key));
}

/* What a key is for and whose it is stays: programs rely on it. */
static void refuse_fixed(const json_t *root, struct problems *problems)
{
    static const char *const fixed[] = {"test", "user"};

    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
        char *pointer = problem_pointer("", fixed[i]);
        if (json_object_get(root, fixed[i]))
            problem_add(problems, pointer, "fixed", "\"%s\" cannot be changed: make another key", fixed[i]);
        free(pointer);
    }
}

static void change(struct request *request, struct key *key, const struct wanted_key *wanted)
{
    int result;

    key->scopes = wanted->scopes;
    key->expires_at = wanted->expires_at;
    key->rule = wanted->rule;
    str_copy(key->name, sizeof key->name, wanted->name);
    result = key_change(key, request_spool(request));
    if (result == ERR_CONFLICT) {
        request_problem(request, 409, "revoked", "%s: make another one", err_message());
    } else if (found(request, result)) {
        streams_end_key(request->web->streams, key->id);
        request_reply(request, 200, key_json(key));
    }
}

/* Whoever may not grant what a key can do may not loosen what binds it either. */
void keys_patch(struct request *request)
{
    struct problems problems = {0};
    struct wanted_key wanted;
    struct key key;
    json_t *root = request_json(request);

    if (!root)
        return;
    if (found(request, key_find(&key, request_spool(request), request->params[0])) &&
        may_grant(request, key.scopes, key.test)) {
        char *name = xstrdup(key.name);
        wanted =
            (struct wanted_key){.name = name, .scopes = key.scopes, .expires_at = key.expires_at, .rule = key.rule};
        read_members(&wanted, root, &problems);
        refuse_fixed(root, &problems);
        if (problem_any(&problems))
            request_problems(request, &problems);
        else if (may_grant(request, wanted.scopes, key.test))
            change(request, &key, &wanted);
        free(name);
    }
    json_decref(root);
}

void keys_delete(struct request *request)
{
    if (!found(request, key_revoke(request_spool(request), request->params[0])))
        return;
    streams_review(request->web->streams);
    request_reply_empty(request, 204);
}

static bool read_rotation(int64_t *overlap_s, struct request *request, json_t *root)
{
    static const char *const names[] = {"overlap_s"};
    struct problems problems = {0};
    const char *key;
    json_t *value;

    *overlap_s = OVERLAP_S;
    if (!json_is_object(root))
        problem_add(&problems, "", "wrong_type", "the body has to be a JSON object");
    json_object_foreach(root, key, value)
    {
        char *pointer = problem_pointer("", key), *near = problem_near(key, names, 1);
        if (strcmp(key, names[0]) == 0)
            *overlap_s = take_number(value, OVERLAP_MAX_S, pointer, &problems);
        else
            problem_add(&problems, pointer, "unknown_key", "\"%.60s\" is not a key that is known here%s", key, near);
        free(near);
        free(pointer);
    }
    if (!problem_any(&problems))
        return true;
    request_problems(request, &problems);
    return false;
}

/* Whoever rotates a key gets its token, so that it must not be able to do more than who asks for it. */
void keys_rotate(struct request *request)
{
    struct spool *spool = request_spool(request);
    json_t *root = request_json(request);
    char token[KEY_TOKEN_SIZE];
    int64_t overlap_s;
    struct key key;

    if (!root)
        return;
    if (read_rotation(&overlap_s, request, root) && found(request, key_find(&key, spool, request->params[0])) &&
        may_grant(request, key.scopes, key.test) &&
        found(request, key_rotate(token, &key, spool, request->params[0], (int)overlap_s))) {
        streams_end_key(request->web->streams, key.id);
        reply_token(request, 200, &key, token);
    }
    json_decref(root);
}
