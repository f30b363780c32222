/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Datagrams with descriptors over a SOCK_SEQPACKET socket (SCM_RIGHTS).
 *
 * Thread: any; two senders may share a socket, since a datagram goes whole or not at all.
 */
#ifndef FAXD_BASE_FDPASS_H
#define FAXD_BASE_FDPASS_H

#include <stddef.h>
#include <sys/types.h>

#define FDPASS_MAX       32    /* descriptors in one datagram */
#define FDPASS_BYTES_MAX 65536 /* octets in one datagram */

/* Send one datagram of 1..FDPASS_BYTES_MAX octets with `count` descriptors (0..FDPASS_MAX). The descriptors stay the
 * caller's. 0; ERR_AGAIN when a non-blocking socket is full; ERR_CLOSED when the other side is gone; ERR_IO. */
int fdpass_send(int socket, const void *data, size_t size, const int *fds, int count);

/* Receive one datagram. `*count` comes in as the room in `fds` and goes out as what arrived (close-on-exec set);
 * surplus descriptors are closed. Returns the octets (> 0); ERR_CLOSED at the end; ERR_AGAIN; ERR_TOO_BIG when it was
 * cut (the descriptors are closed); ERR_IO. */
ssize_t fdpass_receive(int socket, void *data, size_t size, int *fds, int *count);

#endif
