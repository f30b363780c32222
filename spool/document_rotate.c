/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rotation. The newest key is in the store before the first file is written with it, and the old ones leave the store
 * after the last file is synced: at any moment the store names every key that is needed. */
#include "config.h"

#include "spool/document_rotate.h"

#include "server/base/err.h"
#include "server/base/log.h"
#include "spool/document.h"
#include "spool/document_cipher.h"
#include "spool/spool_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FOLDERS 256

static int io_error(const char *doing, const char *path)
{
    int code = errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_IO;
    return err_set(code, "cannot %s %s: %s", doing, path, strerror(errno));
}

/* Is the file as new ones are written now? 1, 0, or an error. */
static int is_right(struct spool *spool, const char *sha, int fd, const char *path)
{
    char id[CIPHER_KEY_ID_SIZE];
    int sealed = document_cipher_probe(id, spool, sha, fd, path);
    if (sealed < 0)
        return sealed;
    if (!sealed || !spool->encrypt)
        return !sealed && !spool->encrypt;
    return strcmp(id, cipher_keys_newest(spool->cipher_keys)) == 0;
}

/* `from` holds the plain content. */
static int replace(struct spool *spool, const char *sha, int from, const char *path)
{
    char temporary[DOCUMENT_PATH_SIZE];
    int fd;
    int error = document_reserve(&fd, temporary, spool);
    if (error)
        return error;
    error = document_cipher_copy(spool, fd, sha, from, temporary);
    if (!error && fdatasync(fd) != 0)
        error = io_error("sync", temporary);
    if (!error && rename(temporary, path) != 0)
        error = io_error("rename a document to", path);
    close(fd);
    if (error)
        unlink(temporary);
    return error;
}

static int rotate_file(struct document_rotation *done, struct spool *spool, const char *sha, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return io_error("open", path);
    done->seen++;
    int right = is_right(spool, sha, fd, path);
    if (right == 1) {
        close(fd);
        return 0;
    }
    /* What cannot be probed cannot be opened either, and opening tells why. */
    int plain = document_cipher_open(spool, sha, fd, path);
    if (plain == ERR_DAMAGED) {
        done->unreadable++;
        return 0;
    }
    if (plain < 0)
        return plain;
    int error = replace(spool, sha, plain, path);
    close(plain);
    if (!error)
        done->rewritten++;
    return error;
}

static int rotate_folder(struct document_rotation *done, struct spool *spool, int number)
{
    char folder[DOCUMENT_PATH_SIZE], path[DOCUMENT_PATH_SIZE];
    struct dirent *entry;
    int64_t before = done->rewritten;
    int error = spool_path(folder, sizeof(folder), spool, "documents/%02x", number);
    if (error)
        return error;
    DIR *dir = opendir(folder);
    if (!dir)
        return io_error("read", folder);
    while (!error && (entry = readdir(dir))) {
        if (!document_is_sha(entry->d_name))
            continue;
        error = spool_path(path, sizeof(path), spool, "documents/%02x/%s", number, entry->d_name);
        if (!error)
            error = rotate_file(done, spool, entry->d_name, path);
    }
    if (!error && done->rewritten > before && fsync(dirfd(dir)) != 0)
        error = io_error("sync", folder);
    closedir(dir);
    return error;
}

int document_rotate(struct document_rotation *done, struct spool *spool)
{
    *done = (struct document_rotation){0};
    spool_assert_loop(spool);
    int error = document_cipher_note(spool);
    if (!error)
        error = spool_turn_end(spool);
    for (int i = 0; i < FOLDERS && !error; i++)
        error = rotate_folder(done, spool, i);
    if (!error && done->unreadable > 0)
        error = err_set(ERR_DAMAGED,
                        "%lld documents cannot be read, the log names them: the old keys stay wanted until each of them"
                        " is restored from a backup or removed",
                        (long long)done->unreadable);
    if (!error)
        error = document_cipher_forget(spool);
    return error ? error : spool_turn_end(spool);
}
