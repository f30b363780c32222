/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs the steps that a store has not seen. A crash between two steps leaves a whole number of them done. */
#include "db/migrate.h"

#include "db/db.h"
#include "db/migrations.h"
#include "db/stmt.h"
#include "server/base/err.h"
#include "server/base/log.h"

#include <stdio.h>

static int version_of(int *version, struct db *db)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, db, "PRAGMA user_version");
    if (error)
        return error;
    error = stmt_step(stmt);
    if (error == 1)
        *version = (int)stmt_int(stmt, "user_version");
    stmt_close(stmt);
    return error == 1 ? 0 : error ? error : err_set(ERR_INTERNAL, "store: no user_version");
}

static int run_step(struct db *db, int number)
{
    char pragma[64];
    snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %d", number + 1);
    int error = db_write_begin(db);
    if (!error)
        error = db_exec(db, migrations[number]);
    if (!error)
        error = db_exec(db, pragma);
    if (!error)
        error = db_turn_commit(db);
    if (error)
        db_turn_void(db);
    return error;
}

int migrate(struct db *db)
{
    int version = 0;
    int error = version_of(&version, db);
    if (error)
        return error;
    if (version > migrations_count)
        return err_set(ERR_UNSUPPORTED, "the store was made by a newer faxd (schema %d, this one knows %d)", version,
                       migrations_count);
    for (; version < migrations_count; version++) {
        error = run_step(db, version);
        if (error)
            return error;
        log_info("store: schema step %d of %d done", version + 1, migrations_count);
    }
    return 0;
}
