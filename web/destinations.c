/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /v1/destinations: what calls to a number have taught, and forgetting it. */
#include "spool/destination.h"
#include "spool/suspension.h"
#include "web/api.h"
#include "web/member.h"
#include "web/page.h"
#include "web/request.h"
#include "web/web_private.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/number.h"
#include "server/base/str.h"

#include <stdlib.h>

void destinations_list(struct request *request)
{
    static const char *const names[] = {"limit", "cursor", NULL};
    int64_t limit;

    if (!request_check_query(request, names) || !request_query_int(&limit, request, "limit", 1, 1000, 50))
        return;
    page_wait(request, destination_list(request_spool(request), request_query(request, "cursor"), (int)limit,
                                        page_reply, request));
}

/* What is no number is not remembered either. */
static void reply_result(struct request *request, int result)
{
    if (result == ERR_NOT_FOUND || result == ERR_INVALID || result == ERR_TOO_BIG)
        request_problem(request, 404, "no_such_destination", "%s", err_message());
    else if (result < 0)
        request_error(request, result);
}

void destinations_get(struct request *request)
{
    struct destination destination;
    char number[NUMBER_SIZE];
    int result = number_normalise(number, request->params[0]);

    if (result == 0)
        result = destination_get(&destination, request_spool(request), number);
    if (result == 0)
        request_reply(request, 200, destination_json(&destination));
    reply_result(request, result);
}

/* --- PATCH --- */

struct body {
    int forced;
    bool suspended, suspended_said;
    char reason[201];
};

static void take_suspended(void *into, json_t *value, const char *pointer, struct problems *problems)
{
    struct body *body = into;

    body->suspended = json_is_true(value);
    body->suspended_said = true;
    if (!json_is_boolean(value))
        problem_add(problems, pointer, "wrong_type", "true or false is needed here");
}

static const char *const transports[] = {"auto", "t38", "g711", NULL}; /* the order of enum destination_transport */

static const struct member members[] = {
    {"forced_transport", .kind = MEMBER_WORD, .words = transports, .offset = offsetof(struct body, forced)},
    {"suspended", .kind = MEMBER_OTHER, .take = take_suspended},
    {"reason", .kind = MEMBER_TEXT, .high = 200, .offset = offsetof(struct body, reason)},
    {NULL, .kind = MEMBER_TEXT},
};

/* False and the reply is made. */
static bool read_body(struct body *body, struct request *request)
{
    struct problems problems = {0};
    json_t *root = request_json(request);

    if (!root)
        return false;
    if (member_read(body, members, root, false, &problems) && *body->reason && !body->suspended)
        problem_add(&problems, "/reason", "not_alone", "a reason is said with \"suspended\": true");
    json_decref(root);
    if (!problem_any(&problems))
        return true;
    request_problems(request, &problems);
    return false;
}

static int change(struct destination *destination, struct spool *spool, const struct body *body)
{
    int result = 0;

    destination->forced = (enum destination_transport)body->forced;
    if (body->suspended_said && body->suspended)
        result = suspension_begin(destination, spool, *body->reason ? body->reason : "by request");
    else if (body->suspended_said)
        result = suspension_end(destination, spool);
    return result == 0 ? destination_write(spool, destination) : result;
}

void destinations_patch(struct request *request)
{
    struct destination destination = {.forced = DESTINATION_AUTO};
    char number[NUMBER_SIZE];
    struct body body = {.forced = DESTINATION_AUTO};
    int result = number_normalise(number, request->params[0]);

    if (result == 0)
        result = destination_get(&destination, request_spool(request), number);
    if (result == ERR_NOT_FOUND) { /* something is known of it from now on */
        str_copy(destination.number, sizeof destination.number, number);
        destination.last_at = clock_now_ms();
        result = 0;
    }
    if (result == 0) {
        body.forced = destination.forced;
        if (!read_body(&body, request))
            return;
        result = change(&destination, request_spool(request), &body);
    }
    if (result == 0)
        request_reply(request, 200, destination_json(&destination));
    reply_result(request, result);
}

void destinations_delete(struct request *request)
{
    char number[NUMBER_SIZE];
    int result = number_normalise(number, request->params[0]);

    if (result == 0)
        result = destination_forget(request_spool(request), number);
    if (result == 0)
        request_reply_empty(request, 204);
    reply_result(request, result);
}
