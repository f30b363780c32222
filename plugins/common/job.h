/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The life of a FaxHandle: what FaxDevStartJob makes and FaxDevEndJob frees. It holds how far the call has got and
 * posts each change as a packet, takes the abort and wakes whoever waits, and gathers the call record.
 *
 * Thread: job_report and job_abort any, all else the job's thread. The host never lets them overlap job_end.
 */
#ifndef FAXD_PLUGINS_COMMON_JOB_H
#define FAXD_PLUGINS_COMMON_JOB_H

#include "plugins/common/options.h"
#include "plugins/common/provider.h"
#include "plugins/common/status.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct job;

/* FaxDevStartJob: `*handle` is the new job on `line`, at FS_INITIALIZING; packets go to `port` with `key`. FALSE and
 * ERROR_INVALID_PARAMETER or ERROR_NOT_ENOUGH_MEMORY. */
BOOL job_start(PHANDLE handle, struct provider *provider, int line, HANDLE port, ULONG_PTR key);

/* The job behind a handle, or NULL and ERROR_INVALID_HANDLE. Borrowed. */
struct job *job_of(HANDLE handle);

/* FaxDevEndJob: frees all. */
void job_end(struct job *job);

int job_line(const struct job *job);
struct options *job_options(struct job *job);

/* Say how far the call has got; posted at once, in the order said. */
void job_say(struct job *job, DWORD id, DWORD page);

/* What is known of the far end; goes out with the next job_say. NULL reads as "". */
void job_set_station(struct job *job, const char *csi);
void job_set_caller(struct job *job, const char *caller_id, const char *routing);

/* Where the call stands now. */
DWORD job_status(struct job *job);

/* End of the operation: `outcome` (and `message`, unless NULL) go into the record where it has none yet, the final
 * packet is posted; TRUE when the outcome is "success", which is what the operation returns. */
BOOL job_finish(struct job *job, const char *outcome, const char *message);

/* FaxDevReportStatus (fsp-abi 1.4). */
BOOL job_report(struct job *job, FAX_DEV_STATUS *status, DWORD size, LPDWORD needed);

/* FaxDevAbortOperation: marks the job, wakes job_wait, calls what job_on_abort named. Returns at once. */
void job_abort(struct job *job);
bool job_is_aborted(struct job *job);

/* Call `wake(context)` when the abort comes; at once if it has come. It runs under the job's lock on the aborting
 * thread: it must be short and must not call the job. NULL ends that; after the return it runs no more. */
void job_on_abort(struct job *job, void (*wake)(void *context), void *context);

/* Wait `ms`, or until the abort: true when the time has passed without one. */
bool job_wait(struct job *job, int64_t ms);

/* The call record, to add keys to; replaced whole by job_set_record (takes the reference). */
json_t *job_record(struct job *job);
void job_set_record(struct job *job, json_t *record);

#endif
