/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's side of the provider heap (win32.h has the plug-in's side): which addresses are live, and taking them
 * over.
 *
 * Every block of every heap is in one table, so that an address that comes from a plug-in can be checked without being
 * read. LocalAlloc and HeapAlloc share it: the documents tell plug-ins to use either for packets.
 *
 * Part of libfspcompat.so. Thread: any (one lock for each part of the table, held for one look-up).
 */
#ifndef FAXD_FSPHOST_HEAP_H
#define FAXD_FSPHOST_HEAP_H

#include "plugins/include/win32.h"

#include <stdbool.h>
#include <stddef.h>

/* True when `block` is a live block of `heap` or of the process heap (LocalAlloc); `*size` is then its octets. */
FSP_EXPORT bool heap_owns(HANDLE heap, const void *block, size_t *size);

/* Take such a block away from the plug-in: from now on it is dead to HeapFree, so that a plug-in that frees what it has
 * posted is told so instead of pulling the memory from under a reader. False when it is no live block. The caller frees
 * with heap_discard. */
FSP_EXPORT bool heap_take(HANDLE heap, void *block, size_t *size);

/* Free a block that was taken. */
FSP_EXPORT void heap_discard(void *block);

/* Blocks of `heap` that are live: what a plug-in forgot, at the end. */
FSP_EXPORT size_t heap_live_blocks(HANDLE heap);

/* Have `report` hear of wrong frees (one line of text, valid during the call, on the thread of the fault) instead of
 * standard error. Set before the plug-in is loaded. */
typedef void (*heap_fault_fn)(const char *text);
FSP_EXPORT void heap_on_fault(heap_fault_fn report);

#endif
