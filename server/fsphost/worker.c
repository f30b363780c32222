/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a fax leaves the server: the calls of one job into the FSP, on the thread of its line. */
#include "config.h"

#include "server/fsphost/worker.h"

#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define REPORT_SIZE     (sizeof(FAX_DEV_STATUS) + FAXDEVREPORTSTATUS_SIZE)
#define REPORT_SIZE_MAX 65536u
#define RECEIVE_SIZE    (sizeof(FAX_RECEIVE) + FAXDEVRECEIVE_SIZE)

struct worker {
    const struct provider *provider;
    struct report_box *box;
    uint32_t index;
    pthread_t thread;
    bool has_thread; /* I/O thread's */
    pthread_mutex_t lock;
    pthread_cond_t bell; /* rings for each change of what `lock` guards: */
    struct job *mail;    /* to be done */
    bool stop;           /* leave when there is no mail */
    HANDLE live;         /* FaxHandle of the running operation, NULL when there is none */
    uint64_t live_job;   /* attempt of `live` */
    bool control_is_in;  /* a control thread is in a call with `live` */
    atomic_bool canceled;
};

/* The worker of the calling thread; PFAX_SEND_CALLBACK has no context. */
static _Thread_local struct worker *current;

/* fsp-abi 1.4: FALSE asks the FSP to end the call. Another thread of the FSP has no job here, and is told to go on. */
static BOOL CALLBACK send_callback(HANDLE job, HCALL call, DWORD one, DWORD two)
{
    (void)job;
    (void)call;
    (void)one;
    (void)two;
    return !current || !atomic_load(&current->canceled);
}

static void operation_begin(struct worker *worker, HANDLE handle, uint64_t id)
{
    pthread_mutex_lock(&worker->lock);
    worker->live = handle;
    worker->live_job = id;
    pthread_mutex_unlock(&worker->lock);
}

static void operation_end(struct worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    worker->live = NULL;
    while (worker->control_is_in)
        pthread_cond_wait(&worker->bell, &worker->lock);
    pthread_mutex_unlock(&worker->lock);
}

static bool operation_send(const struct worker *worker, const struct job *job, HANDLE handle)
{
    char *number = xasprintf("%s%s", settings_dial_prefix(worker->provider->settings), job->destination);
    FAX_SEND send = {
        .SizeOfStruct = sizeof(send),
        .FileName = (LPWSTR)str_to_utf16(job->file),
        .CallerName = (LPWSTR)str_to_utf16(job->caller_name),
        .CallerNumber = (LPWSTR)str_to_utf16(job->caller_number),
        .ReceiverName = (LPWSTR)str_to_utf16(job->receiver_name),
        .ReceiverNumber = (LPWSTR)str_to_utf16(number),
    };
    /* The FSP may write into the struct; the texts are freed by addresses of ours. */
    LPWSTR texts[] = {send.FileName, send.CallerName, send.CallerNumber, send.ReceiverName, send.ReceiverNumber};
    bool ok = worker->provider->fsp.send(handle, &send, send_callback);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        free(texts[i]);
    free(number);
    return ok;
}

static bool operation_receive(const struct worker *worker, struct job *job, HANDLE handle)
{
    FAX_RECEIVE *receive = xcalloc(1, RECEIVE_SIZE);
    uint16_t *path = str_to_utf16(job->file);
    size_t units = 0;
    while (path[units])
        units++;
    receive->SizeOfStruct = sizeof(*receive);
    receive->FileName = (LPWSTR)(receive + 1);
    memcpy(receive->FileName, path, (units + 1) * sizeof(*path)); /* job_new has seen to the room */
    free(path);
    bool ok = worker->provider->fsp.receive(handle, 0, receive);
    job->result.own_name = packet_text(receive, RECEIVE_SIZE, receive->ReceiverName);
    job->result.own_number = packet_text(receive, RECEIVE_SIZE, receive->ReceiverNumber);
    free(receive);
    return ok;
}

/* One FaxDevReportStatus with a block of `size`; ERR_TOO_BIG and `*needed` when the FSP wants more. */
static int report_once(struct packet_status *status, const struct worker *worker, HANDLE handle, DWORD size,
                       DWORD *needed)
{
    FAX_DEV_STATUS *block = xcalloc(1, size);
    bool faulty = false;
    int result;
    block->SizeOfStruct = sizeof(*block);
    SetLastError(0);
    if (worker->provider->fsp.report_status(handle, block, size, needed))
        result = packet_read_report(status, &faulty, block, size);
    else if (GetLastError() == ERROR_INSUFFICIENT_BUFFER)
        result = err_set(ERR_TOO_BIG, "FaxDevReportStatus asks for %u octets", *needed);
    else
        result = err_set(ERR_IO, "FaxDevReportStatus failed (last error %u)", GetLastError());
    if (faulty)
        report_fault(worker->box, worker->index, "FaxDevReportStatus gave a string outside its block");
    free(block);
    return result;
}

static int report_fetch(struct packet_status *status, const struct worker *worker, HANDLE handle)
{
    DWORD needed = 0;
    *status = (struct packet_status){0};
    int result = report_once(status, worker, handle, REPORT_SIZE, &needed);
    if (result == ERR_TOO_BIG && needed > REPORT_SIZE && needed <= REPORT_SIZE_MAX)
        result = report_once(status, worker, handle, needed, &needed);
    if (result)
        report_fault(worker->box, worker->index, "%s", err_message());
    return result;
}

static void record_fetch(const struct worker *worker, struct job *job, HANDLE handle)
{
    if (!worker->provider->fsp.call_record)
        return;
    if (provider_call_record(&job->result.record, worker->provider, handle))
        report_fault(worker->box, worker->index, "%s", err_message());
}

/* A job whose operation was never begun, because it was cancelled before. */
static void result_canceled(struct job *job)
{
    job->result.status.status = FS_USER_ABORT;
    job->result.outcome = (struct outcome){LINK_RESULT_FAILED, LINK_OUTCOME_ABORTED};
}

static bool options_give(const struct worker *worker, struct job *job, HANDLE handle)
{
    if (!worker->provider->fsp.job_options)
        return true;
    char *text = job_options_text(job);
    SetLastError(0);
    bool ok = worker->provider->fsp.job_options(handle, text);
    if (!ok) {
        job->result.error = GetLastError();
        report_fault(worker->box, worker->index, "FaxdJobOptions failed (last error %u)", job->result.error);
    }
    free(text);
    return ok;
}

/* Everything between FaxDevStartJob and FaxDevEndJob. */
static void job_operate(struct worker *worker, struct job *job, HANDLE handle)
{
    if (!options_give(worker, job, handle)) {
        job->result.outcome = (struct outcome){LINK_RESULT_FAILED, LINK_OUTCOME_FATAL_ERROR};
        return;
    }
    operation_begin(worker, handle, job->id);
    bool begun = !atomic_load(&worker->canceled);
    bool ok = false;
    SetLastError(0);
    if (begun)
        ok = job->receive ? operation_receive(worker, job, handle) : operation_send(worker, job, handle);
    job->result.error = begun && !ok ? GetLastError() : 0;
    operation_end(worker);
    if (!begun) {
        result_canceled(job);
        return;
    }
    record_fetch(worker, job, handle);
    bool reported = report_fetch(&job->result.status, worker, handle) == 0;
    DWORD status = job->result.status.status;
    job->result.outcome =
        job->receive ? outcome_of_receive(ok, reported, status) : outcome_of_send(ok, reported, status);
}

static void job_run(struct worker *worker, struct job *job)
{
    const struct provider *provider = worker->provider;
    HANDLE handle = NULL;
    job->result.outcome = (struct outcome){LINK_RESULT_NOT_STARTED, LINK_OUTCOME_LINE_UNAVAILABLE};
    SetLastError(0);
    bool started = provider->fsp.start_job(0, provider_start_id(provider, worker->index), &handle, provider->port,
                                           provider_job_key(worker->index, job->run));
    if (!started) {
        job->result.error = GetLastError();
    } else if (!handle) {
        report_fault(worker->box, worker->index, "FaxDevStartJob succeeded without a handle");
    } else {
        job_operate(worker, job, handle);
        SetLastError(0);
        if (!provider->fsp.end_job(handle))
            report_fault(worker->box, worker->index, "FaxDevEndJob failed (last error %u)", GetLastError());
    }
    job_close_journal(job);
}

static void *worker_main(void *argument)
{
    struct worker *worker = argument;
    current = worker;
    pthread_mutex_lock(&worker->lock);
    for (;;) {
        while (!worker->mail && !worker->stop)
            pthread_cond_wait(&worker->bell, &worker->lock);
        struct job *job = worker->mail;
        worker->mail = NULL;
        if (!job)
            break;
        pthread_mutex_unlock(&worker->lock);
        job_run(worker, job);
        report_post(worker->box, &job->report);
        pthread_mutex_lock(&worker->lock);
    }
    pthread_mutex_unlock(&worker->lock);
    return NULL;
}

struct worker *worker_new(const struct provider *provider, uint32_t index, struct report_box *box)
{
    struct worker *worker = xcalloc(1, sizeof(*worker));
    worker->provider = provider;
    worker->index = index;
    worker->box = box;
    pthread_mutex_init(&worker->lock, NULL);
    pthread_cond_init(&worker->bell, NULL);
    return worker;
}

int worker_give(struct worker *worker, struct job *job)
{
    atomic_store(&worker->canceled, false);
    if (!worker->has_thread) {
        int error = pthread_create(&worker->thread, NULL, worker_main, worker);
        if (error)
            return err_set(ERR_IO, "no thread for line %u: %s", worker->index, strerror(error));
        worker->has_thread = true;
    }
    pthread_mutex_lock(&worker->lock);
    worker->mail = job;
    pthread_cond_broadcast(&worker->bell);
    pthread_mutex_unlock(&worker->lock);
    return 0;
}

void worker_cancel(struct worker *worker)
{
    atomic_store(&worker->canceled, true);
}

/* Enter a control call for the operation of job `id`: 0 and its handle, which is live until control_leave. */
static int control_enter(HANDLE *handle, struct worker *worker, uint64_t id)
{
    int result = 0;
    pthread_mutex_lock(&worker->lock);
    if (!worker->live || worker->live_job != id) {
        result = err_set(ERR_NOT_FOUND, "the operation does not run");
    } else if (worker->control_is_in) {
        result = err_set(ERR_AGAIN, "an earlier call into the FSP has not returned");
    } else {
        *handle = worker->live;
        worker->control_is_in = true;
    }
    pthread_mutex_unlock(&worker->lock);
    return result;
}

static void control_leave(struct worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    worker->control_is_in = false;
    pthread_cond_broadcast(&worker->bell);
    pthread_mutex_unlock(&worker->lock);
}

int worker_abort(struct worker *worker, uint64_t id)
{
    HANDLE handle;
    int result = control_enter(&handle, worker, id);
    if (result)
        return result;
    SetLastError(0);
    if (!worker->provider->fsp.abort_operation(handle))
        result = err_set(ERR_IO, "FaxDevAbortOperation failed (last error %u)", GetLastError());
    control_leave(worker);
    return result;
}

int worker_report(struct packet_status *status, struct worker *worker, uint64_t id)
{
    HANDLE handle;
    *status = (struct packet_status){0};
    int result = control_enter(&handle, worker, id);
    if (result)
        return result;
    result = report_fetch(status, worker, handle);
    control_leave(worker);
    return result;
}

void worker_free(struct worker *worker)
{
    if (!worker)
        return;
    if (worker->has_thread) {
        pthread_mutex_lock(&worker->lock);
        worker->stop = true;
        pthread_cond_broadcast(&worker->bell);
        pthread_mutex_unlock(&worker->lock);
        pthread_join(worker->thread, NULL);
    }
    pthread_cond_destroy(&worker->bell);
    pthread_mutex_destroy(&worker->lock);
    free(worker);
}
