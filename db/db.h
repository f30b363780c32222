/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One connection to the store: the write transaction of a turn, a part of it that can be undone, and how SQLite is set
 * up. Knows nothing of faxes. Statements are db/stmt, the schema is db/migrations.
 *
 * Thread: a connection belongs to one thread at a time, the one that opened it or last called db_own().
 */
#ifndef FAXD_DB_DB_H
#define FAXD_DB_DB_H

#include <stdbool.h>

struct db;
struct sqlite3;

enum db_mode {
    DB_WRITER, /* made when absent; WAL, synchronous=FULL, foreign keys, no automatic checkpoints */
    DB_READER  /* read-only; sees what was committed when a read starts */
};

/* 0; ERR_IO (cannot open, not a database, read-only file), ERR_FULL, ERR_INTERNAL. The caller closes with db_close. */
int db_open(struct db **out, const char *path, enum db_mode mode);

/* Undoes an open transaction. NULL is fine. */
void db_close(struct db *db);

/* From now on the calling thread is the one that uses the connection. */
void db_own(struct db *db);

/* Run SQL text without parameters and results (pragmas, schema). Does not open the turn's transaction. */
int db_exec(struct db *db, const char *sql);

/* What every statement that writes calls first: opens the turn's transaction (BEGIN IMMEDIATE) and the savepoint of a
 * part where they are wanted and not open yet. An error once SQLite has given the transaction up by itself (disk full,
 * I/O). */
int db_write_begin(struct db *db);

/* True while a transaction is open, or was lost and not yet voided. */
bool db_turn_is_open(const struct db *db);

/* Commit: 0, or an error after which everything since the first write is undone. Nothing open: 0. */
int db_turn_commit(struct db *db);

/* Undo everything since the first write of the turn. */
void db_turn_void(struct db *db);

/* A part of the turn that can be undone alone. The savepoint is set by the part's first write. Parts do not nest. */
void db_part_begin(struct db *db);
int db_part_end(struct db *db, bool keep);

/* Called after each commit with the write-ahead log's length in pages, on the committing thread. */
void db_listen_wal(struct db *db, void (*fn)(void *context, int pages), void *context);

/* Make running statements fail with ERR_CLOSED, now and from now on. Thread: any. */
void db_interrupt(struct db *db);

/* For db/ only. */
struct stmt_cache;
struct sqlite3 *db_handle(struct db *db);
struct stmt_cache **db_stmt_cache(struct db *db, void (*free_fn)(struct stmt_cache *)); /* freed on close */
bool db_is_owner(const struct db *db);
int db_error(struct db *db, int code, const char *doing); /* SQLite's result to ours; sets the message */

#endif
