/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one place of the bench that is shared by all benches of a process. */
#include "config.h"

#include "tests/lib/device_watch.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "server/base/err.h"

#define EVENTS_SIZE 4096

static struct {
    pthread_mutex_t lock;
    int fd; /* -1 while nothing is watched */
    struct device_watch *first;
} watcher = {.lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1};

static struct device_watch *find(int number)
{
    struct device_watch *watch = watcher.first;

    while (watch && watch->number != number)
        watch = watch->next;
    return watch;
}

/* All that has happened, to whom it happened. Locked. */
static void take_events(void)
{
    _Alignas(struct inotify_event) char events[EVENTS_SIZE];
    ssize_t got, at;

    while (watcher.fd >= 0 && (got = read(watcher.fd, events, sizeof events)) > 0)
        for (at = 0; at < got;) {
            const struct inotify_event *event = (const struct inotify_event *)(const void *)(events + at);
            struct device_watch *watch = find(event->wd);

            at += (ssize_t)(sizeof *event + event->len);
            if (!watch)
                continue;
            watch->opens += (event->mask & IN_OPEN) ? 1 : (event->mask & IN_CLOSE) ? -1 : 0;
            watch->closed = watch->closed || watch->opens == 0;
        }
}

static int begin(struct device_watch *watch, const char *path)
{
    if (watcher.fd < 0)
        watcher.fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (watcher.fd >= 0)
        watch->number = inotify_add_watch(watcher.fd, path, IN_OPEN | IN_CLOSE);
    if (watch->number < 0)
        return err_set(ERR_IO, "cannot watch %s: %s", path, strerror(errno));
    watch->next = watcher.first;
    watcher.first = watch;
    return 0;
}

int device_watch_begin(struct device_watch *watch, const char *path)
{
    int result;

    *watch = (struct device_watch){.number = -1};
    pthread_mutex_lock(&watcher.lock);
    result = begin(watch, path);
    pthread_mutex_unlock(&watcher.lock);
    return result;
}

void device_watch_end(struct device_watch *watch)
{
    struct device_watch **link = &watcher.first;

    pthread_mutex_lock(&watcher.lock);
    while (*link && *link != watch)
        link = &(*link)->next;
    if (*link) {
        *link = watch->next;
        inotify_rm_watch(watcher.fd, watch->number);
    }
    watch->number = -1;
    if (!watcher.first && watcher.fd >= 0) {
        close(watcher.fd);
        watcher.fd = -1;
    }
    pthread_mutex_unlock(&watcher.lock);
}

int device_watch_fd(void)
{
    int fd;

    pthread_mutex_lock(&watcher.lock);
    fd = watcher.fd;
    pthread_mutex_unlock(&watcher.lock);
    return fd;
}

int device_watch_look(struct device_watch *watch, bool *closed)
{
    int opens;

    pthread_mutex_lock(&watcher.lock);
    take_events();
    *closed = watch->closed;
    watch->closed = false;
    opens = watch->opens;
    pthread_mutex_unlock(&watcher.lock);
    return opens;
}
