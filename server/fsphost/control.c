/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls into the FSP beside its operations: abort, status, ring info, rejection, notices, questions. */
#include "config.h"

#include "server/fsphost/control.h"

#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* More threads than this stuck in the FSP: no further one is sent after them. */
#define GIVEN_UP_MAX 64u

struct control_thread {
    struct control *control;
    int64_t busy_since; /* start of the call that runs, 0 = none; guarded by the control's lock */
    const char *busy_with;
};

struct control {
    const struct provider *provider;
    struct report_box *box;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t bell;
    struct control_call *first, **last;
    struct control_thread *current; /* who takes calls; others leave when their call returns */
    unsigned given_up;
    bool stop, stopped;
};

static const char *const call_names[] = {
    [CONTROL_ABORT] = "FaxDevAbortOperation", [CONTROL_REPORT] = "FaxDevReportStatus",
    [CONTROL_RING_INFO] = "FaxdRingInfo",     [CONTROL_REJECT] = "the rejection of a call",
    [CONTROL_NOTICE] = "the line callback",   [CONTROL_STATE] = "FaxdProviderAsk",
    [CONTROL_TEST] = "FaxdProviderAsk",
};

struct control_call *control_call_new(enum control_kind kind, uint32_t line)
{
    struct control_call *call = xcalloc(1, sizeof(*call));
    call->report.kind = REPORT_CONTROL;
    call->kind = kind;
    call->line = line;
    return call;
}

void control_call_free(struct control_call *call)
{
    if (!call)
        return;
    packet_status_clear(&call->status);
    free(call->text);
    free(call->rights);
    free(call->question);
    free(call);
}

/* DESIGN 3: a ring is rejected by a job that is aborted before it receives. */
static int reject(const struct provider *provider, const struct control_call *call)
{
    HANDLE handle = NULL;
    int result = 0;
    SetLastError(0);
    if (!provider->fsp.start_job(0, provider_start_id(provider, call->line), &handle, provider->port,
                                 provider_job_key(call->line, call->run)) ||
        !handle)
        return err_set(ERR_IO, "FaxDevStartJob failed (last error %u)", GetLastError());
    SetLastError(0);
    if (!provider->fsp.abort_operation(handle))
        result = err_set(ERR_IO, "FaxDevAbortOperation failed (last error %u)", GetLastError());
    provider->fsp.end_job(handle);
    return result;
}

/* Each device is a call of its own, with its own time. */
static void notice(struct control_thread *thread, const struct provider *provider, const struct control_call *call)
{
    for (DWORD i = 0; i < provider->device_count; i++) {
        pthread_mutex_lock(&thread->control->lock);
        thread->busy_since = clock_mono_ms();
        pthread_mutex_unlock(&thread->control->lock);
        provider_notice(provider, i, call->rights[i] & CONTROL_MAY_RECEIVE, call->rights[i] & CONTROL_MAY_SEND);
    }
}

static void call_make(struct control_thread *thread, struct control_call *call)
{
    const struct provider *provider = thread->control->provider;
    switch (call->kind) {
    case CONTROL_ABORT:
        call->result = worker_abort(call->worker, call->job);
        break;
    case CONTROL_REPORT:
        call->result = worker_report(&call->status, call->worker, call->job);
        break;
    case CONTROL_RING_INFO:
        call->result = provider_ring_info(&call->text, provider, call->line);
        break;
    case CONTROL_REJECT:
        call->result = reject(provider, call);
        break;
    case CONTROL_NOTICE:
        notice(thread, provider, call);
        break;
    case CONTROL_STATE:
    case CONTROL_TEST:
        call->result = provider_ask(&call->text, provider, call->question);
        break;
    }
    if (call->result && call->result != ERR_NOT_FOUND)
        report_fault(thread->control->box, call->line, "%s", err_message());
}

static void *control_main(void *argument)
{
    struct control_thread *thread = argument;
    struct control *control = thread->control;
    pthread_mutex_lock(&control->lock);
    for (;;) {
        while (control->current == thread && !control->first && !control->stop)
            pthread_cond_wait(&control->bell, &control->lock);
        struct control_call *call = control->first;
        if (control->current != thread || !call)
            break;
        control->first = call->next;
        if (!control->first)
            control->last = &control->first;
        thread->busy_since = clock_mono_ms();
        thread->busy_with = call_names[call->kind];
        pthread_mutex_unlock(&control->lock);
        call_make(thread, call);
        report_post(control->box, &call->report);
        pthread_mutex_lock(&control->lock);
        thread->busy_since = 0;
    }
    if (control->current == thread)
        control->stopped = true;
    else
        control->given_up--;
    pthread_cond_broadcast(&control->bell);
    pthread_mutex_unlock(&control->lock);
    free(thread);
    return NULL;
}

/* With the lock held. */
static int thread_start(struct control *control)
{
    struct control_thread *thread = xcalloc(1, sizeof(*thread));
    pthread_t id;
    thread->control = control;
    int error = pthread_create(&id, NULL, control_main, thread);
    if (error) {
        free(thread);
        return err_set(ERR_IO, "no control thread: %s", strerror(error));
    }
    pthread_detach(id);
    control->current = thread;
    return 0;
}

int control_start(struct control **out, const struct provider *provider, struct report_box *box)
{
    struct control *control = xcalloc(1, sizeof(*control));
    pthread_condattr_t attributes;
    control->provider = provider;
    control->box = box;
    control->last = &control->first;
    pthread_mutex_init(&control->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&control->bell, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_lock(&control->lock);
    int result = thread_start(control);
    pthread_mutex_unlock(&control->lock);
    *out = control;
    return result;
}

void control_give(struct control *control, struct control_call *call)
{
    call->next = NULL;
    pthread_mutex_lock(&control->lock);
    *control->last = call;
    control->last = &call->next;
    pthread_cond_broadcast(&control->bell);
    pthread_mutex_unlock(&control->lock);
}

int64_t control_check(struct control *control, int64_t now_ms)
{
    int64_t look_at = INT64_MAX;
    const char *overdue = NULL;
    pthread_mutex_lock(&control->lock);
    struct control_thread *thread = control->current;
    if (thread->busy_since) {
        look_at = thread->busy_since + CONTROL_PATIENCE_MS;
        if (look_at <= now_ms) {
            overdue = thread->busy_with;
            look_at = now_ms + CONTROL_PATIENCE_MS;
            if (control->given_up < GIVEN_UP_MAX && thread_start(control) == 0)
                control->given_up++;
        }
    } else if (control->first) {
        look_at = now_ms + CONTROL_PATIENCE_MS; /* the thread has not woken yet */
    }
    pthread_mutex_unlock(&control->lock);
    if (overdue)
        report_fault(control->box, REPORT_NO_LINE, "%s did not return within %d s", overdue,
                     CONTROL_PATIENCE_MS / 1000);
    return look_at;
}

bool control_is_hung(struct control *control)
{
    pthread_mutex_lock(&control->lock);
    bool hung = control->given_up > 0;
    pthread_mutex_unlock(&control->lock);
    return hung;
}

bool control_stop(struct control *control)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += CONTROL_PATIENCE_MS / 1000;
    pthread_mutex_lock(&control->lock);
    control->stop = true;
    while (control->first) {
        struct control_call *call = control->first;
        control->first = call->next;
        control_call_free(call);
    }
    control->last = &control->first;
    pthread_cond_broadcast(&control->bell);
    int waited = 0;
    while ((!control->stopped || control->given_up) && waited == 0)
        waited = pthread_cond_timedwait(&control->bell, &control->lock, &until);
    bool ended = control->stopped && control->given_up == 0;
    pthread_mutex_unlock(&control->lock);
    if (!ended)
        return false;
    pthread_cond_destroy(&control->bell);
    pthread_mutex_destroy(&control->lock);
    free(control);
    return true;
}
