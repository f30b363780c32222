/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What gate.c (one connection) and gates.c (all of them) share. */
#ifndef FAXD_WEB_GATE_PRIVATE_H
#define FAXD_WEB_GATE_PRIVATE_H

#include "web/chunked.h"
#include "web/gate.h"
#include "web/head.h"

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <sys/queue.h>

enum gate_state {
    GATE_HANDSHAKE, /* of TLS */
    GATE_HEAD,      /* reading a head, or idle between requests */
    GATE_BODY,      /* reading its body */
    GATE_SERVING,   /* evhttp and a handler have it */
    GATE_STREAMING, /* so for ever: raw, body and resume are NULL */
    GATE_LINGERING  /* reply sent, reading over the rest */
};

struct gate {
    LIST_ENTRY(gate) all;
    LIST_ENTRY(gate) timed;
    struct gates *gates;
    struct bufferevent *bev; /* a reference of ours until adopted, then evhttp's alone */
    struct event *adopt;     /* NULL once adopted */
    struct event *resume;
    evutil_socket_t fd;
    struct address peer;   /* of the connection */
    struct address client; /* of the request: the same, or whom a proxy names */
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

/* A gate for a bufferevent that evhttp will have; it holds a reference until it is adopted. */
struct gate *gate_new(struct gates *gates, struct bufferevent *bev);
void gate_free(struct gate *gate);
/* Its deadline has passed. May free it. */
void gate_too_late(struct gate *gate);
/* evhttp's time for a client that says nothing: while a reply is made and sent such a client is not idle, or it would
 * cut a slow download, or an event stream. */
void gate_set_idle(struct gate *gate, bool reading);
/* evhttp is done with a request (evhttp_request_set_on_complete_cb). */
void gate_on_complete(struct evhttp_request *http, void *context);

/* The gate's turn to be told gate_too_late() comes after so long; one deadline at a time. */
void gates_set_deadline(struct gate *gate, int64_t after_ms);
void gates_clear_deadline(struct gate *gate);
/* Take so many octets out of the memory for bodies: false when there are not as many left. */
bool gates_charge(struct gate *gate, size_t size);
/* A gate is being freed. */
void gates_forget(struct gate *gate);

#endif
