/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /v1/events: what happened, in order, by cursor or as a stream (web/stream). */
#include "spool/event.h"
#include "web/access.h"
#include "web/api.h"
#include "web/page.h"
#include "web/request.h"
#include "web/stream.h"
#include "web/web_private.h"
#include "server/base/str.h"

void events_list(struct request *request)
{
    static const char *const names[] = {"limit", "cursor", NULL};
    struct event_range range = {.user = access_user(request)};
    int64_t limit;

    if (!request_check_query(request, names) || !request_query_int(&limit, request, "limit", 1, 1000, 200) ||
        !request_query_int(&range.after, request, "cursor", 0, INT64_MAX, 0))
        return;
    range.limit = (int)limit;
    page_wait(request, event_list(request_spool(request), &range, page_reply, request));
}

void events_stream(struct request *request)
{
    static const char *const names[] = {"cursor", NULL};
    const char *seen = request_header_in(request, "Last-Event-ID");
    int64_t last;

    if (!request_check_query(request, names) || !request_query_int(&last, request, "cursor", 0, INT64_MAX, -1))
        return;
    if (seen && str_to_int(&last, seen, 0, INT64_MAX) < 0) {
        request_problem(request, 400, "invalid_last_event_id", "Last-Event-ID is not the id of an event");
        return;
    }
    stream_open(request->web->streams, request, last);
}
