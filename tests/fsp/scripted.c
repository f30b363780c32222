/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A provider that misbehaves on demand, for tests of the host: what a call does is the number dialled. It knows only
 * the documented Windows calls, as a strange FSP would, and takes nothing from plugins/common.
 *
 *   ok busy silent-true silent-false false-running number...   honest calls that end in different ways
 *   foreign small wild-text endless-text freed twice nothing other-key late   packets as they must not be
 *   later-struct                                            a packet of a longer struct, which is fine
 *   big-need report-wild report-small report-endless        FaxDevReportStatus as it must not be
 *   wait deaf crash                                         waits for its abort, ignores it, ends the process
 *   hang                                                    its abort never returns
 *   thread                                                  leaves a thread that posts packets for ever
 *
 * The setting "refuse" names a start-up call that fails: config create init zero-lines no-handle.
 *
 * The setting "script" names a folder that says more, so that a test can change it as it goes along:
 *   trunks          FaxdProviderAsk answers {"ask":"trunks"} with its octets, whatever they are
 *   trunks.tested   becomes trunks when a test is asked for, and the change is told; without it there is no such trunk
 *   trunks.next     becomes trunks when *9 is dialled, and the change is told
 *   NUMBER          the call record of a call to it, which fails when it has "outcome" in it
 *   NUMBER.options  is written: what FaxdJobOptions was given */
#include <config.h>

#include "plugins/include/faxdev.h"
#include "plugins/include/faxdext.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINES      2
#define FIRST_ID   100
#define SCRIPT_MAX 100000

struct call {
    HANDLE port;
    ULONG_PTR key;
    DWORD status;    /* for FaxDevReportStatus */
    bool silent;     /* FaxDevReportStatus fails */
    bool wants_much; /* FaxDevReportStatus asks for 4 GiB */
    char report;     /* 'w'ild, 's'mall or 'e'ndless: what is wrong with the report */
    atomic_bool abort;
    atomic_bool hang; /* FaxDevAbortOperation does not return */
    bool late;
    char number[64];
    char *options; /* what FaxdJobOptions said, or NULL */
};

static HANDLE heap, ring_port;
static ULONG_PTR ring_key;
static char refuse[32], script[200];

static bool refused(const char *what)
{
    return strcmp(refuse, what) == 0;
}

#ifndef WITHOUT_EXTENSION
BOOL WINAPI FaxdProviderConfig(const char *json)
{
    const char *at = strstr(json, "\"refuse\":\"");

    if (at != NULL)
        sscanf(at + 10, "%31[a-z-]", refuse);
    at = strstr(json, "\"script\":\"");
    if (at != NULL)
        sscanf(at + 10, "%199[^\"]", script);
    return !refused("config");
}
#endif

/* --- the script --- */

/* A file of the script with a NUL behind it, or NULL. */
static char *script_read(const char *name, size_t *size)
{
    char path[300], *text;
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", script, name);
    if (script[0] == '\0' || name[0] == '\0' || (file = fopen(path, "rb")) == NULL)
        return NULL;
    text = malloc(SCRIPT_MAX + 1);
    *size = fread(text, 1, SCRIPT_MAX, file);
    text[*size] = '\0';
    fclose(file);
    return text;
}

static void script_write(const char *name, const char *text)
{
    char path[300];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", script, name);
    if (script[0] == '\0' || (file = fopen(path, "w")) == NULL)
        return;
    fputs(text, file);
    fclose(file);
}

/* The size protocol, for octets of any kind. */
static BOOL give(const char *octets, size_t length, char *to, DWORD size, LPDWORD needed)
{
    *needed = (DWORD)length + 1;
    if (size < length + 1) {
        SetLastError(ERROR_INSUFFICIENT_BUFFER);
        return FALSE;
    }
    memcpy(to, octets, length + 1);
    return TRUE;
}

static BOOL give_file(const char *name, char *to, DWORD size, LPDWORD needed)
{
    size_t length;
    char *text = script_read(name, &length);
    BOOL given;

    if (text == NULL) {
        SetLastError(ERROR_NOT_SUPPORTED);
        return FALSE;
    }
    given = give(text, length, to, size, needed);
    free(text);
    return given;
}

static void tell_change(void)
{
    LINEMESSAGE *message = LocalAlloc(LPTR, sizeof *message);

    message->hDevice = FIRST_ID;
    message->dwParam1 = LINEDEVSTATE_OTHER;
    PostQueuedCompletionStatus(ring_port, sizeof *message, ring_key, (LPOVERLAPPED)message);
}

/* One file of the script takes the place of "trunks". */
static bool change_trunks(const char *name)
{
    char from[300], to[300];

    snprintf(from, sizeof from, "%s/%s", script, name);
    snprintf(to, sizeof to, "%s/trunks", script);
    if (script[0] == '\0' || rename(from, to) != 0)
        return false;
    tell_change();
    return true;
}

#ifndef WITHOUT_EXTENSION
BOOL WINAPI FaxdProviderAsk(const char *question, char *json, DWORD size, LPDWORD needed)
{
    static const char started[] = "{\"started\":true}", unknown[] = "{\"error\":\"no trunk has this name\"}";

    if (strstr(question, "\"ask\":\"test\"") != NULL)
        return change_trunks("trunks.tested") ? give(started, strlen(started), json, size, needed)
                                              : give(unknown, strlen(unknown), json, size, needed);
    return give_file("trunks", json, size, needed);
}
#endif

BOOL WINAPI FaxDevVirtualDeviceCreation(LPDWORD DeviceCount, LPWSTR DeviceNamePrefix, LPDWORD DeviceIdPrefix,
                                        HANDLE CompletionPort, ULONG_PTR CompletionKey)
{
    static const WCHAR prefix[] = {'s', 'c', 'r', 0};

    ring_port = CompletionPort;
    ring_key = CompletionKey;
    *DeviceCount = refused("zero-lines") ? 0 : LINES;
    *DeviceIdPrefix = FIRST_ID;
    memcpy(DeviceNamePrefix, prefix, sizeof prefix);
    return !refused("create");
}

static void CALLBACK on_line(HANDLE FaxHandle, DWORD hDevice, DWORD dwMessage, DWORD_PTR dwInstance, DWORD_PTR dwParam1,
                             DWORD_PTR dwParam2, DWORD_PTR dwParam3)
{
    (void)FaxHandle, (void)hDevice, (void)dwMessage, (void)dwInstance, (void)dwParam1, (void)dwParam2, (void)dwParam3;
}

BOOL WINAPI FaxDevInitialize(HLINEAPP LineAppHandle, HANDLE HeapHandle, PFAX_LINECALLBACK *LineCallbackFunction,
                             PFAX_SERVICE_CALLBACK FaxServiceCallback)
{
    (void)LineAppHandle, (void)FaxServiceCallback;
    heap = HeapHandle;
    *LineCallbackFunction = on_line;
    return !refused("init");
}

BOOL WINAPI FaxDevStartJob(HLINE LineHandle, DWORD DeviceId, PHANDLE FaxHandle, HANDLE CompletionPortHandle,
                           ULONG_PTR CompletionKey)
{
    struct call *call;

    (void)LineHandle, (void)DeviceId;
    if (refused("no-handle")) {
        *FaxHandle = NULL;
        return TRUE;
    }
    call = calloc(1, sizeof *call);
    call->port = CompletionPortHandle;
    call->key = CompletionKey;
    *FaxHandle = (HANDLE)call;
    return TRUE;
}

/* --- packets --- */

static FAX_DEV_STATUS *packet_new(SIZE_T size, DWORD status, DWORD page)
{
    FAX_DEV_STATUS *packet = HeapAlloc(heap, HEAP_ZERO_MEMORY, size);

    packet->SizeOfStruct = sizeof *packet;
    packet->StatusId = status;
    packet->PageCount = page;
    return packet;
}

static void post(const struct call *call, const void *packet, DWORD bytes, ULONG_PTR key)
{
    PostQueuedCompletionStatus(call->port, bytes, key, (LPOVERLAPPED)packet);
}

static void tell(const struct call *call, DWORD status, DWORD page)
{
    post(call, packet_new(sizeof(FAX_DEV_STATUS), status, page), sizeof(FAX_DEV_STATUS), call->key);
}

/* There is no FaxDevShutdown here that could end it. */
static void *thread_main(void *argument)
{
    const struct call call = *(struct call *)argument;

    free(argument);
    for (;;) {
        tell(&call, FS_TRANSMITTING, 1);
        usleep(200);
    }
    return NULL;
}

static void thread_leave(const struct call *call)
{
    struct call *copy = malloc(sizeof *copy);
    pthread_t thread;

    copy->port = call->port;
    copy->key = call->key;
    if (pthread_create(&thread, NULL, thread_main, copy) != 0)
        abort();
    pthread_detach(thread);
}

/* One wrong packet. */
static void misbehave(struct call *call, const char *how)
{
    static FAX_DEV_STATUS outside = {.SizeOfStruct = sizeof outside, .StatusId = FS_TRANSMITTING};
    FAX_DEV_STATUS *packet;

    if (strcmp(how, "foreign") == 0) {
        post(call, &outside, sizeof outside, call->key);
    } else if (strcmp(how, "small") == 0) {
        packet = HeapAlloc(heap, HEAP_ZERO_MEMORY, 4);
        memset(packet, 0xff, 4);
        post(call, packet, 4, call->key);
    } else if (strcmp(how, "later-struct") == 0) {
        packet = packet_new(sizeof *packet, FS_TRANSMITTING, 1);
        packet->SizeOfStruct = 100000;
        post(call, packet, sizeof *packet, call->key);
    } else if (strcmp(how, "wild-text") == 0) {
        packet = packet_new(sizeof *packet, FS_TRANSMITTING, 1);
        packet->CSI = (LPWSTR)(uintptr_t)16;
        post(call, packet, sizeof *packet, call->key);
    } else if (strcmp(how, "endless-text") == 0) {
        packet = packet_new(sizeof *packet + 40, FS_TRANSMITTING, 1);
        memset(packet + 1, 'x', 40);
        packet->CSI = (LPWSTR)(packet + 1);
        post(call, packet, sizeof *packet + 40, call->key);
    } else if (strcmp(how, "freed") == 0) {
        packet = packet_new(sizeof *packet, FS_TRANSMITTING, 1);
        HeapFree(heap, 0, packet);
        post(call, packet, sizeof *packet, call->key);
    } else if (strcmp(how, "twice") == 0) {
        packet = packet_new(sizeof *packet, FS_TRANSMITTING, 1);
        post(call, packet, sizeof *packet, call->key);
        post(call, packet, sizeof *packet, call->key);
    } else if (strcmp(how, "nothing") == 0) {
        post(call, NULL, 0, call->key);
    } else if (strcmp(how, "other-key") == 0) {
        post(call, packet_new(sizeof *packet, FS_TRANSMITTING, 1), sizeof *packet, 0x7fffffff);
    } else if (strcmp(how, "late") == 0) {
        call->late = true;
    }
}

/* --- operations --- */

static void number_read(char *number, size_t size, LPCWSTR from)
{
    size_t i = 0;

    for (; i < size - 1 && from[i] != 0; i++)
        number[i] = (char)from[i];
    number[i] = '\0';
}

static void wait_for_abort(const struct call *call, bool heed)
{
    for (int i = 0; i < 3000 && !(heed && call->abort); i++)
        usleep(10000);
}

/* What the script has for the number: its record is kept with the call, the options that came are written down. */
static bool script_fails(const struct call *call)
{
    char name[80];
    size_t length;
    char *record = script_read(call->number, &length);
    bool fails = record != NULL && strstr(record, "\"outcome\"") != NULL;

    snprintf(name, sizeof name, "%s.options", call->number);
    if (record != NULL)
        script_write(name, call->options != NULL ? call->options : "");
    free(record);
    return fails;
}

BOOL WINAPI FaxDevSend(HANDLE FaxHandle, PFAX_SEND FaxSend, PFAX_SEND_CALLBACK FaxSendCallback)
{
    struct call *call = (struct call *)FaxHandle;
    const char *number = call->number;

    (void)FaxSendCallback;
    number_read(call->number, sizeof call->number, FaxSend->ReceiverNumber);
    tell(call, FS_DIALING, 0);
    call->status = FS_COMPLETED;
    if (strcmp(number, "*9") == 0)
        change_trunks("trunks.next");
    if (script_fails(call)) {
        call->status = FS_FATAL_ERROR;
        return FALSE;
    }
    if (strcmp(number, "busy") == 0) {
        call->status = FS_BUSY;
        SetLastError(ERROR_BUSY);
        return FALSE;
    }
    if (strcmp(number, "crash") == 0)
        abort();
    call->hang = strcmp(number, "hang") == 0;
    if (strcmp(number, "wait") == 0 || strcmp(number, "deaf") == 0 || call->hang) {
        wait_for_abort(call, number[0] == 'w');
        call->status = FS_USER_ABORT;
        return FALSE;
    }
    call->silent = strncmp(number, "silent", 6) == 0;
    if (strcmp(number, "silent-false") == 0)
        return FALSE;
    if (strcmp(number, "false-running") == 0) {
        call->status = FS_TRANSMITTING;
        return FALSE;
    }
    call->wants_much = strcmp(number, "big-need") == 0;
    if (strncmp(number, "report-", 7) == 0)
        call->report = number[7];
    if (strcmp(number, "thread") == 0)
        thread_leave(call);
    misbehave(call, number);
    if (strcmp(number, "twice") != 0) /* what is posted twice may be freed and given out again in between */
        tell(call, FS_TRANSMITTING, 1);
    return TRUE;
}

BOOL WINAPI FaxDevReceive(HANDLE FaxHandle, HCALL CallHandle, PFAX_RECEIVE FaxReceive)
{
    (void)CallHandle, (void)FaxReceive;
    ((struct call *)FaxHandle)->status = FS_FATAL_ERROR;
    return FALSE;
}

static void report_spoil(FAX_DEV_STATUS *report, DWORD size, char how)
{
    if (how == 'w') {
        report->CSI = (LPWSTR)(uintptr_t)16;
        report->CallerId = (LPWSTR)((char *)report + size - 1); /* half a character */
    } else if (how == 's') {
        report->SizeOfStruct = 1;
    } else if (how == 'e') {
        memset(report + 1, 'x', size - sizeof *report);
        report->CSI = (LPWSTR)(report + 1);
    }
}

BOOL WINAPI FaxDevReportStatus(HANDLE FaxHandle, PFAX_DEV_STATUS FaxStatus, DWORD FaxStatusSize,
                               LPDWORD FaxStatusSizeRequired)
{
    struct call *call = (struct call *)FaxHandle;
    DWORD need = sizeof *FaxStatus;

    if (call->silent)
        return FALSE;
    if (call->wants_much)
        need = 0xfffffff0;
    *FaxStatusSizeRequired = need;
    if (FaxStatus == NULL || FaxStatusSize < need) {
        SetLastError(ERROR_INSUFFICIENT_BUFFER);
        return FALSE;
    }
    memset(FaxStatus, 0, sizeof *FaxStatus);
    FaxStatus->SizeOfStruct = sizeof *FaxStatus;
    FaxStatus->StatusId = call->status;
    report_spoil(FaxStatus, FaxStatusSize, call->report);
    return TRUE;
}

#ifdef WITH_RECORD
BOOL WINAPI FaxdJobOptions(HANDLE FaxHandle, const char *json)
{
    ((struct call *)FaxHandle)->options = strdup(json);
    return TRUE;
}

BOOL WINAPI FaxdCallRecord(HANDLE FaxHandle, char *json, DWORD size, LPDWORD needed)
{
    return give_file(((struct call *)FaxHandle)->number, json, size, needed);
}
#endif

#ifndef WITHOUT_ABORT
BOOL WINAPI FaxDevAbortOperation(HANDLE FaxHandle)
{
    ((struct call *)FaxHandle)->abort = true;
    while (((struct call *)FaxHandle)->hang)
        usleep(10000);
    return TRUE;
}
#endif

BOOL WINAPI FaxDevEndJob(HANDLE FaxHandle)
{
    struct call *call = (struct call *)FaxHandle;

    if (call->late)
        tell(call, FS_TRANSMITTING, 9);
    free(call->options);
    free(call);
    return TRUE;
}
