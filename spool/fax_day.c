/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A row for each day on which a fax was made, in UTC. Faxes that are purged leave it as it is: their days are then
 * wider than need be. */
#include "spool/fax_day.h"

#include "db/stmt.h"
#include "spool/spool.h"

#define DAY_MS 86400000ll

static int widen(int64_t *changed, struct spool *spool, int64_t fax, int64_t day)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "UPDATE fax_day SET last_fax = ? WHERE day = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, fax);
    stmt_bind_int(stmt, day);
    return stmt_run(changed, stmt);
}

int fax_day_note(struct spool *spool, int64_t fax, int64_t created_ms)
{
    struct stmt *stmt;
    int64_t changed = 0;
    int error = widen(&changed, spool, fax, created_ms / DAY_MS);
    if (error || changed)
        return error;
    error = stmt_open(&stmt, spool_db(spool), "INSERT INTO fax_day (day, first_fax, last_fax) VALUES (?, ?, ?)");
    if (error)
        return error;
    stmt_bind_int(stmt, created_ms / DAY_MS);
    stmt_bind_int(stmt, fax);
    stmt_bind_int(stmt, fax);
    return stmt_run(NULL, stmt);
}

int fax_day_range(int64_t *first, int64_t *before, struct db *db, int64_t from_ms, int64_t until_ms)
{
    struct stmt *stmt;
    if (from_ms <= 0 && until_ms <= 0)
        return 0;
    int error = stmt_open(&stmt, db,
                          "SELECT coalesce(min(first_fax), 0) AS first, coalesce(max(last_fax), 0) AS last FROM fax_day"
                          " WHERE day >= ? AND day <= ?");
    if (error)
        return error;
    stmt_bind_int(stmt, from_ms > 0 ? from_ms / DAY_MS : 0);
    stmt_bind_int(stmt, until_ms > 0 ? until_ms / DAY_MS : INT64_MAX);
    error = stmt_step(stmt);
    if (error == 1) {
        int64_t last = stmt_int(stmt, "last");
        *first = stmt_int(stmt, "first");
        *before = last + 1; /* without any day: nothing is below */
    }
    stmt_close(stmt);
    return error < 0 ? error : 0;
}
