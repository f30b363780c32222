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
    json_t *audio;          /* "audio" of the engine's job; borrowed */
    int media;              /* closed by call_run */
};

/* Run the call to its end. The outcome is in the job's record and has been posted; the result is that of the operation.
 */
BOOL call_run(struct job *job, const struct call_plan *plan, struct call_files *files);

#endif
