/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What may still be changed about a fax that waits for its call.
 *
 * Thread: loop.
 */
#ifndef FAXD_SPOOL_FAX_CHANGE_H
#define FAXD_SPOOL_FAX_CHANGE_H

#include "spool/fax.h"

#include <jansson.h>

struct spool;

/* What is not set stays. Texts are borrowed. */
struct fax_change {
    bool set_not_before, set_priority, set_tags, set_client_reference, set_expires_at, set_max_attempts;
    int64_t not_before; /* 0, or past = as soon as possible */
    int64_t expires_at; /* 0 = never */
    int max_attempts;   /* 1..50 */
    enum fax_priority priority;
    const json_t *tags;           /* array of texts */
    const char *client_reference; /* NULL or "" = none */
};

/* `fax` is as read in this turn, and follows. A queued fax whose time is moved ahead becomes scheduled; one that waits
 * for its time, also for that of its next call, becomes queued when that is now. 0; ERR_CONFLICT (it is in a call, has
 * ended, or was received; the message says which); ERR_INVALID (not_before does not lie before its expires_at). Event
 * fax.changed, with the names of what was set. */
int fax_change(struct spool *spool, struct fax *fax, const struct fax_change *change);

#endif
