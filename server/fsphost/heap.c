/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Win32 heap for plug-ins: malloc with a table of what is live. Packets pass from a plug-in to the host through it,
 * so each address must be provable without touching it: the table is keyed by address and knows size and heap.
 *
 * A heap is only a number in a slot; its memory cannot go away under a plug-in thread that is still using the handle.
 */
#include "server/fsphost/heap.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAPS_MAX    64u
#define HANDLE_TAG   0x48000000u /* 'H', generation in 16 bits, slot in 8 */
#define PROCESS_HEAP 0u          /* slot of GetProcessHeap, live from the start */

#define PARTS         64u
#define BUCKETS_FIRST 64u

struct block {
    struct block *next;
    size_t size;
    DWORD heap; /* slot and generation, as in its handle */
    max_align_t octets[];
};

/* One part of the table; `lock` guards all of it. */
struct part {
    pthread_mutex_t lock;
    struct block **buckets;
    size_t bucket_count;
    size_t count;
};

static struct part parts[PARTS] = {[0 ... PARTS - 1] = {.lock = PTHREAD_MUTEX_INITIALIZER}};

/* Odd while the heap of the slot is live; counts up at each create and destroy. */
static _Atomic DWORD generations[HEAPS_MAX] = {[PROCESS_HEAP] = 1};

static _Atomic(heap_fault_fn) fault_report;

static void fault(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void fault(const char *fmt, ...)
{
    char text[160];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    heap_fault_fn report = atomic_load(&fault_report);
    if (report)
        report(text);
    else
        fprintf(stderr, "fsp heap: %s\n", text);
}

static DWORD heap_id(unsigned slot, DWORD generation)
{
    return HANDLE_TAG | (generation & 0xFFFFu) << 8 | slot;
}

static HANDLE heap_handle(DWORD id)
{
    return (HANDLE)(uintptr_t)id;
}

/* The id behind a handle, 0 when it is no live heap. NULL stands for the process heap. */
static DWORD heap_resolve(HANDLE heap)
{
    if (!heap)
        heap = GetProcessHeap();
    uintptr_t value = (uintptr_t)heap;
    unsigned slot = value & 0xFFu;
    if (value > UINT32_MAX || slot >= HEAPS_MAX)
        return 0;
    DWORD generation = atomic_load(&generations[slot]);
    if (!(generation & 1u) || value != heap_id(slot, generation))
        return 0;
    return (DWORD)value;
}

static bool heap_may_free(DWORD heap, DWORD owner)
{
    return owner == heap || owner == heap_id(PROCESS_HEAP, 1) || heap == heap_id(PROCESS_HEAP, 1);
}

static size_t address_hash(const void *address)
{
    uint64_t value = (uintptr_t)address >> 4;
    return (size_t)(value * 0x9E3779B97F4A7C15u >> 24);
}

static struct part *part_of(const void *octets)
{
    return &parts[address_hash(octets) % PARTS];
}

static struct block **part_bucket(const struct part *part, const void *octets)
{
    return &part->buckets[address_hash(octets) / PARTS % part->bucket_count];
}

/* With the lock held. False when memory for the table is out and there is none yet. */
static bool part_grow(struct part *part)
{
    if (part->count < part->bucket_count)
        return true;
    size_t wanted = part->bucket_count ? part->bucket_count * 2 : BUCKETS_FIRST;
    struct block **old = part->buckets;
    struct block **wider = calloc(wanted, sizeof(*wider));
    if (!wider)
        return old != NULL; /* longer chains still work */
    size_t old_count = part->bucket_count;
    part->buckets = wider;
    part->bucket_count = wanted;
    for (size_t i = 0; i < old_count; i++) {
        while (old[i]) {
            struct block *block = old[i];
            old[i] = block->next;
            struct block **bucket = part_bucket(part, block->octets);
            block->next = *bucket;
            *bucket = block;
        }
    }
    free(old);
    return true;
}

static bool table_add(struct block *block)
{
    struct part *part = part_of(block->octets);
    pthread_mutex_lock(&part->lock);
    bool fits = part_grow(part);
    if (fits) {
        struct block **bucket = part_bucket(part, block->octets);
        block->next = *bucket;
        *bucket = block;
        part->count++;
    }
    pthread_mutex_unlock(&part->lock);
    return fits;
}

/* With the lock held: the link that points at the live block of this address, or NULL. */
static struct block **part_find(struct part *part, const void *octets)
{
    if (!part->buckets)
        return NULL;
    for (struct block **link = part_bucket(part, octets); *link; link = &(*link)->next) {
        if ((const void *)(*link)->octets == octets)
            return link;
    }
    return NULL;
}

/* Take the live block at `octets` out of the table when `heap` may free it; `*owner` tells whose it is, 0 = nobody's.
 */
static struct block *table_remove(DWORD heap, const void *octets, DWORD *owner)
{
    struct part *part = part_of(octets);
    struct block *block = NULL;
    *owner = 0;
    pthread_mutex_lock(&part->lock);
    struct block **link = part_find(part, octets);
    if (link) {
        *owner = (*link)->heap;
        if (heap_may_free(heap, *owner)) {
            block = *link;
            *link = block->next;
            part->count--;
        }
    }
    pthread_mutex_unlock(&part->lock);
    return block;
}

static LPVOID out_of_memory(DWORD flags, SIZE_T bytes)
{
    if (flags & HEAP_GENERATE_EXCEPTIONS) {
        fault("out of memory for %zu octets, and the plug-in asked not to go on", bytes);
        abort();
    }
    SetLastError(ERROR_NOT_ENOUGH_MEMORY);
    return NULL;
}

static bool size_is_possible(SIZE_T bytes)
{
    return bytes <= SIZE_MAX / 2 - sizeof(struct block);
}

LPVOID WINAPI HeapAlloc(HANDLE heap, DWORD flags, SIZE_T bytes)
{
    DWORD id = heap_resolve(heap);
    if (!id) {
        SetLastError(ERROR_INVALID_HANDLE);
        return NULL;
    }
    if (!size_is_possible(bytes))
        return out_of_memory(flags, bytes);
    size_t whole = sizeof(struct block) + bytes;
    struct block *block = flags & HEAP_ZERO_MEMORY ? calloc(1, whole) : malloc(whole);
    if (!block)
        return out_of_memory(flags, bytes);
    block->size = bytes;
    block->heap = id;
    if (!table_add(block)) {
        free(block);
        return out_of_memory(flags, bytes);
    }
    return block->octets;
}

static struct block *remove_or_report(HANDLE heap, LPVOID octets, const char *what)
{
    DWORD id = heap_resolve(heap);
    if (!id) {
        fault("%s of %p with a handle that is no heap", what, octets);
        SetLastError(ERROR_INVALID_HANDLE);
        return NULL;
    }
    DWORD owner;
    struct block *block = table_remove(id, octets, &owner);
    if (!block) {
        if (owner)
            fault("%s of %p, which is a block of another heap", what, octets);
        else
            fault("%s of %p, which is no live block: freed twice, already posted, or foreign", what, octets);
        SetLastError(ERROR_INVALID_PARAMETER);
    }
    return block;
}

LPVOID WINAPI HeapReAlloc(HANDLE heap, DWORD flags, LPVOID octets, SIZE_T bytes)
{
    struct block *block = remove_or_report(heap, octets, "HeapReAlloc");
    if (!block)
        return NULL;
    size_t old_size = block->size;
    bool in_place = flags & HEAP_REALLOC_IN_PLACE_ONLY;
    struct block *moved = NULL;
    if (in_place && bytes <= old_size)
        moved = block;
    else if (!in_place && size_is_possible(bytes))
        moved = realloc(block, sizeof(struct block) + bytes);
    if (!moved) {
        table_add(block); /* has room: it was in there */
        return out_of_memory(flags, bytes);
    }
    if (flags & HEAP_ZERO_MEMORY && bytes > old_size)
        memset((char *)moved->octets + old_size, 0, bytes - old_size);
    moved->size = bytes;
    if (!table_add(moved)) {
        free(moved);
        return out_of_memory(flags, bytes);
    }
    return moved->octets;
}

BOOL WINAPI HeapFree(HANDLE heap, DWORD flags, LPVOID octets)
{
    (void)flags;
    if (!octets)
        return TRUE;
    struct block *block = remove_or_report(heap, octets, "HeapFree");
    if (!block)
        return FALSE;
    free(block);
    return TRUE;
}

HANDLE WINAPI GetProcessHeap(void)
{
    return heap_handle(heap_id(PROCESS_HEAP, 1));
}

HANDLE WINAPI HeapCreate(DWORD flags, SIZE_T initial_bytes, SIZE_T maximum_bytes)
{
    (void)flags;
    (void)initial_bytes;
    (void)maximum_bytes;
    for (unsigned slot = PROCESS_HEAP + 1; slot < HEAPS_MAX; slot++) {
        DWORD generation = atomic_load(&generations[slot]);
        if (!(generation & 1u) && atomic_compare_exchange_strong(&generations[slot], &generation, generation + 1))
            return heap_handle(heap_id(slot, generation + 1));
    }
    SetLastError(ERROR_NOT_ENOUGH_MEMORY);
    return NULL;
}

/* Take every block of a heap out of one bucket. */
static struct block *bucket_strip(struct block **link, DWORD heap, size_t *count)
{
    struct block *stripped = NULL;
    while (*link) {
        struct block *block = *link;
        if (block->heap == heap) {
            *link = block->next;
            block->next = stripped;
            stripped = block;
            --*count;
        } else {
            link = &block->next;
        }
    }
    return stripped;
}

BOOL WINAPI HeapDestroy(HANDLE heap)
{
    DWORD id = heap ? heap_resolve(heap) : 0;
    if (!id || id == heap_id(PROCESS_HEAP, 1)) {
        SetLastError(ERROR_INVALID_HANDLE);
        return FALSE;
    }
    atomic_fetch_add(&generations[id & 0xFFu], 1);
    for (unsigned i = 0; i < PARTS; i++) {
        pthread_mutex_lock(&parts[i].lock);
        for (size_t j = 0; j < parts[i].bucket_count; j++) {
            struct block *stripped = bucket_strip(&parts[i].buckets[j], id, &parts[i].count);
            while (stripped) {
                struct block *block = stripped;
                stripped = block->next;
                free(block);
            }
        }
        pthread_mutex_unlock(&parts[i].lock);
    }
    return TRUE;
}

HLOCAL WINAPI LocalAlloc(UINT flags, SIZE_T bytes)
{
    return HeapAlloc(GetProcessHeap(), flags & LMEM_ZEROINIT ? HEAP_ZERO_MEMORY : 0, bytes);
}

HLOCAL WINAPI LocalFree(HLOCAL octets)
{
    return HeapFree(GetProcessHeap(), 0, octets) ? NULL : octets;
}

/* A packet may come from the provider's own heap or from LocalAlloc, not from a third heap. */
static bool heap_is_packet_source(DWORD heap, DWORD owner)
{
    return owner == heap || owner == heap_id(PROCESS_HEAP, 1);
}

bool heap_owns(HANDLE heap, const void *octets, size_t *size)
{
    DWORD id = heap_resolve(heap);
    struct part *part = part_of(octets);
    bool owns = false;
    pthread_mutex_lock(&part->lock);
    struct block **link = part_find(part, octets);
    if (id && link && heap_is_packet_source(id, (*link)->heap)) {
        *size = (*link)->size;
        owns = true;
    }
    pthread_mutex_unlock(&part->lock);
    return owns;
}

bool heap_take(HANDLE heap, void *octets, size_t *size)
{
    DWORD id = heap_resolve(heap);
    struct part *part = part_of(octets);
    bool taken = false;
    pthread_mutex_lock(&part->lock);
    struct block **link = part_find(part, octets);
    if (id && link && heap_is_packet_source(id, (*link)->heap)) {
        *size = (*link)->size;
        *link = (*link)->next;
        part->count--;
        taken = true;
    }
    pthread_mutex_unlock(&part->lock);
    return taken;
}

void heap_discard(void *octets)
{
    if (octets)
        free((char *)octets - offsetof(struct block, octets));
}

size_t heap_live_blocks(HANDLE heap)
{
    DWORD id = heap_resolve(heap);
    size_t live = 0;
    for (unsigned i = 0; i < PARTS; i++) {
        pthread_mutex_lock(&parts[i].lock);
        for (size_t j = 0; j < parts[i].bucket_count; j++) {
            for (struct block *block = parts[i].buckets[j]; block; block = block->next)
                live += block->heap == id;
        }
        pthread_mutex_unlock(&parts[i].lock);
    }
    return live;
}

void heap_on_fault(heap_fault_fn report)
{
    atomic_store(&fault_report, report);
}
