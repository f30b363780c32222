/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's end of the link: the listening socket, the one connection with faxd, and what was said on it that faxd has
 * not acknowledged yet.
 *
 * A new connection replaces the one before. Events are numbered here, from 1 on, kept until acknowledged, and sent
 * again to a faxd that has not committed them. Nothing here ever waits: what the socket does not take stays in the
 * backlog.
 *
 * Thread: the I/O thread.
 */
#ifndef FAXD_FSPHOST_PEER_H
#define FAXD_FSPHOST_PEER_H

#include "server/link/link.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct peer;

/* Listen at `path` (may be longer than a socket address is wide), mode 0600. The name appears when connections are
 * accepted; a stale one is replaced. 0, ERR_CONFLICT when another process listens there, ERR_IO. Freed with peer_close
 * (NULL is fine), which takes the name away. */
int peer_open(struct peer **out, const char *path);
void peer_close(struct peer *peer);

/* Descriptors for poll; peer_socket is -1 without a connection. */
int peer_listener(const struct peer *peer);
int peer_socket(const struct peer *peer);

/* True while something waits to be sent (poll for POLLOUT). */
bool peer_wants_out(const struct peer *peer);

/* Take the connection that waits, if its user is ours or root; it replaces the one before. */
void peer_accept(struct peer *peer);

void peer_disconnect(struct peer *peer);

/* One message: as link_receive. ERR_CLOSED or ERR_IO have closed the connection. Texts are valid until the next call.
 */
int peer_receive(struct peer *peer, struct link_message *message, int *fd);

/* Begin to greet: what peer_answer adds goes out before any event, then every event after `number` of the run that faxd
 * has committed (0 = none). Events up to it are acknowledged. Answers and events of an earlier greeting are forgotten.
 * ERR_INVALID when `number` was never given out. */
int peer_greet(struct peer *peer, uint64_t number);

/* An answer without a number; lost when there is no connection. */
void peer_answer(struct peer *peer, const struct link_message *message);

/* True while an answer waits for the socket. */
bool peer_has_answers(const struct peer *peer);

/* The greeting is complete: events may go. */
void peer_greeted(struct peer *peer);

/* True when faxd is there and greeted. */
bool peer_is_greeted(const struct peer *peer);

/* Number an event and keep it. Its number; 0 when it is a LINK_STATUS and the backlog is full (64 MiB): such an event
 * is only news. */
uint64_t peer_event(struct peer *peer, const struct link_message *message);

/* faxd has committed all up to `number`. */
void peer_acknowledge(struct peer *peer, uint64_t number);

uint64_t peer_newest(const struct peer *peer);
uint64_t peer_acknowledged(const struct peer *peer);

/* LINK_STATUS events that were not kept. */
uint64_t peer_left_out(const struct peer *peer);

/* Send what the socket takes. */
void peer_flush(struct peer *peer);

#endif
