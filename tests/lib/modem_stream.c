/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chunks on a stream socket. */
#include "config.h"

#include "tests/lib/modem_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/base/log.h"

#define CHUNK_SIZE (MODEM_LINE_CHUNK * sizeof(int16_t))
#define WAIT_MS    200 /* for a chunk that is late; once, until the machine is there again */
#define OWED_MAX   50  /* chunks that the machine may have more than it gave */

struct modem_stream {
    int fd;
    bool over;
    bool deaf; /* it reads no more */
    bool late;
    int late_count, owed;
    uint8_t in[CHUNK_SIZE];
    size_t in_done;
    uint8_t out[CHUNK_SIZE];
    size_t out_left; /* of `out`, at its end: what the socket had no room for */
};

struct modem_stream *modem_stream_open(int fd)
{
    struct modem_stream *stream = xcalloc(1, sizeof *stream);

    stream->fd = fd;
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    return stream;
}

void modem_stream_close(struct modem_stream *stream)
{
    if (!stream)
        return;
    close(stream->fd);
    free(stream);
}

void modem_stream_start(struct modem_stream *stream)
{
    static const int16_t silence[MODEM_LINE_CHUNK];
    int i;

    for (i = 0; i < MODEM_STREAM_SLACK; i++)
        modem_stream_hear(stream, silence);
}

/* ---- what it says ---- */

static bool chunk_is_whole(struct modem_stream *stream)
{
    ssize_t got;

    while (stream->in_done < CHUNK_SIZE && !stream->over) {
        got = recv(stream->fd, stream->in + stream->in_done, CHUNK_SIZE - stream->in_done, 0);
        if (got > 0)
            stream->in_done += (size_t)got;
        else if (got < 0 && errno == EINTR)
            continue;
        else if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            break;
        else
            stream->over = true;
    }
    return stream->in_done == CHUNK_SIZE;
}

static bool wait_for_chunk(struct modem_stream *stream)
{
    struct pollfd wait = {.fd = stream->fd, .events = POLLIN};

    return chunk_is_whole(stream) ||
           (!stream->late && !stream->over && poll(&wait, 1, WAIT_MS) > 0 && chunk_is_whole(stream));
}

void modem_stream_say(struct modem_stream *stream, int16_t samples[MODEM_LINE_CHUNK])
{
    memset(samples, 0, CHUNK_SIZE);
    if (wait_for_chunk(stream)) {
        memcpy(samples, stream->in, CHUNK_SIZE);
        stream->in_done = 0;
        stream->late = false;
    } else if (!stream->over) {
        stream->late = true;
        stream->late_count++;
        stream->owed++;
    }
}

/* ---- what it hears ---- */

static bool flush_out(struct modem_stream *stream)
{
    ssize_t put;

    while (stream->out_left > 0 && !stream->deaf) {
        put = send(stream->fd, stream->out + CHUNK_SIZE - stream->out_left, stream->out_left, MSG_NOSIGNAL);
        if (put > 0)
            stream->out_left -= (size_t)put;
        else if (put < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return false;
        else if (put == 0 || errno != EINTR)
            stream->deaf = true;
    }
    return true;
}

/* A machine that is stopped gets chunks up to a bound; what the line says then, it never hears. */
void modem_stream_hear(struct modem_stream *stream, const int16_t samples[MODEM_LINE_CHUNK])
{
    if (!flush_out(stream) || stream->deaf)
        return;
    if (stream->owed > OWED_MAX) {
        stream->owed--;
        return;
    }
    memcpy(stream->out, samples, CHUNK_SIZE);
    stream->out_left = CHUNK_SIZE;
    flush_out(stream);
}

bool modem_stream_is_over(const struct modem_stream *stream)
{
    return stream->over;
}

int modem_stream_late(const struct modem_stream *stream)
{
    return stream->late_count;
}
