/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between documents and their files. Whether a file is encrypted is told by its beginning and its length together: an
 * upload may begin like an encrypted file by chance or by malice, but a plain file is as long as the row says, and an
 * encrypted one is always longer. */
#include "config.h"

#include "spool/document_cipher.h"

#include "db/stmt.h"
#include "server/base/cipher_file.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "spool/spool_private.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int io_error(const char *doing, const char *path)
{
    int code = errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_IO;
    return err_set(code, "cannot %s %s: %s", doing, path, strerror(errno));
}

/* --- writing --- */

static int write_plain(int to, const void *data, size_t size, const char *path)
{
    const char *at = data;
    while (size > 0) {
        ssize_t written = write(to, at, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return io_error("write", path);
        at += written;
        size -= (size_t)written;
    }
    return 0;
}

static int copy_plain(int to, int from, const char *path)
{
    char buffer[65536];
    ssize_t got;
    for (off_t at = 0; (got = pread(from, buffer, sizeof(buffer), at)) != 0; at += got) {
        if (got < 0)
            return io_error("read the content of", path);
        int error = write_plain(to, buffer, (size_t)got, path);
        if (error)
            return error;
    }
    return 0;
}

int document_cipher_write(struct spool *spool, int to, const char *sha, const void *data, size_t size, const char *path)
{
    if (!spool->encrypt)
        return write_plain(to, data, size, path);
    return cipher_file_write(to, data, size, spool->cipher_keys, sha, path);
}

int document_cipher_copy(struct spool *spool, int to, const char *sha, int from, const char *path)
{
    if (!spool->encrypt)
        return copy_plain(to, from, path);
    return cipher_file_copy(to, from, spool->cipher_keys, sha, path);
}

/* --- reading --- */

/* Octets of the content as the row tells, -1 without a row. */
static int size_of(int64_t *size_bytes, struct spool *spool, const char *sha)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "SELECT size FROM document WHERE sha256 = ?");
    if (error)
        return error;
    stmt_bind_text(stmt, sha);
    error = stmt_step(stmt);
    *size_bytes = error == 1 ? stmt_int(stmt, "size") : -1;
    stmt_close(stmt);
    return error < 0 ? error : 0;
}

int document_cipher_probe(char id[CIPHER_KEY_ID_SIZE], struct spool *spool, const char *sha, int fd, const char *path)
{
    struct stat info;
    int64_t size_bytes;
    int found = cipher_file_probe(id, fd, path);
    if (!found)
        return 0;
    if (fstat(fd, &info) != 0)
        return io_error("look at", path);
    int error = size_of(&size_bytes, spool, sha);
    if (error)
        return error;
    return info.st_size == size_bytes ? 0 : found;
}

int document_cipher_open(struct spool *spool, const char *sha, int fd, const char *path)
{
    char id[CIPHER_KEY_ID_SIZE];
    int memory = -1;
    int error = document_cipher_probe(id, spool, sha, fd, path);
    if (!error)
        return fd;
    if (error == 1)
        error = cipher_file_open(&memory, fd, spool->cipher_keys, sha, path);
    close(fd);
    if (!error)
        return memory;
    if (error == ERR_INVALID || error == ERR_DENIED || error == ERR_UNSUPPORTED) {
        log_error("document cannot be read: %s", err_message());
        error = ERR_DAMAGED;
    }
    return error;
}

/* --- the keys in use --- */

static int run_with_key(struct spool *spool, const char *sql)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), sql);
    if (error)
        return error;
    stmt_bind_text(stmt, spool->encrypt ? cipher_keys_newest(spool->cipher_keys) : "");
    return stmt_run(NULL, stmt);
}

int document_cipher_note(struct spool *spool)
{
    if (!spool->encrypt)
        return 0;
    return run_with_key(spool, "INSERT INTO document_key (id) VALUES (?) ON CONFLICT (id) DO NOTHING");
}

int document_cipher_forget(struct spool *spool)
{
    return run_with_key(spool, "DELETE FROM document_key WHERE id <> ?");
}

static int refuse(const struct spool *spool, const char *id)
{
    if (!spool->cipher_keys)
        return err_set(ERR_DENIED,
                       "documents in %s are encrypted with key %s, and no key is configured: name the file of the keys"
                       " in section encryption (key_file, or credential)",
                       spool->state_dir, id);
    return err_set(ERR_DENIED,
                   "documents in %s are encrypted with key %s, which is not among those configured: put its line back"
                   " below the newest, and remove it only after faxd --rotate-documents",
                   spool->state_dir, id);
}

int document_cipher_check(struct spool *spool)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "SELECT id FROM document_key ORDER BY id");
    if (error)
        return error;
    while ((error = stmt_step(stmt)) == 1)
        if (!cipher_keys_has(spool->cipher_keys, stmt_text(stmt, "id"))) {
            error = refuse(spool, stmt_text(stmt, "id"));
            break;
        }
    stmt_close(stmt);
    return error;
}
