/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rotation: every stored document rewritten under the newest key, or plain where encryption was turned off. For a spool
 * that no faxd uses: it has the lock of the state folder, and walks all files.
 *
 * Each file is replaced in one step (written aside, synced, renamed), so a crash leaves old and new files that can all
 * be read with the keys of before; run again it goes on with those that are left.
 *
 * Thread: loop.
 */
#ifndef FAXD_SPOOL_DOCUMENT_ROTATE_H
#define FAXD_SPOOL_DOCUMENT_ROTATE_H

#include <stdint.h>

struct spool;

struct document_rotation {
    int64_t seen, rewritten;
    int64_t unreadable; /* left as they are, each named in the log */
};

/* 0: nothing depends on another key any more. ERR_DAMAGED: there are unreadable files, so the old keys stay wanted;
 * ERR_FULL, ERR_IO. `*done` tells how far it came in any case. */
int document_rotate(struct document_rotation *done, struct spool *spool);

#endif
