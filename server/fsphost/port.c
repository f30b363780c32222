/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Completion ports: a list under a lock, and an eventfd that rings when the list stops being empty. Plug-in threads
 * post, one reader takes the whole list and works on it unlocked.
 *
 * Ports live in fixed slots, so that a plug-in thread that posts after the end meets a dead handle, not freed memory.
 */
#include "config.h"

#include "server/fsphost/port.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define PORTS_MAX     64u
#define HANDLE_TAG    0x50000000u /* 'P', generation in 16 bits, slot in 8 */
#define ENTRIES_FIRST 64u
#define ENTRIES_KEPT  65536u /* a list that grew beyond is given back when empty */

/* `lock` guards all of it. The eventfd is readable exactly while entries are queued. */
struct port {
    pthread_mutex_t lock;
    DWORD generation; /* odd while the port is live */
    int event;
    struct port_entry *entries;
    size_t first; /* index of the oldest */
    size_t count; /* from the oldest on */
    size_t capacity;
};

static struct port ports[PORTS_MAX] = {[0 ... PORTS_MAX - 1] = {.lock = PTHREAD_MUTEX_INITIALIZER, .event = -1}};

static HANDLE port_handle(unsigned slot, DWORD generation)
{
    return (HANDLE)(uintptr_t)(HANDLE_TAG | (generation & 0xFFFFu) << 8 | slot);
}

/* The live port of a handle, locked; NULL and the last error when it is none. */
static struct port *port_lock(HANDLE handle)
{
    unsigned slot = (uintptr_t)handle & 0xFFu;
    if (slot < PORTS_MAX) {
        struct port *port = &ports[slot];
        pthread_mutex_lock(&port->lock);
        if (port->generation & 1u && handle == port_handle(slot, port->generation))
            return port;
        pthread_mutex_unlock(&port->lock);
    }
    SetLastError(ERROR_INVALID_HANDLE);
    return NULL;
}

static void port_ring(const struct port *port)
{
    uint64_t one = 1;
    ssize_t ignored = write(port->event, &one, sizeof(one)); /* cannot fail: the counter is 0 */
    (void)ignored;
}

static void port_hush(const struct port *port)
{
    uint64_t counter;
    ssize_t ignored = read(port->event, &counter, sizeof(counter));
    (void)ignored;
}

/* Room for one more at the end. */
static bool port_grow(struct port *port)
{
    if (port->first + port->count < port->capacity)
        return true;
    if (port->first > port->capacity / 2) {
        memmove(port->entries, port->entries + port->first, port->count * sizeof(*port->entries));
        port->first = 0;
        return true;
    }
    size_t wanted = port->capacity ? port->capacity * 2 : ENTRIES_FIRST;
    struct port_entry *wider = reallocarray(port->entries, wanted, sizeof(*wider));
    if (!wider)
        return false;
    port->entries = wider;
    port->capacity = wanted;
    return true;
}

HANDLE WINAPI CreateIoCompletionPort(HANDLE file, HANDLE existing, ULONG_PTR key, DWORD threads)
{
    (void)key;
    (void)threads;
    if (file != INVALID_HANDLE_VALUE || existing) {
        SetLastError(ERROR_NOT_SUPPORTED);
        return NULL;
    }
    int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    HANDLE handle = NULL;
    for (unsigned slot = 0; event >= 0 && !handle && slot < PORTS_MAX; slot++) {
        struct port *port = &ports[slot];
        pthread_mutex_lock(&port->lock);
        if (!(port->generation & 1u)) {
            port->generation++;
            port->event = event;
            handle = port_handle(slot, port->generation);
        }
        pthread_mutex_unlock(&port->lock);
    }
    if (!handle) {
        if (event >= 0)
            close(event);
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
    }
    return handle;
}

BOOL WINAPI PostQueuedCompletionStatus(HANDLE handle, DWORD bytes, ULONG_PTR key, LPOVERLAPPED packet)
{
    struct port *port = port_lock(handle);
    if (!port)
        return FALSE;
    bool fits = port_grow(port);
    if (fits) {
        struct port_entry *entry = &port->entries[port->first + port->count];
        *entry = (struct port_entry){.packet = packet, .key = key, .bytes = bytes};
        if (port->count++ == 0)
            port_ring(port);
    } else {
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
    }
    pthread_mutex_unlock(&port->lock);
    return fits;
}

static int64_t mono_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* One look: 1 with the oldest entry, 0 when there is none (`*event` to wait on), -1 when the port is dead. */
static int port_pop(HANDLE handle, struct port_entry *entry, int *event)
{
    struct port *port = port_lock(handle);
    if (!port)
        return -1;
    int popped = 0;
    *event = port->event;
    if (port->count) {
        *entry = port->entries[port->first++];
        popped = 1;
        if (--port->count == 0) {
            port->first = 0;
            port_hush(port);
        }
    }
    pthread_mutex_unlock(&port->lock);
    return popped;
}

BOOL WINAPI GetQueuedCompletionStatus(HANDLE handle, LPDWORD bytes, ULONG_PTR *key, LPOVERLAPPED *packet,
                                      DWORD timeout_ms)
{
    struct port_entry entry = {0};
    int64_t until = mono_ms() + timeout_ms;
    *packet = NULL;
    for (;;) {
        int event = -1;
        int popped = port_pop(handle, &entry, &event);
        if (popped < 0)
            return FALSE;
        if (popped > 0)
            break;
        int64_t left = timeout_ms == INFINITE ? -1 : until - mono_ms();
        if (timeout_ms != INFINITE && left <= 0) {
            SetLastError(WAIT_TIMEOUT);
            return FALSE;
        }
        struct pollfd wait = {.fd = event, .events = POLLIN};
        poll(&wait, 1, left > INT32_MAX ? INT32_MAX : (int)left);
    }
    *bytes = entry.bytes;
    *key = entry.key;
    *packet = entry.packet;
    return TRUE;
}

int port_fd(HANDLE handle)
{
    struct port *port = port_lock(handle);
    if (!port)
        return -1;
    int event = port->event;
    pthread_mutex_unlock(&port->lock);
    return event;
}

bool port_take(HANDLE handle, struct port_batch *batch)
{
    if (batch->capacity > ENTRIES_KEPT)
        port_batch_clear(batch);
    struct port_entry *spare = batch->entries;
    size_t spare_capacity = batch->capacity;
    batch->count = 0;
    struct port *port = port_lock(handle);
    if (!port)
        return false;
    /* Entries that GetQueuedCompletionStatus has passed over stand in front of the oldest. */
    if (port->count && port->first)
        memmove(port->entries, port->entries + port->first, port->count * sizeof(*port->entries));
    if (port->count) {
        *batch = (struct port_batch){.entries = port->entries, .count = port->count, .capacity = port->capacity};
        port->entries = spare;
        port->capacity = spare_capacity;
        port->first = 0;
        port->count = 0;
        port_hush(port);
    }
    pthread_mutex_unlock(&port->lock);
    return batch->count > 0;
}

void port_batch_clear(struct port_batch *batch)
{
    free(batch->entries);
    *batch = (struct port_batch){0};
}

void port_close(HANDLE handle)
{
    struct port *port = port_lock(handle);
    if (!port)
        return;
    port->generation++;
    close(port->event);
    port->event = -1;
    free(port->entries);
    port->entries = NULL;
    port->first = port->count = port->capacity = 0;
    pthread_mutex_unlock(&port->lock);
}
