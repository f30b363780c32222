/* SPDX-License-Identifier: GPL-2.0-or-later */
/* epoll over the calls' sockets, until the earliest time that any of them waits for. */
#include "config.h"

#include "plugins/t30/loop.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "server/base/err.h"
#include "server/base/log.h"

#define EVENTS_AT_ONCE 32
#define GRID_NS        (INT64_C(5) * 1000000)

enum source_kind { SOURCE_WATCHED, SOURCE_CONTROL, SOURCE_MEDIA, SOURCE_RTCP };

struct entry;

/* What an event belongs to. */
struct source {
    enum source_kind kind;
    struct entry *entry; /* the call, NULL for the loop's own */
    uint32_t events;     /* as registered */
};

struct entry {
    int index;
    struct call *call;
    struct source control, media, rtcp;
};

struct loop {
    int epoll;
    struct source watched_source;
    bool watching;
    struct loop_source watched; /* no functions = none */
    struct entry **entries;
    int64_t *due_ns; /* of each call, kept close together: to ask all calls at each wake costs more than the wake */
    int count, room;
};

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int control_source(struct loop *loop, int operation, int fd, struct source *source, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = source};

    source->events = events;
    if (epoll_ctl(loop->epoll, operation, fd, &event) != 0)
        return err_set(ERR_IO, "epoll: %s", strerror(errno));
    return 0;
}

int loop_new(struct loop **out)
{
    struct loop *loop = xcalloc(1, sizeof *loop);

    loop->watched_source.kind = SOURCE_WATCHED;
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll < 0) {
        free(loop);
        return err_set(ERR_IO, "cannot make the engine's loop: %s", strerror(errno));
    }
    *out = loop;
    return 0;
}

/* Closing alone does not take a descriptor out of the epoll set: the FSP or the spawner may hold a copy. */
static void free_entry(struct loop *loop, struct entry *entry)
{
    epoll_ctl(loop->epoll, EPOLL_CTL_DEL, call_control(entry->call), NULL);
    epoll_ctl(loop->epoll, EPOLL_CTL_DEL, call_media(entry->call), NULL);
    if (call_rtcp(entry->call) >= 0)
        epoll_ctl(loop->epoll, EPOLL_CTL_DEL, call_rtcp(entry->call), NULL);
    call_free(entry->call);
    free(entry);
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    while (loop->count > 0)
        free_entry(loop, loop->entries[--loop->count]);
    free(loop->entries);
    free(loop->due_ns);
    close(loop->epoll);
    free(loop);
}

/* A stream is edge-triggered: a paced call leaves its next chunk in the socket until it is due. Of datagrams not
 * all that wait are taken at a time. */
static uint32_t media_events(const struct call *call)
{
    if (!call_wants_media(call))
        return 0;
    return EPOLLIN | (call_has_stream(call) ? (uint32_t)EPOLLRDHUP | (uint32_t)EPOLLET : 0) |
           (call_wants_media_room(call) ? (uint32_t)EPOLLOUT : 0);
}

int loop_add(struct loop *loop, struct call *call)
{
    struct entry *entry = xcalloc(1, sizeof *entry);
    int error;

    entry->call = call;
    entry->control = (struct source){.kind = SOURCE_CONTROL, .entry = entry};
    entry->media = (struct source){.kind = SOURCE_MEDIA, .entry = entry};
    entry->rtcp = (struct source){.kind = SOURCE_RTCP, .entry = entry};
    error = control_source(loop, EPOLL_CTL_ADD, call_control(call), &entry->control, EPOLLIN);
    if (!error)
        error = control_source(loop, EPOLL_CTL_ADD, call_media(call), &entry->media, media_events(call));
    if (!error && call_rtcp(call) >= 0)
        error = control_source(loop, EPOLL_CTL_ADD, call_rtcp(call), &entry->rtcp, media_events(call));
    if (error) {
        free_entry(loop, entry);
        return error;
    }
    if (loop->count == loop->room) {
        loop->room = loop->room ? 2 * loop->room : 4;
        loop->entries = xrealloc(loop->entries, (unsigned long)loop->room * sizeof *loop->entries);
        loop->due_ns = xrealloc(loop->due_ns, (unsigned long)loop->room * sizeof *loop->due_ns);
    }
    entry->index = loop->count++;
    loop->entries[entry->index] = entry;
    loop->due_ns[entry->index] = 0;
    return 0;
}

int loop_watch(struct loop *loop, const struct loop_source *source)
{
    loop->watched = *source;
    loop->watching = true;
    return control_source(loop, EPOLL_CTL_ADD, source->fd, &loop->watched_source, EPOLLIN);
}

static void hear_watched(struct loop *loop)
{
    if (!loop->watching || loop->watched.ready(loop, loop->watched.fd, loop->watched.context))
        return;
    epoll_ctl(loop->epoll, EPOLL_CTL_DEL, loop->watched.fd, NULL);
    loop->watching = false;
}

/* Wait for events until `due_ns`, INT64_MAX = for ever: their number, or as epoll_pwait2. */
static int wait_until(struct loop *loop, struct epoll_event *events, int64_t due_ns)
{
    int64_t left_ns = due_ns == INT64_MAX ? 0 : due_ns - now_ns();
    struct timespec left = {.tv_sec = 0};

    if (left_ns > 0)
        left = (struct timespec){.tv_sec = left_ns / 1000000000, .tv_nsec = left_ns % 1000000000};
    return epoll_pwait2(loop->epoll, events, EVENTS_AT_ONCE, due_ns == INT64_MAX ? NULL : &left, NULL);
}

static void dispatch(struct loop *loop, struct source *source, uint32_t events, int64_t now)
{
    if (source->entry)
        loop->due_ns[source->entry->index] = 0; /* an event may change all about it: run_due looks */
    switch (source->kind) {
    case SOURCE_WATCHED:
        hear_watched(loop);
        return;
    case SOURCE_CONTROL:
        if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
            call_hear_control(source->entry->call);
        if (events & EPOLLOUT)
            call_retry_ended(source->entry->call);
        return;
    case SOURCE_MEDIA:
        call_hear_media(source->entry->call, now);
        return;
    case SOURCE_RTCP:
        call_hear_rtcp(source->entry->call, now);
        return;
    }
}

/* Room in a socket is waited for only while it is missing: else each read of the far end would wake this one. */
static void follow_wants(struct loop *loop, struct entry *entry)
{
    uint32_t media = media_events(entry->call);
    uint32_t control = EPOLLIN | (call_wants_control_room(entry->call) ? (uint32_t)EPOLLOUT : 0);

    if (media != entry->media.events)
        control_source(loop, EPOLL_CTL_MOD, call_media(entry->call), &entry->media, media);
    if (call_rtcp(entry->call) >= 0 && media != entry->rtcp.events)
        control_source(loop, EPOLL_CTL_MOD, call_rtcp(entry->call), &entry->rtcp, media);
    if (control != entry->control.events)
        control_source(loop, EPOLL_CTL_MOD, call_control(entry->call), &entry->control, control);
}

static void remove_entry(struct loop *loop, int index)
{
    struct entry *entry = loop->entries[index];

    loop->count--;
    loop->entries[index] = loop->entries[loop->count];
    loop->entries[index]->index = index;
    loop->due_ns[index] = loop->due_ns[loop->count];
    free_entry(loop, entry);
    if (loop->watched.ended)
        loop->watched.ended(loop->watched.fd, loop->watched.context);
}

/* When to look at the call next. A call on a network does not mind a few milliseconds, and several of them that are due
 * nearly at once then share a wake, here and, by their packets, at the far end. */
static int64_t next_due(const struct loop *loop, const struct call *call)
{
    int64_t due_ns = call_due_ns(call);

    if (loop->count == 1 || !call_may_wait(call) || due_ns > INT64_MAX - GRID_NS)
        return due_ns;
    return (due_ns + GRID_NS - 1) / GRID_NS * GRID_NS;
}

/* Calls whose time has come; calls that are done go, and only here, since an event may still name them before. Returns
 * the next time due. */
static int64_t run_due(struct loop *loop, int64_t now)
{
    int64_t next_ns = INT64_MAX;

    for (int i = loop->count - 1; i >= 0; i--) { /* downwards: removing moves the last one into the gap */
        if (loop->due_ns[i] <= now) {
            struct entry *entry = loop->entries[i];

            if (!call_is_done(entry->call) && call_due_ns(entry->call) <= now)
                call_run(entry->call, now);
            if (call_is_done(entry->call)) {
                remove_entry(loop, i);
                continue;
            }
            follow_wants(loop, entry);
            loop->due_ns[i] = next_due(loop, entry->call);
        }
        if (loop->due_ns[i] < next_ns)
            next_ns = loop->due_ns[i];
    }
    return next_ns;
}

int loop_run(struct loop *loop)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    int64_t due_ns;
    int count, i;

    for (;;) {
        due_ns = run_due(loop, now_ns());
        if (loop->count == 0 && !loop->watching)
            return 0;
        count = wait_until(loop, events, due_ns);
        if (count < 0 && errno != EINTR)
            return err_set(ERR_IO, "epoll_pwait2: %s", strerror(errno));
        for (i = 0; i < count; i++)
            dispatch(loop, events[i].data.ptr, events[i].events, now_ns());
    }
}
