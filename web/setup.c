/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /v1/setup. The code has 100 random bits, and a wrong one counts against its sender's address as a wrong password
 * does. It stays the same until it is used, so that whoever has read it may take his time. */
#include "web/setup.h"

#include "spool/spool.h"
#include "spool/user.h"
#include "web/access.h"
#include "web/api.h"
#include "web/password.h"
#include "web/request.h"
#include "web/sign_in.h"
#include "web/web_private.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CODE_LENGTH 20

static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz"; /* 32, none mistaken for another */

static char *path_of(const struct web *web)
{
    return xasprintf("%s/setup.code", spool_state_dir(web->options.spool));
}

/* "" when there is none that could be one. */
static void read_code(char code[CODE_LENGTH + 1], const struct web *web)
{
    char *path = path_of(web);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t size = fd < 0 ? -1 : read(fd, code, CODE_LENGTH);

    if (fd >= 0)
        close(fd);
    free(path);
    code[size == CODE_LENGTH ? CODE_LENGTH : 0] = '\0';
    if (strspn(code, alphabet) != CODE_LENGTH)
        code[0] = '\0';
}

static int write_code(const char *path)
{
    char code[CODE_LENGTH + 1];
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600), error = 0;

    for (int i = 0; i < CODE_LENGTH; i++)
        code[i] = alphabet[randombytes_uniform(32)];
    code[CODE_LENGTH] = '\0';
    if (fd < 0)
        return err_set(ERR_IO, "cannot write %s: %s", path, strerror(errno));
    if (fchmod(fd, 0600) != 0 || dprintf(fd, "%s\n", code) < 0 || fsync(fd) != 0)
        error = err_set(ERR_IO, "cannot write %s: %s", path, strerror(errno));
    close(fd);
    sodium_memzero(code, sizeof code);
    return error;
}

static void drop_code(const char *path)
{
    if (unlink(path) != 0 && errno != ENOENT)
        log_warning("cannot remove %s: %s", path, strerror(errno));
}

int setup_open(struct web *web)
{
    char code[CODE_LENGTH + 1], *path = path_of(web);
    int count = user_count(web->options.spool), error = count < 0 ? count : 0;

    if (count > 0) { /* a crash may have left it */
        drop_code(path);
    } else if (count == 0) {
        read_code(code, web);
        if (!*code)
            error = write_code(path);
        sodium_memzero(code, sizeof code);
        if (!error)
            log_info("there is no user yet: the code for making the first is in %s", path);
    }
    free(path);
    return error;
}

/* The web part may be closed by then. */
static void on_committed(void *context, int error)
{
    char *path = context;

    if (!error)
        drop_code(path);
    free(path);
}

void setup_close(struct web *web)
{
    spool_after_commit(web->options.spool, on_committed, path_of(web));
}

/* --- the resource --- */

static bool is_needed(struct request *request)
{
    int count = user_count(request_spool(request));

    if (count < 0)
        request_error(request, count);
    else if (count > 0)
        request_problem(request, 409, "already_set_up", "there are users: an admin makes more of them");
    return count == 0;
}

void setup_get(struct request *request)
{
    int count = user_count(request_spool(request));

    if (count < 0)
        request_error(request, count);
    else
        request_reply(request, 200, json_pack("{s:b}", "needed", count == 0));
}

static void write_user(struct request *request)
{
    struct user user = {.role = USER_ADMIN};
    int result;

    str_copy(user.name, sizeof user.name, json_string_value(json_object_get(request->password->root, "name")));
    if (!is_needed(request)) /* somebody was faster */
        return;
    result = user_create(&user, request_spool(request), request->password->made);
    if (result < 0) {
        request_error(request, result);
        return;
    }
    setup_close(request->web);
    sign_in(request, &user);
}

static void on_made(struct request *request)
{
    web_write(request, write_user);
}

static bool is_code(const struct web *web, const char *text)
{
    char code[CODE_LENGTH + 1];
    bool right;

    read_code(code, web);
    right = *code && strlen(text) == CODE_LENGTH && sodium_memcmp(code, text, CODE_LENGTH) == 0;
    sodium_memzero(code, sizeof code);
    return right;
}

static void read_setup(const json_t *root, struct problems *problems)
{
    static const char *const names[] = {"code", "name", "password"};
    const char *name = json_string_value(json_object_get(root, "name"));

    sign_in_check_keys(root, names, 3, problems);
    if (!json_is_string(json_object_get(root, "code")))
        problem_add(problems, "/code", "missing", "the code in setup.code, in the server's state folder, is needed");
    if (!user_is_name(name))
        problem_add(problems, "/name", "invalid_name", USER_NAME_RULE);
    password_check(json_string_value(json_object_get(root, "password")), name, "/password", problems);
}

void setup_post(struct request *request)
{
    struct problems problems = {0};
    json_t *root = access_same_origin(request) && is_needed(request) ? request_json(request) : NULL;

    if (!root)
        return;
    read_setup(root, &problems);
    if (problem_any(&problems)) {
        request_problems(request, &problems);
    } else if (sign_in_may_try(request, NULL)) {
        if (is_code(request->web, json_string_value(json_object_get(root, "code")))) {
            sign_in_was_right(request, NULL);
            password_start(request, json_incref(root), NULL, NULL, json_string_value(json_object_get(root, "password")),
                           on_made);
        } else {
            request_problem(request, 403, "wrong_code",
                            "this is not the code in setup.code, in the server's state folder");
        }
    }
    json_decref(root);
}
