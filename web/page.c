/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages of lists. */
#include "web/page.h"

#include "web/request.h"
#include "server/base/err.h"
#include "server/base/log.h"

#include <stdlib.h>
#include <string.h>

/* This request's query with another cursor. */
static char *next_link(const struct request *request, const char *cursor)
{
    char *link = xasprintf("<%s?", request->path);
    const struct evkeyval *pair;

    TAILQ_FOREACH(pair, &request->query, next)
    {
        char *name = evhttp_uriencode(pair->key, -1, 0), *value = evhttp_uriencode(pair->value, -1, 0);
        if (name && value && strcmp(pair->key, "cursor") != 0) {
            char *longer = xasprintf("%s%s=%s&", link, name, value);
            free(link);
            link = longer;
        }
        free(name);
        free(value);
    }
    char *whole = xasprintf("%scursor=%s>; rel=\"next\"", link, cursor);
    free(link);
    return whole;
}

void page_link(struct request *request, const json_t *page)
{
    const char *cursor = json_string_value(json_object_get(page, "next_cursor"));
    char *link;

    if (!json_is_true(json_object_get(page, "has_more")) || !cursor)
        return;
    link = next_link(request, cursor);
    request_header(request, "Link", link);
    free(link);
}

void page_send(struct request *request, const json_t *page)
{
    const json_t *text = json_object_get(page, "text");

    page_link(request, page);
    request_reply_text(request, 200, "application/json", json_string_value(text), json_string_length(text));
}

void page_read(struct request *request, int (*read)(json_t **page, struct spool *spool, const char *cursor, int limit))
{
    static const char *const names[] = {"limit", "cursor", NULL};
    json_t *page = NULL;
    int64_t limit;

    if (!request_check_query(request, names) || !request_query_int(&limit, request, "limit", 1, 1000, 50))
        return;
    if (read(&page, request_spool(request), request_query(request, "cursor"), (int)limit) < 0) {
        request_problem(request, 400, "invalid_parameter", "%s", err_message());
        return;
    }
    page_link(request, page);
    request_reply(request, 200, page);
}

void page_reply(void *context, int error, json_t *page)
{
    struct request *request = context;

    if (error) {
        request_error(request, error);
    } else {
        page_send(request, page);
    }
    request_finish(request);
}

void page_wait(struct request *request, int result)
{
    if (result == 0)
        request_wait(request);
    else if (result == ERR_INVALID)
        request_problem(request, 400, "invalid_parameter", "%s", err_message());
    else if (result == ERR_FULL)
        request_problem(request, 503, "busy", "%s", err_message());
    else
        request_error(request, result);
}
