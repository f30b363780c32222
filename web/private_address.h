/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses that a webhook must not reach unless the operator says so: loopback, private and link-local networks, this
 * host's metadata services among them (server-side request forgery).
 *
 * Names are looked at again, resolved, when a delivery connects; this is for the clear cases at the door.
 *
 * Thread: any (pure).
 */
#ifndef FAXD_WEB_PRIVATE_ADDRESS_H
#define FAXD_WEB_PRIVATE_ADDRESS_H

#include <stdbool.h>

/* True when the URL's host is such an address, written as one, or a name of this host (localhost). */
bool private_address_in_url(const char *url);

#endif
