/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "contrib/mail/line_socket.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/err.h"

#define OUT_MAX 16384

void line_socket_open(struct line_socket *socket, int fd, int timeout_s, const volatile sig_atomic_t *ending,
                      const sigset_t *unblocked)
{
    socket->fd = fd;
    socket->timeout_s = timeout_s;
    socket->ending = ending;
    socket->unblocked = unblocked;
    socket->have = socket->at = 0;
    socket->broken = false;
}

void line_socket_close(struct line_socket *socket)
{
    close(socket->fd);
    socket->fd = -1;
}

/* Wait for `events`; signals come through only when the wait may be ended. */
static int wait_for(const struct line_socket *socket, short events, bool may_end)
{
    struct pollfd poll = {.fd = socket->fd, .events = events};
    int64_t until = clock_mono_ms() + socket->timeout_s * INT64_C(1000);
    for (;;) {
        int64_t left = until - clock_mono_ms();
        if ((may_end && *socket->ending) || left <= 0)
            return ERR_AGAIN;
        const struct timespec wait = {left / 1000, left % 1000 * 1000000};
        int ready = ppoll(&poll, 1, &wait, may_end ? socket->unblocked : NULL);
        if (ready > 0)
            return 0;
        if (ready < 0 && errno != EINTR)
            return ERR_CLOSED;
    }
}

static int fill(struct line_socket *socket, bool may_end)
{
    int result = wait_for(socket, POLLIN, may_end);
    if (result < 0)
        return result;
    ssize_t got = recv(socket->fd, socket->in, sizeof socket->in, 0);
    if (got <= 0)
        return ERR_CLOSED;
    socket->have = (size_t)got;
    socket->at = 0;
    return 0;
}

static int next(struct line_socket *socket, char *octet, bool may_end)
{
    if (socket->at == socket->have) {
        int result = fill(socket, may_end);
        if (result < 0)
            return result;
    }
    *octet = socket->in[socket->at++];
    return 0;
}

int line_socket_read_line(struct line_socket *socket, char line[LINE_SOCKET_LINE])
{
    size_t length = 0;
    bool bad = false;
    char octet;
    for (;;) {
        int result = next(socket, &octet, true);
        if (result < 0)
            return result;
        if (octet == '\n')
            break;
        bad = bad || octet == '\0' || length + 1 == LINE_SOCKET_LINE;
        if (!bad)
            line[length++] = octet;
    }
    if (length > 0 && line[length - 1] == '\r')
        length--;
    line[length] = '\0';
    return bad ? ERR_TOO_BIG : 0;
}

/* --- data --- */

enum place { IN_LINE, AFTER_CR, LINE_START, AFTER_DOT, AFTER_DOT_CR };

struct out {
    char octets[OUT_MAX];
    size_t size;
    void (*take)(const void *data, size_t size, void *context);
    void *context;
};

static void flush(struct out *out)
{
    if (out->size > 0)
        out->take(out->octets, out->size, out->context);
    out->size = 0;
}

static void put(struct out *out, char octet)
{
    if (out->size == OUT_MAX)
        flush(out);
    out->octets[out->size++] = octet;
}

/* Where we are after `octet`; what can be written by then is. */
static enum place step(struct out *out, enum place place, char octet)
{
    if (place == LINE_START && octet == '.')
        return AFTER_DOT;
    if (place == AFTER_DOT && octet == '\r')
        return AFTER_DOT_CR;
    if (place == AFTER_CR && octet == '\n') {
        put(out, '\r');
        put(out, '\n');
        return LINE_START;
    }
    if (place == AFTER_CR || place == AFTER_DOT_CR)
        put(out, '\r');
    if (octet == '\r')
        return AFTER_CR;
    put(out, octet);
    return IN_LINE;
}

int line_socket_read_data(struct line_socket *socket, void (*take)(const void *data, size_t size, void *context),
                          void *context)
{
    struct out out = {.take = take, .context = context};
    enum place place = LINE_START;
    char octet;
    for (;;) {
        int result = next(socket, &octet, false);
        if (result < 0)
            return result;
        if (place == AFTER_DOT_CR && octet == '\n')
            break;
        place = step(&out, place, octet);
    }
    flush(&out);
    return 0;
}

void line_socket_write(struct line_socket *socket, const char *line)
{
    char text[1024];
    size_t size = (size_t)snprintf(text, sizeof text - 2, "%s", line), at = 0;
    if (size > sizeof text - 3)
        size = sizeof text - 3;
    for (size_t i = 0; i < size; i++)
        text[i] = text[i] == '\r' || text[i] == '\n' ? ' ' : text[i];
    memcpy(text + size, "\r\n", 2);
    size += 2;
    while (at < size && !socket->broken) {
        ssize_t done =
            wait_for(socket, POLLOUT, false) == 0 ? send(socket->fd, text + at, size - at, MSG_NOSIGNAL) : -1;
        socket->broken = done <= 0;
        at += done > 0 ? (size_t)done : 0;
    }
}
