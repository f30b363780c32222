/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages between the loop and a host. The host's side of the same socket is server/fsphost. */
#include <config.h> /* in quotes it would be server/config.h */

#include "server/host_link.h"

#include "server/base/err.h"
#include "server/base/fdpass.h"
#include "server/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Messages read in one wake: enough to make a commit worth its while, few enough to leave the loop responsive. */
#define BATCH_MAX 512
#define QUEUE_MAX 10000

struct host_link_queued {
    STAILQ_ENTRY(host_link_queued) next;
    size_t size;
    int fd;
    unsigned char octets[];
};

struct host_link {
    struct host_link_handler handler;
    int socket;
    pid_t peer;
    struct event *readable, *writable;
    STAILQ_HEAD(host_link_queue, host_link_queued) queue;
    int queued;
    char scratch[LINK_BYTES_MAX * 2];
};

/* A path through a folder's descriptor: state folders may be deeper than sun_path is long. */
static int connect_in(const char *dir)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int folder = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    int error = 0;

    if (folder < 0 || fd < 0) {
        error = err_set(folder < 0 && errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "cannot reach %s: %s", dir,
                        strerror(errno));
        goto out;
    }
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/link", folder);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        error = err_set(errno == ENOENT || errno == ECONNREFUSED ? ERR_NOT_FOUND : ERR_IO,
                        "cannot connect to %s/link: %s", dir, strerror(errno));
    else if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
        error = err_set(ERR_IO, "cannot set up %s/link: %s", dir, strerror(errno));
out:
    if (folder >= 0)
        close(folder);
    if (error != 0 && fd >= 0)
        close(fd);
    return error != 0 ? error : fd;
}

static int check_peer(pid_t *pid, int socket)
{
    struct ucred peer;
    socklen_t size = sizeof peer;

    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
        return err_set(ERR_IO, "cannot ask who is at the other end of the link: %s", strerror(errno));
    if (peer.uid != getuid() && peer.uid != 0 && getuid() != 0)
        return err_set(ERR_DENIED, "the host's link is held by user %u", (unsigned)peer.uid);
    *pid = peer.pid;
    return 0;
}

/* Read up to BATCH_MAX messages; false when the link is closed or not to be trusted any more. */
static bool read_batch(struct host_link *link)
{
    struct link_message message;
    int error = 0, fd, count = 0;

    while (count < BATCH_MAX && (error = link_receive(link->socket, &message, link->scratch, &fd)) == 0) {
        if (fd >= 0)
            close(fd); /* a host has no reason to send one */
        link->handler.message(link->handler.context, &message);
        count++;
    }
    if (count > 0)
        link->handler.batch(link->handler.context);
    if (error == 0 || error == ERR_AGAIN)
        return true;
    if (error != ERR_CLOSED)
        log_error("the link to host pid=%d is broken: %s", (int)link->peer, err_message());
    return false;
}

static void on_readable(evutil_socket_t fd, short what, void *argument)
{
    struct host_link *link = argument;

    (void)fd;
    (void)what;
    if (!read_batch(link)) {
        event_del(link->readable);
        link->handler.closed(link->handler.context);
    }
}

static void on_writable(evutil_socket_t fd, short what, void *argument)
{
    struct host_link *link = argument;
    struct host_link_queued *entry;

    (void)fd;
    (void)what;
    while ((entry = STAILQ_FIRST(&link->queue)) != NULL) {
        int error = fdpass_send(link->socket, entry->octets, entry->size, &entry->fd, entry->fd >= 0 ? 1 : 0);

        if (error == ERR_AGAIN)
            break;
        STAILQ_REMOVE_HEAD(&link->queue, next);
        link->queued--;
        if (entry->fd >= 0)
            close(entry->fd);
        free(entry);
    }
    if (entry == NULL)
        event_del(link->writable);
}

int host_link_open(struct host_link **out, struct event_base *base, const char *dir,
                   const struct host_link_handler *handler)
{
    struct host_link *link;
    pid_t peer = 0;
    int fd = connect_in(dir);
    int error;

    if (fd < 0)
        return fd;
    if ((error = check_peer(&peer, fd)) != 0) {
        close(fd);
        return error;
    }
    link = xcalloc(1, sizeof *link);
    link->handler = *handler;
    link->socket = fd;
    link->peer = peer;
    STAILQ_INIT(&link->queue);
    link->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, link);
    link->writable = event_new(base, fd, EV_WRITE | EV_PERSIST, on_writable, link);
    event_add(link->readable, NULL);
    *out = link;
    return 0;
}

pid_t host_link_peer(const struct host_link *link)
{
    return link->peer;
}

static int queue_message(struct host_link *link, const struct link_message *message, int fd)
{
    struct host_link_queued *entry = xmalloc(sizeof *entry + LINK_BYTES_MAX);
    int size = link_encode(entry->octets, LINK_BYTES_MAX, message);

    if (size < 0 || link->queued >= QUEUE_MAX) {
        free(entry);
        return size < 0 ? size : err_set(ERR_FULL, "host pid=%d does not take its orders", (int)link->peer);
    }
    entry = xrealloc(entry, sizeof *entry + (size_t)size);
    entry->size = (size_t)size;
    entry->fd = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 3) : -1;
    if (fd >= 0 && entry->fd < 0) {
        free(entry);
        return err_set(ERR_FULL, "no descriptor left: %s", strerror(errno));
    }
    STAILQ_INSERT_TAIL(&link->queue, entry, next);
    if (link->queued++ == 0)
        event_add(link->writable, NULL);
    return 0;
}

int host_link_send(struct host_link *link, const struct link_message *message, int fd)
{
    int error = link->queued > 0 ? ERR_AGAIN : link_send(link->socket, message, fd);

    return error == ERR_AGAIN ? queue_message(link, message, fd) : error;
}

void host_link_read_rest(struct host_link *link)
{
    struct link_message message;
    int fd;

    while (link_receive(link->socket, &message, link->scratch, &fd) == 0) {
        if (fd >= 0)
            close(fd);
        link->handler.message(link->handler.context, &message);
    }
    link->handler.batch(link->handler.context);
}

void host_link_close(struct host_link *link)
{
    struct host_link_queued *entry;

    if (link == NULL)
        return;
    while ((entry = STAILQ_FIRST(&link->queue)) != NULL) {
        STAILQ_REMOVE_HEAD(&link->queue, next);
        if (entry->fd >= 0)
            close(entry->fd);
        free(entry);
    }
    event_free(link->readable);
    event_free(link->writable);
    close(link->socket);
    free(link);
}
