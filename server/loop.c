/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The loop of the daemon. A turn is one round of ready events and the commit that ends it: a lowest-priority "commit"
 * event would starve under load in libevent 2.1, so the turn is ended by hand. */
#include <config.h> /* in quotes it would be server/config.h */

#include "server/loop.h"

#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "spool/spool.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#define SIGNALS_MAX    8
#define LOOK_AGAIN_MS  3600000
#define FLUSH_ROUNDS   10
#define FLUSH_PAUSE_US 5000

struct loop_signal {
    struct event *event;
    void (*fn)(void *context);
    void *context;
};

struct loop {
    struct event_base *base;
    bool stopping;
    struct loop_signal signals[SIGNALS_MAX];
    int signal_count;
};

int loop_new(struct loop **out)
{
    struct loop *loop = xcalloc(1, sizeof *loop);

    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_DFL); /* whoever started us may have ignored it: then no child's end would be known */
    loop->base = event_base_new();
    if (loop->base == NULL) {
        free(loop);
        return err_set(ERR_INTERNAL, "libevent has no base for this system");
    }
    *out = loop;
    return 0;
}

void loop_free(struct loop *loop)
{
    if (loop == NULL)
        return;
    for (int i = 0; i < loop->signal_count; i++)
        event_free(loop->signals[i].event);
    event_base_free(loop->base);
    free(loop);
}

struct event_base *loop_base(struct loop *loop)
{
    return loop->base;
}

int loop_run(struct loop *loop, struct spool *spool)
{
    int error = spool_turn_end(spool);

    while (error == 0 && !loop->stopping) {
        if (event_base_loop(loop->base, EVLOOP_ONCE) < 0)
            return err_set(ERR_INTERNAL, "the event loop failed");
        error = spool_turn_end(spool);
    }
    return error;
}

void loop_flush(struct loop *loop)
{
    for (int i = 0; i < FLUSH_ROUNDS; i++) {
        event_base_loop(loop->base, EVLOOP_NONBLOCK);
        usleep(FLUSH_PAUSE_US);
    }
}

void loop_stop(struct loop *loop)
{
    loop->stopping = true;
    event_base_loopbreak(loop->base);
}

static void signal_ready(evutil_socket_t number, short what, void *argument)
{
    struct loop_signal *entry = argument;

    (void)number;
    (void)what;
    entry->fn(entry->context);
}

int loop_on_signal(struct loop *loop, int signal_number, void (*fn)(void *context), void *context)
{
    struct loop_signal *entry = &loop->signals[loop->signal_count];

    if (loop->signal_count == SIGNALS_MAX)
        return err_set(ERR_INTERNAL, "too many signal handlers");
    entry->fn = fn;
    entry->context = context;
    entry->event = evsignal_new(loop->base, signal_number, signal_ready, entry);
    if (entry->event == NULL || event_add(entry->event, NULL) < 0)
        return err_set(ERR_INTERNAL, "cannot handle signal %d", signal_number);
    loop->signal_count++;
    return 0;
}

void loop_timer_at(struct event *timer, int64_t at_ms)
{
    int64_t wait_ms = at_ms - clock_now_ms();
    struct timeval delay;

    if (wait_ms < 0)
        wait_ms = 0;
    if (wait_ms > LOOK_AGAIN_MS)
        wait_ms = LOOK_AGAIN_MS;
    delay.tv_sec = wait_ms / 1000;
    delay.tv_usec = wait_ms % 1000 * 1000;
    evtimer_add(timer, &delay);
}
