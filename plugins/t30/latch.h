/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the far end of a datagram path is, and whose datagrams are its.
 *
 * Behind a network address translator the far end speaks from elsewhere than it says. So datagrams are taken from the
 * address it said and from those the rules name, until one of them proved to be valid: then its sender is the far end,
 * and nobody else is heard.
 *
 * Thread: any (no state but the struct's).
 */
#ifndef FAXD_T30_LATCH_H
#define FAXD_T30_LATCH_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define LATCH_ADDRESSES_MAX 8

/* IPv4 is kept as ::ffff:a.b.c.d. */
struct latch_address {
    struct in6_addr ip;
    uint16_t port;
};

struct latch_rules {
    struct latch_address said;                    /* port 0 or no address: on hold */
    struct in6_addr allowed[LATCH_ADDRESSES_MAX]; /* from here any port */
    int allowed_count;
    bool anybody; /* from anywhere */
};

struct latch {
    struct latch_rules rules;
    struct latch_address far_end; /* to send to */
    bool closed;                  /* a valid datagram came */
    bool on_hold;
};

/* Read "192.0.2.1" or "2001:db8::1". 0, or ERR_INVALID without a message. */
int latch_parse_ip(struct in6_addr *ip, const char *text);

/* A new path: open for all that `rules` (copied) name. */
void latch_init(struct latch *latch, const struct latch_rules *rules);

/* The sender of a datagram, as recvfrom gives it. */
void latch_read_address(struct latch_address *address, const struct sockaddr_storage *from);

/* May this be the far end? Once a valid datagram came, only its sender, and the address that was said. */
bool latch_allows(const struct latch *latch, const struct latch_address *from);

/* A valid datagram came from there. True when the far end is another than before. */
bool latch_close(struct latch *latch, const struct latch_address *from);

/* Where to send to, for a socket of the family AF_INET or AF_INET6. The size of the address, or 0: there is nobody to
 * send to, or not from such a socket. */
socklen_t latch_target(const struct latch *latch, int family, struct sockaddr_storage *to);

#endif
