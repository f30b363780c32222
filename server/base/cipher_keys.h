/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keys of encryption at rest, read from a file or a systemd credential: one key a line, 32 octets as base64 or
 * hexadecimal; empty lines and lines that begin with # do not count. The first key encrypts, the others are old ones
 * that still decrypt. A key is named by its id, the first 8 octets of a hash of it: that stands in files, in the store
 * and in messages, never the key.
 *
 * The keys lie in memory that is locked (as far as the limits of the process allow) and kept out of core files.
 *
 * Thread: any; a struct cipher_keys does not change.
 */
#ifndef FAXD_BASE_CIPHER_KEYS_H
#define FAXD_BASE_CIPHER_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#define CIPHER_KEY_SIZE     32 /* octets */
#define CIPHER_KEY_ID_SIZE  17 /* 16 hexadecimal digits and the end */
#define CIPHER_KEYS_MAX     64
#define CIPHER_KEY_FILE_MAX 65536 /* octets of the file */

struct cipher_keys;

/* Who else may read the file: nobody; or its group, as with a credential of systemd, whose access list for the user
 * of the service shows up in the mode as the group's bits. */
enum cipher_keys_access { CIPHER_KEYS_OWNER, CIPHER_KEYS_CREDENTIAL };

/* Read a file that belongs to us or to root. 0; ERR_IO; ERR_DENIED when others may read it, or own it; ERR_INVALID when
 * a line is no key, when a key is there twice or when there is none. The caller frees with cipher_keys_free. */
int cipher_keys_load(struct cipher_keys **out, const char *path, enum cipher_keys_access access);

/* The same from text; `name` stands for the file in messages. */
int cipher_keys_parse(struct cipher_keys **out, const char *text, size_t size, const char *name);

/* Wipes them. NULL is fine. */
void cipher_keys_free(struct cipher_keys *keys);

/* Put a new key above those of the file, which is made (mode 0600) when it is not there; replaced in one step. Its id
 * goes to `id`. 0 or an error of cipher_keys_load, ERR_FULL. */
int cipher_keys_make(char id[CIPHER_KEY_ID_SIZE], const char *path);

/* Id of the key that encrypts. Borrowed. */
const char *cipher_keys_newest(const struct cipher_keys *keys);

/* `keys` NULL has none. */
bool cipher_keys_has(const struct cipher_keys *keys, const char *id);

/* For cipher_file: the key of an id, CIPHER_KEY_SIZE octets, or NULL. Borrowed. */
const unsigned char *cipher_keys_find(const struct cipher_keys *keys, const char *id);

#endif
