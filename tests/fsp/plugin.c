/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "tests/fsp/plugin.h"

#include "server/base/str.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RING_KEY 1u
#define STOP_KEY 2u

/* assert() that no option takes away, and that is safe on every thread. */
#define must(what)                                                                                                     \
    do {                                                                                                               \
        if (!(what)) {                                                                                                 \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what);                                                 \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

static void text_take(char *to, size_t size, LPCWSTR from)
{
    char *text = from ? str_from_utf16(from, 4096) : NULL;

    str_copy(to, size, text);
    free(text);
}

static void packet_take(struct packet *to, const FAX_DEV_STATUS *from)
{
    to->id = from->StatusId;
    to->page = from->PageCount;
    to->error = from->ErrorCode;
    text_take(to->csi, sizeof(to->csi), from->CSI);
    text_take(to->caller, sizeof(to->caller), from->CallerId);
}

static void on_ring(struct plugin *plugin, DWORD bytes, const LINEMESSAGE *ring)
{
    DWORD line = ring->hDevice - plugin->first_id;

    if (bytes != sizeof(*ring) || line >= plugin->count || ring->dwParam1 != LINEDEVSTATE_RINGING)
        plugin->bad = true;
    else
        plugin->rings[line]++;
}

static void on_packet(struct plugin *plugin, struct call *call, DWORD bytes, const FAX_DEV_STATUS *status)
{
    if (bytes < sizeof(*status) || status->SizeOfStruct != sizeof(*status))
        plugin->bad = true;
    else if (call->packet_count < PLUGIN_PACKETS)
        packet_take(&call->packets[call->packet_count], status);
    call->packet_count++;
}

static void *reader(void *context)
{
    struct plugin *plugin = context;

    for (;;) {
        DWORD bytes;
        ULONG_PTR key;
        LPOVERLAPPED packet;

        must(GetQueuedCompletionStatus(plugin->port, &bytes, &key, &packet, INFINITE));
        if (key == STOP_KEY)
            return NULL;
        pthread_mutex_lock(&plugin->lock);
        if (key == RING_KEY)
            on_ring(plugin, bytes, (LINEMESSAGE *)packet);
        else
            on_packet(plugin, (struct call *)key, bytes, (FAX_DEV_STATUS *)packet);
        pthread_cond_broadcast(&plugin->changed);
        pthread_mutex_unlock(&plugin->lock);
        must(key == RING_KEY ? !LocalFree(packet) : HeapFree(plugin->heap, 0, packet));
    }
}

static void *symbol(struct plugin *plugin, const char *name)
{
    void *address = dlsym(plugin->module, name);

    if (!address)
        fprintf(stderr, "no %s\n", name);
    must(address);
    return address;
}

void plugin_load(struct plugin *plugin, const char *name)
{
    const char *build = getenv("FAXD_BUILD");
    char path[512];

    memset(plugin, 0, sizeof(*plugin));
    snprintf(path, sizeof(path), "%s/%s", build ? build : ".", name);
    plugin->module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!plugin->module)
        fprintf(stderr, "%s\n", dlerror());
    must(plugin->module);
    plugin->config = (PFAXDPROVIDERCONFIG)symbol(plugin, "FaxdProviderConfig");
    plugin->create = (PFAXDEVVIRTUALDEVICECREATION)symbol(plugin, "FaxDevVirtualDeviceCreation");
    plugin->init = (PFAXDEVINITIALIZE)symbol(plugin, "FaxDevInitialize");
    plugin->start = (PFAXDEVSTARTJOB)symbol(plugin, "FaxDevStartJob");
    plugin->options = (PFAXDJOBOPTIONS)symbol(plugin, "FaxdJobOptions");
    plugin->send = (PFAXDEVSEND)symbol(plugin, "FaxDevSend");
    plugin->receive = (PFAXDEVRECEIVE)symbol(plugin, "FaxDevReceive");
    plugin->report = (PFAXDEVREPORTSTATUS)symbol(plugin, "FaxDevReportStatus");
    plugin->record = (PFAXDCALLRECORD)symbol(plugin, "FaxdCallRecord");
    plugin->end = (PFAXDEVENDJOB)symbol(plugin, "FaxDevEndJob");
    plugin->abort = (PFAXDEVABORTOPERATION)symbol(plugin, "FaxDevAbortOperation");
    plugin->shutdown = (PFAXDEVSHUTDOWN)symbol(plugin, "FaxDevShutdown");
    plugin->ring_info = (PFAXDRINGINFO)symbol(plugin, "FaxdRingInfo");
    pthread_mutex_init(&plugin->lock, NULL);
    pthread_cond_init(&plugin->changed, NULL);
    plugin->heap = HeapCreate(0, 0, 0);
    plugin->port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    must(plugin->heap && plugin->port);
    must(!pthread_create(&plugin->reader, NULL, reader, plugin));
}

bool plugin_start(struct plugin *plugin, const char *json)
{
    WCHAR prefix[128];

    if (!plugin->config(json) || !plugin->create(&plugin->count, prefix, &plugin->first_id, plugin->port, RING_KEY) ||
        !plugin->init(0, plugin->heap, &plugin->line_callback, NULL))
        return false;
    must(plugin->count <= PLUGIN_LINES && plugin->first_id && plugin->line_callback && prefix[0]);
    for (DWORD i = 0; i < plugin->count; i++)
        plugin_enable(plugin, (int)i, true, true);
    return true;
}

void plugin_open(struct plugin *plugin, const char *name, const char *json)
{
    plugin_load(plugin, name);
    must(plugin_start(plugin, json));
}

void plugin_close(struct plugin *plugin)
{
    must(plugin->shutdown() == S_OK);
    must(PostQueuedCompletionStatus(plugin->port, 0, STOP_KEY, NULL));
    pthread_join(plugin->reader, NULL);
    must(!plugin->bad);
    HeapDestroy(plugin->heap);
    pthread_cond_destroy(&plugin->changed);
    pthread_mutex_destroy(&plugin->lock);
}

void plugin_enable(struct plugin *plugin, int line, bool receive, bool send)
{
    plugin->line_callback(NULL, plugin->first_id + (DWORD)line, LINE_DEVSPECIFIC, 0, receive, send, 0);
}

static struct timespec deadline(int ms)
{
    struct timespec time;

    clock_gettime(CLOCK_REALTIME, &time);
    time.tv_sec += ms / 1000;
    time.tv_nsec += ms % 1000 * 1000000l;
    if (time.tv_nsec >= 1000000000) {
        time.tv_sec++;
        time.tv_nsec -= 1000000000;
    }
    return time;
}

bool plugin_ring(struct plugin *plugin, int line, int timeout_ms)
{
    struct timespec until = deadline(timeout_ms);
    bool rang;

    pthread_mutex_lock(&plugin->lock);
    while (!plugin->rings[line] && pthread_cond_timedwait(&plugin->changed, &plugin->lock, &until) != ETIMEDOUT)
        ;
    rang = plugin->rings[line] > 0;
    plugin->rings[line] = 0;
    pthread_mutex_unlock(&plugin->lock);
    return rang;
}

static void handle_set(struct call *call, HANDLE handle)
{
    pthread_mutex_lock(&call->plugin->lock);
    call->handle = handle;
    pthread_cond_broadcast(&call->plugin->changed);
    pthread_mutex_unlock(&call->plugin->lock);
}

static BOOL run_send(struct call *call, HANDLE handle)
{
    FAX_SEND send = {.SizeOfStruct = sizeof(send)};
    BOOL result;

    send.FileName = (LPWSTR)str_to_utf16(call->file);
    send.CallerName = (LPWSTR)str_to_utf16("A Sender");
    send.CallerNumber = (LPWSTR)str_to_utf16("");
    send.ReceiverName = (LPWSTR)str_to_utf16("");
    send.ReceiverNumber = (LPWSTR)str_to_utf16(call->number);
    SetLastError(0);
    result = call->plugin->send(handle, &send, NULL);
    call->last_error = GetLastError();
    free(send.FileName);
    free(send.CallerName);
    free(send.CallerNumber);
    free(send.ReceiverName);
    free(send.ReceiverNumber);
    return result;
}

static BOOL run_receive(struct call *call, HANDLE handle)
{
    FAX_RECEIVE *block = calloc(1, sizeof(*block) + FAXDEVRECEIVE_SIZE);
    uint16_t *name = str_to_utf16(call->file);
    size_t units = 0;
    BOOL result;

    while (name[units])
        units++;
    block->SizeOfStruct = sizeof(*block);
    block->FileName = (LPWSTR)(void *)(block + 1);
    memcpy(block->FileName, name, (units + 1) * sizeof(*name));
    SetLastError(0);
    result = call->plugin->receive(handle, 0, block);
    call->last_error = GetLastError();
    text_take(call->receiver_number, sizeof(call->receiver_number), block->ReceiverNumber);
    text_take(call->receiver_name, sizeof(call->receiver_name), block->ReceiverName);
    free(name);
    free(block);
    return result;
}

static void read_status(struct call *call, HANDLE handle)
{
    DWORD needed = 0, again = 0;
    FAX_DEV_STATUS *status;

    must(call->plugin->report(handle, NULL, 0, &needed) && needed >= sizeof(*status));
    status = calloc(1, needed);
    must(!call->plugin->report(handle, status, needed - 1, &again) && GetLastError() == ERROR_INSUFFICIENT_BUFFER);
    must(call->plugin->report(handle, status, needed, &again) && again == needed);
    packet_take(&call->status, status);
    free(status);
}

static void read_record(struct call *call, HANDLE handle)
{
    DWORD needed = 0, again = 0;

    must(call->plugin->record(handle, NULL, 0, &needed) && needed > 0 && needed <= 49152);
    call->record_text = malloc(needed);
    must(!call->plugin->record(handle, call->record_text, needed - 1, &again) &&
         GetLastError() == ERROR_INSUFFICIENT_BUFFER);
    must(call->plugin->record(handle, call->record_text, needed, &again) && again == needed);
    must(strlen(call->record_text) + 1 == needed);
    call->record = json_loads(call->record_text, 0, NULL);
}

static void *run(void *context)
{
    struct call *call = context;
    HANDLE handle = NULL;

    must(call->plugin->start(0, (DWORD)call->line, &handle, call->plugin->port, (ULONG_PTR)call) && handle);
    if (call->options[0])
        must(call->plugin->options(handle, call->options));
    handle_set(call, handle);
    call->result = call->number[0] ? run_send(call, handle) : run_receive(call, handle);
    read_status(call, handle);
    read_record(call, handle);
    handle_set(call, NULL);
    must(call->plugin->end(handle));
    pthread_mutex_lock(&call->plugin->lock);
    call->done = true;
    pthread_cond_broadcast(&call->plugin->changed);
    pthread_mutex_unlock(&call->plugin->lock);
    return NULL;
}

void call_start(struct call *call, struct plugin *plugin, int line, const char *file, const char *number,
                const char *options)
{
    memset(call, 0, sizeof(*call));
    call->plugin = plugin;
    call->line = line;
    str_copy(call->file, sizeof(call->file), file);
    str_copy(call->number, sizeof(call->number), number);
    str_copy(call->options, sizeof(call->options), options);
    must(!pthread_create(&call->thread, NULL, run, call));
}

static bool has_packet(const struct call *call, DWORD id, DWORD page)
{
    for (int i = 0; i < call->packet_count && i < PLUGIN_PACKETS; i++) {
        if (call->packets[i].id == id && (!page || call->packets[i].page == page))
            return true;
    }
    return false;
}

bool call_saw(struct call *call, DWORD id, DWORD page)
{
    bool saw;

    pthread_mutex_lock(&call->plugin->lock);
    while (!(saw = has_packet(call, id, page)) && !call->done)
        pthread_cond_wait(&call->plugin->changed, &call->plugin->lock);
    pthread_mutex_unlock(&call->plugin->lock);
    return saw;
}

void call_abort(struct call *call)
{
    pthread_mutex_lock(&call->plugin->lock);
    while (!call->handle && !call->done)
        pthread_cond_wait(&call->plugin->changed, &call->plugin->lock);
    if (call->handle)
        must(call->plugin->abort(call->handle));
    pthread_mutex_unlock(&call->plugin->lock);
}

bool call_ended(struct call *call, int ms)
{
    struct timespec until = deadline(ms);
    bool done;

    pthread_mutex_lock(&call->plugin->lock);
    while (!call->done && pthread_cond_timedwait(&call->plugin->changed, &call->plugin->lock, &until) != ETIMEDOUT)
        ;
    done = call->done;
    pthread_mutex_unlock(&call->plugin->lock);
    return done;
}

/* The final packet was posted before the operation returned, but the reader may not have come to it yet. */
void call_wait(struct call *call)
{
    pthread_join(call->thread, NULL);
    pthread_mutex_lock(&call->plugin->lock);
    while (!has_packet(call, call->status.id, 0) && call->packet_count < PLUGIN_PACKETS)
        pthread_cond_wait(&call->plugin->changed, &call->plugin->lock);
    pthread_mutex_unlock(&call->plugin->lock);
}

const char *call_text(const struct call *call, const char *key)
{
    const char *text = json_string_value(json_object_get(call->record, key));

    return text ? text : "";
}

long long call_number(const struct call *call, const char *key)
{
    const json_t *value = json_object_get(call->record, key);

    return json_is_integer(value) ? json_integer_value(value) : -1;
}

bool call_true(const struct call *call, const char *key)
{
    return json_is_true(json_object_get(call->record, key));
}

void call_clear(struct call *call)
{
    json_decref(call->record);
    free(call->record_text);
    memset(call, 0, sizeof(*call));
}
