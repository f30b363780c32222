/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A thread that moves the write-ahead log into the database file, so that no commit of the loop waits for it: passive
 * every 4 MB or so, and a truncating one when the log has passed 64 MB.
 *
 * Thread: start and stop on the loop; wake on any.
 */
#ifndef FAXD_DB_CHECKPOINT_H
#define FAXD_DB_CHECKPOINT_H

struct checkpoint;

/* 0, ERR_IO, ERR_INTERNAL. The caller ends it with checkpoint_stop. */
int checkpoint_start(struct checkpoint **out, const char *path);

/* The log is `wal_pages` long. Costs a lock, and a signal when there is work. */
void checkpoint_wake(struct checkpoint *checkpoint, int wal_pages);

/* Waits for a running checkpoint. NULL is fine. */
void checkpoint_stop(struct checkpoint *checkpoint);

#endif
