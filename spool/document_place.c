/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A document as a plain file somewhere else: for hosts and engines, which are given paths and no keys. */
#include "config.h"

#include "spool/document.h"

#include "server/base/err.h"
#include "spool/document_cipher.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int io_error(const char *doing, const char *path)
{
    int code = errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_IO;
    return err_set(code, "cannot %s %s: %s", doing, path, strerror(errno));
}

static int copy_to(const char *to, int from)
{
    char buffer[65536];
    ssize_t got, written = 0;
    int fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    int error = 0;
    if (fd < 0)
        return io_error("make", to);
    for (off_t at = 0; (got = pread(from, buffer, sizeof(buffer), at)) > 0; at += written)
        if ((written = write(fd, buffer, (size_t)got)) < 0)
            break;
    if (got < 0 || written < 0)
        error = io_error("write", to);
    close(fd);
    return error;
}

int document_place(struct spool *spool, const char *sha, const char *to)
{
    char path[DOCUMENT_PATH_SIZE], id[CIPHER_KEY_ID_SIZE];
    int error = document_path(path, spool, sha);
    if (error)
        return error;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return io_error("open", path);
    unlink(to);
    if (!document_cipher_probe(id, spool, sha, fd, path) && link(path, to) == 0) {
        close(fd);
        return 0;
    }
    fd = document_cipher_open(spool, sha, fd, path);
    if (fd < 0)
        return fd;
    error = copy_to(to, fd);
    close(fd);
    if (error)
        unlink(to);
    return error;
}
