/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /v1/users. A user whose faxes are still there is disabled rather than deleted: whose a fax was has to be told as long
 * as there is a record of it. Once retention has taken the last one, the user may go. */
#include "spool/session.h"
#include "spool/user.h"
#include "web/access.h"
#include "web/api.h"
#include "web/auth.h"
#include "web/password.h"
#include "web/request.h"
#include "web/setup.h"
#include "web/sign_in.h"
#include "web/stream.h"
#include "web/web_private.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"

#include <stdlib.h>
#include <string.h>

static const char *const user_names[] = {"name", "display_name", "email", "role", "disabled", "password"};

/* --- what is asked for --- */

static bool has_controls(const char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < ' ' || *text == 127)
            return true;
    }
    return false;
}

/* A text that may be null, which is "". */
static void take_text(char *to, size_t size, const json_t *value, const char *pointer, struct problems *problems)
{
    const char *text = json_is_null(value) ? "" : json_string_value(value);

    if (!text || !str_copy(to, size, text))
        problem_add(problems, pointer, "wrong_type", "a text of at most %zu octets, or null, is needed here", size - 1);
    else if (has_controls(text))
        problem_add(problems, pointer, "invalid_text", "line breaks and other control characters cannot stand here");
}

static void take(struct user *user, const char *key, const json_t *value, const char *pointer,
                 struct problems *problems)
{
    const char *text = json_string_value(value);

    if (strcmp(key, "name") == 0) {
        if (user_is_name(text))
            str_copy(user->name, sizeof user->name, text);
        else
            problem_add(problems, pointer, "invalid_name", USER_NAME_RULE);
    } else if (strcmp(key, "display_name") == 0) {
        take_text(user->display_name, sizeof user->display_name, value, pointer, problems);
    } else if (strcmp(key, "email") == 0) {
        take_text(user->email, sizeof user->email, value, pointer, problems);
    } else if (strcmp(key, "role") == 0) {
        user->role = (enum user_role)user_role_from_name(text);
        if (!user->role)
            problem_add(problems, pointer, "unknown_word", "one of: admin, operator, sender, reader is needed here");
    } else if (strcmp(key, "disabled") == 0) {
        user->disabled = json_is_true(value);
        if (!json_is_boolean(value))
            problem_add(problems, pointer, "wrong_type", "true or false is needed here");
    }
}

/* Over what `user` is already; `problems` gets the faults. */
static void read_user(struct user *user, const json_t *root, struct problems *problems)
{
    const char *key;
    json_t *value;

    sign_in_check_keys(root, user_names, 6, problems);
    json_object_foreach((json_t *)root, key, value)
    {
        char *pointer = problem_pointer("", key);
        take(user, key, value, pointer, problems);
        free(pointer);
    }
    if (json_object_get(root, "password"))
        password_check(json_string_value(json_object_get(root, "password")), user->name, "/password", problems);
}

/* A key cannot make, or get hold of by a new password, a user who may do more than itself. */
static bool may_manage(struct request *request, const struct user *user)
{
    unsigned more = access_scopes(user) & ~request->key.scopes;

    if (request->key.test) {
        request_problem(request, 403, "test_key", "a test key cannot make or change users, who may place calls");
        return false;
    }
    if (more)
        request_problem(request, 403, "insufficient_scope",
                        "users with the role %s may do more than this key, which lacks the scope %s",
                        user_role_name(user->role), auth_scope_name(more));
    return !more;
}

/* --- making one --- */

static void refuse(struct request *request, int error)
{
    if (error == ERR_CONFLICT)
        request_problem(request, 409, "name_taken", "%s", err_message());
    else if (error == ERR_DENIED)
        request_problem(request, 409, "last_admin", "%s: somebody has to be left who can let others in", err_message());
    else if (error == ERR_FULL)
        request_problem(request, 409, "too_many_users", "%s", err_message());
    else
        request_error(request, error);
}

static void write_new(struct request *request)
{
    struct problems none = {0};
    struct user user = {0};
    int result;

    read_user(&user, request->password->root, &none); /* it was looked at before */
    result = user_create(&user, request_spool(request), request->password->made);
    if (result < 0) {
        refuse(request, result);
        return;
    }
    setup_close(request->web);
    request->location = xasprintf("/v1/users/%s", user.public_id);
    request_reply(request, 201, user_json(&user));
}

static void on_new(struct request *request)
{
    web_write(request, write_new);
}

void users_post(struct request *request)
{
    struct problems problems = {0};
    struct user user = {0};
    json_t *root = request_json(request);

    if (!root)
        return;
    read_user(&user, root, &problems);
    if (!json_object_get(root, "name"))
        problem_add(&problems, "/name", "missing", "a name to sign in with is needed");
    if (!json_object_get(root, "role"))
        problem_add(&problems, "/role", "missing", "one of: admin, operator, sender, reader is needed");
    if (problem_any(&problems))
        request_problems(request, &problems);
    else if (may_manage(request, &user))
        password_start(request, json_incref(root), NULL, NULL, json_string_value(json_object_get(root, "password")),
                       on_new);
    json_decref(root);
}

/* --- looking --- */

static void list(struct request *request,
                 int (*page_of)(json_t **page, struct spool *spool, const char *cursor, int limit))
{
    static const char *const names[] = {"limit", "cursor", NULL};
    json_t *page = NULL;
    int64_t limit;
    int result;

    if (!request_check_query(request, names) || !request_query_int(&limit, request, "limit", 1, 200, 50))
        return;
    result = page_of(&page, request_spool(request), request_query(request, "cursor"), (int)limit);
    if (result == ERR_INVALID)
        request_problem(request, 400, "invalid_parameter", "%s", err_message());
    else if (result < 0)
        request_error(request, result);
    else
        request_reply(request, 200, page);
}

void users_list(struct request *request)
{
    list(request, user_page);
}

/* Who hands faxes out has to know to whom, and no more of them than that. */
void users_assignable(struct request *request)
{
    list(request, user_assignable);
}

static bool find(struct user *user, struct request *request)
{
    int result = user_find(user, request_spool(request), request->params[0]);

    if (result == ERR_NOT_FOUND)
        request_problem(request, 404, "no_such_user", "there is no user %s", request->params[0]);
    else if (result < 0)
        request_error(request, result);
    return result == 0;
}

void users_get(struct request *request)
{
    struct user user;

    if (find(&user, request))
        request_reply(request, 200, user_json(&user));
}

/* --- changing --- */

/* Whoever was let in by what is no longer so has to come in anew; not who changes it for himself. */
static int end_sessions(struct request *request, const struct user *user)
{
    if (!user->disabled && !request->password->fresh)
        return 0;
    return session_end_others(request_spool(request), user->id, user->disabled ? 0 : request->session.id);
}

static void write_changes(struct request *request)
{
    struct problems none = {0};
    struct user user;
    int result;

    if (!find(&user, request) || !may_manage(request, &user)) /* it may have become an admin meanwhile */
        return;
    read_user(&user, request->password->root, &none);
    result = user_change(request_spool(request), &user);
    if (result == 0 && request->password->fresh)
        result = user_set_password(request_spool(request), user.id, request->password->made);
    if (result == 0)
        result = end_sessions(request, &user);
    if (result < 0) {
        refuse(request, result);
        return;
    }
    if (request->password->fresh)
        sign_in_unlock(request, user.name);
    streams_review(request->web->streams);
    if (find(&user, request))
        request_reply(request, 200, user_json(&user));
}

static void on_changes(struct request *request)
{
    web_write(request, write_changes);
}

void users_patch(struct request *request)
{
    struct problems problems = {0};
    struct user user;
    json_t *root = request_json(request);

    if (!root)
        return;
    if (find(&user, request) && may_manage(request, &user)) {
        read_user(&user, root, &problems);
        if (problem_any(&problems))
            request_problems(request, &problems);
        else if (may_manage(request, &user))
            password_start(request, json_incref(root), NULL, NULL, json_string_value(json_object_get(root, "password")),
                           on_changes);
    }
    json_decref(root);
}

void users_delete(struct request *request)
{
    struct user user;
    int result;

    if (!find(&user, request))
        return;
    result = user_delete(request_spool(request), &user);
    if (result == ERR_CONFLICT) {
        request_problem(request, 409, "has_faxes", "%s: disable this user instead, or wait until they are deleted",
                        err_message());
    } else if (result < 0) {
        refuse(request, result);
    } else {
        streams_review(request->web->streams);
        request_reply_empty(request, 204);
    }
}
