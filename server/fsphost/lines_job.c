/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The life of a job as the I/O thread sees it: order, worker, end, acknowledgement; and what happens to one that does
 * not heed its abort.
 */
#include "server/fsphost/lines.h"

#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"

#include <unistd.h>

struct job *lines_job(const struct lines *lines, uint64_t id)
{
    struct job *job = lines->jobs;
    while (job && job->id != id)
        job = job->next;
    return job;
}

static void job_hold(struct lines *lines, struct job *job)
{
    job->next = lines->jobs;
    lines->jobs = job;
    lines->held++;
}

static void job_say_ended(struct lines *lines, struct job *job)
{
    struct link_message message;
    job_ended_message(&message, job, lines->provider->fsp.call_record != NULL);
    job->ended = true;
    job->ended_event = peer_event(lines->peer, &message);
}

/* Why a line takes no job now, or NULL. */
static const char *line_refuses(const struct lines *lines, const struct link_message *order)
{
    const struct line *line = &lines->line[order->line];
    unsigned right = order->type == LINK_SEND ? CONTROL_MAY_SEND : CONTROL_MAY_RECEIVE;
    if (lines->closed)
        return "the host is leaving";
    if (line->lost)
        return "the line is lost";
    if (line->job || line->rejecting)
        return "the line is busy";
    if (!(line->rights & right))
        return "the line is not enabled for that";
    return NULL;
}

/* A job that nothing was tried for; faxd hears of it in the same way as of any other end. */
static void job_refuse(struct lines *lines, const struct link_message *order, const char *why)
{
    struct job *job = xcalloc(1, sizeof(*job));
    job->report.kind = REPORT_JOB;
    job->id = order->job;
    job->line = order->line;
    job->journal = -1;
    job->result.outcome = (struct outcome){LINK_RESULT_NOT_STARTED, LINK_OUTCOME_LINE_UNAVAILABLE};
    log_info("job not started: %s job=%llu line=%u", why, (unsigned long long)order->job, order->line);
    job_hold(lines, job);
    job_say_ended(lines, job);
}

void lines_order_job(struct lines *lines, const struct link_message *order, int journal)
{
    struct job *job = NULL;
    const char *why = NULL;
    if (lines_job(lines, order->job) || lines->held >= LINES_JOBS_HELD_MAX) {
        log_info("order repeated or too many jobs held: ignored job=%llu", (unsigned long long)order->job);
        goto out;
    }
    why = order->line < lines->count ? line_refuses(lines, order) : "there is no such line";
    if (!why) {
        why = job_new(&job, order, journal) ? err_message() : NULL;
        journal = -1;
    }
    if (why) {
        job_refuse(lines, order, why);
        goto out;
    }
    struct line *line = &lines->line[order->line];
    job->run = line->run = (line->run + 1) & 0x7FFFu;
    lines_ring_clear(lines, line);
    if (worker_give(line->worker, job)) {
        log_error("%s", err_message());
        job_refuse(lines, order, err_message());
        job_free(job);
        goto out;
    }
    line->job = job;
    lines->running++;
    job_hold(lines, job);
    log_info("%s job=%llu line=%u", job->receive ? "receiving" : "sending", (unsigned long long)job->id, job->line);
out:
    if (journal >= 0)
        close(journal);
}

void lines_job_ended(struct lines *lines, struct job *job)
{
    struct line *line = &lines->line[job->line];
    log_info("operation ended: status=%#x result=%d outcome=%d job=%llu line=%u", job->result.status.status,
             (int)job->result.outcome.result, (int)job->result.outcome.word, (unsigned long long)job->id, job->line);
    line->job = NULL;
    if (line->abort_at)
        lines->busy--;
    line->abort_at = 0;
    line->abort_again = false;
    if (!line->lost)
        lines->running--;
    job_say_ended(lines, job);
}

void lines_acknowledged(struct lines *lines, uint64_t number)
{
    for (struct job **link = &lines->jobs; *link;) {
        struct job *job = *link;
        if (job->ended && job->ended_event <= number) {
            *link = job->next;
            lines->held--;
            job_free(job);
        } else {
            link = &job->next;
        }
    }
}

/* --- abort --- */

static void abort_give(struct lines *lines, uint32_t index)
{
    struct control_call *call = control_call_new(CONTROL_ABORT, index);
    call->worker = lines->line[index].worker;
    call->job = lines->line[index].job->id;
    control_give(lines->control, call);
}

void lines_abort(struct lines *lines, uint32_t index)
{
    struct line *line = &lines->line[index];
    if (!line->job || line->abort_at)
        return;
    log_info("aborting job=%llu line=%u", (unsigned long long)line->job->id, index);
    line->abort_at = clock_mono_ms();
    lines->busy++;
    worker_cancel(line->worker);
    abort_give(lines, index);
}

void lines_order_abort(struct lines *lines, const struct link_message *order)
{
    const struct job *job = lines_job(lines, order->job);
    if (job && !job->ended)
        lines_abort(lines, job->line);
}

void lines_order_report(struct lines *lines, const struct link_message *order)
{
    const struct job *job = lines_job(lines, order->job);
    if (!job || job->ended)
        return;
    struct control_call *call = control_call_new(CONTROL_REPORT, job->line);
    call->worker = lines->line[job->line].worker;
    call->job = job->id;
    control_give(lines->control, call);
}

static void line_lose(struct lines *lines, uint32_t index)
{
    struct line *line = &lines->line[index];
    line->lost = true;
    lines->running--;
    log_error("the operation ignores its abort, the line is lost job=%llu line=%u", (unsigned long long)line->job->id,
              index);
    peer_event(lines->peer, &(struct link_message){
                                .type = LINK_FAULT,
                                .line = index,
                                .job = line->job->id,
                                .flags = LINK_FLAG_LOST,
                                .text = "the operation ignores its abort",
                            });
}

static void earlier(int64_t *look_at, int64_t due)
{
    if (due < *look_at)
        *look_at = due;
}

void lines_job_tick(struct lines *lines, uint32_t index, int64_t now_ms, int64_t *look_at)
{
    struct line *line = &lines->line[index];
    if (!line->abort_at || line->lost)
        return;
    int64_t lost_at = line->abort_at + lines->abort_grace_ms;
    int64_t again_at = line->abort_at + LINES_ABORT_AGAIN_MS;
    if (again_at > line->abort_at + lines->abort_grace_ms / 2)
        again_at = line->abort_at + lines->abort_grace_ms / 2;
    if (now_ms >= lost_at) {
        line_lose(lines, index);
        return;
    }
    if (!line->abort_again && now_ms >= again_at) {
        line->abort_again = true;
        abort_give(lines, index);
    }
    earlier(look_at, line->abort_again ? lost_at : again_at);
}
