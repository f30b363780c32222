/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /v1/destinations: what calls to a number have taught, and forgetting it. */
#include "spool/destination.h"
#include "web/api.h"
#include "web/request.h"
#include "web/web_private.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/number.h"

#include <stdlib.h>

static struct spool *spool_of(const struct request *request)
{
    return request->web->options.spool;
}

static void add_link(struct request *request, const json_t *page, int64_t limit)
{
    const char *cursor = json_string_value(json_object_get(page, "next_cursor"));

    if (!cursor)
        return;
    char *link = xasprintf("</v1/destinations?limit=%lld&cursor=%s>; rel=\"next\"", (long long)limit, cursor);
    request_header(request, "Link", link);
    free(link);
}

void destinations_list(struct request *request)
{
    static const char *const names[] = {"limit", "cursor", NULL};
    json_t *page = NULL;
    int64_t limit;
    int result;

    if (!request_check_query(request, names) || !request_query_int(&limit, request, "limit", 1, 1000, 50))
        return;
    result = destination_page(&page, spool_of(request), request_query(request, "cursor"), (int)limit);
    if (result == ERR_INVALID) {
        request_problem(request, 400, "invalid_parameter", "%s", err_message());
        return;
    }
    if (result < 0) {
        request_error(request, result);
        return;
    }
    add_link(request, page, limit);
    request_reply(request, 200, page);
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
        result = destination_get(&destination, spool_of(request), number);
    if (result == 0)
        request_reply(request, 200, destination_json(&destination));
    reply_result(request, result);
}

void destinations_delete(struct request *request)
{
    char number[NUMBER_SIZE];
    int result = number_normalise(number, request->params[0]);

    if (result == 0)
        result = destination_forget(spool_of(request), number);
    if (result == 0)
        request_reply_empty(request, 204);
    reply_result(request, result);
}
