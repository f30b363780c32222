/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is the audit log what was written? Every entry is hashed again, on the reader thread, in slices between which others
 * get their turn.
 *
 * What the chain cannot show is that its end is missing while faxd does not run; whoever wants to know that compares
 * the head with one that was noted elsewhere (the log says it at start and stop).
 *
 * Thread: loop.
 */
#ifndef FAXD_SPOOL_AUDIT_VERIFY_H
#define FAXD_SPOOL_AUDIT_VERIFY_H

#include "spool/audit.h"

#include <stdint.h>

#define AUDIT_VERIFY_MAX 4 /* at the same time */

struct audit_verification;

enum audit_fault {
    AUDIT_FAULT_NONE,
    AUDIT_FAULT_CHANGED, /* its hash does not fit what it says and the one before it */
    AUDIT_FAULT_MISSING, /* the entry of this number is not there */
    AUDIT_FAULT_ADDED    /* it stands before the first */
};

struct audit_result {
    int64_t entries;        /* that were looked at and are right, counted from the first */
    struct audit_head head; /* the last entry that the server wrote before it began */
    enum audit_fault fault;
    int64_t broken; /* number of the first entry that is not right, 0 = none */
};

const char *audit_fault_name(enum audit_fault fault); /* "changed", "missing", "added" */

/* Begin. 0, or ERR_AGAIN (too many under way), ERR_FULL. Unless canceled, `done` is called once (from within when
 * the spool has no event base): `error` is 0 or that of the store. `*out` is valid until then. */
int audit_verify_start(struct audit_verification **out, struct spool *spool,
                       void (*done)(void *context, int error, const struct audit_result *result), void *context);

/* The result is not wanted any more: `done` will not be called. */
void audit_verify_cancel(struct audit_verification *verification);

#endif
