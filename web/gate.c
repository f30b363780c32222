/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads whole requests for evhttp: the first station of everything that comes in by HTTP. This file is the life of one
 * connection; gates.c has what they share.
 *
 * How it sits there: evhttp gets a socket bufferevent made here, whose input buffer has a callback of ours. What the
 * socket delivers is moved out of that buffer before evhttp's read callback runs, and a clean head is put in when a
 * request is whole. evhttp disables reading while a handler works, so that pipelined requests wait in the socket. */
#include "web/gate_private.h"
#include "web/tls.h"

#include "server/base/clock.h"
#include "server/base/log.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define RAW_MAX_BYTES 65536 /* pipelined octets kept while a reply is under way */
#define LINGER_MAX    ((size_t)16 << 20)

void gate_set_idle(struct gate *gate, bool reading)
{
    struct timeval idle = {GATE_IDLE_S, 0};

    bufferevent_set_timeouts(gate->bev, reading ? &idle : NULL, &idle);
}

void gate_release(struct gate *gate)
{
    gate->gates->memory -= gate->charged;
    gate->charged = 0;
    if (gate->body)
        evbuffer_drain(gate->body, evbuffer_get_length(gate->body));
}

/* --- a whole or refused request goes to evhttp --- */

static void deliver(struct gate *gate)
{
    struct evbuffer *input = bufferevent_get_input(gate->bev);
    const char *method = strcmp(gate->head.method, "HEAD") == 0 ? "HEAD" : "GET"; /* evhttp has to know of no body */
    bool was_busy = gate->busy;

    gate->busy = true;
    gates_clear_deadline(gate);
    gate_set_idle(gate, false);
    gate->state = GATE_SERVING;
    if (!gate->gates->limits.tls)
        evbuffer_unfreeze(input, 0); /* only the socket may add to it otherwise; that of TLS does so as we do */
    if (gate->head.clean)
        evbuffer_add(input, gate->head.clean, strlen(gate->head.clean));
    else
        evbuffer_add_printf(input, "%s / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", method);
    if (!gate->gates->limits.tls)
        evbuffer_freeze(input, 0);
    gate->busy = was_busy;
}

static void refuse(struct gate *gate, enum gate_refusal refusal, bool unread)
{
    gate->refusal = refusal;
    gate->unread = unread;
    gate_release(gate);
    deliver(gate);
}

/* --- head --- */

static enum gate_refusal refusal_of(enum head_fault fault)
{
    switch (fault) {
    case HEAD_OK:
        return GATE_OK;
    case HEAD_SYNTAX:
        return GATE_BAD_HEAD;
    case HEAD_FRAMING:
        return GATE_BAD_FRAMING;
    case HEAD_METHOD:
        return GATE_BAD_METHOD;
    case HEAD_CODING:
        return GATE_BAD_CODING;
    case HEAD_EXPECTATION:
        return GATE_BAD_EXPECT;
    case HEAD_VERSION:
        return GATE_BAD_VERSION;
    }
    return GATE_BAD_HEAD;
}

static bool method_has_body(const char *method)
{
    return strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 || strcmp(method, "PATCH") == 0;
}

/* Whether the body may come, before any of it is read. */
static enum gate_refusal admit(struct gate *gate)
{
    const struct gate_limits *limits = &gate->gates->limits;

    if (!method_has_body(gate->head.method)) /* nothing here takes one; evhttp would take it for the next request */
        return GATE_BAD_FRAMING;
    gate->body_max = limits->admit(limits->context, gate, gate->head.authorization, gate->head.cookie);
    if (gate->body_max == 0)
        return GATE_NOT_ADMITTED;
    if (gate->head.length > 0 && (uint64_t)gate->head.length > gate->body_max)
        return GATE_BODY_SIZE;
    if (gate->head.length > 0 && !gates_charge(gate, (size_t)gate->head.length))
        return GATE_MEMORY;
    return GATE_OK;
}

static void begin_body(struct gate *gate)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    int64_t expected = gate->head.chunked ? (int64_t)gate->body_max : gate->head.length;

    /* Straight to the socket: nothing else is under way on it, and evhttp's write callback must not run now. When the
     * few octets do not fit, the client goes on by itself after a moment (RFC 9110 10.1.1). */
    if (gate->head.expects_continue && evbuffer_get_length(gate->raw) == 0) {
        if (gate->gates->limits.tls)
            tls_send_now(gate->bev, go_on, sizeof go_on - 1);
        else
            (void)!send(gate->fd, go_on, sizeof go_on - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    gate->state = GATE_BODY;
    gate->chunked = (struct chunked){0};
    gates_set_deadline(gate, GATE_BODY_MS + expected / GATE_BODY_RATE * 1000);
}

static void find_client(struct gate *gate)
{
    const struct forwarded_proxies *proxies = gate->gates->limits.proxies;

    forwarded_client(&gate->client, proxies, &gate->peer,
                     proxies->rfc7239 ? gate->head.forwarded : gate->head.forwarded_for);
}

static void head_is_whole(struct gate *gate, size_t size)
{
    char text[HEAD_MAX_BYTES];
    enum gate_refusal refusal;

    evbuffer_remove(gate->raw, text, size);
    gate->searched = 0;
    refusal = refusal_of(head_parse(&gate->head, text, size));
    find_client(gate);
    if (refusal != GATE_OK) {
        refuse(gate, refusal, true);
        return;
    }
    if (gate->is_over) {
        refuse(gate, GATE_CONNECTIONS, gate->head.chunked || gate->head.length > 0);
        return;
    }
    if (!gate->head.chunked && gate->head.length <= 0) {
        deliver(gate);
        return;
    }
    if ((refusal = admit(gate)) != GATE_OK)
        refuse(gate, refusal, true);
    else
        begin_body(gate);
}

/* True when there is more to do with what is here. */
static bool read_head(struct gate *gate)
{
    struct evbuffer_ptr from, end;
    size_t have = evbuffer_get_length(gate->raw);
    char first;

    /* Empty lines before a request are read over (RFC 9112 2.2). */
    while (have > 0 && gate->searched == 0 && evbuffer_copyout(gate->raw, &first, 1) == 1 &&
           (first == '\r' || first == '\n')) {
        evbuffer_drain(gate->raw, 1);
        have--;
    }
    if (have == 0)
        return false;
    if (!gate->is_timed)
        gates_set_deadline(gate, GATE_HEAD_MS);
    evbuffer_ptr_set(gate->raw, &from, gate->searched > 3 ? gate->searched - 3 : 0, EVBUFFER_PTR_SET);
    end = evbuffer_search(gate->raw, "\r\n\r\n", 4, &from);
    if (end.pos >= 0 && end.pos + 4 <= HEAD_MAX_BYTES) {
        head_is_whole(gate, (size_t)end.pos + 4);
        return true;
    }
    if (have > HEAD_MAX_BYTES) {
        refuse(gate, GATE_HEAD_SIZE, true);
        return true;
    }
    gate->searched = have;
    return false;
}

/* --- body --- */

static bool read_chunked(struct gate *gate)
{
    size_t before = evbuffer_get_length(gate->body);
    int result = chunked_decode(&gate->chunked, gate->raw, gate->body);
    size_t after = evbuffer_get_length(gate->body);

    if (result < 0)
        refuse(gate, GATE_BAD_FRAMING, true);
    else if (after > gate->body_max)
        refuse(gate, GATE_BODY_SIZE, true);
    else if (!gates_charge(gate, after - before))
        refuse(gate, GATE_MEMORY, true);
    else if (result > 0)
        deliver(gate);
    else
        return false;
    return true;
}

static bool read_body(struct gate *gate)
{
    size_t missing;

    if (gate->head.chunked)
        return read_chunked(gate);
    missing = (size_t)gate->head.length - evbuffer_get_length(gate->body);
    evbuffer_remove_buffer(gate->raw, gate->body, missing);
    if (evbuffer_get_length(gate->body) < (size_t)gate->head.length)
        return false;
    deliver(gate);
    return true;
}

static bool read_over(struct gate *gate)
{
    size_t have = evbuffer_get_length(gate->raw);

    evbuffer_drain(gate->raw, have);
    gate->lingered += have;
    /* The next tick ends it, not this call, which may come from inside the connection's own read. */
    gate->deadline = clock_mono_ms() + GATE_QUIET_MS;
    if (gate->deadline > gate->linger_until)
        gate->deadline = gate->linger_until;
    if (gate->lingered > LINGER_MAX)
        gate->deadline = 0;
    return false;
}

static bool keep_for_later(struct gate *gate)
{
    if (evbuffer_get_length(gate->raw) > RAW_MAX_BYTES) {
        evbuffer_drain(gate->raw, evbuffer_get_length(gate->raw));
        gate->overran = true;
    }
    return false;
}

static void work(struct gate *gate)
{
    bool more = true;

    while (more) {
        switch (gate->state) {
        case GATE_HANDSHAKE: /* what it delivers has come through */
            gates_clear_deadline(gate);
            gate->state = GATE_HEAD;
            break;
        case GATE_HEAD:
            more = read_head(gate);
            break;
        case GATE_BODY:
            more = read_body(gate);
            break;
        case GATE_SERVING:
            more = keep_for_later(gate);
            break;
        case GATE_STREAMING: /* never comes here */
            more = false;
            break;
        case GATE_LINGERING:
            more = read_over(gate);
            break;
        }
    }
}

static void on_input(struct evbuffer *input, const struct evbuffer_cb_info *info, void *context)
{
    struct gate *gate = context;

    if (gate->busy || info->n_added == 0)
        return;
    if (gate->state == GATE_STREAMING) {
        evbuffer_drain(input, evbuffer_get_length(input));
        return;
    }
    gate->busy = true;
    evbuffer_add_buffer(gate->raw, input);
    work(gate);
    gate->busy = false;
}

/* --- between requests --- */

static void next_request(struct gate *gate)
{
    gate_release(gate);
    head_clear(&gate->head);
    gate_set_idle(gate, true);
    gate->state = GATE_HEAD;
    gate->refusal = GATE_OK;
    gate->unread = false;
    gate->searched = 0;
    gate->closed = NULL;
    if (gate->overran) /* what was dropped is missing: nothing sensible can follow */
        refuse(gate, GATE_BAD_FRAMING, true);
    else
        work(gate);
}

/* evhttp is ready for the next request, and some of it may be here already. */
static void on_resume(evutil_socket_t fd, short what, void *context)
{
    struct gate *gate = context;

    (void)fd, (void)what;
    next_request(gate);
    if (gate->state == GATE_SERVING)
        bufferevent_trigger(gate->bev, EV_READ, 0);
}

/* Called by evhttp when a reply is out; then it either closes the connection (and this event with it) or goes on. */
void gate_on_complete(struct evhttp_request *http, void *context)
{
    struct gate *gate = context;

    (void)http;
    gate->closed = NULL;
    gates_clear_deadline(gate);
    event_active(gate->resume, EV_TIMEOUT, 1);
}

void gate_linger(struct gate *gate, void (*done)(void *context), void *context)
{
    gate->state = GATE_LINGERING;
    gate->lingered = 0;
    gate->lingered_fn = done;
    gate->lingered_context = context;
    gate->linger_until = clock_mono_ms() + GATE_LINGER_MS;
    gates_set_deadline(gate, GATE_QUIET_MS);
    read_over(gate);
}

void gate_too_late(struct gate *gate)
{
    gates_clear_deadline(gate);
    if (gate->state == GATE_LINGERING) {
        gate->lingered_fn(gate->lingered_context);
        return;
    }
    if (gate->state == GATE_HANDSHAKE) {
        /* Nobody is there to be told in words; evhttp closes as if the other side had. */
        gate->state = GATE_HEAD;
        if (!tls_is_through(gate->bev))
            bufferevent_trigger_event(gate->bev, BEV_EVENT_EOF | BEV_EVENT_READING, 0);
        return;
    }
    refuse(gate, GATE_SLOW, true);
    bufferevent_trigger(gate->bev, EV_READ, 0);
}

/* --- its life --- */

struct gate *gate_new(struct gates *gates, struct bufferevent *bev)
{
    struct gate *gate = xcalloc(1, sizeof *gate);
    struct event_base *base = bufferevent_get_base(bev);

    gate->gates = gates;
    gate->bev = bev;
    gate->state = gates->limits.tls ? GATE_HANDSHAKE : GATE_HEAD;
    gate->fd = -1;
    gate->head.length = -1;
    gate->raw = evbuffer_new();
    gate->body = evbuffer_new();
    gate->resume = event_new(base, -1, 0, on_resume, gate);
    if (!gate->raw || !gate->body || !gate->resume)
        abort(); /* as xcalloc: out of memory for something small */
    evbuffer_add_cb(bufferevent_get_input(bev), on_input, gate);
    bufferevent_incref(bev);
    return gate;
}

/* What only requests need. */
static void free_requests(struct gate *gate)
{
    if (!gate->raw)
        return;
    event_free(gate->resume);
    evbuffer_free(gate->raw);
    evbuffer_free(gate->body);
    gate->resume = NULL;
    gate->raw = gate->body = NULL;
}

/* The bufferevent may outlive its connection for a moment (a reference held up the stack). */
void gate_free(struct gate *gate)
{
    evbuffer_remove_cb(bufferevent_get_input(gate->bev), on_input, gate);
    gates_clear_deadline(gate);
    gate_release(gate);
    gates_forget(gate);
    head_clear(&gate->head);
    free_requests(gate);
    free(gate);
}

enum gate_refusal gate_refusal(const struct gate *gate)
{
    return gate->refusal;
}

const char *gate_method(const struct gate *gate)
{
    return gate->head.method;
}

const char *gate_target(const struct gate *gate)
{
    return gate->head.target ? gate->head.target : "/";
}

const struct address *gate_client(const struct gate *gate)
{
    return &gate->client;
}

struct evbuffer *gate_body(struct gate *gate)
{
    return gate->body;
}

bool gate_has_unread(const struct gate *gate)
{
    return gate->unread;
}

void gate_on_close(struct gate *gate, void (*closed)(void *context), void *context)
{
    gate->closed = closed;
    gate->closed_context = context;
}

void gate_stream(struct gate *gate, void (*closed)(void *context), void *context)
{
    gate_release(gate);
    head_clear(&gate->head);
    free_requests(gate);
    gate->state = GATE_STREAMING;
    gate_on_close(gate, closed, context);
}
