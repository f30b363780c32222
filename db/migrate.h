/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bring a store's schema up to this program's: an ordered list of steps (db/migrations), the number of those done in
 * PRAGMA user_version, each step in a transaction of its own.
 *
 * Thread: the connection's.
 */
#ifndef FAXD_DB_MIGRATE_H
#define FAXD_DB_MIGRATE_H

struct db;

/* 0; ERR_UNSUPPORTED when a newer program made the store (nothing is touched); ERR_IO, ERR_FULL, ERR_INTERNAL. */
int migrate(struct db *db);

#endif
