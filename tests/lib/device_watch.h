/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who opens and closes a device, counted by inotify: one instance for the whole process, since a user has 128 of them.
 *
 * Thread: any; one lock. A watch belongs to one thread.
 */
#ifndef FAXD_TESTS_DEVICE_WATCH_H
#define FAXD_TESTS_DEVICE_WATCH_H

#include <stdbool.h>

struct device_watch {
    int number;  /* of inotify; -1 = none */
    int opens;   /* since the begin, and not closed again */
    bool closed; /* by the last one that had it open, since the last look */
    struct device_watch *next;
};

/* Count from now on. 0, or an err code, after which there is nothing to end. */
int device_watch_begin(struct device_watch *watch, const char *path);

/* Without effect on a watch that did not begin (`number` -1). */
void device_watch_end(struct device_watch *watch);

/* Has something to read when a device was opened or closed: of all watches, and another thread may take it first. */
int device_watch_fd(void);

/* How many have it open; `*closed`: nobody had, at some moment since the last look. */
int device_watch_look(struct device_watch *watch, bool *closed);

#endif
