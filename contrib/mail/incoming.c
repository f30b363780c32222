/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "contrib/mail/incoming.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "contrib/mail/settings.h"
#include "server/base/err.h"
#include "server/base/log.h"

#define PIECE 65536

/* File systems without O_TMPFILE get a name for a moment. */
static int named_file(const char *folder)
{
    char *path = xasprintf("%s/faxmail-XXXXXX", folder);
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    free(path);
    return fd;
}

int incoming_file(const struct settings *settings)
{
    const char *folder = settings->temp_dir[0] != '\0' ? settings->temp_dir : getenv("TMPDIR");
    if (folder == NULL || folder[0] == '\0')
        folder = "/tmp";
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0)
        fd = named_file(folder);
    return fd >= 0 ? fd : err_set(ERR_IO, "cannot make a file in %s: %s", folder, strerror(errno));
}

int incoming_open(struct incoming *incoming, const struct settings *settings)
{
    *incoming = (struct incoming){.fd = incoming_file(settings), .most = settings_message_bytes(settings)};
    return incoming->fd < 0 ? ERR_IO : 0;
}

void incoming_add(struct incoming *incoming, const void *data, size_t size)
{
    const char *from = data;
    int64_t left = incoming->most - incoming->size;
    incoming->size += (int64_t)size;
    if (incoming->failed || left <= 0)
        return;
    if ((int64_t)size > left)
        size = (size_t)left;
    while (size > 0) {
        ssize_t done = write(incoming->fd, from, size);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0) {
            err_set(ERR_IO, "cannot write the message to a file: %s", strerror(errno));
            incoming->failed = true;
            return;
        }
        from += done;
        size -= (size_t)done;
    }
}

bool incoming_is_too_large(const struct incoming *incoming)
{
    return incoming->size > incoming->most;
}

void incoming_close(struct incoming *incoming)
{
    if (incoming->fd >= 0)
        close(incoming->fd);
    incoming->fd = -1;
}

int incoming_take(struct incoming *incoming, int from)
{
    char piece[PIECE];
    ssize_t got;
    while ((got = read(from, piece, sizeof piece)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_set(ERR_IO, "cannot read the message: %s", strerror(errno));
        incoming_add(incoming, piece, (size_t)got);
    }
    return incoming->failed ? ERR_IO : 0;
}
