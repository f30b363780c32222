/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Datagrams with descriptors: the link, the spawners and the engines' control sockets all speak through these two
 * calls. */
#include "config.h"

#include "server/base/fdpass.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/base/err.h"

union control {
    struct cmsghdr align;
    char octets[CMSG_SPACE(FDPASS_MAX * sizeof(int))];
};

static int socket_error(const char *what)
{
    switch (errno) {
    case EAGAIN:
        return err_set(ERR_AGAIN, "%s: the socket is not ready", what);
    case EPIPE:
    case ECONNRESET:
    case ENOTCONN:
        return err_set(ERR_CLOSED, "%s: the other side is gone", what);
    default:
        return err_set(ERR_IO, "%s: %s", what, strerror(errno));
    }
}

int fdpass_send(int socket, const void *data, size_t size, const int *fds, int count)
{
    assert(size > 0 && size <= FDPASS_BYTES_MAX && count >= 0 && count <= FDPASS_MAX);
    union control control = {0};
    struct iovec part = {.iov_base = (void *)data, .iov_len = size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (count > 0) {
        message.msg_control = control.octets;
        message.msg_controllen = CMSG_SPACE((size_t)count * sizeof(int));
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
        memcpy(CMSG_DATA(header), fds, (size_t)count * sizeof(int));
    }
    ssize_t sent;
    do
        sent = sendmsg(socket, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? socket_error("send") : 0;
}

static void close_all(const int *fds, int count)
{
    for (int i = 0; i < count; i++)
        close(fds[i]);
}

/* Move the descriptors of `message` to `fds`; those beyond `room` are closed. Returns how many were moved. */
static int take_descriptors(int *fds, int room, struct msghdr *message)
{
    int taken = 0;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header; header = CMSG_NXTHDR(message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
            continue;
        size_t arrived = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < arrived; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
            if (taken < room)
                fds[taken++] = fd;
            else
                close(fd);
        }
    }
    return taken;
}

ssize_t fdpass_receive(int socket, void *data, size_t size, int *fds, int *count)
{
    int room = *count;
    union control control;
    struct iovec part = {.iov_base = data, .iov_len = size};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.octets, .msg_controllen = sizeof control.octets};
    *count = 0;
    ssize_t got;
    do
        got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return socket_error("receive");
    int taken = take_descriptors(fds, room, &message);
    if (got > 0 && !(message.msg_flags & MSG_TRUNC)) {
        *count = taken;
        return got;
    }
    /* An empty datagram reads like the end and is no message of ours: both end the conversation. */
    close_all(fds, taken);
    if (got == 0)
        return err_set(ERR_CLOSED, "receive: the other side is gone");
    return err_set(ERR_TOO_BIG, "receive: a datagram over %zu octets", size);
}
