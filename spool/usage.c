/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counting what ended, one row at a time. */
#include "spool/usage.h"

#include "db/stmt.h"
#include "server/base/err.h"
#include "server/base/str.h"
#include "spool/fax.h"
#include "spool/spool_private.h"

#include <stdbool.h>
#include <string.h>

#define PROVIDER_SIZE 64

/* Time on the line of all calls of the fax. */
static int call_time(int64_t *call_ms, struct spool *spool, const struct fax *fax)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool),
                          "SELECT coalesce(sum(ended_at - connected_at), 0) AS call_ms FROM attempt"
                          " WHERE fax = ? AND connected_at > 0 AND ended_at > connected_at");
    if (error)
        return error;
    stmt_bind_int(stmt, fax->id);
    error = stmt_step(stmt);
    *call_ms = error == 1 ? stmt_int(stmt, "call_ms") : 0;
    stmt_close(stmt);
    return error < 0 ? error : 0;
}

/* "provider" of "provider/line". */
static const char *provider_of(char provider[PROVIDER_SIZE], const struct fax *fax)
{
    str_copy(provider, PROVIDER_SIZE, fax->line);
    provider[strcspn(provider, "/")] = '\0';
    return provider;
}

/* What a received fax became later does not count again. */
static enum fax_state end_of(const struct fax *fax)
{
    bool routed = fax->state == FAX_ROUTING || fax->state == FAX_ROUTED || fax->state == FAX_ROUTE_FAILED;
    return routed ? FAX_RECEIVED : fax->state;
}

#define SUM(table, keys, values)                                                                                       \
    "INSERT INTO " table " (" keys ", faxes, pages, call_ms) VALUES (" values ", ?, ?, ?)"                             \
    " ON CONFLICT (" keys ") DO UPDATE SET faxes = " table ".faxes + excluded.faxes,"                                  \
    " pages = " table ".pages + excluded.pages, call_ms = " table ".call_ms + excluded.call_ms"

/* The columns of a sum, of which each table has its own. */
enum key { KEY_NONE, KEY_HOUR, KEY_DAY, KEY_DIRECTION, KEY_STATE, KEY_OUTCOME, KEY_PROVIDER, KEY_USER };

static const struct {
    const char *sql;
    enum key keys[7];
} sums[] = {
    {SUM("usage", "hour, direction, state, outcome, provider, user_id", "?, ?, ?, ?, ?, ?"),
     {KEY_HOUR, KEY_DIRECTION, KEY_STATE, KEY_OUTCOME, KEY_PROVIDER, KEY_USER}},
    {SUM("usage_day", "day, direction, state, outcome, provider", "?, ?, ?, ?, ?"),
     {KEY_DAY, KEY_DIRECTION, KEY_STATE, KEY_OUTCOME, KEY_PROVIDER}},
    {SUM("usage_user", "day, user_id, direction, state", "?, ?, ?, ?"), {KEY_DAY, KEY_USER, KEY_DIRECTION, KEY_STATE}},
};

static void bind_key(struct stmt *stmt, enum key key, const struct fax *fax, const char *provider)
{
    switch (key) {
    case KEY_HOUR:
        stmt_bind_int(stmt, fax->ended_at / USAGE_HOUR_MS);
        break;
    case KEY_DAY:
        stmt_bind_int(stmt, fax->ended_at / USAGE_HOUR_MS / USAGE_DAY_HOURS);
        break;
    case KEY_DIRECTION:
        stmt_bind_int(stmt, fax->direction);
        break;
    case KEY_STATE:
        stmt_bind_int(stmt, end_of(fax));
        break;
    case KEY_OUTCOME:
        stmt_bind_int(stmt, fax->outcome);
        break;
    case KEY_PROVIDER:
        stmt_bind_text(stmt, provider);
        break;
    case KEY_USER:
        stmt_bind_int(stmt, fax->user_id);
        break;
    case KEY_NONE:
        break;
    }
}

static int add(struct spool *spool, const struct fax *fax, int64_t call_ms, int sign)
{
    char provider[PROVIDER_SIZE];
    struct stmt *stmt;
    int error = 0;
    provider_of(provider, fax);
    for (size_t i = 0; i < sizeof(sums) / sizeof(*sums) && !error; i++) {
        error = stmt_open(&stmt, spool_db(spool), sums[i].sql);
        if (error)
            break;
        for (const enum key *key = sums[i].keys; *key != KEY_NONE; key++)
            bind_key(stmt, *key, fax, provider);
        stmt_bind_int(stmt, sign);
        stmt_bind_int(stmt, sign * (int64_t)fax->pages_confirmed);
        stmt_bind_int(stmt, sign * call_ms);
        error = stmt_run(NULL, stmt);
    }
    return error;
}

int usage_ended(struct spool *spool, const struct fax *fax)
{
    int64_t call_ms;
    spool_assert_loop(spool);
    if (fax->test)
        return 0;
    int error = call_time(&call_ms, spool, fax);
    return error ? error : add(spool, fax, call_ms, 1);
}

int usage_reopened(struct spool *spool, const struct fax *fax)
{
    struct fax ended = {0};
    int64_t call_ms;
    spool_assert_loop(spool);
    if (fax->test)
        return 0;
    int error = fax_get(&ended, spool, fax->id); /* the caller's may say already what it is to be */
    if (!error)
        error = call_time(&call_ms, spool, &ended);
    if (!error && ended.ended_at > 0)
        error = add(spool, &ended, call_ms, -1);
    fax_clear(&ended);
    return error;
}
