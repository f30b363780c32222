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
#include "spool/convert/compose.h"
#include "spool/convert/header.h"

enum job_op {
    JOB_PREPARE,
    JOB_COMPOSE,
    JOB_CUT,
    JOB_VERIFY,
    JOB_PNG,
    JOB_PDF,
    JOB_INFO,
    JOB_MEASURE,
    JOB_EXTERNAL,
    JOB_RECEIPT
};

struct job {
    enum job_op op;
    struct compose_options compose; /* compose; its page options are those of prepare */
    int first;                      /* cut */
    bool repeat_first;              /* cut: page 1 stands before it */
    bool has_header;                /* cut */
    struct header header;
    int pages_max;  /* verify; -1 = all */
    int page;       /* png */
    uint32_t width; /* png; 0 = that of the page */
    json_t *argv;   /* external */
    char *folder;   /* external */
    json_t *sheet;  /* receipt: what receipt.h draws; its paper is that of prepare */
    struct sandbox_limits limits;
    unsigned wall_s; /* the child ends itself after this, if nobody ended it before */
};

/* Read a job: 0, or ERR_INVALID with a message that names the key and the fix. Keys not given get their defaults,
 * unknown ones are refused. The caller clears with job_clear, also after an error. */
int job_parse(struct job *job, const json_t *json);

void job_clear(struct job *job);

/* Do it: the `count` inputs (compose takes several) are read by pread, `output` (empty, seekable) is written. The
 * result, a new reference: an object, never NULL; with "error" and "message" when it failed. */
json_t *job_run(const struct job *job, const int *inputs, int count, int output);

/* The result of a failure that job_run could not report itself. `code` is one of the err codes. New reference. */
json_t *job_failure(int code, const char *message);

#endif
