/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Start and end of an FSP. The order of the first calls is the one that the documents give, with our own exports before
 * and between (DESIGN section 3): a provider has to know its lines before it can say how many devices it has, and it
 * has no heap before FaxDevInitialize.
 */
#include "server/fsphost/provider.h"

#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "server/fsphost/extension.h"
#include "server/fsphost/heap.h"
#include "server/fsphost/port.h"
#include "server/link/link.h"

#include <dlfcn.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define NAME_PREFIX_UNITS 128
#define TEXT_FIRST        4096u
#define RUN_FIRST         2u

static const struct export
{
    const char *symbol;
    bool required;
    size_t slot;
}
export_table[] = {
    /* Optional in the documents, where devices may come from TAPI; there is no TAPI here. */
    {"FaxDevVirtualDeviceCreation", true, offsetof(struct provider_exports, create_devices)},
    {"FaxDevInitialize", true, offsetof(struct provider_exports, initialize)},
    {"FaxDevStartJob", true, offsetof(struct provider_exports, start_job)},
    {"FaxDevSend", true, offsetof(struct provider_exports, send)},
    {"FaxDevReceive", true, offsetof(struct provider_exports, receive)},
    {"FaxDevReportStatus", true, offsetof(struct provider_exports, report_status)},
    {"FaxDevEndJob", true, offsetof(struct provider_exports, end_job)},
    {"FaxDevAbortOperation", true, offsetof(struct provider_exports, abort_operation)},
    {"FaxDevShutdown", false, offsetof(struct provider_exports, shutdown)},
    {"FaxExtInitializeConfig", false, offsetof(struct provider_exports, initialize_config)},
    {"FaxdProviderConfig", false, offsetof(struct provider_exports, provider_config)},
    {"FaxdRingInfo", false, offsetof(struct provider_exports, ring_info)},
    {"FaxdJobOptions", false, offsetof(struct provider_exports, job_options)},
    {"FaxdCallRecord", false, offsetof(struct provider_exports, call_record)},
    {"FaxdProviderAsk", false, offsetof(struct provider_exports, ask)},
    {"DllMain", false, offsetof(struct provider_exports, dll_main)},
};

static int exports_bind(struct provider_exports *exports, void *module)
{
    for (size_t i = 0; i < sizeof(export_table) / sizeof(export_table[0]); i++) {
        void *symbol = dlsym(module, export_table[i].symbol);
        if (!symbol && export_table[i].required)
            return err_set(ERR_INVALID, "it does not export %s", export_table[i].symbol);
        memcpy((char *)exports + export_table[i].slot, &symbol, sizeof(symbol));
    }
    return 0;
}

static int refused(const char *call)
{
    return err_set(ERR_DENIED, "%s refused (last error %u)", call, GetLastError());
}

static int module_load(struct provider *provider, const char *path)
{
    provider->module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!provider->module)
        return err_set(ERR_NOT_FOUND, "it cannot be loaded: %s", dlerror());
    int result = exports_bind(&provider->fsp, provider->module);
    if (result)
        return result;
    SetLastError(0);
    if (provider->fsp.dll_main && !provider->fsp.dll_main(provider->module, DLL_PROCESS_ATTACH, NULL))
        return refused("DllMain");
    SetLastError(0);
    if (provider->fsp.provider_config && !provider->fsp.provider_config(settings_text(provider->settings)))
        return refused("FaxdProviderConfig");
    return 0;
}

static int devices_create(struct provider *provider)
{
    WCHAR prefix[NAME_PREFIX_UNITS] = {0};
    DWORD count = 0, first_id = 0;
    SetLastError(0);
    if (!provider->fsp.create_devices(&count, prefix, &first_id, provider->port, PROVIDER_RING_KEY))
        return refused("FaxDevVirtualDeviceCreation");
    prefix[NAME_PREFIX_UNITS - 1] = 0;
    if (count == 0 || count > PROVIDER_DEVICES_MAX)
        return err_set(ERR_INVALID, "it has %u devices, not 1 to %u", count, PROVIDER_DEVICES_MAX);
    if (first_id == 0 || first_id > UINT32_MAX - (count - 1))
        return err_set(ERR_INVALID, "its device ids begin at %u", first_id);
    provider->device_count = count;
    provider->first_id = first_id;
    provider->name_prefix = str_from_utf16((const uint16_t *)prefix, NAME_PREFIX_UNITS);
    size_t lines = settings_line_count(provider->settings);
    if (lines && lines != count)
        log_warning("the FSP has %u devices for %zu configured lines", count, lines);
    return 0;
}

static BOOL CALLBACK service_callback(HANDLE job, DWORD device, DWORD_PTR one, DWORD_PTR two, DWORD_PTR three)
{
    (void)job;
    (void)device;
    (void)one;
    (void)two;
    (void)three;
    return TRUE; /* reserved by the documents */
}

/* Anything but success means that the FSP goes without, not that it is refused. */
static void extension_start(const struct provider *provider)
{
    if (!provider->fsp.initialize_config)
        return;
    extension_open(provider->settings, provider->first_id, provider->device_count);
    HRESULT result = provider->fsp.initialize_config(extension_get, extension_set, extension_register,
                                                     extension_unregister, extension_free_buffer);
    if (FAILED(result))
        log_warning("FaxExtInitializeConfig failed with %#x: no configuration callbacks", (unsigned)result);
}

int provider_start(struct provider **out, const char *path, const struct settings *settings)
{
    struct provider *provider = xcalloc(1, sizeof(*provider));
    *out = provider; /* never freed when refused: its threads may be running */
    provider->settings = settings;
    provider->heap = HeapCreate(0, 0, 0);
    provider->port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    if (!provider->heap || !provider->port)
        return err_set(ERR_IO, "no heap or completion port (last error %u)", GetLastError());
    int result = module_load(provider, path);
    if (!result)
        result = devices_create(provider);
    if (result)
        return result;
    extension_start(provider);
    SetLastError(0);
    if (!provider->fsp.initialize(0, provider->heap, &provider->line_callback, service_callback))
        return refused("FaxDevInitialize");
    return 0;
}

void provider_notice(const struct provider *provider, DWORD index, bool receive, bool send)
{
    if (provider->line_callback)
        provider->line_callback(NULL, provider->first_id + index, LINE_DEVSPECIFIC, 0, receive, send, 0);
}

static void packets_free(const struct provider *provider)
{
    struct port_batch batch = {0};
    size_t size;
    while (port_take(provider->port, &batch)) {
        for (size_t i = 0; i < batch.count; i++) {
            if (heap_take(provider->heap, batch.entries[i].packet, &size))
                heap_discard(batch.entries[i].packet);
        }
    }
    port_batch_clear(&batch);
}

void provider_stop(struct provider *provider)
{
    if (provider->fsp.shutdown) {
        HRESULT result = provider->fsp.shutdown();
        if (FAILED(result))
            log_warning("FaxDevShutdown failed with %#x", (unsigned)result);
    }
    extension_close();
    if (provider->fsp.dll_main)
        provider->fsp.dll_main(provider->module, DLL_PROCESS_DETACH, NULL);
    /* FaxDevShutdown is optional, and its threads may still post: heap and port stay until the process ends. */
    if (!provider->fsp.shutdown)
        return;
    packets_free(provider);
    port_close(provider->port);
    size_t forgotten = heap_live_blocks(provider->heap);
    if (forgotten)
        log_debug("the FSP left %zu blocks in its heap", forgotten);
    HeapDestroy(provider->heap);
    free(provider->name_prefix);
    free(provider);
}

DWORD provider_start_id(const struct provider *provider, DWORD index)
{
    return settings_start_id_is_full(provider->settings) ? provider->first_id + index : index;
}

int provider_index(const struct provider *provider, DWORD device)
{
    if (device >= provider->first_id && device - provider->first_id < provider->device_count)
        return (int)(device - provider->first_id);
    return device < provider->device_count ? (int)device : -1;
}

ULONG_PTR provider_job_key(DWORD index, DWORD run)
{
    return (ULONG_PTR)(RUN_FIRST + (run & 0x7FFFu)) << 16 | (index + 1);
}

bool provider_key_parse(ULONG_PTR key, DWORD *index, DWORD *run)
{
    ULONG_PTR high = key >> 16;
    if ((key & 0xFFFFu) == 0 || high < RUN_FIRST || high >= RUN_FIRST + 0x8000u)
        return false;
    *index = (DWORD)(key & 0xFFFFu) - 1;
    *run = (DWORD)(high - RUN_FIRST);
    return true;
}

/* What a text is wanted of: a job's record, the answer to a question, or the ring of a line. */
struct subject {
    const char *export;
    HANDLE job;
    const char *question;
    DWORD index;
};

/* One call of an export that gives a text. */
static BOOL text_call(const struct provider *provider, const struct subject *of, char *text, DWORD size, DWORD *needed)
{
    SetLastError(0);
    if (of->job)
        return provider->fsp.call_record(of->job, text, size, needed);
    if (of->question)
        return provider->fsp.ask(of->question, text, size, needed);
    return provider->fsp.ring_info(provider->first_id + of->index, text, size, needed);
}

static bool text_is_object(const char *text, size_t length)
{
    json_t *root = str_is_utf8(text, length) ? json_loadb(text, length, 0, NULL) : NULL;
    bool is_object = json_is_object(root);
    json_decref(root);
    return is_object;
}

/* The size may grow between two calls, so a second answer of "too small" is tried once more. */
static int text_fetch(char **out, const struct provider *provider, const struct subject *of)
{
    const char *what = of->export;
    DWORD size = TEXT_FIRST;
    for (int attempt = 0; attempt < 3; attempt++) {
        char *text = xcalloc(1, size + 1); /* the last octet stays NUL whatever the FSP writes */
        DWORD needed = 0;
        if (text_call(provider, of, text, size, &needed)) {
            size_t length = strlen(text);
            if (length <= LINK_RECORD_MAX && text_is_object(text, length)) {
                *out = text;
                return 0;
            }
            free(text);
            return err_set(ERR_INVALID, "%s gave what is no JSON object of at most %d octets", what, LINK_RECORD_MAX);
        }
        free(text);
        if (GetLastError() != ERROR_INSUFFICIENT_BUFFER)
            return err_set(ERR_NOT_FOUND, "%s failed (last error %u)", what, GetLastError());
        if (needed <= size || needed > LINK_RECORD_MAX + 1)
            return err_set(ERR_INVALID, "%s asks for %u octets", what, needed);
        size = needed;
    }
    return err_set(ERR_INVALID, "%s does not settle on a size", what);
}

int provider_ring_info(char **text, const struct provider *provider, DWORD index)
{
    *text = NULL;
    if (!provider->fsp.ring_info)
        return err_set(ERR_NOT_FOUND, "the FSP has no FaxdRingInfo");
    return text_fetch(text, provider, &(struct subject){.export = "FaxdRingInfo", .index = index});
}

int provider_call_record(char **text, const struct provider *provider, HANDLE job)
{
    *text = NULL;
    if (!provider->fsp.call_record)
        return err_set(ERR_NOT_FOUND, "the FSP has no FaxdCallRecord");
    return text_fetch(text, provider, &(struct subject){.export = "FaxdCallRecord", .job = job});
}

int provider_ask(char **text, const struct provider *provider, const char *question)
{
    *text = NULL;
    if (!provider->fsp.ask)
        return err_set(ERR_NOT_FOUND, "the FSP has no FaxdProviderAsk");
    return text_fetch(text, provider, &(struct subject){.export = "FaxdProviderAsk", .question = question});
}
