/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pairs of UDP sockets for media, from a configured range: an even port for RTP or UDPTL and the next for RTCP (RFC
 * 3550 section 11).
 *
 * Thread: any; one lock.
 */
#ifndef FAXD_SIP_PORTS_H
#define FAXD_SIP_PORTS_H

#include <stdint.h>

struct ports;

struct ports_pair {
    int media, rtcp; /* non-blocking, close-on-exec; the caller's to close */
    uint16_t port;   /* of media */
};

/* Sockets bound to `address` (IPv4 or IPv6, as text), ports low..high, from a random one on. Free with ports_free. */
struct ports *ports_new(const char *address, int low, int high);
void ports_free(struct ports *ports);

/* The next free pair after the one before, so that a port rests before it serves another call. 0, or ERR_FULL when none
 * is free, ERR_INVALID for an address that is not this machine's, ERR_IO. */
int ports_take(struct ports *ports, struct ports_pair *pair);

void ports_close(struct ports_pair *pair);

#endif
