/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table: sets of WAYS buckets. Tokens are counted in sixty-thousandths, so that what a millisecond gives is whole.
 */
#include "web/limiter.h"

#include "server/base/log.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define WAYS  8
#define TOKEN 60000

struct bucket {
    uint64_t name; /* its hash, 0 = empty */
    int64_t tokens;
    int64_t at_ms; /* when they were counted */
};

struct limiter {
    unsigned char key[crypto_shorthash_KEYBYTES];
    size_t sets;
    struct bucket *buckets;
};

struct limiter *limiter_new(size_t room)
{
    struct limiter *limiter = xcalloc(1, sizeof *limiter);

    limiter->sets = room / WAYS + 1;
    limiter->buckets = xcalloc(limiter->sets * WAYS, sizeof *limiter->buckets);
    randombytes_buf(limiter->key, sizeof limiter->key);
    return limiter;
}

void limiter_free(struct limiter *limiter)
{
    if (!limiter)
        return;
    free(limiter->buckets);
    free(limiter);
}

static struct bucket *find(struct limiter *limiter, const void *name, size_t size, int per_minute, int64_t now_ms)
{
    uint64_t hash;
    struct bucket *set, *oldest;

    crypto_shorthash((unsigned char *)&hash, name, size, limiter->key);
    hash |= 1; /* 0 is an empty one */
    set = limiter->buckets + (hash >> 1) % limiter->sets * WAYS;
    oldest = set;
    for (int i = 0; i < WAYS; i++) {
        if (set[i].name == hash)
            return &set[i];
        if (set[i].name == 0 || (oldest->name != 0 && set[i].at_ms < oldest->at_ms))
            oldest = &set[i];
    }
    *oldest = (struct bucket){.name = hash, .tokens = (int64_t)per_minute * TOKEN, .at_ms = now_ms};
    return oldest;
}

static void refill(struct bucket *bucket, int per_minute, int64_t now_ms)
{
    int64_t most = (int64_t)per_minute * TOKEN, past_ms = now_ms - bucket->at_ms;

    /* A limit that was lowered, or a bucket of long ago; a minute fills any. */
    if (past_ms >= 60000 || bucket->tokens + past_ms * per_minute > most)
        bucket->tokens = most;
    else if (past_ms > 0)
        bucket->tokens += past_ms * per_minute;
    if (past_ms > 0)
        bucket->at_ms = now_ms;
}

static int seconds(int64_t tokens, int per_minute)
{
    int64_t part = (int64_t)per_minute * 1000;

    return (int)((tokens + part - 1) / part);
}

static struct limiter_state state_of(const struct bucket *bucket, int per_minute)
{
    struct limiter_state state = {.ok = bucket->tokens >= TOKEN, .remaining = (int)(bucket->tokens / TOKEN)};

    state.full_s = seconds((int64_t)per_minute * TOKEN - bucket->tokens, per_minute);
    state.wait_s = state.ok ? 0 : seconds(TOKEN - bucket->tokens, per_minute);
    return state;
}

struct limiter_state limiter_look(struct limiter *limiter, const void *name, size_t size, int per_minute,
                                  int64_t now_ms)
{
    struct bucket *bucket = find(limiter, name, size, per_minute, now_ms);

    refill(bucket, per_minute, now_ms);
    return state_of(bucket, per_minute);
}

struct limiter_state limiter_take(struct limiter *limiter, const void *name, size_t size, int per_minute,
                                  int64_t now_ms)
{
    struct bucket *bucket = find(limiter, name, size, per_minute, now_ms);
    struct limiter_state state;
    bool ok;

    refill(bucket, per_minute, now_ms);
    ok = bucket->tokens >= TOKEN;
    if (ok)
        bucket->tokens -= TOKEN;
    state = state_of(bucket, per_minute);
    state.ok = ok;
    return state;
}
