/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A program that makes a delivery: run without a shell, in a session and a process group of its own, without any
 * descriptor of ours, with the environment that it is given and no other. What it says is kept, the end of it. When its
 * time is over its group gets SIGTERM, and SIGKILL a moment later; what it leaves running behind it is ended with it.
 * It dies with us, so that the next faxd does not begin while it still runs.
 *
 * Thread: loop.
 */
#ifndef FAXD_SERVER_ROUTE_ROUTE_CHILD_H
#define FAXD_SERVER_ROUTE_ROUTE_CHILD_H

#include <event2/event.h>
#include <stdbool.h>

#define ROUTE_CHILD_GRACE_S 5 /* between SIGTERM and SIGKILL */

struct route_child;

struct route_child_end {
    int status; /* as of waitpid(); one that neither exited nor was ended by a signal is not known */
    bool timed_out;
    const char *said; /* the end of its output and errors, one line of UTF-8, "" = nothing; borrowed */
};

struct route_child_options {
    struct event_base *base;
    const char *program;                          /* a path */
    const char *const *argv, *const *environment; /* NULL-ended */
    const char *folder;                           /* that it begins in */
    int input;                                    /* its standard input, from its beginning; -1 = /dev/null */
    int timeout_s;
    void (*done)(void *context, const struct route_child_end *end); /* once, from the loop; the child is gone */
    void *context;
};

/* 0 or ERR_IO. A program that cannot be run ends with status 127 and says why. */
int route_child_start(struct route_child **out, const struct route_child_options *options);

/* End it at once; `done` is not called. NULL is fine. */
void route_child_kill(struct route_child *child);

/* Why it was no success, in words: "it ended with status 3: disk on fire". At most size - 1 octets. Returns `text`. */
char *route_child_describe(char *text, unsigned long size, const struct route_child_end *end);

#endif
