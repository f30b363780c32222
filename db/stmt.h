/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Prepared statements: bind in the order of the placeholders, step, read columns by name.
 *
 *     struct stmt *stmt;
 *     int error = stmt_open(&stmt, db, "SELECT id, name FROM thing WHERE kind = ?");
 *     if (error) return error;
 *     stmt_bind_int(stmt, kind);
 *     while ((error = stmt_step(stmt)) == 1)
 *         use(stmt_int(stmt, "id"), stmt_text(stmt, "name"));
 *     stmt_close(stmt);
 *
 * A statement that writes opens the turn's transaction by itself (db_write_begin).
 *
 * Thread: the one that owns the connection (asserted).
 */
#ifndef FAXD_DB_STMT_H
#define FAXD_DB_STMT_H

#include <stdint.h>

struct db;
struct stmt;

/* `sql` is a constant: the prepared form is kept with the connection under its address. 0 or an error. */
int stmt_open(struct stmt **out, struct db *db, const char *sql);

/* The same for text put together at run time (from constants; values are always bound): not kept. */
int stmt_open_once(struct stmt **out, struct db *db, const char *sql);

/* Bind the next placeholder. A text is borrowed until stmt_close; NULL binds NULL. Failures show in stmt_step. */
void stmt_bind_int(struct stmt *stmt, int64_t value);
void stmt_bind_text(struct stmt *stmt, const char *text);

/* 1 with a row, 0 at the end, or an error (ERR_CONFLICT: a constraint; ERR_FULL, ERR_IO: disk; ERR_CLOSED:
 * interrupted). */
int stmt_step(struct stmt *stmt);

/* Step to the end and close. `*changed` (NULL is fine) = rows written. 0 or an error. */
int stmt_run(int64_t *changed, struct stmt *stmt);

/* Columns of the row. Text is borrowed until the next step or close, "" for NULL. */
int64_t stmt_int(struct stmt *stmt, const char *column);
const char *stmt_text(struct stmt *stmt, const char *column);

/* NULL is fine. */
void stmt_close(struct stmt *stmt);

#endif
