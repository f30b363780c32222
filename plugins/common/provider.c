/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A provider's side of start-up and of rings, the same for all our plug-ins. After FaxdProviderConfig (settings.c)
 * comes FaxDevVirtualDeviceCreation, which ends up here; jobs are the next file's (job.c).
 */
#include "plugins/common/provider.h"

#include "server/base/log.h"
#include "server/base/str.h"

#include <stdlib.h>
#include <string.h>

#define PREFIX_UNITS    128   /* room of DeviceNamePrefix, fixed by the interface */
#define PREFIX_MAX      48    /* octets of the provider's name that go into it */
#define IDS_EACH        4096u /* ids for each provider, at least the lines it may have */
#define TEXT_UNITS_MAX  32768 /* longest text taken from the host */
#define RECORD_SIZE_MAX 49152u

BOOL provider_fail(DWORD error)
{
    SetLastError(error);
    return FALSE;
}

/* FNV-1a, 32 bits. */
static DWORD name_hash(const char *name)
{
    DWORD hash = 2166136261u;

    while (*name)
        hash = (hash ^ (BYTE)*name++) * 16777619u;
    return hash;
}

BOOL provider_create(struct provider *provider, const char *name, int line_count, LPDWORD count, LPWSTR prefix,
                     LPDWORD first_id, HANDLE port, ULONG_PTR key)
{
    char text[PREFIX_MAX];
    uint16_t *units;
    size_t i = 0;

    if (line_count <= 0 || !count || !prefix || !first_id)
        return provider_fail(ERROR_INVALID_PARAMETER);
    str_copy(text, sizeof(text) - 1, name);
    strcat(text, "/");
    units = str_to_utf16(text);
    for (; i < PREFIX_UNITS - 1 && units[i]; i++)
        prefix[i] = units[i];
    prefix[i] = 0;
    free(units);
    provider->first_id = (name_hash(name) % 0x7fffu + 1) * IDS_EACH;
    provider->line_count = line_count;
    provider->ring_port = port;
    provider->ring_key = key;
    *count = (DWORD)line_count;
    *first_id = provider->first_id;
    return TRUE;
}

int provider_line(const struct provider *provider, DWORD device)
{
    if (device < (DWORD)provider->line_count)
        return (int)device;
    if (device >= provider->first_id && device - provider->first_id < (DWORD)provider->line_count)
        return (int)(device - provider->first_id);
    return -1;
}

static void post_line_message(struct provider *provider, int line, DWORD state)
{
    LINEMESSAGE *message = LocalAlloc(LPTR, sizeof(*message));

    if (!message) {
        log_error("no memory for a message about a line line=%d", line);
        return;
    }
    message->hDevice = provider->first_id + (DWORD)line;
    message->dwParam1 = state;
    if (!PostQueuedCompletionStatus(provider->ring_port, sizeof(*message), provider->ring_key, (LPOVERLAPPED)message)) {
        log_error("the host takes no messages about lines: error=%u line=%d", GetLastError(), line);
        LocalFree(message);
    }
}

void provider_ring(struct provider *provider, int line)
{
    post_line_message(provider, line, LINEDEVSTATE_RINGING);
}

void provider_changed(struct provider *provider)
{
    if (provider->ring_port)
        post_line_message(provider, 0, LINEDEVSTATE_OTHER);
}

/* Leave out the second half of the list `key`, and count what went under `omitted`. False: nothing is left of it. */
static bool shorten(json_t *object, const char *key, const char *omitted)
{
    json_t *list = json_object_get(object, key);
    size_t size = json_array_size(list), keep = size / 2;

    if (size == 0)
        return false;
    while (json_array_size(list) > keep)
        json_array_remove(list, json_array_size(list) - 1);
    json_object_set_new(object, omitted,
                        json_integer(json_integer_value(json_object_get(object, omitted)) + (json_int_t)(size - keep)));
    return true;
}

/* The text of `object`, at most RECORD_SIZE_MAX octets with its end: frames go from the end until it fits, then the
 * messages of SIP, which tell more of a call that failed, then a modem's lines. */
static char *text_fitting(json_t *object)
{
    char *text = json_dumps(object, JSON_COMPACT);

    while (text && strlen(text) >= RECORD_SIZE_MAX &&
           (shorten(object, "frames", "frames_omitted") || shorten(object, "sip", "sip_omitted") ||
            shorten(object, "modem_dialogue", "modem_dialogue_omitted"))) {
        free(text);
        text = json_dumps(object, JSON_COMPACT);
    }
    if (text && strlen(text) >= RECORD_SIZE_MAX) {
        free(text);
        text = NULL;
    }
    return text;
}

BOOL provider_text(json_t *object, char *json, DWORD size, LPDWORD needed)
{
    char *text;
    size_t length;

    if (!needed || (!json && size > 0))
        return provider_fail(ERROR_INVALID_PARAMETER);
    text = text_fitting(object);
    if (!text)
        return provider_fail(ERROR_NOT_ENOUGH_MEMORY);
    length = strlen(text) + 1;
    *needed = (DWORD)length;
    if (json && size >= length)
        memcpy(json, text, length);
    free(text);
    return !json || size >= length ? TRUE : provider_fail(ERROR_INSUFFICIENT_BUFFER);
}

char *provider_utf8(LPCWSTR text)
{
    return text ? str_from_utf16(text, TEXT_UNITS_MAX) : xstrdup("");
}
