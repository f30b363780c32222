/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rings of the simulator. A ring waits at its line until FaxDevReceive takes it, a job rejects it or its time is up;
 * simulator.c hands its announcement to the host.
 */
#include "config.h"

#include "plugins/simulator/inbound.h"

#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define DATAGRAM_MAX 8192
#define RINGS        5
#define NEVER        INT64_MAX

struct ring {
    json_t *told; /* the datagram's object, which texts point into; NULL = does not ring */
    struct plan plan;
    int line;
    const char *file, *caller_id, *caller_name, *called, *diversion, *station_id;
    int64_t ends_at, again_at; /* monotonic ms */
};

struct line {
    bool receive, taken;
    struct ring ring;
};

struct inbound {
    struct inbound_options options;
    pthread_mutex_t lock; /* guards lines, ringing and tick_at */
    struct line *lines;
    int ringing;     /* lines that ring */
    int64_t tick_at; /* of ring_every_ms */
    int next_line;
    int control, wake; /* descriptors; wake ends the thread and makes it look at its times again */
    bool closing;
    bool has_thread;
    pthread_t thread;
};

static const struct settings_key ring_keys[] = {
    PLAN_KEYS(offsetof(struct ring, plan)),
    {"line", SETTINGS_INT, offsetof(struct ring, line), 0, SETTINGS_LINES_MAX, NULL},
    {"file", SETTINGS_TEXT, offsetof(struct ring, file), 0, 4096, NULL},
    {"caller_id", SETTINGS_TEXT, offsetof(struct ring, caller_id), 0, 64, NULL},
    {"caller_name", SETTINGS_TEXT, offsetof(struct ring, caller_name), 0, 64, NULL},
    {"called", SETTINGS_TEXT, offsetof(struct ring, called), 0, 64, NULL},
    {"diversion", SETTINGS_TEXT, offsetof(struct ring, diversion), 0, 64, NULL},
    {"station_id", SETTINGS_TEXT, offsetof(struct ring, station_id), 0, STR_STATION_ID_MAX, NULL},
};

static void wake_thread(struct inbound *inbound)
{
    uint64_t one = 1;

    if (inbound->has_thread && write(inbound->wake, &one, sizeof(one)) < 0)
        log_error("cannot wake the ring thread: %s", strerror(errno));
}

/* Locked. */
static void ring_end(struct inbound *inbound, struct line *line)
{
    json_decref(line->ring.told);
    memset(&line->ring, 0, sizeof(line->ring));
    inbound->ringing--;
}

/* Read a copy of `told`, the object of "ring": the job's thread will free it, and jansson's counters are not for two
 * threads. When the result is 0 the copy is the ring's. */
static int ring_read(struct ring *ring, const struct inbound *inbound, const json_t *told)
{
    json_t *copy = json_deep_copy(told);
    int err;

    memset(ring, 0, sizeof(*ring));
    ring->plan = *inbound->options.plan;
    ring->file = ring->caller_id = ring->caller_name = ring->called = ring->diversion = ring->station_id = "";
    err = settings_read(ring, copy, "ring", ring_keys, (int)(sizeof(ring_keys) / sizeof(ring_keys[0])));
    if (!err && ring->line >= inbound->options.line_count)
        err = err_set(ERR_INVALID, "ring: there is no line %d", ring->line);
    if (!err && ring->file[0] != '/')
        err = err_set(ERR_INVALID, "ring: file is not an absolute path");
    if (err)
        json_decref(copy);
    else
        ring->told = copy;
    return err;
}

/* Put the ring to its line: 0, or ERR_CONFLICT. `*announce` when the line is free to hear it. Locked. */
static int ring_put(struct inbound *inbound, const struct ring *ring, bool *announce)
{
    struct line *line = &inbound->lines[ring->line];
    int64_t now = clock_mono_ms();

    if (line->ring.told)
        return err_set(ERR_CONFLICT, "ring: line %d rings already", ring->line);
    if (!line->receive)
        return err_set(ERR_CONFLICT, "ring: line %d must not receive", ring->line);
    line->ring = *ring;
    line->ring.ends_at = now + inbound->options.ring_timeout_ms;
    line->ring.again_at = now + inbound->options.ring_timeout_ms / RINGS;
    inbound->ringing++;
    *announce = !line->taken;
    return 0;
}

static int ring_begin(struct inbound *inbound, const json_t *told)
{
    struct ring ring;
    bool announce = false;
    int err = ring_read(&ring, inbound, told);

    if (err)
        return err;
    pthread_mutex_lock(&inbound->lock);
    err = ring_put(inbound, &ring, &announce);
    pthread_mutex_unlock(&inbound->lock);
    if (err)
        json_decref(ring.told);
    else if (announce)
        inbound->options.ring(inbound->options.context, ring.line);
    return err;
}

/* One datagram of the control socket. */
static void control_answer(const struct inbound *inbound, int err, const struct sockaddr_un *from, socklen_t length)
{
    json_t *answer = err ? json_pack("{s:s}", "error", err_message()) : json_pack("{s:b}", "ok", 1);
    char *text = json_dumps(answer, JSON_COMPACT);

    if (length > sizeof(from->sun_family) && sendto(inbound->control, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL,
                                                    (const struct sockaddr *)from, length) < 0)
        log_warning("no answer to the control socket: %s", strerror(errno));
    free(text);
    json_decref(answer);
}

static void control_read(struct inbound *inbound)
{
    char text[DATAGRAM_MAX];
    struct sockaddr_un from;
    socklen_t length = sizeof(from);
    ssize_t size = recvfrom(inbound->control, text, sizeof(text), MSG_DONTWAIT, (struct sockaddr *)&from, &length);
    json_t *order, *ring;
    int err;

    if (size < 0)
        return;
    order = json_loadb(text, (size_t)size, JSON_REJECT_DUPLICATES, NULL);
    ring = json_object_get(order, "ring");
    if (json_is_object(ring))
        err = ring_begin(inbound, ring);
    else
        err = err_set(ERR_INVALID, "control: wants {\"ring\": {...}}");
    if (err)
        log_warning("%s", err_message());
    control_answer(inbound, err, &from, length);
    json_decref(order);
}

/* The clock rings the next line that is free, if any is. */
static void tick(struct inbound *inbound)
{
    int count = inbound->options.line_count, line = -1;
    json_t *told;

    pthread_mutex_lock(&inbound->lock);
    for (int i = 0; i < count && line < 0; i++) {
        int at = (inbound->next_line + i) % count;

        if (inbound->lines[at].receive && !inbound->lines[at].taken && !inbound->lines[at].ring.told)
            line = at;
    }
    inbound->next_line = (line < 0 ? inbound->next_line : line + 1) % count;
    inbound->tick_at = clock_mono_ms() + inbound->options.ring_every_ms;
    pthread_mutex_unlock(&inbound->lock);
    if (line < 0)
        return;
    told = json_pack("{s:i, s:s}", "line", line, "file", inbound->options.ring_file);
    if (ring_begin(inbound, told))
        log_warning("%s", err_message());
    json_decref(told);
}

/* End rings whose time is up; the index of one that is to be repeated, or -1; when to look again. */
static int look(struct inbound *inbound, int64_t now, int64_t *next)
{
    int again = -1;

    for (int i = 0; i < inbound->options.line_count && inbound->ringing > 0; i++) {
        struct line *line = &inbound->lines[i];
        struct ring *ring = &line->ring;

        if (!ring->told)
            continue;
        if (now >= ring->ends_at && !line->taken) {
            ring_end(inbound, line);
            continue;
        }
        if (now >= ring->again_at) {
            ring->again_at = now + inbound->options.ring_timeout_ms / RINGS;
            if (again < 0 && !line->taken)
                again = i;
        }
        *next = ring->again_at < *next ? ring->again_at : *next;
    }
    return again;
}

/* Do what is due; how long to sleep, -1 = until something comes. */
static int work(struct inbound *inbound)
{
    int64_t now = clock_mono_ms(), next = NEVER;
    bool due;
    int again;

    pthread_mutex_lock(&inbound->lock);
    again = look(inbound, now, &next);
    due = inbound->options.ring_every_ms && now >= inbound->tick_at;
    if (inbound->options.ring_every_ms && !due && inbound->tick_at < next)
        next = inbound->tick_at;
    pthread_mutex_unlock(&inbound->lock);
    if (again >= 0)
        inbound->options.ring(inbound->options.context, again);
    if (due)
        tick(inbound);
    if (due || again >= 0)
        return 0;
    return next == NEVER ? -1 : (int)(next - now);
}

static void *run(void *context)
{
    struct inbound *inbound = context;
    struct pollfd fds[] = {{.fd = inbound->wake, .events = POLLIN}, {.fd = inbound->control, .events = POLLIN}};
    uint64_t count;
    bool closing = false;

    while (!closing) {
        if (poll(fds, 2, work(inbound)) < 0 && errno != EINTR)
            break;
        if (fds[0].revents && read(inbound->wake, &count, sizeof(count)) < 0)
            break;
        if (fds[1].revents)
            control_read(inbound);
        pthread_mutex_lock(&inbound->lock);
        closing = inbound->closing;
        pthread_mutex_unlock(&inbound->lock);
    }
    return NULL;
}

/* A socket of a run before this one may be in the way; anything else stays. */
static void remove_stale(const char *path)
{
    struct stat file;

    if (!lstat(path, &file) && S_ISSOCK(file.st_mode))
        unlink(path);
}

static int control_open(struct inbound *inbound, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (!str_copy(address.sun_path, sizeof(address.sun_path), path))
        return err_set(ERR_INVALID, "control: the path is longer than %zu octets", sizeof(address.sun_path) - 1);
    inbound->control = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (inbound->control < 0)
        return err_set(ERR_IO, "control: no socket: %s", strerror(errno));
    remove_stale(path);
    if (fchmod(inbound->control, 0600) || bind(inbound->control, (struct sockaddr *)&address, sizeof(address)))
        return err_set(ERR_IO, "control: cannot bind %s: %s", path, strerror(errno));
    return 0;
}

static int thread_start(struct inbound *inbound)
{
    inbound->wake = eventfd(0, EFD_CLOEXEC);
    if (inbound->wake < 0)
        return err_set(ERR_IO, "no eventfd: %s", strerror(errno));
    inbound->tick_at = clock_mono_ms() + inbound->options.ring_every_ms;
    if (pthread_create(&inbound->thread, NULL, run, inbound))
        return err_set(ERR_IO, "no thread for rings");
    inbound->has_thread = true;
    return 0;
}

int inbound_open(struct inbound **out, const struct inbound_options *options)
{
    struct inbound *inbound = xcalloc(1, sizeof(*inbound));
    int err = 0;

    inbound->options = *options;
    inbound->control = inbound->wake = -1;
    pthread_mutex_init(&inbound->lock, NULL);
    inbound->lines = xcalloc((unsigned long)options->line_count, sizeof(*inbound->lines));
    if (options->ring_every_ms && options->ring_file[0] != '/')
        err = err_set(ERR_INVALID, "ring_every_ms wants a ring_file with an absolute path");
    if (!err && options->control[0])
        err = control_open(inbound, options->control);
    if (!err && (options->control[0] || options->ring_every_ms))
        err = thread_start(inbound);
    if (err)
        inbound_close(inbound);
    else
        *out = inbound;
    return err;
}

static void thread_stop(struct inbound *inbound)
{
    pthread_mutex_lock(&inbound->lock);
    inbound->closing = true;
    pthread_mutex_unlock(&inbound->lock);
    wake_thread(inbound);
    pthread_join(inbound->thread, NULL);
}

void inbound_close(struct inbound *inbound)
{
    if (!inbound)
        return;
    if (inbound->has_thread)
        thread_stop(inbound);
    if (inbound->control >= 0) {
        close(inbound->control);
        remove_stale(inbound->options.control);
    }
    if (inbound->wake >= 0)
        close(inbound->wake);
    for (int i = 0; i < inbound->options.line_count; i++)
        json_decref(inbound->lines[i].ring.told);
    pthread_mutex_destroy(&inbound->lock);
    free(inbound->lines);
    free(inbound);
}

/* The thread ends rings that nobody answers; one that was not needed until now is started. */
int inbound_ring(struct inbound *inbound, const json_t *told)
{
    int err = inbound->has_thread ? 0 : thread_start(inbound);

    if (!err)
        err = ring_begin(inbound, told);
    if (!err)
        wake_thread(inbound);
    return err;
}

void inbound_enable(struct inbound *inbound, int line, bool receive)
{
    pthread_mutex_lock(&inbound->lock);
    inbound->lines[line].receive = receive;
    pthread_mutex_unlock(&inbound->lock);
}

bool inbound_take(struct inbound *inbound, int line)
{
    bool taken;

    pthread_mutex_lock(&inbound->lock);
    taken = inbound->lines[line].taken;
    inbound->lines[line].taken = true;
    pthread_mutex_unlock(&inbound->lock);
    return !taken;
}

void inbound_release(struct inbound *inbound, int line, bool rejected)
{
    struct line *self = &inbound->lines[line];
    bool again;

    pthread_mutex_lock(&inbound->lock);
    self->taken = false;
    if (self->ring.told && rejected)
        ring_end(inbound, self);
    again = self->ring.told && self->receive;
    if (again)
        self->ring.ends_at = clock_mono_ms() + inbound->options.ring_timeout_ms;
    pthread_mutex_unlock(&inbound->lock);
    if (again)
        inbound->options.ring(inbound->options.context, line);
}

int inbound_answer(struct inbound *inbound, int line, struct plan *plan, char **file, char **caller, char **station)
{
    struct line *self = &inbound->lines[line];
    int err = 0;

    pthread_mutex_lock(&inbound->lock);
    if (self->ring.told) {
        *plan = self->ring.plan;
        *file = xstrdup(self->ring.file);
        *caller = xstrdup(self->ring.caller_id);
        *station = xstrdup(self->ring.station_id);
        ring_end(inbound, self);
    } else {
        err = err_set(ERR_NOT_FOUND, "the line does not ring");
    }
    pthread_mutex_unlock(&inbound->lock);
    return err;
}

json_t *inbound_info(struct inbound *inbound, int line)
{
    const struct ring *ring = &inbound->lines[line].ring;
    json_t *info;

    pthread_mutex_lock(&inbound->lock);
    if (ring->told)
        info = json_pack("{s:s, s:s, s:s, s:s}", "caller_id", ring->caller_id, "caller_name", ring->caller_name,
                         "called", ring->called, "diversion", ring->diversion);
    else
        info = json_object();
    pthread_mutex_unlock(&inbound->lock);
    return info;
}
