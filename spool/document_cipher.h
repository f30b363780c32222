/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Documents as they lie on disk, for spool/ only: plain, or encrypted (server/base/cipher_file) with the SHA-256 of
 * their plain content as label. A file tells by itself which it is; the store keeps the ids of all keys that a file may
 * be encrypted with (table document_key), so that a start without one of them is refused without a look at a million
 * files.
 *
 * Thread: loop, but for document_cipher_write and document_cipher_copy: any.
 */
#ifndef FAXD_SPOOL_DOCUMENT_CIPHER_H
#define FAXD_SPOOL_DOCUMENT_CIPHER_H

#include "server/base/cipher_keys.h"

#include <stddef.h>

struct spool;

/* Write the content of document `sha` to `to` as the spool stores it now: octets, or what `from` holds. `path` is for
 * messages. 0, ERR_FULL, ERR_IO. */
int document_cipher_write(struct spool *spool, int to, const char *sha, const void *data, size_t size,
                          const char *path);
int document_cipher_copy(struct spool *spool, int to, const char *sha, int from, const char *path);

/* 1 and the key's id when the open file of a document is encrypted, 0 when it is plain, or an error. */
int document_cipher_probe(char id[CIPHER_KEY_ID_SIZE], struct spool *spool, const char *sha, int fd, const char *path);

/* A descriptor of the plain content: `fd` itself, or memory, and `fd` is closed. ERR_DAMAGED, logged, when the content
 * cannot be had back: the file was changed, or its key is missing. */
int document_cipher_open(struct spool *spool, const char *sha, int fd, const char *path);

/* In this turn files may be written with the newest key: 0 or an error. Does nothing when nothing is encrypted. */
int document_cipher_note(struct spool *spool);

/* Every file is encrypted with the newest key by now, or plain when nothing is encrypted: forget all other keys. */
int document_cipher_forget(struct spool *spool);

/* At start: ERR_DENIED when documents are encrypted with a key that is not there; the message names the way out. */
int document_cipher_check(struct spool *spool);

#endif
