/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets, numbering and sending. */
#include "config.h"

#include "server/fsphost/peer.h"

#include "server/base/err.h"
#include "server/base/log.h"
#include "server/fsphost/backlog.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG_MAX  (64u * 1024 * 1024)
#define SEND_AT_ONCE 64
#define SEND_BUFFER  (1024 * 1024) /* octets the kernel may hold: some hundred packets */
#define LISTEN_QUEUE 4

struct peer {
    int folder; /* O_PATH of the folder of the name */
    char *name;
    int listener;
    dev_t device; /* of the bound name: only our own is taken away */
    ino_t inode;
    int socket;
    bool greeted;
    struct backlog *answers;
    struct backlog *events; /* event n stands at position n - 1 */
    uint64_t left_out;
    char scratch[LINK_BYTES_MAX * 2];
};

/* A socket address holds 107 octets of path; through the folder's descriptor any name can be reached. */
static int address_make(struct sockaddr_un *address, const struct peer *peer, const char *name)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    int length = snprintf(address->sun_path, sizeof(address->sun_path), "/proc/self/fd/%d/%s", peer->folder, name);
    if (length < 0 || (size_t)length >= sizeof(address->sun_path))
        return err_set(ERR_TOO_BIG, "the socket's name %s is too long", name);
    return 0;
}

static int socket_new(void)
{
    return socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* ERR_CONFLICT when somebody listens at our name. */
static int name_is_free(const struct peer *peer)
{
    struct sockaddr_un address;
    int result = address_make(&address, peer, peer->name);
    if (result)
        return result;
    int probe = socket_new();
    if (probe < 0)
        return err_set(ERR_IO, "no socket: %s", strerror(errno));
    if (connect(probe, (struct sockaddr *)&address, sizeof(address)) == 0 || errno == EAGAIN)
        result = err_set(ERR_CONFLICT, "another process listens at %s", peer->name);
    close(probe);
    return result;
}

/* Bound under another name, listening, then renamed: whoever sees the name can connect. */
static int listener_open(struct peer *peer)
{
    char temporary[64];
    struct sockaddr_un address;
    struct stat status;
    snprintf(temporary, sizeof(temporary), ".link.%d", (int)getpid());
    int result = address_make(&address, peer, temporary);
    if (result)
        return result;
    unlinkat(peer->folder, temporary, 0);
    peer->listener = socket_new();
    mode_t mask = umask(0177); /* no other thread runs yet that makes files of its own */
    if (peer->listener < 0 || bind(peer->listener, (struct sockaddr *)&address, sizeof(address)) < 0)
        result = err_set(ERR_IO, "cannot make the socket %s: %s", peer->name, strerror(errno));
    umask(mask);
    if (result)
        return result;
    if (listen(peer->listener, LISTEN_QUEUE) < 0 || fstatat(peer->folder, temporary, &status, 0) < 0 ||
        renameat(peer->folder, temporary, peer->folder, peer->name) < 0) {
        result = err_set(ERR_IO, "cannot listen at %s: %s", peer->name, strerror(errno));
        unlinkat(peer->folder, temporary, 0);
        return result;
    }
    peer->device = status.st_dev;
    peer->inode = status.st_ino;
    return 0;
}

int peer_open(struct peer **out, const char *path)
{
    struct peer *peer = xcalloc(1, sizeof(*peer));
    char *folder = xstrdup(path), *name = xstrdup(path);
    int result = 0;
    *out = NULL;
    peer->listener = peer->socket = -1;
    peer->answers = backlog_new();
    peer->events = backlog_new();
    peer->name = xstrdup(basename(name));
    peer->folder = open(dirname(folder), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (peer->folder < 0)
        result = err_set(ERR_IO, "cannot open the folder of %s: %s", path, strerror(errno));
    if (!result)
        result = name_is_free(peer);
    if (!result)
        result = listener_open(peer);
    free(folder);
    free(name);
    if (result)
        peer_close(peer);
    else
        *out = peer;
    return result;
}

void peer_close(struct peer *peer)
{
    struct stat status;
    if (!peer)
        return;
    peer_disconnect(peer);
    if (peer->inode && fstatat(peer->folder, peer->name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
        status.st_dev == peer->device && status.st_ino == peer->inode)
        unlinkat(peer->folder, peer->name, 0);
    if (peer->listener >= 0)
        close(peer->listener);
    if (peer->folder >= 0)
        close(peer->folder);
    backlog_free(peer->answers);
    backlog_free(peer->events);
    free(peer->name);
    free(peer);
}

int peer_listener(const struct peer *peer)
{
    return peer->listener;
}

int peer_socket(const struct peer *peer)
{
    return peer->socket;
}

static bool backlog_has_more(const struct backlog *backlog)
{
    return backlog_cursor(backlog) < backlog_end(backlog);
}

bool peer_wants_out(const struct peer *peer)
{
    return peer->socket >= 0 && (backlog_has_more(peer->answers) || (peer->greeted && backlog_has_more(peer->events)));
}

static bool user_is_trusted(int fd)
{
    struct ucred user;
    socklen_t size = sizeof(user);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &user, &size) < 0) {
        log_warning("a connection whose user is unknown was refused: %s", strerror(errno));
        return false;
    }
    if (user.uid == geteuid() || user.uid == 0)
        return true;
    log_warning("a connection of user %u was refused", (unsigned)user.uid);
    return false;
}

void peer_accept(struct peer *peer)
{
    int fd = accept4(peer->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
        if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
            log_warning("a connection could not be taken: %s", strerror(errno));
        return;
    }
    if (!user_is_trusted(fd)) {
        close(fd);
        return;
    }
    if (peer->socket >= 0)
        log_info("a new connection replaces the one before");
    peer_disconnect(peer);
    int room = SEND_BUFFER;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)); /* less is only slower */
    peer->socket = fd;
}

void peer_disconnect(struct peer *peer)
{
    if (peer->socket >= 0)
        close(peer->socket);
    peer->socket = -1;
    peer->greeted = false;
    backlog_rewind(peer->answers, backlog_end(peer->answers));
    backlog_drop(peer->answers, backlog_end(peer->answers));
}

int peer_receive(struct peer *peer, struct link_message *message, int *fd)
{
    *fd = -1;
    if (peer->socket < 0)
        return err_set(ERR_CLOSED, "no connection");
    int result = link_receive(peer->socket, message, peer->scratch, fd);
    if (result == ERR_CLOSED || result == ERR_IO)
        peer_disconnect(peer);
    return result;
}

int peer_greet(struct peer *peer, uint64_t number)
{
    if (number > backlog_end(peer->events))
        return err_set(ERR_INVALID, "event %llu was never given out", (unsigned long long)number);
    peer->greeted = false;
    backlog_rewind(peer->answers, backlog_end(peer->answers));
    if (number < backlog_first(peer->events))
        number = backlog_first(peer->events);
    backlog_rewind(peer->events, number);
    backlog_drop(peer->events, number);
    return 0;
}

void peer_answer(struct peer *peer, const struct link_message *message)
{
    if (peer->socket >= 0 && backlog_add(peer->answers, message) < 0)
        log_error("an answer is lost: %s", err_message());
}

bool peer_has_answers(const struct peer *peer)
{
    return backlog_has_more(peer->answers);
}

void peer_greeted(struct peer *peer)
{
    peer->greeted = true;
}

bool peer_is_greeted(const struct peer *peer)
{
    return peer->socket >= 0 && peer->greeted;
}

uint64_t peer_event(struct peer *peer, const struct link_message *message)
{
    struct link_message numbered = *message;
    if (message->type == LINK_STATUS && backlog_size(peer->events) > BACKLOG_MAX) {
        peer->left_out++;
        return 0;
    }
    numbered.number = backlog_end(peer->events) + 1;
    if (backlog_add(peer->events, &numbered) < 0) {
        log_error("event %s is lost: %s", link_type_name(message->type), err_message());
        return 0;
    }
    return numbered.number;
}

void peer_acknowledge(struct peer *peer, uint64_t number)
{
    if (number > backlog_cursor(peer->events)) {
        log_warning("event %llu was acknowledged before it was sent", (unsigned long long)number);
        return;
    }
    backlog_drop(peer->events, number);
}

uint64_t peer_newest(const struct peer *peer)
{
    return backlog_end(peer->events);
}

uint64_t peer_acknowledged(const struct peer *peer)
{
    return backlog_first(peer->events);
}

uint64_t peer_left_out(const struct peer *peer)
{
    return peer->left_out;
}

/* One batch of `backlog`: false when the socket takes no more. */
static bool batch_send(struct peer *peer, struct backlog *backlog)
{
    struct iovec parts[SEND_AT_ONCE];
    struct mmsghdr messages[SEND_AT_ONCE] = {0};
    int count = backlog_peek(backlog, parts, SEND_AT_ONCE);
    for (int i = 0; i < count; i++) {
        messages[i].msg_hdr.msg_iov = &parts[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    int sent = count ? sendmmsg(peer->socket, messages, (unsigned)count, MSG_DONTWAIT | MSG_NOSIGNAL) : 0;
    if (sent > 0)
        backlog_advance(backlog, sent);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) {
        log_info("the link is gone: %s", strerror(errno));
        peer_disconnect(peer);
    }
    return sent == count;
}

static void backlog_send(struct peer *peer, struct backlog *backlog)
{
    while (peer->socket >= 0 && backlog_has_more(backlog) && batch_send(peer, backlog))
        continue;
}

void peer_flush(struct peer *peer)
{
    if (peer->socket < 0)
        return;
    backlog_send(peer, peer->answers);
    if (peer->socket >= 0 && !backlog_has_more(peer->answers)) {
        backlog_drop(peer->answers, backlog_end(peer->answers));
        if (peer->greeted)
            backlog_send(peer, peer->events);
    }
}
