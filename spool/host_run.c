/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One row for each provider: the last event that has been acted upon. */
#include "spool/host_run.h"

#include "db/stmt.h"
#include "server/base/str.h"
#include "spool/spool.h"

int host_run_get(char run[HOST_RUN_SIZE], uint64_t *number, struct spool *spool, const char *provider)
{
    struct stmt *stmt;
    run[0] = '\0';
    *number = 0;
    int error = stmt_open(&stmt, spool_db(spool), "SELECT run, number FROM host_run WHERE provider = ?");
    if (error)
        return error;
    stmt_bind_text(stmt, provider);
    error = stmt_step(stmt);
    if (error == 1) {
        str_copy(run, HOST_RUN_SIZE, stmt_text(stmt, "run"));
        *number = (uint64_t)stmt_int(stmt, "number");
    }
    stmt_close(stmt);
    return error < 0 ? error : 0;
}

int host_run_set(struct spool *spool, const char *provider, const char *run, uint64_t number)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool),
                          "INSERT INTO host_run (provider, run, number) VALUES (?, ?, ?)"
                          " ON CONFLICT (provider) DO UPDATE SET run = excluded.run, number = excluded.number");
    if (error)
        return error;
    stmt_bind_text(stmt, provider);
    stmt_bind_text(stmt, run);
    stmt_bind_int(stmt, (int64_t)number);
    return stmt_run(NULL, stmt);
}
