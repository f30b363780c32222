/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A thread with a list in and a list out. The eventfd only rings the bell; the loop takes the whole list. */
#include "web/worker.h"

#include "server/base/err.h"
#include "server/base/log.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <unistd.h>

struct task {
    STAILQ_ENTRY(task) entry;
    void (*work)(void *context);
    void (*done)(void *context);
    void *context;
};

STAILQ_HEAD(task_list, task);

struct worker {
    pthread_t thread;
    int bell;
    struct event *rung;
    pthread_mutex_t lock; /* guards the four below */
    pthread_cond_t wake;
    struct task_list waiting, finished;
    bool stop;
};

static struct task *next_task(struct worker *worker)
{
    struct task *task;

    pthread_mutex_lock(&worker->lock);
    while (!worker->stop && STAILQ_EMPTY(&worker->waiting))
        pthread_cond_wait(&worker->wake, &worker->lock);
    task = worker->stop ? NULL : STAILQ_FIRST(&worker->waiting);
    if (task)
        STAILQ_REMOVE_HEAD(&worker->waiting, entry);
    pthread_mutex_unlock(&worker->lock);
    return task;
}

static void *work(void *context)
{
    struct worker *worker = context;
    struct task *task;
    uint64_t one = 1;

    while ((task = next_task(worker)) != NULL) {
        task->work(task->context);
        pthread_mutex_lock(&worker->lock);
        STAILQ_INSERT_TAIL(&worker->finished, task, entry);
        pthread_mutex_unlock(&worker->lock);
        (void)!write(worker->bell, &one, sizeof one); /* full only when rung 2^64 times */
    }
    return NULL;
}

static void finish(struct task_list *list)
{
    struct task *task;

    while ((task = STAILQ_FIRST(list)) != NULL) {
        STAILQ_REMOVE_HEAD(list, entry);
        task->done(task->context);
        free(task);
    }
}

static void on_bell(evutil_socket_t fd, short what, void *context)
{
    struct worker *worker = context;
    struct task_list finished = STAILQ_HEAD_INITIALIZER(finished);
    uint64_t count;

    (void)what;
    (void)!read(fd, &count, sizeof count);
    pthread_mutex_lock(&worker->lock);
    STAILQ_CONCAT(&finished, &worker->finished);
    pthread_mutex_unlock(&worker->lock);
    finish(&finished);
}

/* Signals are the loop's. */
static int start_thread(struct worker *worker)
{
    sigset_t all, old;
    int error;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    error = pthread_create(&worker->thread, NULL, work, worker);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return error ? err_set(ERR_IO, "cannot start a thread: %s", strerror(error)) : 0;
}

struct worker *worker_new(struct event_base *base)
{
    struct worker *worker = xcalloc(1, sizeof *worker);

    pthread_mutex_init(&worker->lock, NULL);
    pthread_cond_init(&worker->wake, NULL);
    STAILQ_INIT(&worker->waiting);
    STAILQ_INIT(&worker->finished);
    worker->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (worker->bell < 0) {
        err_set(ERR_IO, "eventfd: %s", strerror(errno));
        goto fail;
    }
    worker->rung = event_new(base, worker->bell, EV_READ | EV_PERSIST, on_bell, worker);
    event_add(worker->rung, NULL);
    if (start_thread(worker) == 0)
        return worker;
    event_free(worker->rung);
    close(worker->bell);
fail:
    pthread_cond_destroy(&worker->wake);
    pthread_mutex_destroy(&worker->lock);
    free(worker);
    return NULL;
}

void worker_run(struct worker *worker, void (*work_fn)(void *context), void (*done)(void *context), void *context)
{
    struct task *task = xcalloc(1, sizeof *task);

    task->work = work_fn;
    task->done = done;
    task->context = context;
    pthread_mutex_lock(&worker->lock);
    STAILQ_INSERT_TAIL(&worker->waiting, task, entry);
    pthread_cond_signal(&worker->wake);
    pthread_mutex_unlock(&worker->lock);
}

void worker_free(struct worker *worker)
{
    if (!worker)
        return;
    pthread_mutex_lock(&worker->lock);
    worker->stop = true;
    pthread_cond_signal(&worker->wake);
    pthread_mutex_unlock(&worker->lock);
    pthread_join(worker->thread, NULL);
    finish(&worker->finished);
    finish(&worker->waiting);
    event_free(worker->rung);
    close(worker->bell);
    pthread_cond_destroy(&worker->wake);
    pthread_mutex_destroy(&worker->lock);
    free(worker);
}
