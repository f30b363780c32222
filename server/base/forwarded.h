/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who asks when a proxy stands before us: what it says of the hop before it, as far as it may be believed.
 *
 * Only one header is looked at, the one that the configuration names: a proxy writes one and hands the other on as a
 * client sent it, so that whoever looked at both could be told anything.
 *
 * Thread: any (pure).
 */
#ifndef FAXD_BASE_FORWARDED_H
#define FAXD_BASE_FORWARDED_H

#include "server/base/cidr.h"

#include <stdbool.h>

#define FORWARDED_PROXIES_MAX 32

struct forwarded_proxies {
    struct cidr trusted[FORWARDED_PROXIES_MAX];
    int count;    /* 0 = nobody is */
    bool rfc7239; /* the header is Forwarded, else X-Forwarded-For */
};

/* Is this the address of a proxy that is believed? */
bool forwarded_trusts(const struct forwarded_proxies *proxies, const struct address *address);

/* The last hop that is no trusted proxy: `peer` itself when it is none; else from the end of `header` (the values of
 * all fields of that name with commas between, "" = none) the first address that is not trusted. What cannot be read
 * ends the search at the proxy that said so; where all are trusted it is the first of them. */
void forwarded_client(struct address *client, const struct forwarded_proxies *proxies, const struct address *peer,
                      const char *header);

#endif
