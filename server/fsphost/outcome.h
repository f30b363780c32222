/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an FSP's return value and FS_* code mean, in the words of the link. Pure.
 *
 * Thread: any.
 */
#ifndef FAXD_FSPHOST_OUTCOME_H
#define FAXD_FSPHOST_OUTCOME_H

#include "plugins/include/win32.h"
#include "server/link/link.h"

#include <stdbool.h>

struct outcome {
    enum link_result result;
    enum link_outcome word; /* why it failed, LINK_OUTCOME_NONE when it did not */
};

/* What a call with this StatusId is doing; LINK_PHASE_NONE for 0 and for codes that are no FS_* code. */
enum link_phase outcome_phase(DWORD status);

/* The failure that a StatusId names: LINK_OUTCOME_NONE for 0 and for codes that name none, LINK_OUTCOME_UNKNOWN for
 * LINEERR_* and provider-defined ones. */
enum link_outcome outcome_word(DWORD status);

/* The outcome of FaxDevSend that returned `ok`, when FaxDevReportStatus succeeded (`reported`) with `status`. */
struct outcome outcome_of_send(bool ok, bool reported, DWORD status);

/* The same of FaxDevReceive. */
struct outcome outcome_of_receive(bool ok, bool reported, DWORD status);

#endif
