/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Passwords: argon2id, checked and made on the worker thread, since each takes a tenth of a second and 64 MiB. Only so
 * many are under way; who comes then is told to come again (503).
 *
 * Thread: loop.
 */
#ifndef FAXD_WEB_PASSWORD_H
#define FAXD_WEB_PASSWORD_H

#include "spool/user.h"
#include "web/problem.h"

#include <jansson.h>
#include <stdbool.h>

#define PASSWORD_LEAST    10 /* characters of a new one */
#define PASSWORD_MOST     256
#define PASSWORDS_AT_ONCE 16

struct request;

/* What a request asks of the worker; the request owns it. */
struct password {
    json_t *root; /* the body of the request */
    char *given;  /* to be compared with `stored`, NULL = nothing is */
    char stored[USER_PASSWORD_SIZE];
    bool right;
    char *fresh; /* to be stored as `made`, NULL = nothing is */
    char made[USER_PASSWORD_SIZE];
    int64_t user_id; /* for who asked */
    bool counted, failed;
    struct request *request;
    void (*then)(struct request *request);
};

/* From a handler: the request waits while `given` is compared with the stored form (which of nobody's password never
 * fits, and takes as long) and `fresh` gets one; then then(request) has the results in request->password, and replies
 * and finishes, or calls web_write(). Texts are copied, NULL = not asked for; `root` is taken over. False and the reply
 * is made when too many are under way. */
bool password_start(struct request *request, json_t *root, const char *given, const char *stored, const char *fresh,
                    void (*then)(struct request *request));
/* NULL is fine. */
void password_free(struct password *password);

/* A fault for a new password that is too short or too long or is the name. */
void password_check(const char *password, const char *name, const char *pointer, struct problems *problems);

#endif
