/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A few rows of each user, found by their key. */
#include "spool/known_address.h"

#include "db/stmt.h"
#include "server/base/clock.h"
#include "spool/spool.h"

bool known_address_has(struct spool *spool, int64_t user_id, const char *address)
{
    struct stmt *stmt;
    if (stmt_open(&stmt, spool_db(spool),
                  "SELECT seen_at FROM known_address WHERE user_id = ? AND address = ? AND seen_at > ?"))
        return false;
    stmt_bind_int(stmt, user_id);
    stmt_bind_text(stmt, address);
    stmt_bind_int(stmt, clock_now_ms() - KNOWN_ADDRESS_AGE_MS);
    int found = stmt_step(stmt);
    stmt_close(stmt);
    return found == 1;
}

static int drop_oldest(struct spool *spool, int64_t user_id)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool),
                          "DELETE FROM known_address WHERE user_id = ? AND address NOT IN (SELECT address FROM"
                          " known_address WHERE user_id = ? ORDER BY seen_at DESC, address LIMIT ?)");
    if (error)
        return error;
    stmt_bind_int(stmt, user_id);
    stmt_bind_int(stmt, user_id);
    stmt_bind_int(stmt, KNOWN_ADDRESSES_OF_A_USER);
    return stmt_run(NULL, stmt);
}

int known_address_note(struct spool *spool, int64_t user_id, const char *address)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool),
                          "INSERT INTO known_address (user_id, address, seen_at) VALUES (?, ?, ?)"
                          " ON CONFLICT (user_id, address) DO UPDATE SET seen_at = excluded.seen_at");
    if (error)
        return error;
    stmt_bind_int(stmt, user_id);
    stmt_bind_text(stmt, address);
    stmt_bind_int(stmt, clock_now_ms());
    error = stmt_run(NULL, stmt);
    return error ? error : drop_oldest(spool, user_id);
}
