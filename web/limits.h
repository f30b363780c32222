/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How often a key, or an address without a valid one, may ask. Replies under a limit have the fields RateLimit and
 * RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-10), and a refusal has Retry-After.
 *
 * A valid key is never refused for what others at its address did: a token has 160 bits, so that it is the noise of
 * wrong ones which is held down, not guessing.
 *
 * Thread: loop.
 */
#ifndef FAXD_WEB_LIMITS_H
#define FAXD_WEB_LIMITS_H

#include "server/base/cidr.h"

#include <stdbool.h>
#include <stdint.h>

struct key;
struct limits;
struct request;

#define LIMITS_FAILURES 60 /* wrong tokens of an address, before it is told to wait longer and longer */

/* Requests a minute; 0 = no limit. A key's own comes before `per_minute`; users who signed in have each what an address
 * has. */
struct limits *limits_new(int per_minute, int address_per_minute);
void limits_set(struct limits *limits, int per_minute, int address_per_minute);
void limits_free(struct limits *limits);

/* Would a request with this key, or of this user who signed in (of either id 0 = none), from this address be let in
 * now? Before its body is read. */
bool limits_have_room(struct limits *limits, const struct key *key, int64_t user, const struct address *address);

/* Count a request: who it comes from is known as far as it will be. False and the reply is made: 429. */
bool limits_check(struct request *request);

/* Count a request whose token is wrong. False and the reply is made: 429; else 401 is for the caller. */
bool limits_failed(struct request *request);

#endif
