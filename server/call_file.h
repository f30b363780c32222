/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files of a call, in its provider's folder STATE/hosts/NAME, named by the attempt's id:
 *
 *   a<id>.tif   outbound: the pages that this call sends (the document, or cut out of it, with their header lines)
 *   a<id>.2.tif to a<id>.5.tif   the same in other forms, for a far end that can do less
 *   r<id>.tif   inbound: what the call receives
 *   r<id>.end   inbound: the host's last word on the call, kept until the pages are adopted
 *
 * They live as long as the attempt is open. Beside them may be
 *
 *   k<id>.tif   inbound: a received file that could not be read, put aside until its fax is purged (spool/purge)
 *
 * Hosts and engines read and write the pages in plain. Under encryption they therefore lie in memory, in a folder below
 * spool_call_dir(), and only the .end, which holds no page, stays in STATE/hosts/NAME. What this costs: a restart of
 * faxd finds them, a restart of the machine does not.
 *
 * Thread: loop.
 */
#ifndef FAXD_SERVER_CALL_FILE_H
#define FAXD_SERVER_CALL_FILE_H

#include "server/link/link.h"

#include <stdbool.h>
#include <stdint.h>

#define CALL_FILE_PATH_SIZE 4096

struct spool;

/* The forms of what is sent follow one another: CALL_FILE_SEND + n. */
enum call_file_kind {
    CALL_FILE_SEND,
    CALL_FILE_SEND_2,
    CALL_FILE_SEND_3,
    CALL_FILE_SEND_4,
    CALL_FILE_SEND_5,
    CALL_FILE_RECEIVE,
    CALL_FILE_END
};

/* 0, or ERR_TOO_BIG when the state folder's name is that long. */
int call_file_path(char path[CALL_FILE_PATH_SIZE], struct spool *spool, const char *provider, enum call_file_kind kind,
                   int64_t attempt);

/* The path of a file that is there, maybe made before encryption was turned on or off: 0, ERR_NOT_FOUND, ERR_TOO_BIG.
 */
int call_file_find(char path[CALL_FILE_PATH_SIZE], struct spool *spool, const char *provider, enum call_file_kind kind,
                   int64_t attempt);

/* A new empty file, owner only, open for reading and writing: a descriptor, or ERR_IO / ERR_FULL. */
int call_file_create(const char *path);

/* Keep the end of a received call, synced under its final name: after this the host need not remember it.
 * 0, ERR_TOO_BIG, ERR_IO, ERR_FULL. */
int call_file_keep_end(const char *path, const struct link_message *ended);

/* Read it again. Texts point into `scratch` (LINK_BYTES_MAX * 2 octets). 0, ERR_NOT_FOUND, ERR_IO, ERR_INVALID. */
int call_file_read_end(struct link_message *ended, char *scratch, const char *path);

/* False under encryption when the memory for pages of calls is nearly used up: then no call should be answered. */
bool call_file_has_room(struct spool *spool);

/* Remove the files of an attempt after this turn's commit. */
void call_file_drop(struct spool *spool, const char *provider, int64_t attempt);

/* At start: remove files whose attempt is over or unknown, and what was put aside for a fax that was purged since, in
 * the folder of every provider. */
void call_file_sweep(struct spool *spool);

#endif
