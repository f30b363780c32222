/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads whole requests for evhttp: the first station of everything that comes in by HTTP.
 *
 * How it sits there: evhttp gets a socket bufferevent made here, whose input buffer has a callback of ours. What the
 * socket delivers is moved out of that buffer before evhttp's read callback runs, and a clean head is put in when a
 * request is whole. Two facts of libevent 2.1 are leant on: the argument of the bufferevent's callbacks is the
 * evhttp_connection (there is no other way to learn of a connection before its first request, and so to count it), and
 * evhttp disables reading while a handler works, so that pipelined requests wait in the socket. */
#include "web/gate.h"

#include "web/chunked.h"
#include "web/head.h"
#include "server/base/clock.h"
#include "server/base/log.h"

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>

#define TICK_MS       500
#define RAW_MAX_BYTES 65536 /* pipelined octets kept while a reply is under way */
#define LINGER_MAX    ((size_t)16 << 20)

enum gate_state {
    GATE_HEAD,     /* reading a head, or idle between requests */
    GATE_BODY,     /* reading its body */
    GATE_SERVING,  /* evhttp and a handler have it */
    GATE_LINGERING /* reply sent, reading over the rest */
};

struct gate {
    LIST_ENTRY(gate) all;
    LIST_ENTRY(gate) timed;
    struct gates *gates;
    struct bufferevent *bev; /* a reference of ours until adopted, then evhttp's alone */
    struct evhttp_connection *connection;
    struct event *adopt, *resume;
    evutil_socket_t fd;
    enum gate_state state;
    bool busy; /* the input callback changes its own buffer */
    bool is_timed;
    bool is_over; /* past connections_max */
    bool overran; /* pipelined more than is kept */
    bool unread;
    enum gate_refusal refusal;
    struct head head;
    struct chunked chunked;
    size_t searched; /* octets of `raw` without an end of head */
    size_t body_max, charged, lingered;
    int64_t deadline; /* monotonic ms */
    int64_t linger_until;
    struct evbuffer *raw; /* as it came */
    struct evbuffer *body;
    void (*closed)(void *context);
    void *closed_context;
    void (*lingered_fn)(void *context);
    void *lingered_context;
};

LIST_HEAD(gate_list, gate);

struct gates {
    struct event_base *base;
    struct gate_limits limits;
    struct gate_list all, timed;
    struct event *tick;
    struct evconnlistener *listener;
    bool listening;
    struct gate **by_fd;
    int by_fd_room;
    int connections;
    size_t memory;
};

/* --- time: one timer, only while some gate has a deadline --- */

static void set_deadline(struct gate *gate, int64_t after_ms)
{
    struct timeval tick = {0, TICK_MS * 1000};

    gate->deadline = clock_mono_ms() + after_ms;
    if (gate->is_timed)
        return;
    gate->is_timed = true;
    LIST_INSERT_HEAD(&gate->gates->timed, gate, timed);
    if (!evtimer_pending(gate->gates->tick, NULL))
        evtimer_add(gate->gates->tick, &tick);
}

static void clear_deadline(struct gate *gate)
{
    if (gate->is_timed)
        LIST_REMOVE(gate, timed);
    gate->is_timed = false;
}

/* While a reply is made and sent, a client that says nothing is not idle: evhttp's own time for reading would cut a
 * slow download, or an event stream. */
static void set_idle(struct gate *gate, bool reading)
{
    struct timeval idle = {GATE_IDLE_S, 0};

    bufferevent_set_timeouts(gate->bev, reading ? &idle : NULL, &idle);
}

/* --- memory of bodies --- */

static bool charge(struct gate *gate, size_t size)
{
    if (size > gate->gates->limits.memory_max - gate->gates->memory)
        return false;
    gate->gates->memory += size;
    gate->charged += size;
    return true;
}

void gate_release(struct gate *gate)
{
    gate->gates->memory -= gate->charged;
    gate->charged = 0;
    evbuffer_drain(gate->body, evbuffer_get_length(gate->body));
}

/* --- a whole or refused request goes to evhttp --- */

static void deliver(struct gate *gate)
{
    struct evbuffer *input = bufferevent_get_input(gate->bev);
    const char *method = strcmp(gate->head.method, "HEAD") == 0 ? "HEAD" : "GET"; /* evhttp has to know of no body */
    bool was_busy = gate->busy;

    gate->busy = true;
    clear_deadline(gate);
    set_idle(gate, false);
    gate->state = GATE_SERVING;
    evbuffer_unfreeze(input, 0); /* only the socket may add to it otherwise */
    if (gate->head.clean)
        evbuffer_add(input, gate->head.clean, strlen(gate->head.clean));
    else
        evbuffer_add_printf(input, "%s / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", method);
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
    gate->body_max = limits->admit(limits->context, gate->head.method, gate->head.target, gate->head.authorization);
    if (gate->body_max == 0)
        return GATE_NOT_ADMITTED;
    if (gate->head.length > 0 && (uint64_t)gate->head.length > gate->body_max)
        return GATE_BODY_SIZE;
    if (gate->head.length > 0 && !charge(gate, (size_t)gate->head.length))
        return GATE_MEMORY;
    return GATE_OK;
}

static void begin_body(struct gate *gate)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    int64_t expected = gate->head.chunked ? (int64_t)gate->body_max : gate->head.length;

    /* Straight to the socket: nothing else is under way on it, and evhttp's write callback must not run now. When the
     * few octets do not fit, the client goes on by itself after a moment (RFC 9110 10.1.1). */
    if (gate->head.expects_continue && evbuffer_get_length(gate->raw) == 0)
        (void)!send(gate->fd, go_on, sizeof go_on - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    gate->state = GATE_BODY;
    gate->chunked = (struct chunked){0};
    set_deadline(gate, GATE_BODY_MS + expected / GATE_BODY_RATE * 1000);
}

static void head_is_whole(struct gate *gate, size_t size)
{
    char text[HEAD_MAX_BYTES];
    enum gate_refusal refusal;

    evbuffer_remove(gate->raw, text, size);
    gate->searched = 0;
    refusal = refusal_of(head_parse(&gate->head, text, size));
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
        set_deadline(gate, GATE_HEAD_MS);
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
    else if (!charge(gate, after - before))
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
        case GATE_HEAD:
            more = read_head(gate);
            break;
        case GATE_BODY:
            more = read_body(gate);
            break;
        case GATE_SERVING:
            more = keep_for_later(gate);
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
    set_idle(gate, true);
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
static void on_complete(struct evhttp_request *http, void *context)
{
    struct gate *gate = context;

    (void)http;
    gate->closed = NULL;
    clear_deadline(gate);
    event_active(gate->resume, EV_TIMEOUT, 1);
}

void gate_linger(struct gate *gate, void (*done)(void *context), void *context)
{
    gate->state = GATE_LINGERING;
    gate->lingered = 0;
    gate->lingered_fn = done;
    gate->lingered_context = context;
    gate->linger_until = clock_mono_ms() + GATE_LINGER_MS;
    set_deadline(gate, GATE_QUIET_MS);
    read_over(gate);
}

static void too_late(struct gate *gate)
{
    clear_deadline(gate);
    if (gate->state == GATE_LINGERING) {
        gate->lingered_fn(gate->lingered_context);
        return;
    }
    refuse(gate, GATE_SLOW, true);
    bufferevent_trigger(gate->bev, EV_READ, 0);
}

static void on_tick(evutil_socket_t fd, short what, void *context)
{
    struct gates *gates = context;
    struct timeval tick = {0, TICK_MS * 1000};
    int64_t now = clock_mono_ms();
    struct gate *gate, *next;

    (void)fd, (void)what;
    for (gate = LIST_FIRST(&gates->timed); gate; gate = next) {
        next = LIST_NEXT(gate, timed); /* too_late() takes only `gate` off the list */
        if (gate->deadline <= now)
            too_late(gate);
    }
    if (!LIST_EMPTY(&gates->timed))
        evtimer_add(gates->tick, &tick);
}

/* --- connections --- */

static void watch_listener(struct gates *gates)
{
    bool room = gates->connections < gates->limits.connections_max + GATE_CONNECTION_OVER;

    if (!gates->listener || room == gates->listening)
        return;
    gates->listening = room;
    if (room)
        evconnlistener_enable(gates->listener);
    else
        evconnlistener_disable(gates->listener);
}

static void forget_fd(struct gate *gate)
{
    struct gates *gates = gate->gates;

    if (gate->fd >= 0 && gate->fd < gates->by_fd_room && gates->by_fd[gate->fd] == gate)
        gates->by_fd[gate->fd] = NULL;
}

static void gate_free(struct gate *gate)
{
    struct gates *gates = gate->gates;

    clear_deadline(gate);
    gate_release(gate);
    forget_fd(gate);
    LIST_REMOVE(gate, all);
    gates->connections--;
    head_clear(&gate->head);
    event_free(gate->adopt);
    event_free(gate->resume);
    evbuffer_free(gate->raw);
    evbuffer_free(gate->body);
    free(gate);
    watch_listener(gates);
}

static void on_connection_closed(struct evhttp_connection *connection, void *context)
{
    struct gate *gate = context;
    void (*closed)(void *) = gate->closed;

    (void)connection;
    gate->closed = NULL;
    if (closed)
        closed(gate->closed_context);
    /* The bufferevent may outlive the connection for a moment (a reference held up the stack). */
    evbuffer_remove_cb(bufferevent_get_input(gate->bev), on_input, gate);
    gate_free(gate);
}

static void remember_fd(struct gate *gate)
{
    struct gates *gates = gate->gates;

    gate->fd = bufferevent_getfd(gate->bev);
    if (gate->fd >= gates->by_fd_room) {
        int room = gate->fd + 64;
        gates->by_fd = xrealloc(gates->by_fd, (size_t)room * sizeof *gates->by_fd);
        memset(gates->by_fd + gates->by_fd_room, 0, (size_t)(room - gates->by_fd_room) * sizeof *gates->by_fd);
        gates->by_fd_room = room;
    }
    gates->by_fd[gate->fd] = gate;
}

/* Runs in the same turn in which the connection was accepted, before its socket is looked at. */
static void on_adopt(evutil_socket_t fd, short what, void *context)
{
    struct gate *gate = context;
    void *connection = NULL;

    (void)fd, (void)what;
    bufferevent_getcb(gate->bev, NULL, NULL, NULL, &connection);
    if (!connection) { /* evhttp gave it up: no descriptor or memory */
        evbuffer_remove_cb(bufferevent_get_input(gate->bev), on_input, gate);
        bufferevent_decref(gate->bev);
        gate_free(gate);
        return;
    }
    gate->connection = connection;
    evhttp_connection_set_closecb(connection, on_connection_closed, gate);
    remember_fd(gate);
    set_idle(gate, true);
    bufferevent_decref(gate->bev);
}

/* evhttp asks for the bufferevent of a connection that it has just accepted. */
static struct bufferevent *on_accept(struct event_base *base, void *context)
{
    struct gates *gates = context;
    struct bufferevent *bev = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
    struct gate *gate;

    if (!bev)
        return NULL; /* evhttp then tries itself, and fails as well */
    gate = xcalloc(1, sizeof *gate);
    gate->gates = gates;
    gate->bev = bev;
    gate->fd = -1;
    gate->head.length = -1;
    gate->raw = evbuffer_new();
    gate->body = evbuffer_new();
    gate->adopt = event_new(base, -1, 0, on_adopt, gate);
    gate->resume = event_new(base, -1, 0, on_resume, gate);
    if (!gate->raw || !gate->body || !gate->adopt || !gate->resume)
        abort(); /* as xcalloc: out of memory for something small */
    LIST_INSERT_HEAD(&gates->all, gate, all);
    gate->is_over = ++gates->connections > gates->limits.connections_max;
    evbuffer_add_cb(bufferevent_get_input(bev), on_input, gate);
    bufferevent_incref(bev);
    event_active(gate->adopt, EV_TIMEOUT, 1);
    watch_listener(gates);
    return bev;
}

struct gates *gates_new(struct event_base *base, struct evhttp *http, const struct gate_limits *limits)
{
    struct gates *gates = xcalloc(1, sizeof *gates);

    gates->base = base;
    gates->limits = *limits;
    gates->listening = true;
    gates->tick = evtimer_new(base, on_tick, gates);
    evhttp_set_bevcb(http, on_accept, gates);
    return gates;
}

void gates_free(struct gates *gates)
{
    struct gate *gate, *next;

    if (!gates)
        return;
    gates->listener = NULL;
    /* What is left was accepted in this very turn and never adopted. */
    for (gate = LIST_FIRST(&gates->all); gate; gate = next) {
        next = LIST_NEXT(gate, all);
        evbuffer_remove_cb(bufferevent_get_input(gate->bev), on_input, gate);
        bufferevent_decref(gate->bev);
        gate_free(gate);
    }
    event_free(gates->tick);
    free(gates->by_fd);
    free(gates);
}

void gates_set_listener(struct gates *gates, struct evhttp_bound_socket *socket)
{
    gates->listener = socket ? evhttp_bound_socket_get_listener(socket) : NULL;
}

int gates_connections(const struct gates *gates)
{
    return gates->connections;
}

size_t gates_memory(const struct gates *gates)
{
    return gates->memory;
}

struct gate *gates_find(struct gates *gates, struct evhttp_request *http)
{
    struct evhttp_connection *connection = evhttp_request_get_connection(http);
    evutil_socket_t fd = bufferevent_getfd(evhttp_connection_get_bufferevent(connection));
    struct gate *gate = fd >= 0 && fd < gates->by_fd_room ? gates->by_fd[fd] : NULL;

    if (gate)
        evhttp_request_set_on_complete_cb(http, on_complete, gate);
    return gate;
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
