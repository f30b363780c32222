/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a plug-in keeps with its server by the documented configuration interface. Small: a handful of items, looked up
 * seldom, so lists do.
 */
#include "server/fsphost/extension.h"

#include "server/base/log.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define GUID_UNITS_MAX 64u
#define DATA_MAX       (1024u * 1024)
#define ITEMS_MAX      4096u
#define WATCHES_MAX    4096u

struct name {
    DWORD device;
    WCHAR guid[GUID_UNITS_MAX + 1];
};

struct item {
    struct item *next;
    struct name name;
    DWORD size;
    BYTE data[];
};

struct watch {
    struct watch *next;
    uintptr_t id; /* its handle */
    struct name name;
    HINSTANCE self;
    PFAX_EXT_CONFIG_CHANGE changed;
};

/* `lock` guards all of it; no plug-in code runs under it. */
static struct {
    pthread_mutex_t lock;
    const struct settings *settings; /* NULL when closed */
    DWORD first_id, count;
    struct item *items;
    struct watch *watches;
    unsigned item_count, watch_count;
    uintptr_t last_watch;
} store = {.lock = PTHREAD_MUTEX_INITIALIZER};

static WCHAR guid_fold(WCHAR unit)
{
    return unit >= 'a' && unit <= 'z' ? (WCHAR)(unit - 'a' + 'A') : unit;
}

/* GUIDs are compared without regard to case. False when the device or the GUID cannot be a name. */
static bool name_make(struct name *name, DWORD device, FAX_ENUM_DEVICE_ID_SOURCE source, LPCWSTR guid)
{
    size_t length = 0;
    *name = (struct name){.device = device};
    if (!guid || source != DEV_ID_SRC_FAX)
        return false;
    for (; guid[length]; length++) {
        if (length == GUID_UNITS_MAX)
            return false;
        name->guid[length] = guid_fold(guid[length]);
    }
    return device == 0 || (device >= store.first_id && device - store.first_id < store.count);
}

static bool name_equals(const struct name *a, const struct name *b)
{
    return a->device == b->device && memcmp(a->guid, b->guid, sizeof(a->guid)) == 0;
}

static struct item **item_find(const struct name *name)
{
    struct item **link = &store.items;
    while (*link && !name_equals(&(*link)->name, name))
        link = &(*link)->next;
    return link;
}

void extension_open(const struct settings *settings, DWORD first_id, DWORD count)
{
    pthread_mutex_lock(&store.lock);
    store.settings = settings;
    store.first_id = first_id;
    store.count = count;
    pthread_mutex_unlock(&store.lock);
}

void extension_close(void)
{
    pthread_mutex_lock(&store.lock);
    store.settings = NULL;
    while (store.items) {
        struct item *item = store.items;
        store.items = item->next;
        free(item);
    }
    while (store.watches) {
        struct watch *watch = store.watches;
        store.watches = watch->next;
        free(watch);
    }
    store.item_count = store.watch_count = 0;
    pthread_mutex_unlock(&store.lock);
}

/* A copy with an end that is not counted, so that a text can be read as one. */
static LPBYTE data_copy(const void *data, size_t size)
{
    LPBYTE copy = malloc(size + 1);
    if (copy) {
        memcpy(copy, data, size);
        copy[size] = 0;
    }
    return copy;
}

static DWORD settings_copy(DWORD device, LPBYTE *data, LPDWORD size)
{
    char *line = NULL;
    const char *text = settings_text(store.settings);
    if (device != 0)
        text = line = settings_line_text(store.settings, device - store.first_id);
    if (!text)
        return ERROR_FILE_NOT_FOUND;
    size_t length = strlen(text);
    *data = data_copy(text, length);
    *size = (DWORD)length;
    free(line);
    return *data ? ERROR_SUCCESS : ERROR_NOT_ENOUGH_MEMORY;
}

DWORD CALLBACK extension_get(DWORD device, FAX_ENUM_DEVICE_ID_SOURCE source, LPCWSTR guid, LPBYTE *data, LPDWORD size)
{
    struct name name;
    DWORD result = ERROR_SUCCESS;
    if (!data || !size)
        return ERROR_INVALID_PARAMETER;
    *data = NULL;
    *size = 0;
    pthread_mutex_lock(&store.lock);
    if (!store.settings) {
        result = ERROR_SHUTDOWN_IN_PROGRESS;
    } else if (!name_make(&name, device, source, guid)) {
        result = ERROR_INVALID_PARAMETER;
    } else {
        const struct item *item = *item_find(&name);
        if (item) {
            *data = data_copy(item->data, item->size);
            *size = item->size;
            result = *data ? ERROR_SUCCESS : ERROR_NOT_ENOUGH_MEMORY;
        } else {
            result = settings_copy(device, data, size);
        }
    }
    pthread_mutex_unlock(&store.lock);
    return result;
}

/* With the lock held: put the item in place of an older one. */
static DWORD item_put(const struct name *name, LPBYTE data, DWORD size)
{
    struct item **link = item_find(name);
    if (!*link && store.item_count == ITEMS_MAX)
        return ERROR_NOT_ENOUGH_MEMORY;
    struct item *item = malloc(sizeof(*item) + size);
    if (!item)
        return ERROR_NOT_ENOUGH_MEMORY;
    item->name = *name;
    item->size = size;
    if (size)
        memcpy(item->data, data, size);
    item->next = NULL;
    if (*link) {
        item->next = (*link)->next;
        free(*link);
    } else {
        store.item_count++;
    }
    *link = item;
    return ERROR_SUCCESS;
}

/* With the lock held: the callbacks to make for a change, the caller's to free. A writer does not hear of itself. */
static PFAX_EXT_CONFIG_CHANGE *watches_collect(const struct name *name, HINSTANCE self, size_t *count)
{
    PFAX_EXT_CONFIG_CHANGE *changed = xcalloc(store.watch_count + 1, sizeof(*changed));
    *count = 0;
    for (const struct watch *watch = store.watches; watch; watch = watch->next) {
        if (watch->self != self && name_equals(&watch->name, name))
            changed[(*count)++] = watch->changed;
    }
    return changed;
}

DWORD CALLBACK extension_set(HINSTANCE self, DWORD device, FAX_ENUM_DEVICE_ID_SOURCE source, LPCWSTR guid, LPBYTE data,
                             DWORD size)
{
    struct name name;
    PFAX_EXT_CONFIG_CHANGE *changed = NULL;
    size_t count = 0;
    DWORD result;
    pthread_mutex_lock(&store.lock);
    if (!store.settings) {
        result = ERROR_SHUTDOWN_IN_PROGRESS;
    } else if (!name_make(&name, device, source, guid) || (!data && size) || size > DATA_MAX) {
        result = ERROR_INVALID_PARAMETER;
    } else {
        result = item_put(&name, data, size);
        if (result == ERROR_SUCCESS)
            changed = watches_collect(&name, self, &count);
    }
    pthread_mutex_unlock(&store.lock);
    for (size_t i = 0; i < count; i++)
        changed[i](device, guid, data, size);
    free(changed);
    return result;
}

HANDLE CALLBACK extension_register(HINSTANCE self, DWORD device, FAX_ENUM_DEVICE_ID_SOURCE source, LPCWSTR guid,
                                   PFAX_EXT_CONFIG_CHANGE changed)
{
    struct watch *watch = xcalloc(1, sizeof(*watch));
    DWORD result = ERROR_SUCCESS;
    uintptr_t id = 0;
    pthread_mutex_lock(&store.lock);
    if (!store.settings)
        result = ERROR_SHUTDOWN_IN_PROGRESS;
    else if (!changed || !name_make(&watch->name, device, source, guid))
        result = ERROR_INVALID_PARAMETER;
    else if (store.watch_count == WATCHES_MAX)
        result = ERROR_NOT_ENOUGH_MEMORY;
    if (result == ERROR_SUCCESS) {
        id = watch->id = ++store.last_watch;
        watch->self = self;
        watch->changed = changed;
        watch->next = store.watches;
        store.watches = watch;
        store.watch_count++;
        watch = NULL;
    }
    pthread_mutex_unlock(&store.lock);
    free(watch);
    if (result != ERROR_SUCCESS)
        SetLastError(result);
    return (HANDLE)id;
}

DWORD CALLBACK extension_unregister(HANDLE registration)
{
    pthread_mutex_lock(&store.lock);
    struct watch **link = &store.watches;
    while (*link && (*link)->id != (uintptr_t)registration)
        link = &(*link)->next;
    struct watch *watch = *link;
    if (watch) {
        *link = watch->next;
        store.watch_count--;
    }
    pthread_mutex_unlock(&store.lock);
    free(watch);
    return watch ? ERROR_SUCCESS : ERROR_INVALID_HANDLE;
}

VOID CALLBACK extension_free_buffer(LPVOID data)
{
    free(data);
}
