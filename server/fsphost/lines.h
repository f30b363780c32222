/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lines of the provider as the I/O thread sees them: what each is doing, the jobs that faxd has not acknowledged,
 * and what orders, packets, reports and time do to them.
 *
 * lines.c has the table, the packets and the reports, lines_job.c the life of a job, lines_ring.c that of a ring,
 * lines_state.c what the provider says of its trunks.
 *
 * Thread: the I/O thread.
 */
#ifndef FAXD_FSPHOST_LINES_H
#define FAXD_FSPHOST_LINES_H

#include "server/fsphost/control.h"
#include "server/fsphost/fault.h"
#include "server/fsphost/job.h"
#include "server/fsphost/peer.h"
#include "server/fsphost/port.h"
#include "server/fsphost/provider.h"
#include "server/fsphost/report.h"
#include "server/fsphost/worker.h"

#include <stdbool.h>
#include <stdint.h>

#define LINES_RING_KEPT_MS   10000 /* a ring waits so long for faxd, and for its answer before the FSP may ring again */
#define LINES_ABORT_AGAIN_MS 3000  /* an abort that came between StartJob and Send may not have been heard */
#define LINES_STATE_EVERY_MS 100   /* an FSP that says all the time that its state has changed is asked so often */
#define LINES_JOBS_HELD_MAX  65536 /* ended and not acknowledged */

enum line_ring {
    LINE_RING_NONE,
    LINE_RING_ASKED, /* FaxdRingInfo is under way */
    LINE_RING_KEPT,  /* faxd is away */
    LINE_RING_TOLD   /* LINK_RING is out */
};

struct line {
    struct worker *worker;
    unsigned rights; /* CONTROL_MAY_* */
    bool lost;
    bool rejecting;   /* a rejection is with the control thread */
    uint32_t run;     /* of the last job; counts up, part of the completion key */
    struct job *job;  /* running, owned by the list of jobs */
    int64_t abort_at; /* monotonic ms of the first abort of `job`, 0 = none */
    bool abort_again; /* it was repeated */
    enum line_ring ring;
    int64_t ring_at; /* monotonic ms */
    char *ring_info; /* JSON or NULL, while kept */
};

struct lines {
    struct provider *provider;
    struct peer *peer;
    struct control *control;
    struct report_box *box;
    int64_t abort_grace_ms;
    struct line *line;
    uint32_t count;
    struct job *jobs; /* held: running, or ended and not acknowledged */
    unsigned held;
    unsigned running; /* jobs on lines that are not lost */
    unsigned busy;    /* lines with a timer: an abort, a ring, a rejection */
    bool closed;      /* no new jobs, no rings */
    bool notice_due;
    bool notice_out;
    char *state;       /* newest JSON of FaxdProviderAsk about trunks, or NULL */
    bool state_untold; /* faxd has not been sent it */
    bool state_due;    /* the FSP says that it has changed */
    bool state_out;    /* the FSP is being asked */
    int64_t state_at;  /* monotonic ms of the last question */
    struct port_batch batch;
    struct fault_limit faults;
};

/* Set up one line for each device of `provider`, rights as its settings say, tell the FSP (the notice round after
 * FaxDevInitialize), and ask it for the state of its trunks, on the calling thread. The caller sets `peer` before
 * anything else, and clears `*lines`. */
void lines_init(struct lines *lines, struct provider *provider, struct control *control, struct report_box *box,
                int64_t abort_grace_ms);

/* Stop the workers and free; false when a lost line keeps its thread (then nothing of it is freed). */
bool lines_clear(struct lines *lines);

/* --- orders --- */

/* LINK_SEND, LINK_RECEIVE: takes `journal` over. */
void lines_order_job(struct lines *lines, const struct link_message *order, int journal);
void lines_order_reject(struct lines *lines, const struct link_message *order);
void lines_order_abort(struct lines *lines, const struct link_message *order);
void lines_order_report(struct lines *lines, const struct link_message *order);
void lines_order_enable(struct lines *lines, const struct link_message *order);
void lines_order_test(struct lines *lines, const struct link_message *order);

/* faxd has committed all events up to `number`: ended jobs up to there are forgotten. */
void lines_acknowledged(struct lines *lines, uint64_t number);

/* Answer LINK_DEVICE and LINK_JOB for all that there are, and LINK_STATE. */
void lines_greet(struct lines *lines);

/* faxd is there: tell it of the rings that were kept. */
void lines_greeted(struct lines *lines);

/* --- from the FSP --- */

/* Reports, then packets; a job's packets go out before its end. */
void lines_work(struct lines *lines);

/* --- time --- */

/* Do what is due at `now_ms` (monotonic); when to look again, INT64_MAX for never. */
int64_t lines_tick(struct lines *lines, int64_t now_ms);

/* No new jobs or rings from now on, and the FSP is told so; with `abort` running jobs are aborted. */
void lines_close(struct lines *lines, bool abort);

/* Tell the FSP of the rights, if they have changed since. */
void lines_notice(struct lines *lines);

/* Ask the FSP for its state and tell faxd of it, each if it is time. When to look again, INT64_MAX for never. */
int64_t lines_state(struct lines *lines, int64_t now_ms);

/* --- between the files of lines --- */

void lines_fault(struct lines *lines, uint32_t line, const char *text);

/* The held job of an attempt, or NULL. */
struct job *lines_job(const struct lines *lines, uint64_t id);

/* One job's LINK_STATUS; texts of `status` are borrowed. */
void lines_say_status(struct lines *lines, const struct job *job, const struct packet_status *status);

void lines_job_ended(struct lines *lines, struct job *job);
void lines_job_tick(struct lines *lines, uint32_t index, int64_t now_ms, int64_t *look_at);
void lines_abort(struct lines *lines, uint32_t index);

void lines_ring(struct lines *lines, uint32_t index);
void lines_ring_info(struct lines *lines, const struct control_call *call);
void lines_ring_tick(struct lines *lines, uint32_t index, int64_t now_ms, int64_t *look_at);
void lines_ring_clear(struct lines *lines, struct line *line);

void lines_state_init(struct lines *lines);
void lines_state_greet(struct lines *lines);
void lines_state_answered(struct lines *lines, const struct control_call *call);

#endif
