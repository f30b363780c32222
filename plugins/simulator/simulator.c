/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The simulator provider: calls without media, whose outcome the dialled number tells. This file has the exported
 * calls, in the order in which a host makes them; numbers.c finds the plan of a call, play.c carries it out, inbound.c
 * rings. README tells those who test with it which numbers and settings there are.
 */
#include "plugins/common/document.h"
#include "plugins/common/job.h"
#include "plugins/common/provider.h"
#include "plugins/common/received.h"
#include "plugins/common/settings.h"
#include "plugins/include/faxdext.h"
#include "plugins/simulator/inbound.h"
#include "plugins/simulator/numbers.h"
#include "plugins/simulator/play.h"

#include "server/base/err.h"
#include "server/base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RING_TIMEOUT_MS 30000

struct setup {
    int call_ms, page_ms, answer_ms;
    int ring_every_ms, ring_timeout_ms;
    const char *ring_file, *control;
    bool journal;
    json_t *numbers;
};

static const struct settings_key keys[] = {
    {"answer_ms", SETTINGS_INT, offsetof(struct setup, answer_ms), 0, PLAN_MS_MAX, NULL},
    {"call_ms", SETTINGS_INT, offsetof(struct setup, call_ms), 0, PLAN_MS_MAX, NULL},
    {"page_ms", SETTINGS_INT, offsetof(struct setup, page_ms), 0, PLAN_MS_MAX, NULL},
    {"ring_every_ms", SETTINGS_INT, offsetof(struct setup, ring_every_ms), 0, PLAN_MS_MAX, NULL},
    {"ring_timeout_ms", SETTINGS_INT, offsetof(struct setup, ring_timeout_ms), 10, 600000, NULL},
    {"ring_file", SETTINGS_TEXT, offsetof(struct setup, ring_file), 0, 4096, NULL},
    {"control", SETTINGS_TEXT, offsetof(struct setup, control), 0, 107, NULL},
    {"journal", SETTINGS_BOOL, offsetof(struct setup, journal), 0, 0, NULL},
    {"numbers", SETTINGS_OBJECT, offsetof(struct setup, numbers), 0, 0, NULL},
};

/* A provider is one process, so there is one of this. Written by the start-up thread, read-only afterwards. */
static struct {
    struct provider provider;
    struct settings *settings;
    struct setup setup;
    struct plan plan; /* the default */
    struct numbers *numbers;
    struct inbound *inbound;
    struct line {
        bool worked;    /* its job has dialled or answered */
        bool malformed; /* its job's record shall not be JSON */
    } * lines;          /* each its job's thread's */
} sim;

static void on_ring(void *context, int line)
{
    (void)context;
    provider_ring(&sim.provider, line);
}

static void sim_clear(void)
{
    inbound_close(sim.inbound);
    numbers_free(sim.numbers);
    json_decref(sim.setup.numbers);
    settings_free(sim.settings);
    free(sim.lines);
    memset(&sim, 0, sizeof(sim));
}

static int sim_configure(const char *json)
{
    char where[160];
    int err = settings_parse(&sim.settings, json);

    if (err)
        return err;
    snprintf(where, sizeof(where), "provider %.60s", sim.settings->name);
    sim.setup = (struct setup){.ring_timeout_ms = RING_TIMEOUT_MS, .ring_file = "", .control = "", .journal = true};
    sim.lines = xcalloc((unsigned long)sim.settings->line_count, sizeof(*sim.lines));
    err = settings_read(&sim.setup, sim.settings->values, where, keys, (int)(sizeof(keys) / sizeof(keys[0])));
    plan_init(&sim.plan);
    sim.plan.answer_ms = sim.setup.answer_ms;
    sim.plan.call_ms = sim.setup.call_ms;
    sim.plan.page_ms = sim.setup.page_ms;
    return err ? err : numbers_new(&sim.numbers, &sim.plan, sim.setup.numbers, where);
}

BOOL WINAPI FaxdProviderConfig(const char *json)
{
    char program[64];

    if (!json || sim.settings)
        return provider_fail(ERROR_INVALID_PARAMETER);
    log_open("simulator", LOG_LEVEL_INFO);
    if (sim_configure(json)) {
        log_error("settings refused: %s", err_message());
        sim_clear();
        return provider_fail(ERROR_INVALID_PARAMETER);
    }
    snprintf(program, sizeof(program), "simulator[%.40s]", sim.settings->name);
    log_open(program, LOG_LEVEL_INFO);
    return TRUE;
}

BOOL WINAPI FaxDevVirtualDeviceCreation(LPDWORD DeviceCount, LPWSTR DeviceNamePrefix, LPDWORD DeviceIdPrefix,
                                        HANDLE CompletionPort, ULONG_PTR CompletionKey)
{
    if (!sim.settings)
        return provider_fail(ERROR_INVALID_PARAMETER);
    return provider_create(&sim.provider, sim.settings->name, sim.settings->line_count, DeviceCount, DeviceNamePrefix,
                           DeviceIdPrefix, CompletionPort, CompletionKey);
}

/* LINE_DEVSPECIFIC: dwParam1 may receive (fsp-abi 3.4). Sending needs no preparation here. */
static void CALLBACK on_line(HANDLE FaxHandle, DWORD hDevice, DWORD dwMessage, DWORD_PTR dwInstance, DWORD_PTR dwParam1,
                             DWORD_PTR dwParam2, DWORD_PTR dwParam3)
{
    int line = provider_line(&sim.provider, hDevice);

    (void)FaxHandle, (void)dwInstance, (void)dwParam2, (void)dwParam3;
    if (dwMessage == LINE_DEVSPECIFIC && line >= 0)
        inbound_enable(sim.inbound, line, dwParam1 != 0);
}

static int rings_open(void)
{
    struct inbound_options options = {.line_count = sim.settings->line_count,
                                      .control = sim.setup.control,
                                      .ring_every_ms = sim.setup.ring_every_ms,
                                      .ring_file = sim.setup.ring_file,
                                      .ring_timeout_ms = sim.setup.ring_timeout_ms,
                                      .plan = &sim.plan,
                                      .ring = on_ring};

    return inbound_open(&sim.inbound, &options);
}

BOOL WINAPI FaxDevInitialize(HLINEAPP LineAppHandle, HANDLE HeapHandle, PFAX_LINECALLBACK *LineCallbackFunction,
                             PFAX_SERVICE_CALLBACK FaxServiceCallback)
{
    (void)LineAppHandle, (void)FaxServiceCallback;
    if (!sim.settings || sim.inbound || !LineCallbackFunction)
        return provider_fail(ERROR_INVALID_PARAMETER);
    sim.provider.heap = HeapHandle;
    if (rings_open()) {
        log_error("rings are not possible: %s", err_message());
        return provider_fail(ERROR_INVALID_PARAMETER);
    }
    *LineCallbackFunction = on_line;
    return TRUE;
}

BOOL WINAPI FaxdRingInfo(DWORD device, char *json, DWORD size, LPDWORD needed)
{
    int line = provider_line(&sim.provider, device);
    json_t *info;
    BOOL done;

    if (line < 0)
        return provider_fail(ERROR_INVALID_PARAMETER);
    info = inbound_info(sim.inbound, line);
    done = provider_text(info, json, size, needed);
    json_decref(info);
    return done;
}

/* {"ask":"ring"}: the line and what it is rung with. */
static json_t *ring(const json_t *asked)
{
    json_t *told = json_deep_copy(json_object_get(asked, "ring")), *answer;
    int err = json_is_object(told) && sim.inbound ? 0 : err_set(ERR_INVALID, "ring: nothing to ring with");

    if (!err) {
        json_object_set(told, "line", json_object_get(asked, "line"));
        err = inbound_ring(sim.inbound, told);
    }
    answer = err ? json_pack("{s:s}", "error", err_message()) : json_pack("{s:b}", "started", 1);
    json_decref(told);
    return answer;
}

/* It has neither trunks nor devices to be asked about. */
BOOL WINAPI FaxdProviderAsk(const char *question, char *json, DWORD size, LPDWORD needed)
{
    json_t *asked = question ? json_loads(question, 0, NULL) : NULL, *answer = NULL;
    const char *word = json_string_value(json_object_get(asked, "ask"));
    BOOL done;

    if (word && !strcmp(word, "ring"))
        answer = ring(asked);
    json_decref(asked);
    done = answer ? provider_text(answer, json, size, needed) : provider_fail(ERROR_INVALID_PARAMETER);
    json_decref(answer);
    return done;
}

BOOL WINAPI FaxDevStartJob(HLINE LineHandle, DWORD DeviceId, PHANDLE FaxHandle, HANDLE CompletionPortHandle,
                           ULONG_PTR CompletionKey)
{
    int line = provider_line(&sim.provider, DeviceId);

    (void)LineHandle;
    if (line < 0 || !FaxHandle)
        return provider_fail(ERROR_INVALID_PARAMETER);
    if (!inbound_take(sim.inbound, line))
        return provider_fail(ERROR_BUSY);
    sim.lines[line] = (struct line){0};
    if (!job_start(FaxHandle, &sim.provider, line, CompletionPortHandle, CompletionKey)) {
        inbound_release(sim.inbound, line, false);
        return FALSE;
    }
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

static int journal_of(struct job *job)
{
    return sim.setup.journal ? job_options(job)->journal_fd : -1;
}

static BOOL send_file(struct job *job, const char *file, const char *number)
{
    struct document document;
    struct plan plan;

    if (document_read(&document, file)) {
        log_error("%s line=%d", err_message(), job_line(job));
        return job_finish(job, "internal", err_message());
    }
    sim.lines[job_line(job)].worked = true;
    numbers_plan(sim.numbers, number, document.pages, &plan);
    sim.lines[job_line(job)].malformed = plan.malformed;
    return play_send(job, &plan, document.pages, journal_of(job));
}

BOOL WINAPI FaxDevSend(HANDLE FaxHandle, PFAX_SEND FaxSend, PFAX_SEND_CALLBACK FaxSendCallback)
{
    struct job *job = job_of(FaxHandle);
    char *file, *number;
    BOOL done;

    (void)FaxSendCallback; /* of use to TAPI calls only */
    if (!job)
        return FALSE;
    if (!FaxSend || !FaxSend->FileName || !FaxSend->ReceiverNumber)
        return provider_fail(ERROR_INVALID_PARAMETER);
    file = provider_utf8(FaxSend->FileName);
    number = provider_utf8(FaxSend->ReceiverNumber);
    job_say(job, FS_INITIALIZING, 0);
    done = send_file(job, file, number);
    free(file);
    free(number);
    return done ? TRUE : provider_fail(ERROR_GEN_FAILURE);
}

static BOOL receive_file(struct job *job, const char *to)
{
    char *from = NULL, *caller = NULL, *station = NULL;
    struct plan plan;
    BOOL done;

    if (job_is_aborted(job))
        return job_finish(job, "aborted", NULL);
    if (inbound_answer(sim.inbound, job_line(job), &plan, &from, &caller, &station))
        return job_finish(job, "no_answer", err_message());
    sim.lines[job_line(job)].worked = true;
    sim.lines[job_line(job)].malformed = plan.malformed;
    job_set_caller(job, caller, sim.settings->lines[job_line(job)].number);
    json_object_set_new(job_record(job), "caller_id", json_string(caller));
    done = play_receive(job, &plan, from, to, station, journal_of(job));
    free(from);
    free(caller);
    free(station);
    return done;
}

BOOL WINAPI FaxDevReceive(HANDLE FaxHandle, HCALL CallHandle, PFAX_RECEIVE FaxReceive)
{
    struct job *job = job_of(FaxHandle);
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
    if (done)
        received_fill(FaxReceive, job_options(job)->station_id, sim.settings->lines[job_line(job)].name);
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

/* On demand: a record that no reader of JSON will take. */
static BOOL record_malformed(char *json, DWORD size, LPDWORD needed)
{
    static const char text[] = "{\"outcome\":\"success\",\"pages_confirmed\":-";

    if (!needed || (!json && size > 0))
        return provider_fail(ERROR_INVALID_PARAMETER);
    *needed = sizeof(text);
    if (json && size < sizeof(text))
        return provider_fail(ERROR_INSUFFICIENT_BUFFER);
    if (json)
        memcpy(json, text, sizeof(text));
    return TRUE;
}

BOOL WINAPI FaxdCallRecord(HANDLE FaxHandle, char *json, DWORD size, LPDWORD needed)
{
    struct job *job = job_of(FaxHandle);

    if (!job)
        return FALSE;
    if (sim.lines[job_line(job)].malformed)
        return record_malformed(json, size, needed);
    return provider_text(job_record(job), json, size, needed);
}

BOOL WINAPI FaxDevEndJob(HANDLE FaxHandle)
{
    struct job *job = job_of(FaxHandle);
    bool rejected;
    int line;

    if (!job)
        return FALSE;
    line = job_line(job);
    rejected = job_is_aborted(job) && !sim.lines[line].worked;
    job_end(job);
    inbound_release(sim.inbound, line, rejected);
    return TRUE;
}

HRESULT WINAPI FaxDevShutdown(void)
{
    if (atomic_load(&sim.provider.jobs) > 0)
        return E_FAIL;
    sim_clear();
    return S_OK;
}
