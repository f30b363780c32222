/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Encrypts and decrypts files. On the route: spool/document_cipher stores and opens documents by it; nothing else of
 * the server touches an encrypted file. */
#include "config.h" /* memfd_create, F_ADD_SEALS */

#include "server/base/cipher_file.h"

#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FORMAT_VERSION 1
#define MAGIC_SIZE     8
#define KEY_ID_PLACE   9
#define KEY_ID_SIZE    8
#define NONCE_PLACE    17
#define SEALED_PIECE   (CIPHER_FILE_PIECE + CIPHER_FILE_EXTRA)

static const unsigned char magic[MAGIC_SIZE] = {0x8e, 'f', 'a', 'x', 'd', '\r', '\n', 0x1a};

_Static_assert(CIPHER_KEY_SIZE == crypto_secretstream_xchacha20poly1305_KEYBYTES, "a key fits the cipher");
_Static_assert(CIPHER_FILE_EXTRA == crypto_secretstream_xchacha20poly1305_ABYTES, "overhead of a piece");
_Static_assert(CIPHER_FILE_HEADER == NONCE_PLACE + crypto_secretstream_xchacha20poly1305_HEADERBYTES, "the header");
_Static_assert(CIPHER_KEY_ID_SIZE == 2 * KEY_ID_SIZE + 1, "an id as text");

/* A file on its way through: `plain` and `sealed` are the two forms of the piece under way. */
struct passage {
    crypto_secretstream_xchacha20poly1305_state state;
    unsigned char header[CIPHER_FILE_HEADER];
    unsigned char plain[CIPHER_FILE_PIECE], sealed[SEALED_PIECE];
    const char *label, *name;
    int64_t pieces;
};

static struct passage *passage_new(const char *label, const char *name)
{
    struct passage *passage = xcalloc(1, sizeof *passage);

    passage->label = label;
    passage->name = name;
    return passage;
}

/* No page and no stream state stays behind in freed memory. */
static void passage_free(struct passage *passage)
{
    sodium_memzero(passage, sizeof *passage);
    free(passage);
}

static int io_error(const char *doing, const char *name)
{
    int code = errno == ENOSPC || errno == EDQUOT || errno == ENOMEM ? ERR_FULL : ERR_IO;

    return err_set(code, "cannot %s %s: %s", doing, name, strerror(errno));
}

/* What the first piece proves besides itself: header and label; the others need nothing. `room` holds the text. */
static size_t context_of(const struct passage *passage, unsigned char room[CIPHER_FILE_HEADER + NAME_MAX])
{
    size_t length = strnlen(passage->label, NAME_MAX);

    if (passage->pieces > 0)
        return 0;
    memcpy(room, passage->header, CIPHER_FILE_HEADER);
    memcpy(room + CIPHER_FILE_HEADER, passage->label, length);
    return CIPHER_FILE_HEADER + length;
}

static int write_all(int fd, const unsigned char *data, size_t size, const char *name)
{
    while (size > 0) {
        ssize_t written = write(fd, data, size);

        if (written < 0 && errno != EINTR)
            return io_error("write", name);
        if (written > 0) {
            data += written;
            size -= (size_t)written;
        }
    }
    return 0;
}

/* As much as there is from `offset` on, up to `size`: octets, or ERR_IO. */
static ssize_t read_at(int fd, unsigned char *data, size_t size, int64_t offset, const char *name)
{
    size_t have = 0;

    while (have < size) {
        ssize_t got = pread(fd, data + have, size - have, offset + (int64_t)have);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return io_error("read", name);
        if (got == 0)
            break;
        have += (size_t)got;
    }
    return (ssize_t)have;
}

int64_t cipher_file_size(int64_t content)
{
    int64_t pieces = content == 0 ? 1 : (content + CIPHER_FILE_PIECE - 1) / CIPHER_FILE_PIECE;

    return CIPHER_FILE_HEADER + content + pieces * CIPHER_FILE_EXTRA;
}

/* --- encrypting --- */

static int begin(struct passage *passage, int to, const struct cipher_keys *keys)
{
    const char *id = cipher_keys_newest(keys);
    unsigned char *header = passage->header;

    memcpy(header, magic, MAGIC_SIZE);
    header[MAGIC_SIZE] = FORMAT_VERSION;
    sodium_hex2bin(header + KEY_ID_PLACE, KEY_ID_SIZE, id, strlen(id), NULL, NULL, NULL);
    crypto_secretstream_xchacha20poly1305_init_push(&passage->state, header + NONCE_PLACE, cipher_keys_find(keys, id));
    return write_all(to, header, CIPHER_FILE_HEADER, passage->name);
}

static int push(struct passage *passage, int to, const unsigned char *piece, size_t size, bool last)
{
    unsigned char tag =
        last ? crypto_secretstream_xchacha20poly1305_TAG_FINAL : crypto_secretstream_xchacha20poly1305_TAG_MESSAGE;
    unsigned char context[CIPHER_FILE_HEADER + NAME_MAX];
    size_t context_size = context_of(passage, context);

    crypto_secretstream_xchacha20poly1305_push(&passage->state, passage->sealed, NULL, piece, size, context,
                                               context_size, tag);
    passage->pieces++;
    return write_all(to, passage->sealed, size + CIPHER_FILE_EXTRA, passage->name);
}

int cipher_file_write(int to, const void *data, size_t size, const struct cipher_keys *keys, const char *label,
                      const char *name)
{
    struct passage *passage = passage_new(label, name);
    const unsigned char *at = data;
    int error = begin(passage, to, keys);
    bool last = false;

    while (error == 0 && !last) {
        size_t piece = size < CIPHER_FILE_PIECE ? size : CIPHER_FILE_PIECE;

        last = piece == size;
        error = push(passage, to, at, piece, last);
        at += piece;
        size -= piece;
    }
    passage_free(passage);
    return error;
}

/* A full piece is the last one when nothing follows it: one octet is looked at beyond each. */
static int copy_pieces(struct passage *passage, int to, int from)
{
    int64_t at = 0;
    bool last = false;

    while (!last) {
        unsigned char beyond;
        ssize_t got = read_at(from, passage->plain, CIPHER_FILE_PIECE, at, passage->name), more = 0;

        if (got == CIPHER_FILE_PIECE)
            more = read_at(from, &beyond, 1, at + got, passage->name);
        if (got < 0 || more < 0)
            return (int)(got < 0 ? got : more);
        last = more == 0;
        int error = push(passage, to, passage->plain, (size_t)got, last);
        if (error != 0)
            return error;
        at += got;
    }
    return 0;
}

int cipher_file_copy(int to, int from, const struct cipher_keys *keys, const char *label, const char *name)
{
    struct passage *passage = passage_new(label, name);
    int error = begin(passage, to, keys);

    if (error == 0)
        error = copy_pieces(passage, to, from);
    passage_free(passage);
    return error;
}

/* --- decrypting --- */

/* 1 with a whole header, 0 when it is a plain file. */
static int read_header(unsigned char header[CIPHER_FILE_HEADER], int fd, const char *name)
{
    ssize_t got = read_at(fd, header, CIPHER_FILE_HEADER, 0, name);

    if (got < 0)
        return (int)got;
    if (got < MAGIC_SIZE || memcmp(header, magic, MAGIC_SIZE) != 0)
        return 0;
    if (got > MAGIC_SIZE && header[MAGIC_SIZE] != FORMAT_VERSION)
        return err_set(ERR_UNSUPPORTED, "%s is encrypted in version %d, this faxd knows version %d", name,
                       header[MAGIC_SIZE], FORMAT_VERSION);
    if (got < CIPHER_FILE_HEADER)
        return err_set(ERR_INVALID, "%s is encrypted and cut short: it ends in its header", name);
    return 1;
}

int cipher_file_probe(char id[CIPHER_KEY_ID_SIZE], int fd, const char *name)
{
    unsigned char header[CIPHER_FILE_HEADER];
    int found = read_header(header, fd, name);

    if (found == 1)
        str_hex(id, header + KEY_ID_PLACE, KEY_ID_SIZE);
    return found;
}

static int start(struct passage *passage, int fd, const struct cipher_keys *keys)
{
    char id[CIPHER_KEY_ID_SIZE];
    const unsigned char *key;
    int found = read_header(passage->header, fd, passage->name);

    if (found == 0)
        return err_set(ERR_UNSUPPORTED, "%s is not encrypted", passage->name);
    if (found < 0)
        return found;
    str_hex(id, passage->header + KEY_ID_PLACE, KEY_ID_SIZE);
    key = cipher_keys_find(keys, id);
    if (key == NULL)
        return err_set(ERR_DENIED, "%s is encrypted with key %s, which is not among the configured ones", passage->name,
                       id);
    if (crypto_secretstream_xchacha20poly1305_init_pull(&passage->state, passage->header + NONCE_PLACE, key) != 0)
        return err_set(ERR_INVALID, "%s is damaged in its header", passage->name);
    return 0;
}

/* One piece of `size` sealed octets to `to`: 0, 1 when it was the last, or an error. */
static int pull(struct passage *passage, int to, size_t size)
{
    unsigned char context[CIPHER_FILE_HEADER + NAME_MAX], tag;
    size_t context_size = context_of(passage, context);
    unsigned long long got;
    int error;

    if (crypto_secretstream_xchacha20poly1305_pull(&passage->state, passage->plain, &got, &tag, passage->sealed, size,
                                                   context, context_size) != 0)
        return err_set(ERR_INVALID,
                       "%s is damaged, cut short or not the file of this name: piece %lld cannot be proved",
                       passage->name, (long long)passage->pieces + 1);
    passage->pieces++;
    error = write_all(to, passage->plain, (size_t)got, passage->name);
    if (error != 0)
        return error;
    return tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
}

static int pull_all(struct passage *passage, int to, int fd)
{
    int64_t at = CIPHER_FILE_HEADER;

    for (;;) {
        ssize_t got = read_at(fd, passage->sealed, SEALED_PIECE, at, passage->name);
        int result;

        if (got < 0)
            return (int)got;
        if (got < CIPHER_FILE_EXTRA)
            return err_set(ERR_INVALID, "%s is cut short: its last piece is missing, piece %lld is where it ends",
                           passage->name, (long long)passage->pieces + 1);
        result = pull(passage, to, (size_t)got);
        if (result < 0)
            return result;
        at += got;
        if (result == 1 && read_at(fd, passage->sealed, 1, at, passage->name) != 0)
            return err_set(ERR_INVALID, "%s is damaged: something follows its last piece", passage->name);
        if (result == 1)
            return 0;
        if (got < SEALED_PIECE)
            return err_set(ERR_INVALID, "%s is cut short: its last piece is missing", passage->name);
    }
}

/* From now on it can only be read. It is opened again for that: before Linux 6.7 a sealed file that was opened for
 * writing cannot be mapped shared, not even to read it, and libtiff maps so. */
static int seal_memory(int *memory, const char *name)
{
    char path[64];
    int reader;

    if (fcntl(*memory, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0)
        return io_error("seal the memory of", name);
    snprintf(path, sizeof path, "/proc/self/fd/%d", *memory);
    reader = open(path, O_RDONLY | O_CLOEXEC);
    if (reader < 0)
        return io_error("open the memory of", name);
    close(*memory);
    *memory = reader;
    return 0;
}

int cipher_file_open(int *memory, int fd, const struct cipher_keys *keys, const char *label, const char *name)
{
    struct passage *passage = passage_new(label, name);
    int to = -1, error = start(passage, fd, keys);

    if (error == 0 && (to = memfd_create("faxd-plain", MFD_CLOEXEC | MFD_ALLOW_SEALING)) < 0)
        error = io_error("get memory for", name);
    if (error == 0)
        error = pull_all(passage, to, fd);
    if (error == 0)
        error = seal_memory(&to, name);
    passage_free(passage);
    if (error != 0 && to >= 0)
        close(to);
    if (error == 0)
        *memory = to;
    return error;
}
