/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control thread: calls into the FSP that must not wait for a line's operation, one after another. Each has 5 s;
 * when one does not return in time, its thread is given up and a second one takes over the queue (fsp-abi 3.8).
 *
 * Thread: the I/O thread, for everything here.
 */
#ifndef FAXD_FSPHOST_CONTROL_H
#define FAXD_FSPHOST_CONTROL_H

#include "server/fsphost/packet.h"
#include "server/fsphost/provider.h"
#include "server/fsphost/report.h"
#include "server/fsphost/worker.h"

#include <stdbool.h>
#include <stdint.h>

#define CONTROL_PATIENCE_MS 5000

enum control_kind {
    CONTROL_ABORT,     /* FaxDevAbortOperation of `job` */
    CONTROL_REPORT,    /* FaxDevReportStatus of `job`: fills `status` */
    CONTROL_RING_INFO, /* FaxdRingInfo of `line`: fills `text` */
    CONTROL_REJECT,    /* FaxDevStartJob, FaxDevAbortOperation, FaxDevEndJob on `line` with `run` */
    CONTROL_NOTICE,    /* one line callback for each device: `rights` */
    CONTROL_STATE,     /* FaxdProviderAsk with `question`: fills `text` */
    CONTROL_TEST       /* the same, for the probe of a trunk */
};

/* A line's rights in a notice. */
#define CONTROL_MAY_RECEIVE 1u
#define CONTROL_MAY_SEND    2u

/* One call; comes back as a report when it was made, whatever it gave. */
struct control_call {
    struct report report; /* REPORT_CONTROL */
    enum control_kind kind;
    uint32_t line;
    uint32_t run;
    uint64_t job;
    uint64_t ring;
    struct worker *worker; /* abort and report */
    uint8_t *rights;       /* notice: CONTROL_MAY_* for each device */
    char *question;        /* JSON */
    int64_t asked_at;
    /* results */
    int result; /* 0 or an err code */
    struct packet_status status;
    char *text;
    struct control_call *next;
};

struct control;

/* A zeroed call, freed with control_call_free (NULL is fine). */
struct control_call *control_call_new(enum control_kind kind, uint32_t line);
void control_call_free(struct control_call *call);

/* Start the first thread. 0 or ERR_IO. `provider` and `box` must outlive the process: a thread that was given up may
 * come back to them at any time. */
int control_start(struct control **out, const struct provider *provider, struct report_box *box);

/* Queue a call; takes it over. */
void control_give(struct control *control, struct control_call *call);

/* When the running call is overdue at `now_ms`, let another thread take over. Returns when to look again (monotonic
 * ms), or INT64_MAX while nothing runs. */
int64_t control_check(struct control *control, int64_t now_ms);

/* True when a thread was given up and has not come back. */
bool control_is_hung(struct control *control);

/* Drop what is queued, and end the thread. Waits for the call that runs, CONTROL_PATIENCE_MS at most: false when it did
 * not return (then nothing is freed, and the process must leave by _exit). */
bool control_stop(struct control *control);

#endif
