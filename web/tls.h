/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TLS beneath the gate: the certificate and key that new connections get, and the bufferevents that speak it (OpenSSL
 * by libevent). TLS 1.2 with forward secrecy and authenticated ciphers, and TLS 1.3; no renegotiation.
 *
 * A connection keeps the pair that it began with, so that another pair can be taken at any time.
 *
 * Thread: loop.
 */
#ifndef FAXD_WEB_TLS_H
#define FAXD_WEB_TLS_H

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tls;

/* Load a chain of certificates and its private key, both PEM. 0, or ERR_INVALID (the message names the file). The
 * caller closes. */
int tls_open(struct tls **out, const char *certificate, const char *key);
void tls_close(struct tls *tls); /* NULL is fine; connections keep what they need */

/* Load a pair for the connections to come. On an error the old one stays and tls_is_stale() says so. */
int tls_reload(struct tls *tls, const char *certificate, const char *key);
bool tls_is_stale(const struct tls *tls);
/* When the certificate ends, UTC ms. */
int64_t tls_expires_at(const struct tls *tls);

/* A bufferevent without a descriptor that will be the server's end of a handshake; NULL when there is no memory. */
struct bufferevent *tls_bufferevent(struct tls *tls, struct event_base *base);

/* For bufferevents from here. Is the handshake over? */
bool tls_is_through(struct bufferevent *bev);
/* Send a few octets now, past the output buffer, which has to be empty; what does not fit is not sent at all. */
void tls_send_now(struct bufferevent *bev, const void *octets, size_t size);
/* The other side is told that nothing follows, or it could not tell the end from a cut. */
void tls_say_goodbye(struct bufferevent *bev);

#endif
