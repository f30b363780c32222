/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A line's thread: it takes one job at a time from its mailbox and makes the FSP's calls for it, in the order
 * FaxDevStartJob, FaxdJobOptions, FaxDevSend or FaxDevReceive, FaxdCallRecord, FaxDevReportStatus, FaxDevEndJob.
 *
 * Abort and status of a running operation come from control threads through worker_abort and worker_report. They never
 * overlap one another nor anything after the operation has returned: the worker waits for them first.
 */
#ifndef FAXD_FSPHOST_WORKER_H
#define FAXD_FSPHOST_WORKER_H

#include "server/fsphost/job.h"
#include "server/fsphost/provider.h"
#include "server/fsphost/report.h"

#include <stdbool.h>
#include <stdint.h>

struct worker;

/* A worker for device `index`; no thread yet. Never NULL. `provider` and `box` must outlive it. Thread: I/O. */
struct worker *worker_new(const struct provider *provider, uint32_t index, struct report_box *box);

/* Give it a job; there must be none on it. The thread is started with the first one. The job comes back as a report
 * when the operation has ended. 0, or ERR_IO when no thread can be started (the job stays the caller's). Thread: I/O.
 */
int worker_give(struct worker *worker, struct job *job);

/* From now on the job is to end: an operation that has not begun will not begin. Never blocks. Thread: I/O. */
void worker_cancel(struct worker *worker);

/* FaxDevAbortOperation, or FaxDevReportStatus, for the operation of job `id`. 0; ERR_NOT_FOUND when that operation does
 * not run; ERR_AGAIN when another such call has not returned yet; ERR_IO when the FSP returned FALSE. `*status` is the
 * caller's to clear. Thread: control. */
int worker_abort(struct worker *worker, uint64_t id);
int worker_report(struct packet_status *status, struct worker *worker, uint64_t id);

/* End the thread and free the worker; it must be idle. NULL is fine. Thread: I/O. */
void worker_free(struct worker *worker);

#endif
