/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Documents: content-addressed files under documents/, named by SHA-256. Written to a temporary name, synced and
 * renamed when the turn ends, before its rows are committed (files before rows); swept at start when no row names them.
 *
 * Thread: loop.
 */
#ifndef FAXD_SPOOL_DOCUMENT_H
#define FAXD_SPOOL_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DOCUMENT_SHA_SIZE  65
#define DOCUMENT_PATH_SIZE 4096

struct spool;

/* Store octets; `sha` gets the name. Storing what is there already costs a look. 0, ERR_FULL (disk), ERR_IO. */
int document_put(char sha[DOCUMENT_SHA_SIZE], struct spool *spool, const void *data, size_t size);

/* The same for what is in a file, which stays as it is. 0, ERR_FULL, ERR_IO. */
int document_copy(char sha[DOCUMENT_SHA_SIZE], struct spool *spool, int fd);

/* Store a file made by a child: create an empty temporary file open for reading and writing (`*fd` the caller's); under
 * encryption it is memory, and has no name: `path` is ""... */
int document_temp(int *fd, char path[DOCUMENT_PATH_SIZE], struct spool *spool);
/* ...and take it over under its hash (the temporary name is gone afterwards, also on failure). `fd` stays the caller's.
 */
int document_adopt(char sha[DOCUMENT_SHA_SIZE], struct spool *spool, int fd, const char *path);

/* Store octets that take their time: reserve a file (`*fd` the caller's, `path` to be unlinked when nothing comes of
 * it). Thread: any... */
int document_reserve(int *fd, char path[DOCUMENT_PATH_SIZE], struct spool *spool);
/* ...hash the octets and write them as the spool stores them, synced. Thread: any... */
int document_write(char sha[DOCUMENT_SHA_SIZE], struct spool *spool, int fd, const void *data, size_t size);
/* ...and take the file over, `size_bytes` of content: nothing is read here. The name is gone afterwards. */
int document_adopt_known(struct spool *spool, const char *path, const char *sha, int64_t size_bytes);

/* Absolute path of a document, whether already renamed or still temporary in this turn: 0 or ERR_NOT_FOUND. The file
 * may be encrypted: for its content there are document_open and document_place. */
int document_path(char path[DOCUMENT_PATH_SIZE], struct spool *spool, const char *sha);

/* Open read-only, close-on-exec, at the beginning of the plain content: a descriptor, or ERR_NOT_FOUND / ERR_IO /
 * ERR_DAMAGED (encrypted, and changed). Of an encrypted document it is memory of its whole size: close it soon. */
int document_open(struct spool *spool, const char *sha);

/* Make a file `to` with the plain content, owner only, in the place of one that is there: a link where that is
 * possible. 0, the errors of document_open, ERR_FULL. */
int document_place(struct spool *spool, const char *sha, const char *to);

/* What a prepared document looks like. */
struct document_form {
    int pages, width;    /* dots of its widest page */
    int length_mm;       /* of its longest */
    char resolution[16]; /* "standard", "fine" or "superfine": its finest */
};

/* The prepared form of an upload under given conversion options (rendition_key): remembered so that the same upload is
 * converted once. 0, or ERR_NOT_FOUND. */
int document_prepared(char sha[DOCUMENT_SHA_SIZE], struct document_form *form, struct spool *spool,
                      const char *original, const char *options);
int document_remember(struct spool *spool, const char *original, const char *options, const char *prepared,
                      const struct document_form *form);

/* True for 64 lower-case hexadecimal digits. Pure. */
bool document_is_sha(const char *text);

/* For the rest of spool/: make the folders and empty tmp/; and remove a file that no row and no pending write names. */
int document_start(struct spool *spool);
int document_drop_stray(struct spool *spool, const char *sha);

#endif
