/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way from a line to the far end: what differs between our fax plug-ins that hand their calls to an engine. The
 * rest of the plug-in interface is the same for all of them (fsp.c).
 *
 * Thread: `take`, `release`, `send` and `receive` the line's worker; `cancel`, `ring_info` and `ask` any; `enable` any.
 */
#ifndef FAXD_PLUGINS_COMMON_CARRIER_H
#define FAXD_PLUGINS_COMMON_CARRIER_H

#include "plugins/common/call.h"
#include "plugins/common/job.h"

#include <jansson.h>
#include <stdbool.h>

struct carrier {
    void *self; /* first argument of all that follow */
    void (*close)(void *self);
    /* The host has said all that it says at start: calls may come. May be NULL. */
    void (*start)(void *self);
    /* May the line receive, may it send? */
    void (*enable)(void *self, int line, bool receive, bool send);
    /* A job begins on the line: false when it has one. */
    bool (*take)(void *self, int line);
    /* It ends. A call that rang and was neither answered nor overtaken is rejected if the line was cancelled. */
    void (*release)(void *self, int line);
    /* Call `number`, send `files` and say how it ended (job_finish), which is the result. `station_id` may be "". */
    BOOL (*send)(void *self, struct job *job, struct call_files *files, const char *number, const char *station_id);
    /* Answer the call that rings, receive into `files`; as above. */
    BOOL (*receive)(void *self, struct job *job, struct call_files *files);
    /* Wake `send` or `receive` of the line: they fail until the release. Returns at once. */
    void (*cancel)(void *self, int line);
    /* Who rings the line, as FaxdRingInfo has it; a new object. */
    json_t *(*ring_info)(void *self, int line);
    /* What the line calls itself when nobody says; borrowed. */
    const char *(*station_id)(void *self, int line);
    /* FaxdProviderAsk: a new object, NULL for what is not known. May be NULL. */
    json_t *(*ask)(void *self, const json_t *question);
};

#endif
