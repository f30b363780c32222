/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Encrypted files: libsodium's secretstream (XChaCha20-Poly1305) in pieces of 64 KiB.
 *
 *   octets 0..7    magic: 8e "faxd" 0d 0a 1a (no UTF-8, no image format)
 *   8              version, 1
 *   9..16          id of the key (cipher_keys)
 *   17..40         secretstream's header, which holds the random nonce
 *   then           pieces: up to 65,536 octets of content and 17 of secretstream each; all but the last are full, and
 *                  the last, which alone may be empty, carries the final tag
 *
 * Each piece is authenticated with those before it, the first with the header and the file's label (the name that its
 * content has in the store). So a change, a cut, pieces in another order, and a file put in the place of another are
 * all found.
 *
 * Names are for messages. Thread: any.
 */
#ifndef FAXD_BASE_CIPHER_FILE_H
#define FAXD_BASE_CIPHER_FILE_H

#include "server/base/cipher_keys.h"

#include <stddef.h>
#include <stdint.h>

#define CIPHER_FILE_PIECE  65536
#define CIPHER_FILE_HEADER 41
#define CIPHER_FILE_EXTRA  17 /* each piece */

/* Encrypt octets, or what descriptor `from` holds from its beginning to its end (pread), with the newest key to `to`,
 * at its position. Nothing is synced. 0, ERR_FULL, ERR_IO. */
int cipher_file_write(int to, const void *data, size_t size, const struct cipher_keys *keys, const char *label,
                      const char *name);
int cipher_file_copy(int to, int from, const struct cipher_keys *keys, const char *label, const char *name);

/* 1 and the key's id when the file begins as an encrypted one, 0 when it does not; ERR_INVALID when it is cut in its
 * header, ERR_UNSUPPORTED for another version, ERR_IO. The position of `fd` stays. */
int cipher_file_probe(char id[CIPHER_KEY_ID_SIZE], int fd, const char *name);

/* Decrypt an encrypted file into memory without a name: `*memory` is a sealed memfd, read-only, close-on-exec, at its
 * beginning, the caller's. ERR_UNSUPPORTED: not encrypted, or another version; ERR_DENIED: its key is not among `keys`
 * (NULL = none), the message names its id; ERR_INVALID: damaged, cut, out of order, or another file under this name;
 * ERR_IO; ERR_FULL. What cannot be proved is not given out: `*memory` is set with 0 only. */
int cipher_file_open(int *memory, int fd, const struct cipher_keys *keys, const char *label, const char *name);

/* Octets of the encrypted file of so much content. */
int64_t cipher_file_size(int64_t content);

#endif
