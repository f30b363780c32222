/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses that a webhook must not reach unless the operator says so: loopback, private and link-local networks, this
 * host's metadata services among them (server-side request forgery).
 *
 * A URL is looked at when it is given, for the clear cases; the resolved address again when a delivery connects.
 *
 * Thread: any (pure).
 */
#ifndef FAXD_BASE_PRIVATE_ADDRESS_H
#define FAXD_BASE_PRIVATE_ADDRESS_H

#include <stdbool.h>

/* True when the URL's host is such an address, written as one, or a name of this host (localhost). */
bool private_address_in_url(const char *url);

/* The same for a resolved address; true as well for what is neither IPv4 nor IPv6. */
struct sockaddr;
bool private_address_is(const struct sockaddr *address);

#endif
