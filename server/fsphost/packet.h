/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an FSP filled in, checked and copied into texts of ours: status packets, the block of FaxDevReportStatus, the
 * strings of a FAX_RECEIVE, line messages. Nothing outside the given block is ever read.
 *
 * Thread: any.
 */
#ifndef FAXD_FSPHOST_PACKET_H
#define FAXD_FSPHOST_PACKET_H

#include "plugins/include/win32.h"

#include <stdbool.h>
#include <stddef.h>

/* A status with its texts in UTF-8, NULL where there are none; freed with packet_status_clear. */
struct packet_status {
    DWORD status;
    DWORD page;
    DWORD error;
    char *station_id;
    char *caller_id;
    char *routing;
};

/* Read the FAX_DEV_STATUS at the head of a posted block of `size` octets, of which `bytes` were posted. 0, or
 * ERR_INVALID with a message that names the fault: too small, a string that is not within the block or does not end
 * there. Fields beyond its SizeOfStruct read as 0. */
int packet_read_status(struct packet_status *status, const void *block, size_t size, DWORD bytes);

/* Read the block of FaxDevReportStatus in the same way, but leave out a string that is not within it: the call's result
 * must not be lost for that. `*faulty` tells when one was left out. ERR_INVALID when there is no StatusId. */
int packet_read_report(struct packet_status *status, bool *faulty, const void *block, size_t size);

void packet_status_clear(struct packet_status *status);

/* The device and the LINEDEVSTATE_* of a LINEMESSAGE. 0, or ERR_INVALID with a message: too small, or neither a ring
 * nor a change of state. */
int packet_read_line(DWORD *device, DWORD *state, const void *block, size_t size, DWORD bytes);

/* Longer strings are cut, so that all of them fit into a message beside a call record. */
#define PACKET_UNITS_MAX 680

/* The UTF-16 string at `text` in UTF-8, the caller's to free; NULL when it is not wholly within the block, with its
 * end, on an even address. At most PACKET_UNITS_MAX units of it. */
char *packet_text(const void *block, size_t size, LPCWSTR text);

#endif
