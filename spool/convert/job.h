/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A job of the converter: which operation, with what options, and its result, all JSON. spool/converter.h lists them.
 *
 * Thread: any.
 */
#ifndef FAXD_CONVERT_JOB_H
#define FAXD_CONVERT_JOB_H

#include <jansson.h>
#include <stdint.h>

#include "server/base/sandbox.h"
#include "spool/convert/prepare.h"

enum job_op { JOB_PREPARE, JOB_CUT, JOB_VERIFY, JOB_PNG, JOB_PDF, JOB_INFO };

struct job {
    enum job_op op;
    struct prepare_options prepare;
    int first;         /* cut */
    bool repeat_first; /* cut: page 1 stands before it */
    int pages_max;     /* verify; -1 = all */
    int page;          /* png */
    uint32_t width;    /* png; 0 = that of the page */
    struct sandbox_limits limits;
    unsigned wall_s; /* the child ends itself after this, if nobody ended it before */
};

/* Read a job: 0, or ERR_INVALID with a message that names the key and the fix. Keys not given get their defaults,
 * unknown ones are refused. */
int job_parse(struct job *job, const json_t *json);

/* Do it: `input` is read by pread, `output` (empty, seekable) is written. The result, a new reference: an object, never
 * NULL; with "error" and "message" when it failed. */
json_t *job_run(const struct job *job, int input, int output);

/* The result of a failure that job_run could not report itself. `code` is one of the err codes. New reference. */
json_t *job_failure(int code, const char *message);

#endif
