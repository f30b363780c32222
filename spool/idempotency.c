/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Replies of POSTs by owner and Idempotency-Key. */
#include "spool/idempotency.h"

#include "db/stmt.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "spool/spool_private.h"

#include <string.h>

int idempotency_find(struct idempotency_reply *reply, struct spool *spool, int64_t owner, const char *key,
                     const char *body_sha)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool),
                          "SELECT body_sha, status, body, location FROM idempotency"
                          " WHERE owner = ? AND request_key = ? AND keep_until > ?");
    if (error)
        return error;
    stmt_bind_int(stmt, owner);
    stmt_bind_text(stmt, key);
    stmt_bind_int(stmt, clock_now_ms());
    error = stmt_step(stmt);
    if (error == 1 && strcmp(stmt_text(stmt, "body_sha"), body_sha) != 0) {
        error = err_set(ERR_CONFLICT, "this Idempotency-Key was used with another request");
    } else if (error == 1) {
        reply->status = (int)stmt_int(stmt, "status");
        reply->body = xstrdup(stmt_text(stmt, "body"));
        reply->location = xstrdup(stmt_text(stmt, "location"));
        error = 0;
    } else if (error == 0) {
        error = err_set(ERR_NOT_FOUND, "this Idempotency-Key is new");
    }
    stmt_close(stmt);
    return error;
}

int idempotency_store(struct spool *spool, int64_t owner, const char *key, const char *body_sha, int status,
                      const char *body, const char *location, int64_t keep_until_ms)
{
    struct stmt *stmt;
    /* A conflict is a row whose time is over and that was not swept yet: idempotency_find() went before. */
    int error = stmt_open(&stmt, spool_db(spool),
                          "INSERT INTO idempotency (owner, request_key, body_sha, status, body, location, keep_until)"
                          " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (owner, request_key) DO UPDATE SET"
                          " body_sha = excluded.body_sha, status = excluded.status, body = excluded.body,"
                          " location = excluded.location, keep_until = excluded.keep_until");
    if (error)
        return error;
    stmt_bind_int(stmt, owner);
    stmt_bind_text(stmt, key);
    stmt_bind_text(stmt, body_sha);
    stmt_bind_int(stmt, status);
    stmt_bind_text(stmt, body ? body : "");
    stmt_bind_text(stmt, location ? location : "");
    stmt_bind_int(stmt, keep_until_ms > 0 ? keep_until_ms : clock_now_ms() + 1000ll * spool->idempotency_ttl_s);
    return stmt_run(NULL, stmt);
}

int idempotency_trim(struct spool *spool, int64_t now_ms, int room)
{
    struct stmt *stmt;
    int64_t deleted;
    int error = stmt_open(&stmt, spool_db(spool),
                          "SELECT 1 AS one FROM idempotency WHERE keep_until <= ? ORDER BY keep_until LIMIT 1");
    if (error)
        return error;
    stmt_bind_int(stmt, now_ms);
    error = stmt_step(stmt);
    stmt_close(stmt);
    if (error != 1) /* nothing: no transaction for it */
        return error;
    error = stmt_open(&stmt, spool_db(spool),
                      "DELETE FROM idempotency WHERE (owner, request_key) IN (SELECT owner, request_key"
                      " FROM idempotency WHERE keep_until <= ? ORDER BY keep_until LIMIT ?)");
    if (error)
        return error;
    stmt_bind_int(stmt, now_ms);
    stmt_bind_int(stmt, room);
    error = stmt_run(&deleted, stmt);
    return error ? error : (int)deleted;
}
