/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reader thread. Jobs wait in one list and come back in another, both under one lock; an eventfd rings the loop's
 * bell when the second stops being empty, and the loop takes the whole list and works on it unlocked.
 */
#include "db/reader.h"

#include "db/db.h"
#include "server/base/err.h"
#include "server/base/log.h"

#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define JOBS_MAX 256

struct job {
    struct job *next;
    void (*run)(void *context, struct db *db);
    void (*done)(void *context, int error);
    void *context;
};

struct job_list {
    struct job *first, **end;
};

struct reader {
    struct db *db;
    int bell; /* eventfd */
    struct event *event;
    bool threaded;
    int count; /* jobs posted and not done; loop only */
    pthread_t thread;
    pthread_mutex_t lock; /* guards the fields below */
    pthread_cond_t wake;
    struct job_list waiting, finished;
    bool stop;
};

static void list_init(struct job_list *list)
{
    list->first = NULL;
    list->end = &list->first;
}

static void list_add(struct job_list *list, struct job *job)
{
    job->next = NULL;
    *list->end = job;
    list->end = &job->next;
}

static struct job *list_take(struct job_list *list)
{
    struct job *job = list->first;
    list->first = job->next;
    if (!list->first)
        list->end = &list->first;
    return job;
}

static void ring(struct reader *reader)
{
    uint64_t one = 1;
    if (write(reader->bell, &one, sizeof(one)) != sizeof(one))
        log_error("reader: eventfd: %s", strerror(errno));
}

static void *work(void *context)
{
    struct reader *reader = context;
    db_own(reader->db);
    pthread_mutex_lock(&reader->lock);
    while (!reader->stop) {
        if (!reader->waiting.first) {
            pthread_cond_wait(&reader->wake, &reader->lock);
            continue;
        }
        struct job *job = list_take(&reader->waiting);
        pthread_mutex_unlock(&reader->lock);
        job->run(job->context, reader->db);
        pthread_mutex_lock(&reader->lock);
        if (!reader->finished.first)
            ring(reader);
        list_add(&reader->finished, job);
    }
    pthread_mutex_unlock(&reader->lock);
    return NULL;
}

static void finish(struct reader *reader, struct job *job, int error)
{
    reader->count--;
    job->done(job->context, error);
    free(job);
}

static void on_bell(evutil_socket_t fd, short what, void *context)
{
    struct reader *reader = context;
    struct job *next;
    uint64_t rings;
    (void)what;
    if (read(fd, &rings, sizeof(rings)) < 0 && errno != EAGAIN)
        log_error("reader: eventfd: %s", strerror(errno));
    pthread_mutex_lock(&reader->lock);
    struct job *job = reader->finished.first;
    list_init(&reader->finished);
    pthread_mutex_unlock(&reader->lock);
    for (; job; job = next) {
        next = job->next;
        finish(reader, job, 0);
    }
}

static int start_thread(struct reader *reader, struct event_base *base)
{
    reader->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (reader->bell < 0)
        return err_set(ERR_IO, "eventfd: %s", strerror(errno));
    reader->event = event_new(base, reader->bell, EV_READ | EV_PERSIST, on_bell, reader);
    if (!reader->event || event_add(reader->event, NULL))
        return err_set(ERR_INTERNAL, "cannot watch the reader thread");
    int code = pthread_create(&reader->thread, NULL, work, reader);
    if (code)
        return err_set(ERR_INTERNAL, "cannot start the reader thread: %s", strerror(code));
    reader->threaded = true;
    return 0;
}

int reader_start(struct reader **out, const char *path, struct event_base *base)
{
    struct reader *reader = xcalloc(1, sizeof(*reader));
    reader->bell = -1;
    list_init(&reader->waiting);
    list_init(&reader->finished);
    pthread_mutex_init(&reader->lock, NULL);
    pthread_cond_init(&reader->wake, NULL);
    int error = db_open(&reader->db, path, DB_READER);
    if (!error && base)
        error = start_thread(reader, base);
    if (error) {
        reader_stop(reader);
        return error;
    }
    *out = reader;
    return 0;
}

int reader_post(struct reader *reader, void (*run)(void *context, struct db *db),
                void (*done)(void *context, int error), void *context)
{
    if (!reader->threaded) {
        run(context, reader->db);
        done(context, 0);
        return 0;
    }
    if (reader->count >= JOBS_MAX)
        return err_set(ERR_FULL, "too many lists and searches are under way");
    struct job *job = xmalloc(sizeof(*job));
    *job = (struct job){.run = run, .done = done, .context = context};
    reader->count++;
    pthread_mutex_lock(&reader->lock);
    list_add(&reader->waiting, job);
    pthread_cond_signal(&reader->wake);
    pthread_mutex_unlock(&reader->lock);
    return 0;
}

static void stop_thread(struct reader *reader)
{
    db_interrupt(reader->db);
    pthread_mutex_lock(&reader->lock);
    reader->stop = true;
    pthread_cond_signal(&reader->wake);
    pthread_mutex_unlock(&reader->lock);
    pthread_join(reader->thread, NULL);
    db_own(reader->db);
    while (reader->finished.first)
        finish(reader, list_take(&reader->finished), ERR_CLOSED);
    while (reader->waiting.first)
        finish(reader, list_take(&reader->waiting), ERR_CLOSED);
}

void reader_stop(struct reader *reader)
{
    if (!reader)
        return;
    if (reader->threaded)
        stop_thread(reader);
    if (reader->event)
        event_free(reader->event);
    if (reader->bell >= 0)
        close(reader->bell);
    db_close(reader->db);
    pthread_cond_destroy(&reader->wake);
    pthread_mutex_destroy(&reader->lock);
    free(reader);
}
