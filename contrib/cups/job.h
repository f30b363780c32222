/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One job of CUPS as a fax: what is asked for it, and what becomes of it.
 *
 * Messages go to standard error in the form that cupsd reads; `enum job_end` is what a backend exits with.
 *
 * Thread: one.
 */
#ifndef FAXD_CUPS_JOB_H
#define FAXD_CUPS_JOB_H

#include <jansson.h>
#include <stdbool.h>

struct client;

/* Exit statuses of backends (backend(7) of CUPS). */
enum job_end {
    JOB_DONE = 0,
    JOB_STOP = 4,   /* the queue is stopped: its administrator has to do something */
    JOB_CANCEL = 5, /* the job will never be printed */
    JOB_RETRY = 7 /* again at once, and as often as it takes: a status that has the job tried later counts the tries */
};

struct job {
    const char *printer, *id, *user, *title;
    json_t *options, *query; /* words.h */
    char **paths;            /* of the documents, which can be opened again and again */
    int path_count;
};

/* Send it; with `wait` of the URI, until it has ended. */
enum job_end job_send(const struct job *job, struct client *client);

/* Before JOB_RETRY: cupsd makes no pause. It is as long as `retry` of the URI says, and over when the job is canceled.
 */
void job_pause(const struct job *job);

/* "ERROR: " and such, one line. */
void job_say(const char *kind, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* To be called when the job is canceled, from a signal handler too. */
void job_cancel(void);

#endif
