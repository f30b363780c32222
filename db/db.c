/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A connection to SQLite. The store's only writer is the loop's connection (the state folder is locked), so a
 * transaction that was begun IMMEDIATE meets no other writer; only a checkpoint that truncates the log may keep it
 * waiting a moment.
 *
 * SQLite may give a transaction up by itself when the disk is full or fails. From then on `lost` is set: writes are
 * refused until the turn ends, so that a later statement cannot start a second transaction with half of the turn
 * missing.
 */
#include "db/db.h"

#include "server/base/err.h"
#include "server/base/log.h"

#include <assert.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdlib.h>

#define BUSY_TIMEOUT_MS 10000 /* a truncating checkpoint on a slow disk */

struct db {
    sqlite3 *handle;
    enum db_mode mode;
    pthread_t owner;
    struct stmt_cache *statements;
    void (*statements_free)(struct stmt_cache *);
    bool open; /* a transaction was begun */
    bool lost; /* ... and SQLite gave it up */
    int lost_code;
    bool part_wanted; /* between db_part_begin and db_part_end */
    bool part_open;   /* its savepoint is set */
    void (*wal_fn)(void *context, int pages);
    void *wal_context;
    atomic_bool interrupted;
};

static const char *const setup[] = {
    [DB_WRITER] = "PRAGMA journal_mode = WAL;"
                  "PRAGMA synchronous = FULL;"
                  "PRAGMA foreign_keys = ON;"
                  "PRAGMA wal_autocheckpoint = 0;"
                  "PRAGMA cache_size = -65536;"
                  "PRAGMA temp_store = MEMORY;",
    [DB_READER] = "PRAGMA query_only = ON;"
                  "PRAGMA cache_size = -16384;"
                  "PRAGMA temp_store = MEMORY;",
};

static int code_of(int code)
{
    switch (code & 0xff) {
    case SQLITE_FULL:
        return ERR_FULL;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
        return ERR_IO;
    case SQLITE_CONSTRAINT:
        return ERR_CONFLICT;
    case SQLITE_INTERRUPT:
        return ERR_CLOSED;
    default:
        return ERR_INTERNAL;
    }
}

int db_error(struct db *db, int code, const char *doing)
{
    if (db->open && sqlite3_get_autocommit(db->handle)) {
        db->lost = true;
        db->lost_code = code_of(code);
    }
    return err_set(code_of(code), "store: %s: %s (%s)", doing, sqlite3_errmsg(db->handle), sqlite3_errstr(code));
}

static int wal_grew(void *context, sqlite3 *handle, const char *name, int pages)
{
    struct db *db = context;
    (void)handle;
    (void)name;
    if (db->wal_fn)
        db->wal_fn(db->wal_context, pages);
    return SQLITE_OK;
}

/* Lets db_interrupt() reach a statement that starts after it. */
static int keep_going(void *context)
{
    struct db *db = context;
    return atomic_load(&db->interrupted);
}

int db_open(struct db **out, const char *path, enum db_mode mode)
{
    int flags = mode == DB_WRITER ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
    struct db *db = xcalloc(1, sizeof(*db));
    db->mode = mode;
    db_own(db);
    int code = sqlite3_open_v2(path, &db->handle, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    if (code == SQLITE_OK) {
        sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
        code = sqlite3_exec(db->handle, setup[mode], NULL, NULL, NULL);
    }
    if (code != SQLITE_OK) {
        err_set(code_of(code), "cannot open the store %s: %s", path,
                db->handle ? sqlite3_errmsg(db->handle) : sqlite3_errstr(code));
        db_close(db);
        return code_of(code);
    }
    if (mode == DB_WRITER)
        sqlite3_wal_hook(db->handle, wal_grew, db);
    else
        sqlite3_progress_handler(db->handle, 10000, keep_going, db);
    *out = db;
    return 0;
}

void db_close(struct db *db)
{
    if (!db)
        return;
    if (db->statements)
        db->statements_free(db->statements);
    if (sqlite3_close(db->handle) != SQLITE_OK)
        log_error("store: closed with statements in use");
    free(db);
}

void db_own(struct db *db)
{
    db->owner = pthread_self();
}

bool db_is_owner(const struct db *db)
{
    return pthread_equal(db->owner, pthread_self());
}

int db_exec(struct db *db, const char *sql)
{
    assert(db_is_owner(db));
    int code = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? 0 : db_error(db, code, sql);
}

int db_write_begin(struct db *db)
{
    assert(db->mode == DB_WRITER);
    if (db->lost)
        return err_set(db->lost_code, "store: this turn's transaction was lost");
    int error = 0;
    if (!db->open) {
        error = db_exec(db, "BEGIN IMMEDIATE");
        db->open = !error;
    }
    if (!error && db->part_wanted && !db->part_open) {
        error = db_exec(db, "SAVEPOINT part");
        db->part_open = !error;
    }
    return error;
}

bool db_turn_is_open(const struct db *db)
{
    return db->open;
}

int db_turn_commit(struct db *db)
{
    assert(!db->part_wanted);
    if (!db->open)
        return 0;
    int error = db->lost ? err_set(db->lost_code, "store: this turn's transaction was lost") : db_exec(db, "COMMIT");
    if (error)
        db_turn_void(db);
    db->open = false;
    return error;
}

void db_turn_void(struct db *db)
{
    /* Nobody can act on a rollback that fails: what was not committed is gone with the connection. */
    if (db->open && !sqlite3_get_autocommit(db->handle))
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
    db->open = db->lost = db->part_wanted = db->part_open = false;
}

void db_part_begin(struct db *db)
{
    assert(!db->part_wanted);
    db->part_wanted = true;
}

int db_part_end(struct db *db, bool keep)
{
    assert(db->part_wanted);
    int error = 0;
    if (db->part_open && !db->lost)
        error = db_exec(db, keep ? "RELEASE part" : "ROLLBACK TO part; RELEASE part");
    else if (db->lost && keep)
        error = err_set(db->lost_code, "store: this turn's transaction was lost");
    db->part_wanted = db->part_open = false;
    return error;
}

void db_listen_wal(struct db *db, void (*fn)(void *context, int pages), void *context)
{
    db->wal_fn = fn;
    db->wal_context = context;
}

void db_interrupt(struct db *db)
{
    atomic_store(&db->interrupted, true);
}

sqlite3 *db_handle(struct db *db)
{
    return db->handle;
}

struct stmt_cache **db_stmt_cache(struct db *db, void (*free_fn)(struct stmt_cache *))
{
    db->statements_free = free_fn;
    return &db->statements;
}
