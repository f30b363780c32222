/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's side of a completion port (win32.h has the plug-in's side): a descriptor for poll, and taking everything
 * that is queued at once.
 *
 * Part of libfspcompat.so. Thread: any; posts never wait for a reader.
 */
#ifndef FAXD_FSPHOST_PORT_H
#define FAXD_FSPHOST_PORT_H

#include "plugins/include/win32.h"

#include <stdbool.h>
#include <stddef.h>

struct port_entry {
    void *packet;
    ULONG_PTR key;
    DWORD bytes;
};

/* What port_take gave; owned by the reader, zeroed at first. Its memory is handed back to the port at the next take, so
 * that a steady stream of packets allocates nothing. */
struct port_batch {
    struct port_entry *entries;
    size_t count;
    size_t capacity;
};

/* An eventfd that is readable while something is queued; borrowed, -1 when the handle is no port. */
FSP_EXPORT int port_fd(HANDLE port);

/* Replace `*batch` by all that is queued, oldest first. False, and an empty batch, when there is nothing. */
FSP_EXPORT bool port_take(HANDLE port, struct port_batch *batch);

/* Free a batch's memory (not the packets). */
FSP_EXPORT void port_batch_clear(struct port_batch *batch);

/* End a port; entries that nobody took are forgotten. Later posts fail with ERROR_INVALID_HANDLE. */
FSP_EXPORT void port_close(HANDLE port);

#endif
