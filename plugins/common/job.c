/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One job, from FaxDevStartJob to FaxDevEndJob, as all our plug-ins keep it. The job's thread moves it on; the host's
 * control thread looks at it and aborts it. Next on the route: the plug-in's own FaxDevSend and FaxDevReceive.
 */
#include "config.h"

#include "plugins/common/job.h"

#include "server/base/clock.h"
#include "server/base/log.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#define JOB_MAGIC 0x6a0b6a0bu

struct job {
    unsigned magic;
    struct provider *provider;
    int line;
    HANDLE port;
    ULONG_PTR key;
    pthread_mutex_t lock; /* guards status, aborted, wake, wake_context, and the order of packets */
    pthread_cond_t changed;
    struct status status;
    bool aborted;
    void (*wake)(void *context);
    void *wake_context;
    struct options options;
    json_t *record;
};

static void job_init(struct job *job)
{
    pthread_condattr_t clock;

    pthread_mutex_init(&job->lock, NULL);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&job->changed, &clock);
    pthread_condattr_destroy(&clock);
    job->status.id = FS_INITIALIZING;
    options_init(&job->options);
    job->record = json_object();
    job->magic = JOB_MAGIC;
}

BOOL job_start(PHANDLE handle, struct provider *provider, int line, HANDLE port, ULONG_PTR key)
{
    struct job *job;

    if (!handle || !port || line < 0)
        return provider_fail(ERROR_INVALID_PARAMETER);
    job = HeapAlloc(provider->heap, HEAP_ZERO_MEMORY, sizeof(*job));
    if (!job)
        return provider_fail(ERROR_NOT_ENOUGH_MEMORY);
    job->provider = provider;
    job->line = line;
    job->port = port;
    job->key = key;
    job_init(job);
    atomic_fetch_add(&provider->jobs, 1);
    *handle = job;
    return TRUE;
}

struct job *job_of(HANDLE handle)
{
    struct job *job = handle;

    if (job && job->magic == JOB_MAGIC)
        return job;
    SetLastError(ERROR_INVALID_HANDLE);
    return NULL;
}

void job_end(struct job *job)
{
    struct provider *provider = job->provider;

    job->magic = 0;
    options_clear(&job->options);
    json_decref(job->record);
    pthread_cond_destroy(&job->changed);
    pthread_mutex_destroy(&job->lock);
    HeapFree(provider->heap, 0, job);
    atomic_fetch_sub(&provider->jobs, 1);
}

int job_line(const struct job *job)
{
    return job->line;
}

struct options *job_options(struct job *job)
{
    return &job->options;
}

/* With the lock held, so that packets leave in the order of the changes. Posting never blocks (fsp-abi 3.8). */
static void job_post(struct job *job)
{
    DWORD size = status_size(&job->status);
    FAX_DEV_STATUS *packet = HeapAlloc(job->provider->heap, 0, size);

    if (!packet) {
        log_error("no memory for a status packet line=%d", job->line);
        return;
    }
    status_fill(packet, &job->status);
    if (!PostQueuedCompletionStatus(job->port, size, job->key, (LPOVERLAPPED)packet)) {
        log_error("the host takes no packets: error=%u line=%d", GetLastError(), job->line);
        HeapFree(job->provider->heap, 0, packet);
    }
}

void job_say(struct job *job, DWORD id, DWORD page)
{
    pthread_mutex_lock(&job->lock);
    job->status.id = id;
    job->status.page = page;
    job_post(job);
    pthread_mutex_unlock(&job->lock);
}

void job_set_station(struct job *job, const char *csi)
{
    pthread_mutex_lock(&job->lock);
    status_set_text(job->status.csi, csi);
    pthread_mutex_unlock(&job->lock);
}

void job_set_caller(struct job *job, const char *caller_id, const char *routing)
{
    pthread_mutex_lock(&job->lock);
    status_set_text(job->status.caller_id, caller_id);
    status_set_text(job->status.routing, routing);
    pthread_mutex_unlock(&job->lock);
}

DWORD job_status(struct job *job)
{
    DWORD id;

    pthread_mutex_lock(&job->lock);
    id = job->status.id;
    pthread_mutex_unlock(&job->lock);
    return id;
}

static void record_add(json_t *record, const char *key, json_t *value)
{
    if (json_object_get(record, key))
        json_decref(value);
    else
        json_object_set_new(record, key, value);
}

/* How many pages are through, by the record; `otherwise` when it does not say. */
static DWORD record_pages(const json_t *record, DWORD otherwise)
{
    const json_t *pages = json_object_get(record, "pages_confirmed");

    if (!json_is_integer(pages))
        pages = json_object_get(record, "pages_received");
    return json_is_integer(pages) && json_integer_value(pages) >= 0 ? (DWORD)json_integer_value(pages) : otherwise;
}

BOOL job_finish(struct job *job, const char *outcome, const char *message)
{
    DWORD id = status_from_outcome(outcome);

    record_add(job->record, "outcome", json_string(outcome));
    if (message)
        record_add(job->record, "message", json_string(message));
    record_add(job->record, "ended_at_ms", json_integer(clock_now_ms()));
    pthread_mutex_lock(&job->lock);
    job->status.id = id;
    job->status.page = record_pages(job->record, job->status.page);
    job->status.error = id == FS_COMPLETED ? NO_ERROR : ERROR_GEN_FAILURE;
    job_post(job);
    pthread_mutex_unlock(&job->lock);
    return id == FS_COMPLETED ? TRUE : provider_fail(ERROR_GEN_FAILURE);
}

BOOL job_report(struct job *job, FAX_DEV_STATUS *status, DWORD size, LPDWORD needed)
{
    BOOL done = TRUE;

    if (!needed || (!status && size > 0))
        return provider_fail(ERROR_INVALID_PARAMETER);
    pthread_mutex_lock(&job->lock);
    *needed = status_size(&job->status);
    if (status && size >= *needed)
        status_fill(status, &job->status);
    else if (status)
        done = provider_fail(ERROR_INSUFFICIENT_BUFFER);
    pthread_mutex_unlock(&job->lock);
    return done;
}

void job_abort(struct job *job)
{
    pthread_mutex_lock(&job->lock);
    job->aborted = true;
    if (job->wake)
        job->wake(job->wake_context);
    pthread_cond_broadcast(&job->changed);
    pthread_mutex_unlock(&job->lock);
}

bool job_is_aborted(struct job *job)
{
    bool aborted;

    pthread_mutex_lock(&job->lock);
    aborted = job->aborted;
    pthread_mutex_unlock(&job->lock);
    return aborted;
}

void job_on_abort(struct job *job, void (*wake)(void *context), void *context)
{
    pthread_mutex_lock(&job->lock);
    job->wake = wake;
    job->wake_context = context;
    if (wake && job->aborted)
        wake(context);
    pthread_mutex_unlock(&job->lock);
}

bool job_wait(struct job *job, int64_t ms)
{
    struct timespec until;
    bool passed;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&job->lock);
    while (!job->aborted && ms > 0 && !pthread_cond_timedwait(&job->changed, &job->lock, &until))
        ;
    passed = !job->aborted;
    pthread_mutex_unlock(&job->lock);
    return passed;
}

json_t *job_record(struct job *job)
{
    return job->record;
}

void job_set_record(struct job *job, json_t *record)
{
    json_decref(job->record);
    job->record = record;
}
