/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Event streams. The store's announcements come after their commit; so does everything read from it here. */
#include "web/stream.h"

#include "spool/event.h"
#include "spool/spool.h"
#include "web/access.h"
#include "web/request.h"
#include "web/web_private.h"
#include "server/base/log.h"

#include <event2/bufferevent.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 100

struct stream {
    LIST_ENTRY(stream) entry;
    struct streams *streams;     /* NULL once these are gone */
    struct evhttp_request *http; /* NULL once the reader is gone */
    struct gate *gate;
    struct access_pass pass;
    int64_t last; /* sequence sent, -1 = none yet */
    int64_t user; /* row of the user whose events alone are sent, 0 = all */
    bool behind;  /* fed from the store */
    bool looking; /* a look into the store is due after the commit; it holds the struct */
};

LIST_HEAD(stream_list, stream);

struct streams {
    struct web *web;
    struct stream_list list;
    int count;
    struct event *heartbeat;
};

static void stream_free(struct stream *stream)
{
    if (!stream->looking)
        free(stream);
}

static void leave(struct stream *stream)
{
    struct streams *streams = stream->streams;

    LIST_REMOVE(stream, entry);
    if (--streams->count == 0)
        evtimer_del(streams->heartbeat);
}

static void end(struct stream *stream)
{
    stream->http = NULL;
    stream->gate = NULL;
    leave(stream);
    stream_free(stream);
}

/* The reader went away. */
static void on_closed(void *context)
{
    struct stream *stream = context;

    request_http_closed(stream->http);
    end(stream);
}

static size_t unread(const struct stream *stream)
{
    struct evhttp_connection *connection = evhttp_request_get_connection(stream->http);

    return evbuffer_get_length(bufferevent_get_output(evhttp_connection_get_bufferevent(connection)));
}

static void look_soon(struct stream *stream);

/* The connection's output has drained. */
static void on_drained(struct evhttp_connection *connection, void *context)
{
    struct stream *stream = context;

    (void)connection;
    if (stream->behind)
        look_soon(stream);
}

static void send_chunk(struct stream *stream, struct evbuffer *buffer)
{
    evhttp_send_reply_chunk_with_cb(stream->http, buffer, on_drained, stream);
}

static void send_event(struct stream *stream, int64_t sequence, const char *type, const char *body)
{
    struct evbuffer *buffer = evbuffer_new();

    if (!buffer)
        return;
    evbuffer_add_printf(buffer, "id: %lld\nevent: %s\ndata: %s\n\n", (long long)sequence, type, body);
    send_chunk(stream, buffer);
    evbuffer_free(buffer);
    stream->last = sequence;
}

static void send_stored(struct stream *stream, json_t *event)
{
    const char *type = json_string_value(json_object_get(event, "type"));
    int64_t sequence = json_integer_value(json_object_get(event, "sequence"));
    char *body;

    json_object_del(event, "id"); /* the same body as when it was new */
    body = json_dumps(event, JSON_COMPACT);
    if (body && type)
        send_event(stream, sequence, type, body);
    free(body);
}

static int read_events(json_t **events, int64_t *last, const struct stream *stream)
{
    const struct event_range range = {.after = stream->last, .limit = BATCH, .user = stream->user};

    return event_since(events, last, stream->streams->web->options.spool, &range);
}

/* After the commit: feed a stream that is behind, as much as its connection takes now. */
static void look(struct stream *stream)
{
    json_t *events = NULL, *event;
    int64_t last;
    size_t index;

    while (stream->behind && unread(stream) < STREAM_BUFFER_BYTES) {
        if (read_events(&events, &last, stream) < 0)
            return; /* tried again with the next event */
        json_array_foreach(events, index, event) send_stored(stream, event);
        stream->behind = json_array_size(events) == BATCH;
        json_decref(events);
    }
}

static void on_looked(void *context, int error)
{
    struct stream *stream = context;

    stream->looking = false;
    if (!stream->streams || !stream->http)
        stream_free(stream);
    else if (!error)
        look(stream);
}

static void look_soon(struct stream *stream)
{
    if (stream->looking)
        return;
    stream->looking = true;
    spool_after_commit(stream->streams->web->options.spool, on_looked, stream);
}

static void on_event(void *context, int64_t sequence, const char *type, const char *body, int64_t user)
{
    struct streams *streams = context;
    struct stream *stream;

    LIST_FOREACH(stream, &streams->list, entry)
    {
        if (stream->user && stream->user != user) {
            continue;
        } else if (stream->behind) {
            look_soon(stream);
        } else if (sequence <= stream->last) {
            continue;
        } else if (stream->last >= 0 && unread(stream) > STREAM_BUFFER_BYTES) {
            stream->behind = true; /* the store keeps it until this reader comes round */
        } else {
            send_event(stream, sequence, type, body);
        }
    }
}

static void end_stream(struct stream *stream)
{
    struct evhttp_connection *connection = evhttp_request_get_connection(stream->http);

    gate_on_close(stream->gate, NULL, NULL);
    end(stream);
    evhttp_connection_free(connection); /* frees its request as well */
}

void streams_review(struct streams *streams)
{
    struct stream *stream = LIST_FIRST(&streams->list), *next;

    for (; stream; stream = next) {
        next = LIST_NEXT(stream, entry);
        if (!access_lasts(streams->web->options.spool, &stream->pass))
            end_stream(stream);
    }
}

void streams_end_key(struct streams *streams, int64_t key)
{
    struct stream *stream = LIST_FIRST(&streams->list), *next;

    for (; stream; stream = next) {
        next = LIST_NEXT(stream, entry);
        if (stream->pass.key == key)
            end_stream(stream);
    }
}

/* A comment keeps proxies from closing the connection, and finds out when the other side is gone without a word. */
static void on_heartbeat(evutil_socket_t fd, short what, void *context)
{
    struct streams *streams = context;
    struct stream *stream;
    struct evbuffer *buffer = evbuffer_new();

    (void)fd, (void)what;
    streams_review(streams);
    LIST_FOREACH(stream, &streams->list, entry)
    {
        if (!buffer || unread(stream) > 0)
            continue;
        evbuffer_add(buffer, ":\n\n", 3);
        send_chunk(stream, buffer);
    }
    if (buffer)
        evbuffer_free(buffer);
}

/* A part of all connections, so that there are some left for who asks and sends. */
static int most(const struct streams *streams)
{
    return streams->web->options.connections_max / 4 * 3;
}

static int count_of_user(const struct streams *streams, int64_t user)
{
    const struct stream *stream;
    int count = 0;

    LIST_FOREACH(stream, &streams->list, entry)
    count += stream->pass.user == user;
    return count;
}

void stream_open(struct streams *streams, struct request *request, int64_t last)
{
    static const char hello[] = "retry: 2000\n\n";
    struct timeval period = {STREAM_HEARTBEAT_S, 0};
    struct stream *stream;
    struct evbuffer *buffer;

    if (request->user.id && count_of_user(streams, request->user.id) >= STREAMS_OF_A_USER) {
        request_problem(request, 429, "too_many_streams", "%d event streams of %s are open already", STREAMS_OF_A_USER,
                        request->user.name);
        return;
    }
    if (streams->count >= most(streams)) {
        request_problem(request, 503, "too_many_streams", "%d event streams are open already", streams->count);
        return;
    }
    stream = xcalloc(1, sizeof *stream);
    stream->streams = streams;
    stream->gate = request->gate;
    access_pass_take(&stream->pass, request);
    stream->last = last;
    stream->user = access_user(request);
    stream->behind = last >= 0;
    request_header(request, "X-Accel-Buffering", "no"); /* or a proxy keeps the events to itself */
    stream->http = request_stream(request, "text/event-stream");
    gate_stream(stream->gate, on_closed, stream);
    LIST_INSERT_HEAD(&streams->list, stream, entry);
    if (streams->count++ == 0)
        evtimer_add(streams->heartbeat, &period);
    if ((buffer = evbuffer_new()) != NULL) {
        evbuffer_add(buffer, hello, sizeof hello - 1);
        send_chunk(stream, buffer);
        evbuffer_free(buffer);
    }
    if (stream->behind)
        look_soon(stream);
}

struct streams *streams_new(struct web *web)
{
    struct streams *streams = xcalloc(1, sizeof *streams);

    streams->web = web;
    LIST_INIT(&streams->list);
    streams->heartbeat = event_new(web->options.base, -1, EV_PERSIST, on_heartbeat, streams);
    event_listen(web->options.spool, on_event, streams);
    return streams;
}

/* The connections are closed already, so that no stream is left but those that wait for a commit. */
void streams_free(struct streams *streams)
{
    struct stream *stream;

    if (!streams)
        return;
    event_listen(streams->web->options.spool, NULL, NULL);
    while ((stream = LIST_FIRST(&streams->list)) != NULL) {
        LIST_REMOVE(stream, entry);
        stream->streams = NULL;
        stream_free(stream);
    }
    event_free(streams->heartbeat);
    free(streams);
}

int streams_count(const struct streams *streams)
{
    return streams->count;
}
