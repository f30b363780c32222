/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The softmodem provider: audio fax between lines. This file has the exported calls, in the order in which a host makes
 * them; setup.c reads the settings, exchange.c finds the way to the other line, common/call.c runs the fax on it.
 *
 * Outbound: FaxDevStartJob, FaxDevSend -> exchange_dial -> call_run. Inbound: exchange rings -> provider_ring ->
 * FaxDevStartJob, FaxDevReceive -> exchange_answer -> call_run.
 */
#include "plugins/common/call.h"
#include "plugins/common/job.h"
#include "plugins/common/provider.h"
#include "plugins/common/received.h"
#include "plugins/common/settings.h"
#include "plugins/include/faxdext.h"
#include "plugins/softmodem/exchange.h"
#include "plugins/softmodem/setup.h"

#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_MS     200 /* lock-step unit: 20 ms would cost 1.9 times the CPU of bare spandsp, this 1.2 */
#define CHUNK_LOW_MS 100 /* near real time: ten wakes a second, and no more delay than a satellite hop */
#define PACE_LOW     10

/* A provider is one process, so there is one of this. Written by the start-up thread, read-only but for `may_send`. */
static struct {
    struct provider provider;
    struct settings *settings;
    struct setup setup;
    struct exchange *exchange;
    struct engine *engine;
    atomic_bool *may_send; /* for each line */
} modem;

static void on_ring(void *context, int line)
{
    (void)context;
    provider_ring(&modem.provider, line);
}

static void modem_clear(void)
{
    engine_close(modem.engine);
    exchange_free(modem.exchange);
    setup_clear(&modem.setup);
    settings_free(modem.settings);
    free(modem.may_send);
    memset(&modem, 0, sizeof(modem));
}

static int modem_configure(const char *json)
{
    int err = settings_parse(&modem.settings, json);

    if (!err)
        err = setup_read(&modem.setup, modem.settings);
    if (!err)
        err = setup_exchange(&modem.exchange, &modem.setup, modem.settings, on_ring, NULL);
    if (!err && modem.settings->engine[0] != '/')
        err = err_set(ERR_INVALID, "provider %s: engine is not an absolute path", modem.settings->name);
    if (!err)
        modem.may_send = xcalloc((unsigned long)modem.settings->line_count, sizeof(*modem.may_send));
    return err;
}

BOOL WINAPI FaxdProviderConfig(const char *json)
{
    char program[64];

    if (!json || modem.settings)
        return provider_fail(ERROR_INVALID_PARAMETER);
    log_open("softmodem", LOG_LEVEL_INFO);
    if (modem_configure(json)) {
        log_error("settings refused: %s", err_message());
        modem_clear();
        return provider_fail(ERROR_INVALID_PARAMETER);
    }
    snprintf(program, sizeof(program), "softmodem[%.40s]", modem.settings->name);
    log_open(program, LOG_LEVEL_INFO);
    return TRUE;
}

BOOL WINAPI FaxDevVirtualDeviceCreation(LPDWORD DeviceCount, LPWSTR DeviceNamePrefix, LPDWORD DeviceIdPrefix,
                                        HANDLE CompletionPort, ULONG_PTR CompletionKey)
{
    if (!modem.settings)
        return provider_fail(ERROR_INVALID_PARAMETER);
    return provider_create(&modem.provider, modem.settings->name, modem.settings->line_count, DeviceCount,
                           DeviceNamePrefix, DeviceIdPrefix, CompletionPort, CompletionKey);
}

/* LINE_DEVSPECIFIC: dwParam1 may receive, dwParam2 may send (fsp-abi 3.4). */
static void CALLBACK on_line(HANDLE FaxHandle, DWORD hDevice, DWORD dwMessage, DWORD_PTR dwInstance, DWORD_PTR dwParam1,
                             DWORD_PTR dwParam2, DWORD_PTR dwParam3)
{
    int line = provider_line(&modem.provider, hDevice);

    (void)FaxHandle, (void)dwInstance, (void)dwParam3;
    if (dwMessage != LINE_DEVSPECIFIC || line < 0)
        return;
    atomic_store(&modem.may_send[line], dwParam2 != 0);
    exchange_enable(modem.exchange, line, dwParam1 != 0);
}

BOOL WINAPI FaxDevInitialize(HLINEAPP LineAppHandle, HANDLE HeapHandle, PFAX_LINECALLBACK *LineCallbackFunction,
                             PFAX_SERVICE_CALLBACK FaxServiceCallback)
{
    (void)LineAppHandle, (void)FaxServiceCallback;
    if (!modem.settings || !LineCallbackFunction)
        return provider_fail(ERROR_INVALID_PARAMETER);
    if (engine_open(&modem.engine, modem.settings->engine, modem.settings->calls_per_engine)) {
        log_error("cannot start the engine's spawner: %s", err_message());
        return provider_fail(ERROR_FILE_NOT_FOUND);
    }
    modem.provider.heap = HeapHandle;
    *LineCallbackFunction = on_line;
    return TRUE;
}

BOOL WINAPI FaxdRingInfo(DWORD device, char *json, DWORD size, LPDWORD needed)
{
    int line = provider_line(&modem.provider, device);
    json_t *info;
    BOOL done;

    if (line < 0)
        return provider_fail(ERROR_INVALID_PARAMETER);
    info = json_pack("{s:s, s:s, s:s, s:s}", "caller_id", exchange_caller(modem.exchange, line), "caller_name", "",
                     "called", exchange_number(modem.exchange, line), "diversion", "");
    done = provider_text(info, json, size, needed);
    json_decref(info);
    return done;
}

static void cancel_line(void *line)
{
    exchange_cancel(modem.exchange, (int)((struct setup_line *)line - modem.setup.lines));
}

BOOL WINAPI FaxDevStartJob(HLINE LineHandle, DWORD DeviceId, PHANDLE FaxHandle, HANDLE CompletionPortHandle,
                           ULONG_PTR CompletionKey)
{
    int line = provider_line(&modem.provider, DeviceId);

    (void)LineHandle;
    if (line < 0 || !FaxHandle)
        return provider_fail(ERROR_INVALID_PARAMETER);
    if (!exchange_take(modem.exchange, line))
        return provider_fail(ERROR_BUSY);
    if (!job_start(FaxHandle, &modem.provider, line, CompletionPortHandle, CompletionKey)) {
        exchange_release(modem.exchange, line);
        return FALSE;
    }
    job_on_abort(job_of(*FaxHandle), cancel_line, &modem.setup.lines[line]);
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

/* "audio" of the engine's job; the impairments are those of the called line. */
static json_t *audio_new(const struct setup_line *called)
{
    int pace = modem.setup.pace;
    json_t *audio =
        json_pack("{s:i, s:i}", "pace", pace, "chunk_ms", pace && pace <= PACE_LOW ? CHUNK_LOW_MS : CHUNK_MS);

    if (called && !isnan(called->noise_dbm0))
        json_object_set_new(audio, "noise_dbm0", json_real(called->noise_dbm0));
    if (called && called->delay_ms)
        json_object_set_new(audio, "delay_ms", json_integer(called->delay_ms));
    if (called && called->drop_after_ms)
        json_object_set_new(audio, "drop_after_ms", json_integer(called->drop_after_ms));
    return audio;
}

/* The line stands: the fax itself. Closes `media`. */
static BOOL talk(struct job *job, struct call_files *files, int media, bool sends, const char *station_id)
{
    const struct setup_line *line = &modem.setup.lines[job_line(job)];
    struct call_plan plan = {.engine = modem.engine,
                             .sends = sends,
                             .station_id = station_id[0] ? station_id : line->station_id,
                             .audio = audio_new(sends ? NULL : line),
                             .media = media,
                             .rtcp = -1};
    BOOL done = call_run(job, &plan, files);

    json_decref(plan.audio);
    return done;
}

static const struct {
    const char *outcome, *message;
} call_ends[] = {
    [EXCHANGE_CONNECTED] = {"success", NULL},
    [EXCHANGE_UNKNOWN] = {"bad_address", "no line has this number"},
    [EXCHANGE_BUSY] = {"busy", "the line is engaged"},
    [EXCHANGE_NO_ANSWER] = {"no_answer", "the line rang and nobody answered"},
    [EXCHANGE_DECLINED] = {"call_rejected", "the called line rejected the call"},
    [EXCHANGE_GONE] = {"no_answer", "the caller hung up before the answer"},
    [EXCHANGE_CANCELLED] = {"aborted", "the call was aborted before the far end answered"},
    [EXCHANGE_FAILED] = {"internal", "no socket for the call"},
};

static BOOL finish_unconnected(struct job *job, enum exchange_result result)
{
    json_object_set_new(job_record(job), "mode", json_string("audio"));
    json_object_set_new(job_record(job), "connected", json_false());
    return job_finish(job, call_ends[result].outcome, call_ends[result].message);
}

static BOOL finish_internal(struct job *job, const char *message)
{
    log_error("%s line=%d", message, job_line(job));
    return job_finish(job, "internal", message);
}

static BOOL send_file(struct job *job, const char *file, const char *number, const char *station_id)
{
    struct call_files files = {0};
    enum exchange_result result;
    BOOL done;
    int media;

    if (call_open_files(&files, job, file)) {
        done = finish_internal(job, err_message());
    } else if (!atomic_load(&modem.may_send[job_line(job)])) {
        done = job_finish(job, "line_unavailable", "the line is disabled for sending");
    } else {
        job_say(job, FS_DIALING, 0);
        result = exchange_dial(modem.exchange, job_line(job), number, &media);
        done =
            result == EXCHANGE_CONNECTED ? talk(job, &files, media, true, station_id) : finish_unconnected(job, result);
    }
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
    const char *caller = exchange_caller(modem.exchange, job_line(job));
    struct call_files files = {0};
    enum exchange_result result;
    BOOL done;
    int media;

    job_set_caller(job, caller, exchange_number(modem.exchange, job_line(job)));
    if (call_open_receive(&files, file)) {
        exchange_cancel(modem.exchange,
                        job_line(job)); /* declined at the end: it would ring for a file that is not there */
        return finish_internal(job, err_message());
    }
    result = exchange_answer(modem.exchange, job_line(job), &media);
    if (result == EXCHANGE_CONNECTED) {
        job_say(job, FS_ANSWERED, 0);
        done = talk(job, &files, media, false, "");
        json_object_set_new(job_record(job), "caller_id", json_string(caller));
    } else {
        done = finish_unconnected(job, result);
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
        station_id = modem.setup.lines[job_line(job)].station_id;
    if (done)
        received_fill(FaxReceive, station_id, modem.settings->lines[job_line(job)].name);
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
    exchange_release(modem.exchange, line);
    return TRUE;
}

HRESULT WINAPI FaxDevShutdown(void)
{
    if (atomic_load(&modem.provider.jobs) > 0)
        return E_FAIL;
    modem_clear();
    return S_OK;
}
