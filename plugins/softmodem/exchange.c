/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The exchange. A call that rings is a pointer from the callee to its caller: the caller waits for its `verdict`, the
 * callee's thread, or the clock, gives it. Whoever settles a call does it under the lock and takes the pointer away, so
 * that a call is settled once. Called from softmodem.c; connected calls go on to common/call.c.
 */
#include "config.h"

#include "plugins/softmodem/exchange.h"

#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/number.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define VERDICT_NONE (-1)
#define RINGS        5 /* rings within ring_timeout_ms: 6 s apart in 30 s, as an American exchange does */

struct line {
    char number[NUMBER_SIZE];
    pthread_cond_t wake;
    bool receive;
    bool taken;
    bool cancelled;
    bool quiet;          /* its caller was rejected and is left ringing: ring no more */
    struct line *caller; /* who rings here */
    int verdict;         /* of its own call: enum exchange_result or VERDICT_NONE */
    int media;           /* this side's end, while the verdict is EXCHANGE_CONNECTED and not yet taken away */
    bool ring_now;       /* do not wait for the cadence */
};

struct behaviour {
    char number[NUMBER_SIZE];
    enum exchange_result result;
};

struct exchange {
    struct exchange_options options;
    pthread_mutex_t lock; /* guards all that follows but the numbers, which are fixed before the first call */
    int count;
    struct line *lines;
    int behaviour_count;
    struct behaviour *behaviours;
};

struct exchange *exchange_new(int count, const struct exchange_options *options)
{
    struct exchange *exchange = xcalloc(1, sizeof(*exchange));
    pthread_condattr_t clock;

    exchange->options = *options;
    exchange->count = count;
    exchange->lines = xcalloc((unsigned long)count, sizeof(*exchange->lines));
    pthread_mutex_init(&exchange->lock, NULL);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    for (int i = 0; i < count; i++) {
        pthread_cond_init(&exchange->lines[i].wake, &clock);
        exchange->lines[i].media = -1;
    }
    pthread_condattr_destroy(&clock);
    return exchange;
}

void exchange_free(struct exchange *exchange)
{
    if (!exchange)
        return;
    for (int i = 0; i < exchange->count; i++)
        pthread_cond_destroy(&exchange->lines[i].wake);
    pthread_mutex_destroy(&exchange->lock);
    free(exchange->behaviours);
    free(exchange->lines);
    free(exchange);
}

static struct line *line_find(struct exchange *exchange, const char *number)
{
    for (int i = 0; i < exchange->count; i++) {
        if (exchange->lines[i].number[0] && !strcmp(exchange->lines[i].number, number))
            return &exchange->lines[i];
    }
    return NULL;
}

static const struct behaviour *behaviour_find(const struct exchange *exchange, const char *number)
{
    for (int i = 0; i < exchange->behaviour_count; i++) {
        if (!strcmp(exchange->behaviours[i].number, number))
            return &exchange->behaviours[i];
    }
    return NULL;
}

int exchange_set_number(struct exchange *exchange, int line, const char *number)
{
    char plain[NUMBER_SIZE];
    int err = number_normalise(plain, number);

    if (err)
        return err;
    if (line_find(exchange, plain))
        return err_set(ERR_CONFLICT, "two lines have the number %s", plain);
    strcpy(exchange->lines[line].number, plain);
    return 0;
}

int exchange_set_behaviour(struct exchange *exchange, const char *number, enum exchange_result result)
{
    struct behaviour behaviour = {.result = result};
    int err = number_normalise(behaviour.number, number);

    if (err)
        return err;
    if (behaviour_find(exchange, behaviour.number))
        return err_set(ERR_CONFLICT, "the number %s has two behaviours", behaviour.number);
    exchange->behaviours = xrealloc(exchange->behaviours, sizeof(behaviour) * (size_t)(exchange->behaviour_count + 1));
    exchange->behaviours[exchange->behaviour_count++] = behaviour;
    return 0;
}

/* End the call that rings at `callee`. Locked. */
static void call_settle(struct line *callee, enum exchange_result verdict, int media)
{
    struct line *caller = callee->caller;

    callee->caller = NULL;
    callee->quiet = false;
    caller->verdict = (int)verdict;
    caller->media = media;
    pthread_cond_signal(&caller->wake);
}

/* Let the caller's thread ring again, now. Locked. */
static void call_ring_again(struct line *callee)
{
    callee->caller->ring_now = true;
    pthread_cond_signal(&callee->caller->wake);
}

void exchange_enable(struct exchange *exchange, int line, bool receive)
{
    struct line *self = &exchange->lines[line];

    pthread_mutex_lock(&exchange->lock);
    if (receive && !self->receive && self->caller && !self->taken)
        call_ring_again(self);
    self->receive = receive;
    pthread_mutex_unlock(&exchange->lock);
}

bool exchange_take(struct exchange *exchange, int line)
{
    struct line *self = &exchange->lines[line];
    bool free_before;

    pthread_mutex_lock(&exchange->lock);
    free_before = !self->taken;
    if (free_before) {
        self->taken = true;
        self->cancelled = false;
    }
    pthread_mutex_unlock(&exchange->lock);
    return free_before;
}

void exchange_release(struct exchange *exchange, int line)
{
    struct line *self = &exchange->lines[line];

    pthread_mutex_lock(&exchange->lock);
    self->taken = false;
    if (self->caller && self->cancelled) {
        if (exchange->options.decline)
            call_settle(self, EXCHANGE_DECLINED, -1);
        else
            self->quiet = true;
    } else if (self->caller) {
        call_ring_again(self);
    }
    self->cancelled = false;
    pthread_mutex_unlock(&exchange->lock);
}

static struct timespec time_after(int64_t ms)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    time.tv_sec += ms / 1000;
    time.tv_nsec += ms % 1000 * 1000000;
    if (time.tv_nsec >= 1000000000) {
        time.tv_sec++;
        time.tv_nsec -= 1000000000;
    }
    return time;
}

static bool time_is_past(const struct timespec *time)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec > time->tv_sec || (now.tv_sec == time->tv_sec && now.tv_nsec >= time->tv_nsec);
}

/* Wait until the verdict, the cancel, a wish to ring, or `until`. Locked. */
static void line_wait(struct exchange *exchange, struct line *self, const struct timespec *until)
{
    while (self->verdict == VERDICT_NONE && !self->cancelled && !self->ring_now && !time_is_past(until))
        pthread_cond_timedwait(&self->wake, &exchange->lock, until);
}

/* Let `ms` pass on a line that calls nobody: the cancel or, when the time is up, `result`. Locked. */
static enum exchange_result line_pause(struct exchange *exchange, struct line *self, int64_t ms,
                                       enum exchange_result result)
{
    struct timespec until = time_after(ms);

    while (!self->cancelled && !time_is_past(&until))
        pthread_cond_timedwait(&self->wake, &exchange->lock, &until);
    return self->cancelled ? EXCHANGE_CANCELLED : result;
}

/* One ring, outside the lock: the owner may take the line from inside. */
static void line_ring(struct exchange *exchange, struct line *callee)
{
    int index = (int)(callee - exchange->lines);
    bool heard = callee->receive && !callee->taken && !callee->quiet;

    if (!heard || !exchange->options.ring)
        return;
    pthread_mutex_unlock(&exchange->lock);
    exchange->options.ring(exchange->options.context, index);
    pthread_mutex_lock(&exchange->lock);
}

/* Ring `callee` until the call is settled by either side or by the clock. Locked. */
static enum exchange_result call_wait(struct exchange *exchange, struct line *self, struct line *callee)
{
    struct timespec end = time_after(exchange->options.ring_timeout_ms);

    while (self->verdict == VERDICT_NONE) {
        struct timespec next = time_after(exchange->options.ring_timeout_ms / RINGS);

        self->ring_now = false;
        line_ring(exchange, callee);
        line_wait(exchange, self, &next);
        if (self->verdict == VERDICT_NONE && self->cancelled)
            call_settle(callee, EXCHANGE_CANCELLED, -1);
        else if (self->verdict == VERDICT_NONE && time_is_past(&end))
            call_settle(callee, EXCHANGE_NO_ANSWER, -1);
    }
    return (enum exchange_result)self->verdict;
}

static enum exchange_result line_call(struct exchange *exchange, struct line *self, const char *number)
{
    const struct behaviour *behaviour = behaviour_find(exchange, number);
    struct line *callee = line_find(exchange, number);

    if (behaviour)
        return line_pause(exchange, self,
                          behaviour->result == EXCHANGE_NO_ANSWER ? exchange->options.ring_timeout_ms : 0,
                          behaviour->result);
    if (!callee)
        return EXCHANGE_UNKNOWN;
    if (callee->taken || callee->caller)
        return EXCHANGE_BUSY;
    callee->caller = self;
    self->verdict = VERDICT_NONE;
    return call_wait(exchange, self, callee);
}

enum exchange_result exchange_dial(struct exchange *exchange, int line, const char *number, int *media)
{
    struct line *self = &exchange->lines[line];
    char plain[NUMBER_SIZE];
    enum exchange_result result;

    *media = -1;
    if (number[0] && strchr("TPtp", number[0]))
        number++;
    if (number_normalise(plain, number))
        return EXCHANGE_UNKNOWN;
    pthread_mutex_lock(&exchange->lock);
    if (self->caller)
        call_settle(self, EXCHANGE_BUSY, -1);
    result = line_pause(exchange, self, exchange->options.dial_ms, EXCHANGE_CONNECTED);
    if (result == EXCHANGE_CONNECTED)
        result = line_call(exchange, self, plain);
    if (result == EXCHANGE_CONNECTED) {
        *media = self->media;
        self->media = -1;
    }
    pthread_mutex_unlock(&exchange->lock);
    return result;
}

enum exchange_result exchange_answer(struct exchange *exchange, int line, int *media)
{
    struct line *self = &exchange->lines[line];
    enum exchange_result result = EXCHANGE_CONNECTED;
    int ends[2] = {-1, -1};

    pthread_mutex_lock(&exchange->lock);
    if (self->cancelled)
        result = EXCHANGE_CANCELLED;
    else if (!self->caller)
        result = EXCHANGE_GONE;
    else if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
        result = EXCHANGE_FAILED;
    if (result == EXCHANGE_CONNECTED || result == EXCHANGE_FAILED)
        call_settle(self, result, ends[0]);
    pthread_mutex_unlock(&exchange->lock);
    *media = ends[1];
    return result;
}

void exchange_cancel(struct exchange *exchange, int line)
{
    struct line *self = &exchange->lines[line];

    pthread_mutex_lock(&exchange->lock);
    self->cancelled = true;
    pthread_cond_signal(&self->wake);
    pthread_mutex_unlock(&exchange->lock);
}

const char *exchange_number(const struct exchange *exchange, int line)
{
    return exchange->lines[line].number;
}

const char *exchange_caller(struct exchange *exchange, int line)
{
    const char *number = "";

    pthread_mutex_lock(&exchange->lock);
    if (exchange->lines[line].caller)
        number = exchange->lines[line].caller->number;
    pthread_mutex_unlock(&exchange->lock);
    return number;
}
