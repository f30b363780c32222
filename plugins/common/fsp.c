/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The exported calls, in the order in which a host makes them. What is said here once: settings, lines, jobs, files.
 * The carrier finds the way to the far end, call.c runs the fax on it.
 */
#include "config.h"

#include "plugins/common/fsp.h"

#include "plugins/common/received.h"
#include "plugins/include/faxdext.h"
#include "server/base/err.h"
#include "server/base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUESTION_MAX 4096

/* A provider is one process, so there is one of this. Written by the start-up thread, read-only afterwards. */
static struct fsp fsp;

static void fsp_clear(void)
{
    if (fsp.carrier.close)
        fsp.carrier.close(fsp.carrier.self);
    engine_close(fsp.engine);
    settings_free(fsp.settings);
    memset(&fsp, 0, sizeof(fsp));
}

static int configure(const char *json)
{
    int err = settings_parse(&fsp.settings, json);

    if (!err && fsp.settings->engine[0] != '/')
        err = err_set(ERR_INVALID, "provider %s: engine is not an absolute path", fsp.settings->name);
    if (!err)
        err = fsp_kind.open(&fsp);
    return err;
}

BOOL WINAPI FaxdProviderConfig(const char *json)
{
    char program[64];

    if (!json || fsp.settings)
        return provider_fail(ERROR_INVALID_PARAMETER);
    log_open(fsp_kind.name, LOG_LEVEL_INFO);
    if (configure(json)) {
        log_error("settings refused: %s", err_message());
        fsp_clear();
        return provider_fail(ERROR_INVALID_PARAMETER);
    }
    snprintf(program, sizeof(program), "%.16s[%.40s]", fsp_kind.name, fsp.settings->name);
    log_open(program, LOG_LEVEL_INFO);
    return TRUE;
}

BOOL WINAPI FaxDevVirtualDeviceCreation(LPDWORD DeviceCount, LPWSTR DeviceNamePrefix, LPDWORD DeviceIdPrefix,
                                        HANDLE CompletionPort, ULONG_PTR CompletionKey)
{
    if (!fsp.settings)
        return provider_fail(ERROR_INVALID_PARAMETER);
    return provider_create(&fsp.provider, fsp.settings->name, fsp.settings->line_count, DeviceCount, DeviceNamePrefix,
                           DeviceIdPrefix, CompletionPort, CompletionKey);
}

/* LINE_DEVSPECIFIC: dwParam1 may receive, dwParam2 may send (fsp-abi 3.4). */
static void CALLBACK on_line(HANDLE FaxHandle, DWORD hDevice, DWORD dwMessage, DWORD_PTR dwInstance, DWORD_PTR dwParam1,
                             DWORD_PTR dwParam2, DWORD_PTR dwParam3)
{
    int line = provider_line(&fsp.provider, hDevice);

    (void)FaxHandle, (void)dwInstance, (void)dwParam3;
    if (dwMessage == LINE_DEVSPECIFIC && line >= 0)
        fsp.carrier.enable(fsp.carrier.self, line, dwParam1 != 0, dwParam2 != 0);
}

BOOL WINAPI FaxDevInitialize(HLINEAPP LineAppHandle, HANDLE HeapHandle, PFAX_LINECALLBACK *LineCallbackFunction,
                             PFAX_SERVICE_CALLBACK FaxServiceCallback)
{
    (void)LineAppHandle, (void)FaxServiceCallback;
    if (!fsp.settings || !LineCallbackFunction)
        return provider_fail(ERROR_INVALID_PARAMETER);
    if (engine_open(&fsp.engine, fsp.settings->engine, fsp.settings->calls_per_engine)) {
        log_error("cannot start the engine's spawner: %s", err_message());
        return provider_fail(ERROR_FILE_NOT_FOUND);
    }
    fsp.provider.heap = HeapHandle;
    *LineCallbackFunction = on_line;
    if (fsp.carrier.start)
        fsp.carrier.start(fsp.carrier.self);
    return TRUE;
}

/* `object` (taken) by the size protocol. */
static BOOL hand_out(json_t *object, char *json, DWORD size, LPDWORD needed)
{
    BOOL done = provider_text(object, json, size, needed);

    json_decref(object);
    return done;
}

BOOL WINAPI FaxdRingInfo(DWORD device, char *json, DWORD size, LPDWORD needed)
{
    int line = provider_line(&fsp.provider, device);

    if (line < 0)
        return provider_fail(ERROR_INVALID_PARAMETER);
    return hand_out(fsp.carrier.ring_info(fsp.carrier.self, line), json, size, needed);
}

BOOL WINAPI FaxdProviderAsk(const char *question, char *json, DWORD size, LPDWORD needed)
{
    json_t *asked = question && strlen(question) <= QUESTION_MAX ? json_loads(question, 0, NULL) : NULL;
    json_t *answer = asked && fsp.carrier.ask ? fsp.carrier.ask(fsp.carrier.self, asked) : NULL;

    json_decref(asked);
    return answer ? hand_out(answer, json, size, needed) : provider_fail(ERROR_INVALID_PARAMETER);
}

static void cancel_line(void *job)
{
    fsp.carrier.cancel(fsp.carrier.self, job_line(job));
}

BOOL WINAPI FaxDevStartJob(HLINE LineHandle, DWORD DeviceId, PHANDLE FaxHandle, HANDLE CompletionPortHandle,
                           ULONG_PTR CompletionKey)
{
    int line = provider_line(&fsp.provider, DeviceId);

    (void)LineHandle;
    if (line < 0 || !FaxHandle)
        return provider_fail(ERROR_INVALID_PARAMETER);
    if (!fsp.carrier.take(fsp.carrier.self, line))
        return provider_fail(ERROR_BUSY);
    if (!job_start(FaxHandle, &fsp.provider, line, CompletionPortHandle, CompletionKey)) {
        fsp.carrier.release(fsp.carrier.self, line);
        return FALSE;
    }
    job_on_abort(job_of(*FaxHandle), cancel_line, *FaxHandle);
    return TRUE;
}

BOOL WINAPI FaxdJobOptions(HANDLE FaxHandle, const char *json)
{
    struct job *job = job_of(FaxHandle);

    if (!job)
        return FALSE;
    if (!options_parse(job_options(job), json))
        return TRUE;
    log_error("job refused: %s line=%d", err_message(), job_line(job));
    return provider_fail(ERROR_INVALID_PARAMETER);
}

static BOOL finish_internal(struct job *job)
{
    log_error("%s line=%d", err_message(), job_line(job));
    return job_finish(job, "internal", err_message());
}

static BOOL send_file(struct job *job, const char *file, const char *number, const char *station_id)
{
    struct call_files files = {0};
    BOOL done;

    if (call_open_files(&files, job, file))
        done = finish_internal(job);
    else
        done = fsp.carrier.send(fsp.carrier.self, job, &files, number,
                                station_id[0] ? station_id : fsp.carrier.station_id(fsp.carrier.self, job_line(job)));
    call_close_files(&files);
    return done;
}

BOOL WINAPI FaxDevSend(HANDLE FaxHandle, PFAX_SEND FaxSend, PFAX_SEND_CALLBACK FaxSendCallback)
{
    struct job *job = job_of(FaxHandle);
    char *file, *number, *station_id;
    BOOL done;

    (void)FaxSendCallback; /* of use to TAPI calls only */
    if (!job)
        return FALSE;
    if (!FaxSend || !FaxSend->FileName || !FaxSend->ReceiverNumber)
        return provider_fail(ERROR_INVALID_PARAMETER);
    file = provider_utf8(FaxSend->FileName);
    number = provider_utf8(FaxSend->ReceiverNumber);
    station_id = provider_utf8(FaxSend->CallerNumber);
    job_say(job, FS_INITIALIZING, 0);
    done = send_file(job, file, number, station_id);
    free(file);
    free(number);
    free(station_id);
    return done;
}

static BOOL receive_file(struct job *job, const char *file)
{
    struct call_files files = {0};
    BOOL done;

    if (call_open_receive(&files, file)) {
        done = finish_internal(job);
        /* The call is declined at the end: it would ring for a file that is not there. */
        fsp.carrier.cancel(fsp.carrier.self, job_line(job));
    } else {
        done = fsp.carrier.receive(fsp.carrier.self, job, &files);
    }
    call_close_files(&files);
    return done;
}

BOOL WINAPI FaxDevReceive(HANDLE FaxHandle, HCALL CallHandle, PFAX_RECEIVE FaxReceive)
{
    struct job *job = job_of(FaxHandle);
    const char *station_id;
    char *file;
    BOOL done;

    (void)CallHandle;
    if (!job)
        return FALSE;
    if (!FaxReceive || !FaxReceive->FileName)
        return provider_fail(ERROR_INVALID_PARAMETER);
    file = provider_utf8(FaxReceive->FileName);
    done = receive_file(job, file);
    free(file);
    station_id = job_options(job)->station_id;
    if (!station_id[0])
        station_id = fsp.carrier.station_id(fsp.carrier.self, job_line(job));
    if (done)
        received_fill(FaxReceive, station_id, fsp.settings->lines[job_line(job)].name);
    return done ? TRUE : provider_fail(ERROR_GEN_FAILURE);
}

BOOL WINAPI FaxDevReportStatus(HANDLE FaxHandle, PFAX_DEV_STATUS FaxStatus, DWORD FaxStatusSize,
                               LPDWORD FaxStatusSizeRequired)
{
    struct job *job = job_of(FaxHandle);

    return job ? job_report(job, FaxStatus, FaxStatusSize, FaxStatusSizeRequired) : FALSE;
}

BOOL WINAPI FaxDevAbortOperation(HANDLE FaxHandle)
{
    struct job *job = job_of(FaxHandle);

    if (!job)
        return FALSE;
    job_abort(job);
    return TRUE;
}

BOOL WINAPI FaxdCallRecord(HANDLE FaxHandle, char *json, DWORD size, LPDWORD needed)
{
    struct job *job = job_of(FaxHandle);

    return job ? provider_text(job_record(job), json, size, needed) : FALSE;
}

BOOL WINAPI FaxDevEndJob(HANDLE FaxHandle)
{
    struct job *job = job_of(FaxHandle);
    int line;

    if (!job)
        return FALSE;
    line = job_line(job);
    job_end(job);
    fsp.carrier.release(fsp.carrier.self, line);
    return TRUE;
}

HRESULT WINAPI FaxDevShutdown(void)
{
    if (atomic_load(&fsp.provider.jobs) > 0)
        return E_FAIL;
    fsp_clear();
    return S_OK;
}
