/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A fax call on a media path that an FSP has found: its files opened, the engine started on it, progress said to the
 * host, the record kept. The same for every carrier.
 *
 * Thread: the job's.
 */
#ifndef FAXD_PLUGINS_COMMON_CALL_H
#define FAXD_PLUGINS_COMMON_CALL_H

#include "plugins/common/engine.h"
#include "plugins/common/job.h"

#define CALL_FILES_MAX (1 + OPTIONS_RENDITIONS_MAX)

/* The documents of a call, open. Zero-initialise; close with call_close_files. */
struct call_files {
    int fds[CALL_FILES_MAX];
    int count;
    int pages;     /* of the document to send, 0 when receiving */
    json_t *facts; /* "files" of the engine's job; NULL when receiving */
};

/* Open what is to be sent: `file`, then the renditions of the job's options that are other files. 0, or an err code. */
int call_open_files(struct call_files *files, struct job *job, const char *file);

/* Open the file to fill: it exists (fsp-abi 1.4 FaxDevReceive) and is not created here. */
int call_open_receive(struct call_files *files, const char *file);
void call_close_files(struct call_files *files);

struct call_plan {
    struct engine *engine;
    bool sends;             /* and calls; else answers and receives */
    const char *station_id; /* when the options name none */
    json_t *audio;          /* "audio" of the engine's job, for a stream; borrowed */
    int media;              /* closed by call_run */
    int rtcp;               /* closed by call_run; -1 = none */
    const json_t *path;     /* "path" of the engine's job, for datagrams; borrowed, else NULL */
    const json_t *modem;    /* "modem" of the engine's job, for a serial line; borrowed, else NULL: with neither, media
                             * is a stream */
    /* Each may be NULL, and is called on the job's thread. */
    void (*on_event)(void *context, const json_t *event); /* "tone" or "trained" */
    /* The running call, right after its start; then NULL, after which it is freed. Not called when it did not start. */
    void (*on_engine)(void *context, struct engine_call *call);
    /* The record, just before the call's end is said: keys may be added and "outcome" (absent when the engine died) be
     * changed. Once in any case. */
    void (*on_record)(void *context, json_t *record);
    void *context;
};

/* Run the call to its end. The outcome is in the job's record and has been posted; the result is that of the operation.
 * An order by engine_command ends it as the engine sees fit; job_abort ends it soon. */
BOOL call_run(struct job *job, const struct call_plan *plan, struct call_files *files);

#endif
