/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /v1/events: what happened, in order, by cursor or as a stream (web/stream). */
#include "spool/event.h"
#include "web/access.h"
#include "web/api.h"
#include "web/request.h"
#include "web/stream.h"
#include "web/web_private.h"
#include "server/base/log.h"
#include "server/base/str.h"

#include <stdlib.h>

void events_list(struct request *request)
{
    static const char *const names[] = {"limit", "cursor", NULL};
    json_t *events = NULL;
    int64_t limit, cursor, last = 0;
    int result;

    if (!request_check_query(request, names) || !request_query_int(&limit, request, "limit", 1, 1000, 200) ||
        !request_query_int(&cursor, request, "cursor", 0, INT64_MAX, 0))
        return;
    result = access_user(request)
                 ? event_since_of(&events, &last, request->web->options.spool, cursor, (int)limit, access_user(request))
                 : event_since(&events, &last, request->web->options.spool, cursor, (int)limit, 0);
    if (result < 0) {
        request_error(request, result);
        return;
    }
    if (json_array_size(events) == (size_t)limit) {
        char *link = xasprintf("</v1/events?limit=%lld&cursor=%lld>; rel=\"next\"", (long long)limit, (long long)last);
        request_header(request, "Link", link);
        free(link);
    }
    request_reply(request, 200,
                  json_pack("{s:o, s:b, s:o}", "data", events, "has_more", json_array_size(events) == (size_t)limit,
                            "next_cursor", json_sprintf("%lld", (long long)last)));
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
