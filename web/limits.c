/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two tables of buckets, so that strangers cannot push the buckets of keys out; wrong keys are counted as wrong
 * passwords are. */
#include "web/limits.h"

#include "spool/key.h"
#include "spool/mail.h"
#include "web/limiter.h"
#include "web/request.h"
#include "web/throttle.h"
#include "web/web_private.h"
#include "server/base/clock.h"
#include "server/base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#define KEYS      16384 /* more than there may be keys */
#define ADDRESSES 8192

struct limits {
    struct limiter *keys, *addresses;
    struct throttle *failures;
    int per_minute, address_per_minute;
};

struct limits *limits_new(int per_minute, int address_per_minute)
{
    struct limits *limits = xcalloc(1, sizeof *limits);

    limits->keys = limiter_new(KEYS);
    limits->addresses = limiter_new(ADDRESSES);
    limits->failures = throttle_new(LIMITS_FAILURES);
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
    throttle_free(limits->failures);
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
    bool known = key->id || user;

    asker->word = key->id ? "key" : user ? "user" : "address";
    asker->table = known ? limits->keys : limits->addresses;
    asker->number = key->id ? key->id : -user;
    asker->name = known ? (const void *)&asker->number : address->octets;
    asker->size = known ? sizeof asker->number : address->family == AF_INET6 ? 8 : 4;
    asker->per_minute = limits->address_per_minute;
    if (key->id)
        asker->per_minute = key->rule.per_minute ? key->rule.per_minute : limits->per_minute;
}

bool limits_have_room(struct limits *limits, const struct key *key, int64_t user, const struct address *address)
{
    struct asker asker;

    find_asker(&asker, limits, key, user, address);
    return asker.per_minute == 0 ||
           limiter_look(asker.table, asker.name, asker.size, asker.per_minute, clock_mono_ms()).ok;
}

static void refuse(struct request *request, int wait_s, const char *whose)
{
    char text[16];

    snprintf(text, sizeof text, "%d", wait_s);
    request_header(request, "Retry-After", text);
    mail_on_flood(request_spool(request), whose);
    request_problem(request, 429, "rate_limited", "too many requests of this %s; try again in %d s", whose, wait_s);
}

bool limits_check(struct request *request)
{
    struct asker asker;
    struct limiter_state state;
    char text[80];

    find_asker(&asker, request->web->limits, &request->key, request->user.id, gate_client(request->gate));
    if (asker.per_minute == 0 || (request->route && request->route->flags & ROUTE_UNCOUNTED))
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
    struct cidr who = {*gate_client(request->gate), 0};
    struct throttle *failures = request->web->limits->failures;
    int64_t now_ms = clock_mono_ms(), wait_ms;
    char text[CIDR_TEXT_SIZE];

    cidr_cut(&who, who.network.family == AF_INET6 ? 64 : 32);
    wait_ms = throttle_wait_ms(failures, cidr_format(text, &who), now_ms);
    if (wait_ms > 0)
        refuse(request, (int)((wait_ms + 999) / 1000), "address with wrong keys");
    else
        throttle_try(failures, text, now_ms);
    return wait_ms == 0;
}
