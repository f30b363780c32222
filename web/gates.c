/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All gates: how many connections there are, how much memory their bodies have, whose time is over.
 *
 * libevent 2.1 tells nobody that evhttp has accepted a connection, but for asking for its bufferevent. The argument of
 * that bufferevent's callbacks is then the evhttp_connection: from there a gate gets its close callback, in the same
 * turn, before the socket is looked at. So every connection is counted exactly. */
#include "web/gate_private.h"
#include "web/tls.h"

#include "server/base/clock.h"
#include "server/base/log.h"

#include <event2/listener.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define TICK_MS 500

/* --- time: one timer, only while some gate has a deadline --- */

void gates_set_deadline(struct gate *gate, int64_t after_ms)
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

void gates_clear_deadline(struct gate *gate)
{
    if (gate->is_timed)
        LIST_REMOVE(gate, timed);
    gate->is_timed = false;
}

static void on_tick(evutil_socket_t fd, short what, void *context)
{
    struct gates *gates = context;
    struct timeval tick = {0, TICK_MS * 1000};
    int64_t now = clock_mono_ms();
    struct gate *gate, *next;

    (void)fd, (void)what;
    for (gate = LIST_FIRST(&gates->timed); gate; gate = next) {
        next = LIST_NEXT(gate, timed); /* gate_too_late() takes only `gate` off the list */
        if (gate->deadline <= now)
            gate_too_late(gate);
    }
    if (!LIST_EMPTY(&gates->timed))
        evtimer_add(gates->tick, &tick);
}

/* --- memory --- */

bool gates_charge(struct gate *gate, size_t size)
{
    if (size > gate->gates->limits.memory_max - gate->gates->memory)
        return false;
    gate->gates->memory += size;
    gate->charged += size;
    return true;
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

void gates_forget(struct gate *gate)
{
    struct gates *gates = gate->gates;

    if (gate->fd >= 0 && gate->fd < gates->by_fd_room && gates->by_fd[gate->fd] == gate)
        gates->by_fd[gate->fd] = NULL;
    LIST_REMOVE(gate, all);
    gates->connections--;
    if (gate->adopt)
        event_free(gate->adopt);
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
    if (gate->gates->limits.tls)
        tls_say_goodbye(gate->bev);
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

static void remember_peer(struct gate *gate)
{
    struct sockaddr_storage peer = {.ss_family = AF_UNSPEC};
    socklen_t size = sizeof peer;

    /* Who is gone already has no address, and no use for a reply. */
    (void)!getpeername(gate->fd, (struct sockaddr *)&peer, &size);
    address_read(&gate->peer, (struct sockaddr *)&peer);
    gate->client = gate->peer;
}

/* IPv6: of the network that a host chooses its addresses from. */
static bool is_same_place(const struct address *a, const struct address *b)
{
    return a->family == b->family && memcmp(a->octets, b->octets, a->family == AF_INET6 ? 8 : 4) == 0;
}

/* Whoever begins handshakes and says no more has a connection each time for GATE_HANDSHAKE_MS: not all of them. A proxy
 * speaks for many. */
static bool has_too_many_handshakes(const struct gate *gate)
{
    const struct gates *gates = gate->gates;
    int most = gates->limits.connections_max / GATE_HANDSHAKE_SHARE, count = 0;
    const struct gate *other;

    if (forwarded_trusts(gates->limits.proxies, &gate->peer))
        return false;
    LIST_FOREACH(other, &gates->timed, timed)
    count += other->state == GATE_HANDSHAKE && is_same_place(&other->peer, &gate->peer) && !tls_is_through(other->bev);
    return count >= (most > GATE_HANDSHAKE_LEAST ? most : GATE_HANDSHAKE_LEAST);
}

/* As if the other side had gone; evhttp closes it. */
static void hang_up(struct gate *gate)
{
    gate->state = GATE_HEAD;
    bufferevent_trigger_event(gate->bev, BEV_EVENT_EOF | BEV_EVENT_READING, 0);
}

/* A long reply leaves in pieces, and under TLS head and body are records of their own: the last piece must not wait
 * until those before it are acknowledged, which a client does after 40 ms. */
static void send_at_once(const struct gate *gate)
{
    int on = 1;

    setsockopt(gate->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static void on_adopt(evutil_socket_t fd, short what, void *context)
{
    struct gate *gate = context;
    struct bufferevent *bev = gate->bev;
    void *connection = NULL;

    (void)fd, (void)what;
    event_free(gate->adopt);
    gate->adopt = NULL;
    bufferevent_getcb(bev, NULL, NULL, NULL, &connection);
    if (connection) {
        evhttp_connection_set_closecb(connection, on_connection_closed, gate);
        remember_fd(gate);
        remember_peer(gate);
        gate_set_idle(gate, true);
        send_at_once(gate);
        if (gate->state == GATE_HANDSHAKE && has_too_many_handshakes(gate))
            hang_up(gate);
        else if (gate->state == GATE_HANDSHAKE)
            gates_set_deadline(gate, GATE_HANDSHAKE_MS);
    } else { /* evhttp gave it up: no descriptor or memory */
        gate_free(gate);
    }
    bufferevent_decref(bev);
}

/* evhttp asks for the bufferevent of a connection that it has just accepted. */
static struct bufferevent *on_accept(struct event_base *base, void *context)
{
    struct gates *gates = context;
    struct tls *tls = gates->limits.tls;
    struct bufferevent *bev =
        tls ? tls_bufferevent(tls, base) : bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
    struct gate *gate;

    if (!bev)
        return NULL; /* evhttp then tries itself, and fails as well; a request without a gate is 503 */
    gate = gate_new(gates, bev);
    gate->adopt = event_new(base, -1, 0, on_adopt, gate);
    if (!gate->adopt)
        abort();
    LIST_INSERT_HEAD(&gates->all, gate, all);
    gate->is_over = ++gates->connections > gates->limits.connections_max;
    event_active(gate->adopt, EV_TIMEOUT, 1);
    watch_listener(gates);
    return bev;
}

struct gates *gates_new(struct event_base *base, struct evhttp *http, const struct gate_limits *limits)
{
    struct gates *gates = xcalloc(1, sizeof *gates);

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
        struct bufferevent *bev = gate->bev;
        next = LIST_NEXT(gate, all);
        gate_free(gate);
        bufferevent_decref(bev);
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
        evhttp_request_set_on_complete_cb(http, gate_on_complete, gate);
    return gate;
}
