/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /v1/mails: what was mailed, what waits, and what could not be. */
#include "spool/fax.h"
#include "spool/mail.h"
#include "web/access.h"
#include "web/api.h"
#include "web/page.h"
#include "web/request.h"
#include "web/web_private.h"
#include "server/base/err.h"
#include "server/base/log.h"

#include <string.h>

/* -1 for all; false and the reply is made when it is no state. */
static bool read_status(int *state, struct request *request)
{
    static const char *const words[] = {"pending", "sent", "failed", NULL};
    const char *word = request_query(request, "status");

    *state = word ? -2 : -1;
    for (int i = 0; word && words[i]; i++) {
        if (strcmp(word, words[i]) == 0)
            *state = i;
    }
    if (*state == -2)
        request_problem(request, 400, "invalid_parameter", "status: pending, sent or failed");
    return *state != -2;
}

_Static_assert(MAIL_WAITING == 0 && MAIL_SENT == 1 && MAIL_GIVEN_UP == 2, "the order of the words above");

/* The row of the fax that the query names, 0 = it names none. */
static bool read_fax(int64_t *id, struct request *request)
{
    const char *wanted = request_query(request, "fax");
    struct fax fax;

    *id = 0;
    if (!wanted)
        return true;
    if (!request_found(request, fax_find(&fax, request_spool(request), wanted), "fax"))
        return false;
    *id = fax.id;
    fax_clear(&fax);
    return true;
}

static void reply_page(struct request *request, const struct mail_list_wish *wish)
{
    page_wait(request, mail_list(request_spool(request), wish, page_reply, request));
}

void mails_list(struct request *request)
{
    static const char *const names[] = {"limit", "cursor", "status", "fax", NULL};
    struct mail_list_wish wish = {.cursor = request_query(request, "cursor")};
    int64_t limit;

    if (!request_check_query(request, names) || !request_query_int(&limit, request, "limit", 1, 1000, 50) ||
        !read_status(&wish.state, request) || !read_fax(&wish.fax, request))
        return;
    wish.limit = (int)limit;
    reply_page(request, &wish);
}

void mails_of_fax(struct request *request)
{
    static const char *const names[] = {"limit", "cursor", NULL};
    struct mail_list_wish wish = {.cursor = request_query(request, "cursor"), .state = -1};
    struct fax fax;
    int64_t limit;

    if (!request_check_query(request, names) || !request_query_int(&limit, request, "limit", 1, 1000, 50) ||
        !access_fax(&fax, request))
        return;
    wish.fax = fax.id;
    wish.limit = (int)limit;
    fax_clear(&fax);
    reply_page(request, &wish);
}

static void reply_mail(struct request *request, int status)
{
    json_t *object;

    if (request_found(request, mail_json(&object, request_spool(request), request->params[0]), "mail"))
        request_reply(request, status, object);
}

void mails_get(struct request *request)
{
    static const char *const names[] = {NULL};

    if (request_check_query(request, names))
        reply_mail(request, 200);
}

void mails_retry(struct request *request)
{
    int result = mail_retry(request_spool(request), request->params[0]);

    if (result == ERR_UNSUPPORTED)
        request_problem(request, 422, "mail_not_configured", "%s", err_message());
    else if (result == ERR_CONFLICT)
        request_problem(request, 409, "not_failed", "%s", err_message());
    else if (request_found(request, result, "mail"))
        reply_mail(request, 202);
}
