/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The engine's loop: epoll over its calls, until what is due next.
 *
 * Wakes for a datagram, a chunk of audio or a time that is due, never to look. Everything it needs is made by loop_new,
 * before the sandbox.
 *
 * Thread: one.
 */
#ifndef FAXD_T30_LOOP_H
#define FAXD_T30_LOOP_H

#include <stdbool.h>

#include "plugins/t30/call.h"

struct loop;

/* Where further calls come from. */
struct loop_source {
    int fd;
    /* The descriptor is readable: true while it is to be watched further. */
    bool (*ready)(struct loop *loop, int fd, void *context);
    /* A call has ended and is gone. */
    void (*ended)(int fd, void *context);
    void *context;
};

/* 0 or ERR_IO. The caller frees with loop_free, which frees the calls too. */
int loop_new(struct loop **out);
void loop_free(struct loop *loop);

/* Take `call` over and start it. 0 or ERR_IO (then the call was freed). */
int loop_add(struct loop *loop, struct call *call);

/* Watch `source` too, one at most; it is copied, its descriptor stays the caller's. 0 or ERR_IO. */
int loop_watch(struct loop *loop, const struct loop_source *source);

/* Run until there is no call left and nothing is watched. 0 or ERR_IO. */
int loop_run(struct loop *loop);

#endif
