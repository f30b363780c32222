/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The enabled endpoints and their event lists, read from their rows when first asked and again after a change. */
#include "spool/subscription.h"

#include "db/stmt.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "spool/spool_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENDPOINTS_MAX 128 /* outbox admits fewer */

struct subscription {
    int64_t endpoint;
    json_t *patterns;
};

struct subscriptions {
    bool loaded;
    int count;
    struct subscription list[ENDPOINTS_MAX];
};

static const char *const opt_in[] = {"fax.page_sent", "inbound.ringing", "inbound.receiving"};

bool subscription_is_opt_in(const char *type)
{
    for (size_t i = 0; i < sizeof(opt_in) / sizeof(*opt_in); i++)
        if (strcmp(opt_in[i], type) == 0)
            return true;
    return false;
}

static bool pattern_matches(const char *pattern, const char *type)
{
    size_t length = strlen(pattern);
    if (length >= 2 && strcmp(pattern + length - 2, ".*") == 0)
        return !subscription_is_opt_in(type) && strncmp(pattern, type, length - 1) == 0;
    return strcmp(pattern, type) == 0;
}

bool subscription_matches(const json_t *patterns, const char *type)
{
    size_t count = json_array_size(patterns);
    if (count == 0)
        return !subscription_is_opt_in(type);
    for (size_t i = 0; i < count; i++) {
        const char *pattern = json_string_value(json_array_get(patterns, i));
        if (pattern && pattern_matches(pattern, type))
            return true;
    }
    return false;
}

void subscription_forget(struct spool *spool)
{
    struct subscriptions *all = spool->subscriptions;
    for (int i = 0; i < all->count; i++)
        json_decref(all->list[i].patterns);
    all->count = 0;
    all->loaded = false;
}

static void close_subscriptions(struct spool *spool)
{
    subscription_forget(spool);
    free(spool->subscriptions);
    spool->subscriptions = NULL;
}

static const struct spool_hook hook = {
    .voided = subscription_forget,
    .part_undo = subscription_forget,
    .close = close_subscriptions,
};

int subscription_start(struct spool *spool)
{
    spool->subscriptions = xcalloc(1, sizeof(*spool->subscriptions));
    spool_hook(spool, &hook);
    return 0;
}

static int load(struct spool *spool)
{
    struct subscriptions *all = spool->subscriptions;
    struct stmt *stmt;
    if (all->loaded)
        return 0;
    int error = stmt_open(&stmt, spool_db(spool), "SELECT id, events FROM endpoint WHERE enabled = 1 ORDER BY id");
    if (error)
        return error;
    while (all->count < ENDPOINTS_MAX && (error = stmt_step(stmt)) == 1) {
        struct subscription *one = &all->list[all->count++];
        one->endpoint = stmt_int(stmt, "id");
        one->patterns = json_loads(stmt_text(stmt, "events"), 0, NULL);
    }
    stmt_close(stmt);
    all->loaded = error >= 0;
    return error < 0 ? error : 0;
}

bool subscription_wants(struct spool *spool, const char *type)
{
    if (load(spool))
        return false;
    for (int i = 0; i < spool->subscriptions->count; i++)
        if (subscription_matches(spool->subscriptions->list[i].patterns, type))
            return true;
    return false;
}

static int add_delivery(struct spool *spool, int64_t endpoint, int64_t sequence, int64_t now_ms)
{
    char ulid[STR_ULID_SIZE], public_id[sizeof("msg_") + STR_ULID_SIZE];
    struct stmt *stmt;
    snprintf(public_id, sizeof(public_id), "msg_%s", str_ulid(ulid, now_ms));
    int error = stmt_open(&stmt, spool_db(spool),
                          "INSERT INTO delivery (public_id, endpoint, event, state, created_at, next_at)"
                          " VALUES (?, ?, ?, 0, ?, ?)");
    if (error)
        return error;
    stmt_bind_text(stmt, public_id);
    stmt_bind_int(stmt, endpoint);
    stmt_bind_int(stmt, sequence);
    stmt_bind_int(stmt, now_ms);
    stmt_bind_int(stmt, now_ms);
    return stmt_run(NULL, stmt);
}

int subscription_deliver(struct spool *spool, int64_t sequence, const char *type)
{
    struct subscriptions *all = spool->subscriptions;
    int64_t now_ms = clock_now_ms();
    int error = load(spool);
    for (int i = 0; i < all->count && !error; i++) {
        if (!subscription_matches(all->list[i].patterns, type))
            continue;
        error = add_delivery(spool, all->list[i].endpoint, sequence, now_ms);
        spool_mark(spool, SPOOL_CHANGE_OUTBOX);
    }
    return error;
}

int subscription_deliver_to(struct spool *spool, int64_t sequence, int64_t endpoint)
{
    spool_mark(spool, SPOOL_CHANGE_OUTBOX);
    return add_delivery(spool, endpoint, sequence, clock_now_ms());
}
