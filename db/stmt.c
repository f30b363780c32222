/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Prepared statements, kept with their connection under the address of the SQL constant. A statement that is asked for
 * while it is in use (a callback that looks something up in the midst of a walk) is prepared once more for that use.
 */
#include "db/stmt.h"

#include "db/db.h"
#include "server/base/err.h"
#include "server/base/log.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_SLOTS 512 /* a power of two, several times the number of statements in the program */

struct stmt {
    struct db *db;
    const char *sql;
    sqlite3_stmt *handle;
    bool cached, busy;
    int bound;  /* placeholders bound so far */
    int error;  /* SQLite's, of a bind */
    int column; /* where the last column was found: rows are mostly read in the order of their columns */
};

struct stmt_cache {
    struct stmt *slots[CACHE_SLOTS];
    int count;
};

static void cache_free(struct stmt_cache *cache)
{
    for (int i = 0; i < CACHE_SLOTS; i++) {
        if (!cache->slots[i])
            continue;
        assert(!cache->slots[i]->busy);
        sqlite3_finalize(cache->slots[i]->handle);
        free(cache->slots[i]);
    }
    free(cache);
}

static struct stmt **slot_of(struct stmt_cache *cache, const char *sql)
{
    size_t at = ((uintptr_t)sql >> 3) * 0x9e3779b97f4a7c15u >> 20;
    for (;; at++) {
        struct stmt **slot = &cache->slots[at % CACHE_SLOTS];
        if (!*slot || (*slot)->sql == sql)
            return slot;
    }
}

static int prepare(struct stmt **out, struct db *db, const char *sql, bool keep)
{
    struct stmt *stmt = xcalloc(1, sizeof(*stmt));
    *stmt = (struct stmt){.db = db, .sql = sql, .cached = keep, .busy = true};
    int code = sqlite3_prepare_v3(db_handle(db), sql, -1, keep ? SQLITE_PREPARE_PERSISTENT : 0, &stmt->handle, NULL);
    if (code != SQLITE_OK) {
        free(stmt);
        return db_error(db, code, sql);
    }
    *out = stmt;
    return 0;
}

int stmt_open(struct stmt **out, struct db *db, const char *sql)
{
    assert(db_is_owner(db));
    struct stmt_cache **cache = db_stmt_cache(db, cache_free);
    *out = NULL;
    if (!*cache)
        *cache = xcalloc(1, sizeof(**cache));
    struct stmt **slot = slot_of(*cache, sql);
    if (*slot && (*slot)->busy)
        return prepare(out, db, sql, false);
    if (!*slot) {
        assert((*cache)->count < CACHE_SLOTS / 2);
        int error = prepare(slot, db, sql, true);
        if (error)
            return error;
        (*cache)->count++;
    }
    (*slot)->busy = true;
    *out = *slot;
    return 0;
}

int stmt_open_once(struct stmt **out, struct db *db, const char *sql)
{
    assert(db_is_owner(db));
    *out = NULL;
    return prepare(out, db, sql, false);
}

static void note_bind(struct stmt *stmt, int code)
{
    if (code != SQLITE_OK && !stmt->error)
        stmt->error = code;
}

void stmt_bind_int(struct stmt *stmt, int64_t value)
{
    note_bind(stmt, sqlite3_bind_int64(stmt->handle, ++stmt->bound, value));
}

void stmt_bind_text(struct stmt *stmt, const char *text)
{
    /* Static: the caller keeps the text until stmt_close, which clears the bindings. */
    note_bind(stmt, sqlite3_bind_text(stmt->handle, ++stmt->bound, text, -1, SQLITE_STATIC));
}

int stmt_step(struct stmt *stmt)
{
    if (stmt->error)
        return db_error(stmt->db, stmt->error, stmt->sql);
    assert(stmt->bound == sqlite3_bind_parameter_count(stmt->handle));
    if (!sqlite3_stmt_readonly(stmt->handle)) {
        int error = db_write_begin(stmt->db);
        if (error)
            return error;
    }
    int code = sqlite3_step(stmt->handle);
    if (code == SQLITE_ROW)
        return 1;
    return code == SQLITE_DONE ? 0 : db_error(stmt->db, code, stmt->sql);
}

int stmt_run(int64_t *changed, struct stmt *stmt)
{
    int error;
    while ((error = stmt_step(stmt)) == 1)
        ;
    if (changed)
        *changed = error ? 0 : sqlite3_changes64(db_handle(stmt->db));
    stmt_close(stmt);
    return error;
}

static int find_column(struct stmt *stmt, const char *column)
{
    int count = sqlite3_column_count(stmt->handle);
    for (int i = 1; i <= count; i++) {
        int at = (stmt->column + i) % count;
        if (strcmp(sqlite3_column_name(stmt->handle, at), column) == 0)
            return stmt->column = at;
    }
    assert(!"no such column");
    abort();
}

int64_t stmt_int(struct stmt *stmt, const char *column)
{
    return sqlite3_column_int64(stmt->handle, find_column(stmt, column));
}

const char *stmt_text(struct stmt *stmt, const char *column)
{
    const char *text = (const char *)sqlite3_column_text(stmt->handle, find_column(stmt, column));
    return text ? text : "";
}

void stmt_close(struct stmt *stmt)
{
    if (!stmt)
        return;
    if (!stmt->cached) {
        sqlite3_finalize(stmt->handle);
        free(stmt);
        return;
    }
    sqlite3_reset(stmt->handle);
    sqlite3_clear_bindings(stmt->handle);
    stmt->busy = false;
    stmt->bound = stmt->error = 0;
    stmt->column = sqlite3_column_count(stmt->handle) - 1;
}
