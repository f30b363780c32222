/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How far a call has got, as FAX_DEV_STATUS says it: the facts, their layout with the strings behind the struct, and
 * the FS_* code that an outcome word stands for.
 *
 * Thread: any (no state).
 */
#ifndef FAXD_PLUGINS_COMMON_STATUS_H
#define FAXD_PLUGINS_COMMON_STATUS_H

#include "plugins/include/faxdev.h"

#include <stdbool.h>

#ifndef ERROR_GEN_FAILURE
#define ERROR_GEN_FAILURE 31u /* Win32: a device did not do its work; ours for a call that failed */
#endif

#define STATUS_TEXT_UNITS 64 /* UTF-16 units of a text and its end; longer ones are cut */

struct status {
    DWORD id;    /* FS_* */
    DWORD page;  /* counted from 1, 0 = unknown */
    DWORD error; /* Win32 error, NO_ERROR while running and after success */
    WCHAR csi[STATUS_TEXT_UNITS];
    WCHAR caller_id[STATUS_TEXT_UNITS];
    WCHAR routing[STATUS_TEXT_UNITS];
};

/* Put UTF-8 into one of the texts. NULL reads as "". */
void status_set_text(WCHAR text[STATUS_TEXT_UNITS], const char *utf8);

/* Octets that status_fill will use. */
DWORD status_size(const struct status *status);

/* Lay the status out in a block of at least status_size() octets; empty texts become NULL pointers. */
void status_fill(FAX_DEV_STATUS *to, const struct status *status);

/* The FS_* code for an outcome word of the API ("success", "busy", ...); FS_FATAL_ERROR for NULL and for words that
 * have none of their own. */
DWORD status_from_outcome(const char *outcome);

/* True for a code that ends a call. */
bool status_is_final(DWORD id);

#endif
