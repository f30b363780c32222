/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One attempt: the order as faxd gave it, and how the operation ended.
 *
 * Thread: the order is written by the I/O thread before the job goes to a worker, and is constant from then on; the
 * result is the worker's until the job comes back as a report. `next`, `ended` and what follows are the I/O thread's.
 */
#ifndef FAXD_FSPHOST_JOB_H
#define FAXD_FSPHOST_JOB_H

#include "server/fsphost/outcome.h"
#include "server/fsphost/packet.h"
#include "server/fsphost/report.h"
#include "server/link/link.h"

#include <stdbool.h>
#include <stdint.h>

struct job_result {
    struct packet_status status; /* of FaxDevReportStatus */
    struct outcome outcome;
    DWORD error;    /* last error of the call that failed, 0 when none did */
    char *record;   /* JSON of FaxdCallRecord or NULL */
    char *own_name; /* receive: what the FSP filled into FAX_RECEIVE, or NULL */
    char *own_number;
};

struct job {
    struct report report; /* REPORT_JOB */
    uint64_t id;
    uint32_t line;
    uint32_t run; /* of the line; part of the completion key */
    bool receive;
    int journal;                                                            /* open until FaxDevEndJob, or -1 */
    uint64_t ring;                                                          /* the event that a receive answers */
    char *file, *destination, *caller_name, *caller_number, *receiver_name; /* never NULL */
    char *options;                                                          /* JSON object or NULL */

    struct job_result result;

    struct job *next;
    bool ended;
    uint64_t ended_event; /* number of its LINK_ENDED */
};

/* A job from an order; takes `journal` over. 0, or ERR_INVALID with a message (then `journal` is closed): no path, one
 * that is not absolute or does not fit into a FAX_RECEIVE, no destination, options that are no JSON object. */
int job_new(struct job **out, const struct link_message *order, int journal);

/* Closes the journal if it is still open. NULL is fine. */
void job_free(struct job *job);

void job_close_journal(struct job *job);

/* The text for FaxdJobOptions: the options with "journal_fd" and "ring" added; the caller's to free. */
char *job_options_text(const struct job *job);

/* The LINK_ENDED message of a job whose result is set, without number; texts are borrowed from it. `has_record` tells
 * whether the FSP can give call records at all. */
void job_ended_message(struct link_message *message, const struct job *job, bool has_record);

#endif
