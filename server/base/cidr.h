/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Internet addresses and networks of them (CIDR, RFC 4632 and RFC 4291), IPv4 and IPv6. An IPv4 address that comes
 * mapped into IPv6 (::ffff:0:0/96), as on a socket that takes both, is the IPv4 address.
 *
 * Thread: any (pure).
 */
#ifndef FAXD_BASE_CIDR_H
#define FAXD_BASE_CIDR_H

#include <stdbool.h>
#include <stdint.h>

#define CIDR_TEXT_SIZE 50 /* 39 characters of an address, 4 of a length, the end */

struct address {
    int family;         /* AF_INET, AF_INET6; 0 = none that is known here */
    uint8_t octets[16]; /* 4 of IPv4 */
};

struct cidr {
    struct address network;
    int bits;
};

struct sockaddr;

/* 0, ERR_INVALID (neither IPv4 nor IPv6; `*address` has family 0 then). */
int address_read(struct address *address, const struct sockaddr *from);
char *address_format(char text[CIDR_TEXT_SIZE], const struct address *address); /* "" for family 0; returns `text` */

/* "192.0.2.0/24", "2001:db8::/32", or one address. 0, ERR_INVALID (the message says what is wrong and what may be
 * meant: bits past the length have to be zero). */
int cidr_parse(struct cidr *cidr, const char *text);
/* Of an address, the network of so many bits that it is in. */
void cidr_cut(struct cidr *cidr, int bits);
/* The same again, without a length when it is one address. Returns `text`. */
char *cidr_format(char text[CIDR_TEXT_SIZE], const struct cidr *cidr);
bool cidr_has(const struct cidr *cidr, const struct address *address);

#endif
