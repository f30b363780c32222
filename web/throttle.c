/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Buckets of a few entries each, found by a keyed hash: neither a list to search nor one to grow. */
#include "web/throttle.h"

#include "server/base/log.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 512
#define WAYS    8

struct entry {
    uint64_t hash; /* 0 = empty */
    int failures;
    int64_t tried_at, blocked_until;
};

struct throttle {
    int free_failures;
    unsigned char key[crypto_shorthash_KEYBYTES];
    struct entry entries[BUCKETS][WAYS];
};

struct throttle *throttle_new(int free_failures)
{
    struct throttle *throttle = xcalloc(1, sizeof *throttle);

    throttle->free_failures = free_failures;
    randombytes_buf(throttle->key, sizeof throttle->key);
    return throttle;
}

void throttle_free(struct throttle *throttle)
{
    free(throttle);
}

int64_t throttle_wait_after(int failures, int free_failures)
{
    int64_t wait_ms = THROTTLE_LEAST_MS;

    if (failures < free_failures)
        return 0;
    for (int i = free_failures; i < failures && wait_ms < THROTTLE_MOST_MS; i++)
        wait_ms *= 2;
    return wait_ms < THROTTLE_MOST_MS ? wait_ms : THROTTLE_MOST_MS;
}

static uint64_t hash_of(const struct throttle *throttle, const char *who)
{
    unsigned char octets[crypto_shorthash_BYTES];
    uint64_t hash;

    crypto_shorthash(octets, (const unsigned char *)who, strlen(who), throttle->key);
    memcpy(&hash, octets, sizeof hash);
    return hash ? hash : 1;
}

static struct entry *find(struct throttle *throttle, uint64_t hash)
{
    struct entry *bucket = throttle->entries[hash % BUCKETS];

    for (int i = 0; i < WAYS; i++) {
        if (bucket[i].hash == hash)
            return &bucket[i];
    }
    return NULL;
}

/* In place of the one that was tried least lately. */
static struct entry *add(struct throttle *throttle, uint64_t hash)
{
    struct entry *bucket = throttle->entries[hash % BUCKETS], *oldest = bucket;

    for (int i = 1; i < WAYS && oldest->hash; i++) {
        if (!bucket[i].hash || bucket[i].tried_at < oldest->tried_at)
            oldest = &bucket[i];
    }
    *oldest = (struct entry){.hash = hash};
    return oldest;
}

int64_t throttle_wait_ms(struct throttle *throttle, const char *who, int64_t now_ms)
{
    const struct entry *entry = find(throttle, hash_of(throttle, who));

    return entry && entry->blocked_until > now_ms ? entry->blocked_until - now_ms : 0;
}

int64_t throttle_try(struct throttle *throttle, const char *who, int64_t now_ms)
{
    uint64_t hash = hash_of(throttle, who);
    struct entry *entry = find(throttle, hash);
    int64_t wait_ms;

    if (!entry)
        entry = add(throttle, hash);
    else if (now_ms - entry->tried_at > THROTTLE_FORGET_MS)
        entry->failures = 0;
    entry->tried_at = now_ms;
    entry->failures++;
    wait_ms = throttle_wait_after(entry->failures, throttle->free_failures);
    entry->blocked_until = now_ms + wait_ms;
    return wait_ms;
}

void throttle_take_back(struct throttle *throttle, const char *who)
{
    struct entry *entry = find(throttle, hash_of(throttle, who));

    if (!entry || entry->failures == 0)
        return;
    entry->failures--;
    entry->blocked_until = entry->tried_at + throttle_wait_after(entry->failures, throttle->free_failures);
}

void throttle_forget(struct throttle *throttle, const char *who)
{
    struct entry *entry = find(throttle, hash_of(throttle, who));

    if (entry)
        *entry = (struct entry){0};
}
