/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Three tables of buckets, so that strangers cannot push the buckets of keys out. */
#include "web/limits.h"

#include "spool/key.h"
#include "web/limiter.h"
#include "web/request.h"
#include "web/web_private.h"
#include "server/base/clock.h"
#include "server/base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#define KEYS      16384 /* more than there may be keys */
#define ADDRESSES 8192

struct limits {
    struct limiter *keys, *addresses, *failures;
    int per_minute, address_per_minute;
};

struct limits *limits_new(int per_minute, int address_per_minute)
{
    struct limits *limits = xcalloc(1, sizeof *limits);

    limits->keys = limiter_new(KEYS);
    limits->addresses = limiter_new(ADDRESSES);
    limits->failures = limiter_new(ADDRESSES);
    limits_set(limits, per_minute, address_per_minute);
    return limits;
}

void limits_set(struct limits *limits, int per_minute, int address_per_minute)
{
    limits->per_minute = per_minute;
    limits->address_per_minute = address_per_minute;
}

void limits_free(struct limits *limits)
{
    if (!limits)
        return;
    limiter_free(limits->keys);
    limiter_free(limits->addresses);
    limiter_free(limits->failures);
    free(limits);
}

/* Whose bucket a request takes from: a key's, a user's who signed in, or that of its address, where one IPv6 address
 * stands for the /64 that its owner has. */
struct asker {
    const char *word;
    struct limiter *table;
    int64_t number;
    const void *name;
    size_t size;
    int per_minute;
};

static void find_asker(struct asker *asker, struct limits *limits, const struct key *key, int64_t user,
                       const struct address *address)
{
    bool known = (key && key->id) || user;

    asker->word = key && key->id ? "key" : user ? "user" : "address";
    asker->table = known ? limits->keys : limits->addresses;
    asker->number = key && key->id ? key->id : -user;
    asker->name = known ? (const void *)&asker->number : address->octets;
    asker->size = known ? sizeof asker->number : address->family == AF_INET6 ? 8 : 4;
    asker->per_minute = limits->address_per_minute;
    if (key && key->id)
        asker->per_minute = key->rule.per_minute ? key->rule.per_minute : limits->per_minute;
}

bool limits_have_room(struct limits *limits, const struct key *key, const struct address *address)
{
    struct asker asker;

    find_asker(&asker, limits, key, 0, address);
    return asker.per_minute == 0 ||
           limiter_look(asker.table, asker.name, asker.size, asker.per_minute, clock_mono_ms()).ok;
}

static void refuse(struct request *request, int wait_s, const char *whose)
{
    char text[16];

    snprintf(text, sizeof text, "%d", wait_s);
    request_header(request, "Retry-After", text);
    request_problem(request, 429, "rate_limited", "too many requests of this %s; try again in %d s", whose, wait_s);
}

bool limits_check(struct request *request)
{
    struct asker asker;
    struct limiter_state state;
    char text[80];

    find_asker(&asker, request->web->limits, &request->key, request->user.id, gate_peer(request->gate));
    if (asker.per_minute == 0 || request->route->flags & ROUTE_UNCOUNTED)
        return true;
    state = limiter_take(asker.table, asker.name, asker.size, asker.per_minute, clock_mono_ms());
    snprintf(text, sizeof text, "\"%s\";q=%d;w=60", asker.word, asker.per_minute);
    request_header(request, "RateLimit-Policy", text);
    snprintf(text, sizeof text, "\"%s\";r=%d;t=%d", asker.word, state.remaining, state.full_s);
    request_header(request, "RateLimit", text);
    if (!state.ok)
        refuse(request, state.wait_s, asker.word);
    return state.ok;
}

bool limits_failed(struct request *request)
{
    struct asker asker;
    int wait_s;

    find_asker(&asker, request->web->limits, NULL, 0, gate_peer(request->gate));
    wait_s = limiter_fail(request->web->limits->failures, asker.name, asker.size, LIMITS_FAILURES, clock_mono_ms());
    if (wait_s)
        refuse(request, wait_s, "address with wrong keys");
    return wait_s == 0;
}
