/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Nothing here is told to the log. The copies of passwords are wiped; those in the request's own body live as long as
 * that, which is not long. */
#include "web/password.h"

#include "spool/password_hash.h"
#include "web/request.h"
#include "web/web_private.h"
#include "web/worker.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void wipe(char *text)
{
    if (text)
        sodium_memzero(text, strlen(text));
    free(text);
}

void password_free(struct password *password)
{
    if (!password)
        return;
    wipe(password->given);
    wipe(password->fresh);
    json_decref(password->root);
    free(password);
}

/* On the worker thread. */
static void work(void *context)
{
    struct password *password = context;

    if (password->given)
        password->right = password_hash_fits(password->stored, password->given);
    if (password->fresh && (!password->given || password->right))
        password->failed = password_hash_make(password->made, password->fresh) < 0;
}

static void done(void *context)
{
    struct password *password = context;
    struct request *request = password->request;

    if (password->counted)
        request->web->hashing--;
    if (password->failed) {
        request_problem(request, 503, "busy", "there is no memory for a password now; try again in a moment");
        request_finish(request);
        return;
    }
    password->then(request);
}

bool password_start(struct request *request, json_t *root, const char *given, const char *stored, const char *fresh,
                    void (*then)(struct request *request))
{
    struct password *password = xcalloc(1, sizeof *password);

    request->password = password;
    password->root = root;
    password->request = request;
    password->then = then;
    if ((given || fresh) && request->web->hashing >= PASSWORDS_AT_ONCE) {
        request_problem(request, 503, "busy", "many are signing in just now; try again in a moment");
        return false;
    }
    password->given = given ? xstrdup(given) : NULL;
    password->fresh = fresh ? xstrdup(fresh) : NULL;
    str_copy(password->stored, sizeof password->stored, stored && *stored ? stored : password_hash_nobody());
    password->counted = given || fresh;
    request->web->hashing += password->counted;
    request_wait(request);
    worker_run(request->web->worker, work, done, password);
    return true;
}

static size_t characters_of(const char *text)
{
    size_t count = 0;

    for (; *text; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

void password_check(const char *password, const char *name, const char *pointer, struct problems *problems)
{
    if (!password || characters_of(password) < PASSWORD_LEAST || strlen(password) > PASSWORD_MOST)
        problem_add(problems, pointer, "invalid_password",
                    "a password of at least %d characters and at most %d octets is"
                    " needed",
                    PASSWORD_LEAST, PASSWORD_MOST);
    else if (name && strcasecmp(password, name) == 0)
        problem_add(problems, pointer, "invalid_password", "the password must not be the name");
}
