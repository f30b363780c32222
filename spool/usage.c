/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counting what ended, one row at a time. */
#include "spool/usage.h"

#include "db/stmt.h"
#include "server/base/err.h"
#include "server/base/str.h"
#include "spool/fax.h"
#include "spool/spool_private.h"

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
    return fax->state == FAX_ROUTED || fax->state == FAX_ROUTE_FAILED ? FAX_RECEIVED : fax->state;
}

static int add(struct spool *spool, const struct fax *fax, int64_t call_ms, int sign)
{
    char provider[PROVIDER_SIZE];
    struct stmt *stmt;
    int error =
        stmt_open(&stmt, spool_db(spool),
                  "INSERT INTO usage (hour, direction, state, outcome, provider, user_id, faxes, pages, call_ms)"
                  " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
                  " ON CONFLICT (hour, direction, state, outcome, provider, user_id) DO UPDATE SET"
                  " faxes = usage.faxes + excluded.faxes, pages = usage.pages + excluded.pages,"
                  " call_ms = usage.call_ms + excluded.call_ms");
    if (error)
        return error;
    stmt_bind_int(stmt, fax->ended_at / USAGE_HOUR_MS);
    stmt_bind_int(stmt, fax->direction);
    stmt_bind_int(stmt, end_of(fax));
    stmt_bind_int(stmt, fax->outcome);
    stmt_bind_text(stmt, provider_of(provider, fax));
    stmt_bind_int(stmt, fax->user_id);
    stmt_bind_int(stmt, sign);
    stmt_bind_int(stmt, sign * (int64_t)fax->pages_confirmed);
    stmt_bind_int(stmt, sign * call_ms);
    return stmt_run(NULL, stmt);
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
