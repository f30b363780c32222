/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The gate stands between a socket and evhttp: it reads whole requests, and passes on only what may come in.
 *
 * evhttp 2.1 has no hook before a request's body, no count of its connections, and answers bad requests with HTML of
 * its own. The gate counts connections, reads head and body itself under limits and deadlines, and hands evhttp a clean
 * head without a body; the body waits here for the handler. A request that is refused (too large, too slow, no memory
 * left, not HTTP) still reaches the handler, with its refusal, so that one place answers everything.
 *
 * Limits: a handshake of TLS has GATE_HANDSHAKE_MS, and one address a share of all connections for handshakes; a head
 * has HEAD_MAX_BYTES and GATE_HEAD_MS; a body has the size that `admit` grants and a deadline that asks for
 * GATE_BODY_RATE octets a second; all bodies together have memory_max; connections_max connections are served, some
 * more are told 503, and past these nobody is accepted until one leaves.
 *
 * Thread: loop.
 */
#ifndef FAXD_WEB_GATE_H
#define FAXD_WEB_GATE_H

#include "server/base/cidr.h"
#include "server/base/forwarded.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GATE_HANDSHAKE_MS    10000 /* of TLS */
#define GATE_HEAD_MS         10000 /* from a request's first octet to the end of its head */
#define GATE_BODY_MS         20000 /* for any body, and ... */
#define GATE_BODY_RATE       16384 /* ... a second more for each of these octets */
#define GATE_IDLE_S          60    /* a kept connection without a request; a reader that takes nothing of its reply */
#define GATE_LINGER_MS       2000  /* a refused sender may go on this long before its connection is closed */
#define GATE_QUIET_MS        400   /* ... or until it has been quiet for this long */
#define GATE_CONNECTION_OVER 32    /* connections past the limit that still get a polite 503 */
#define GATE_HANDSHAKE_SHARE 10    /* one address may have 1 / so much of connections_max in handshakes, ... */
#define GATE_HANDSHAKE_LEAST 4     /* ... and so many in any case */

enum gate_refusal {
    GATE_OK = 0,
    GATE_BAD_HEAD,    /* not HTTP/1: 400 */
    GATE_BAD_FRAMING, /* lengths that contradict, a bad chunk, a body where none belongs: 400 */
    GATE_BAD_METHOD,  /* 501 */
    GATE_BAD_CODING,  /* 501 */
    GATE_BAD_EXPECT,  /* 417 */
    GATE_BAD_VERSION, /* 505 */
    GATE_HEAD_SIZE,   /* 431 */
    GATE_SLOW,        /* 408 */
    GATE_BODY_SIZE,   /* 413 */
    GATE_MEMORY,      /* 503 */
    GATE_CONNECTIONS, /* 503 */
    GATE_NOT_ADMITTED /* the body was not read: the ordinary checks of the request will say why */
};

struct gate;
struct gates;
struct tls;

struct gate_limits {
    size_t memory_max;
    int connections_max;
    struct tls *tls;                         /* beneath every connection; NULL = plain; borrowed */
    const struct forwarded_proxies *proxies; /* who is believed about whom it asks for; borrowed, may change */
    /* How large a body this request may have; 0 = none will be read. Called before any of it is. */
    size_t (*admit)(void *context, const struct gate *gate, const char *authorization, const char *cookie);
    void *context;
};

/* All connections of one evhttp, which gets its bufferevents from here. The caller frees the evhttp first. */
struct gates *gates_new(struct event_base *base, struct evhttp *http, const struct gate_limits *limits);
void gates_free(struct gates *gates);
/* The socket to leave alone for a while when there are too many connections. Borrowed. */
void gates_set_listener(struct gates *gates, struct evhttp_bound_socket *socket);
int gates_connections(const struct gates *gates);
size_t gates_memory(const struct gates *gates); /* octets of bodies under way */

/* The gate of a request that evhttp hands over. NULL only when there was no memory for one: end that connection. */
struct gate *gates_find(struct gates *gates, struct evhttp_request *http);

enum gate_refusal gate_refusal(const struct gate *gate);
const char *gate_method(const struct gate *gate); /* "" when the head could not be read */
const char *gate_target(const struct gate *gate); /* "/..." as sent; "/" when the head could not be read */
/* Who asks: the far end of the connection, or whom a proxy that is trusted says it asks for. */
const struct address *gate_client(const struct gate *gate);
struct evbuffer *gate_body(struct gate *gate); /* the handler may drain it */
bool gate_has_unread(const struct gate *gate); /* the sender may still be sending: close gently */

/* closed(context) is called once when the connection goes away before the reply is complete. NULL takes it back. */
void gate_on_close(struct gate *gate, void (*closed)(void *context), void *context);
/* The reply goes on until the connection ends: gives back what there is for this request and for a next one, and reads
 * over what still comes. `closed` as in gate_on_close(). */
void gate_stream(struct gate *gate, void (*closed)(void *context), void *context);
/* The body is not needed any more: gives its share of the memory back. */
void gate_release(struct gate *gate);
/* The reply has been written but the sender may still be sending: read over it until it stops, closes or GATE_LINGER_MS
 * have passed, then call done(context). It has stopped when it was quiet for GATE_QUIET_MS. */
void gate_linger(struct gate *gate, void (*done)(void *context), void *context);

#endif
