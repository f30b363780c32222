/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The outbound story. On the route: the scheduler has claimed a fax and chosen a line -> outbound_start() writes the
 * attempt and orders the call -> the host's events come through here -> attempt_end() decides what is next.
 *
 * A call ends once, whatever tells of it: the host's last event, its death, or a cancel before the order. attempt_end()
 * refuses the second time. */
#include <config.h> /* in quotes it would be server/config.h */

#include "server/outbound.h"

#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/journal.h"
#include "server/base/log.h"
#include "server/call_file.h"
#include "server/host.h"
#include "server/verdict.h"
#include "spool/attempt.h"
#include "spool/converter.h"
#include "spool/document.h"
#include "spool/fax_state.h"
#include "spool/spool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct outbound {
    struct outbound_options options;
    bool stopping;
};

/* The line's job.work while its step is JOB_CUTTING. */
struct cut {
    struct outbound *outbound;
    struct converter_job *work;
    uint64_t job;
    char path[CALL_FILE_PATH_SIZE];
};

static void cut_cancel(struct line *line)
{
    struct cut *cut = line->job.work;

    converter_cancel(cut->work);
    free(cut);
    line->job.work = NULL;
}

int outbound_new(struct outbound **out, const struct outbound_options *options)
{
    *out = xcalloc(1, sizeof **out);
    (*out)->options = *options;
    return 0;
}

void outbound_free(struct outbound *outbound)
{
    if (outbound == NULL)
        return;
    for (int i = 0; i < line_count(outbound->options.lines); i++) {
        struct line *line = line_at(outbound->options.lines, i);

        if (line->job.id != 0 && line->job.direction == FAX_OUTBOUND && line->job.step == JOB_CUTTING)
            cut_cancel(line);
    }
    free(outbound);
}

/* --- the end of a call --- */

static int pages_in_file(const struct attempt *attempt, const struct fax *fax)
{
    return fax->pages_total - (attempt->first_page - 1) + (attempt->first_repeated ? 1 : 0);
}

/* Close the attempt by all that is known of its call. `ended` NULL: the provider died with it. */
static int decide(struct outbound *outbound, const struct attempt *attempt, const struct link_message *ended)
{
    struct spool *spool = outbound->options.spool;
    struct verdict_facts facts = {.ended = ended, .transmitting = attempt->transmitting};
    struct attempt_result result;
    struct fax fax = {0};
    char path[CALL_FILE_PATH_SIZE];
    json_t *record = NULL;
    int error = fax_get(&fax, spool, attempt->fax);

    if (error == 0)
        error = attempt_journal_path(path, sizeof path, spool, attempt->id);
    if (error == 0)
        error = journal_read(&facts.journal, path);
    if (error != 0)
        goto out;
    if (ended != NULL && ended->record != NULL)
        record = json_loads(ended->record, JSON_REJECT_DUPLICATES, NULL);
    facts.record = record;
    facts.pages_in_file = pages_in_file(attempt, &fax);
    verdict_send(&result, &facts);
    if (result.outcome == OUTCOME_ABORTED && outbound->stopping && fax.state != FAX_CANCELING) {
        result.outcome = OUTCOME_LINE_UNAVAILABLE;
        result.message = "The server was stopped in mid-call.";
    }
    error = attempt_end(NULL, spool, attempt->id, &result);
    if (error == ERR_CONFLICT)
        error = 0; /* it has ended already */
    if (error == 0)
        call_file_drop(spool, attempt->provider, attempt->id);
out:
    json_decref(record);
    fax_clear(&fax);
    return error;
}

/* End the call of a line. When the store fails, the attempt stays open, and the next start decides it by the journal.
 */
static void end_call(struct outbound *outbound, struct line *line, const struct link_message *ended)
{
    struct attempt attempt;
    int error = attempt_get(&attempt, outbound->options.spool, (int64_t)line->job.id);

    if (error == 0)
        error = decide(outbound, &attempt, ended);
    if (error != 0)
        log_error("call cannot be closed fax=%s line=%s: %s", line->job.fax_id, line->id, err_message());
    line_job_end(outbound->options.lines, line);
}

static void end_early(struct outbound *outbound, struct line *line, enum link_result result, enum link_outcome outcome)
{
    struct link_message ended = {.type = LINK_ENDED, .result = result, .outcome = outcome};

    end_call(outbound, line, &ended);
}

/* --- the order --- */

/* What waits for the commit. The line is looked up again then: the call may be over. */
struct order {
    struct outbound *outbound;
    uint64_t job;
    int journal;
    char *file, *destination, *station_id, *options;
};

static void order_free(struct order *order)
{
    if (order->journal >= 0)
        close(order->journal);
    free(order->file);
    free(order->destination);
    free(order->station_id);
    free(order->options);
    free(order);
}

static void send_order(void *context, int error)
{
    struct order *order = context;
    struct outbound *outbound = order->outbound;
    struct line *line = error == 0 ? line_by_job(outbound->options.lines, order->job) : NULL;
    struct link_message message = {.type = LINK_SEND,
                                   .job = order->job,
                                   .file = order->file,
                                   .destination = order->destination,
                                   .caller_number = order->station_id,
                                   .options = order->options};

    if (line != NULL) {
        message.line = (uint32_t)line->index;
        log_info("calling fax=%s line=%s to=%s attempt=%llu", line->job.fax_id, line->id, order->destination,
                 (unsigned long long)order->job);
        if (host_order(line->host, &message, order->journal) != 0) {
            log_warning("order not taken fax=%s line=%s: %s", line->job.fax_id, line->id, err_message());
            end_early(outbound, line, LINK_RESULT_NOT_STARTED, LINK_OUTCOME_LINE_UNAVAILABLE);
        }
    }
    order_free(order);
}

/* What of the request's options concerns the call, with the line's own where there are none. */
static json_t *call_options(const struct outbound *outbound, const struct line *line, const struct fax *fax)
{
    static const char *const passed[] = {"header",       "ecm",        "modems",   "max_rate_bps",
                                         "compressions", "subaddress", "password", "station_id"};
    json_t *asked = json_loads(fax->options, 0, NULL);
    json_t *options = json_object();

    if (line->station_id[0] != '\0')
        json_object_set_new(options, "station_id", json_string(line->station_id));
    for (unsigned i = 0; i < sizeof passed / sizeof passed[0]; i++) {
        json_t *value = json_object_get(asked, passed[i]);

        if (value != NULL && !json_is_null(value))
            json_object_set(options, passed[i], value);
    }
    if (outbound->options.call_limit_s > 0)
        json_object_set_new(options, "call_limit_s", json_integer(outbound->options.call_limit_s));
    json_decref(asked);
    return options;
}

static int order_after_commit(struct outbound *outbound, struct line *line, const struct fax *fax, const char *file)
{
    struct spool *spool = outbound->options.spool;
    struct order *order = xcalloc(1, sizeof *order);
    const char *station_id;
    json_t *options;

    order->outbound = outbound;
    order->job = line->job.id;
    order->journal = attempt_journal(spool, (int64_t)line->job.id);
    if (order->journal < 0) {
        int error = order->journal;

        order_free(order);
        return error;
    }
    options = call_options(outbound, line, fax);
    order->file = xstrdup(file);
    order->destination = xstrdup(fax->destination);
    station_id = json_string_value(json_object_get(options, "station_id"));
    order->station_id = xstrdup(station_id != NULL ? station_id : "");
    order->options = json_dumps(options, JSON_COMPACT);
    json_decref(options);
    line->job.step = JOB_ORDERED;
    spool_after_commit(spool, send_order, order);
    return 0;
}

/* --- the file --- */

static int order_cut_file(struct cut *cut, struct line *line)
{
    struct fax fax = {0};
    int error = fax_get(&fax, cut->outbound->options.spool, line->job.fax);

    if (error == 0)
        error = order_after_commit(cut->outbound, line, &fax, cut->path);
    fax_clear(&fax);
    return error;
}

static void on_cut(void *context, int error, json_t *result)
{
    struct cut *cut = context;
    struct line *line = line_by_job(cut->outbound->options.lines, cut->job);
    const char *fault = error == 0 ? json_string_value(json_object_get(result, "error")) : NULL;

    if (line != NULL) {
        line->job.work = NULL;
        if (fault != NULL)
            error = err_set(ERR_INVALID, "%s", fault);
        if (error == 0)
            error = order_cut_file(cut, line);
        if (error != 0) {
            log_error("remaining pages cannot be cut out fax=%s line=%s: %s", line->job.fax_id, line->id,
                      err_message());
            end_early(cut->outbound, line, LINK_RESULT_NOT_STARTED, LINK_OUTCOME_LINE_UNAVAILABLE);
        }
    }
    free(cut);
}

static int start_cut(struct outbound *outbound, struct line *line, const struct attempt *attempt, const struct fax *fax,
                     const char *path)
{
    struct cut *cut = xcalloc(1, sizeof *cut);
    json_t *job = json_pack("{s:s, s:i, s:b}", "op", "cut", "first", attempt->first_page, "repeat_first",
                            attempt->first_repeated);
    int input = document_open(outbound->options.spool, fax->document);
    int output = input < 0 ? input : call_file_create(path);
    int error = output < 0 ? output : 0;

    cut->outbound = outbound;
    cut->job = line->job.id;
    snprintf(cut->path, sizeof cut->path, "%s", path);
    if (error == 0)
        error = converter_run(&cut->work, outbound->options.converter, job, &input, 1, output, on_cut, cut);
    if (error == 0) {
        line->job.step = JOB_CUTTING;
        line->job.work = cut;
    } else {
        free(cut);
    }
    if (input >= 0)
        close(input);
    if (output >= 0)
        close(output);
    json_decref(job);
    return error;
}

/* --- begin --- */

int outbound_start(struct outbound *outbound, struct line *line, struct fax *fax)
{
    struct spool *spool = outbound->options.spool;
    char path[CALL_FILE_PATH_SIZE];
    struct attempt attempt;
    int error = attempt_begin(&attempt, spool, fax, line->provider, line->name, line->index);

    if (error == 0)
        error = attempt_set_run(spool, attempt.id, host_run(line->host));
    if (error != 0)
        return error;
    line_job_begin(outbound->options.lines, line, &attempt, fax);
    error = call_file_path(path, spool, line->provider, CALL_FILE_SEND, attempt.id);
    if (error == 0 && attempt.first_page > 1)
        error = start_cut(outbound, line, &attempt, fax, path);
    else if (error == 0 && (error = document_place(spool, fax->document, path)) == 0)
        error = order_after_commit(outbound, line, fax, path);
    if (error != 0) {
        log_error("call cannot be prepared fax=%s line=%s: %s", fax->public_id, line->id, err_message());
        end_early(outbound, line, LINK_RESULT_NOT_STARTED, LINK_OUTCOME_LINE_UNAVAILABLE);
    }
    return 0;
}

void outbound_ended(struct outbound *outbound, struct line *line, const struct link_message *ended)
{
    end_call(outbound, line, ended);
}

/* --- death and cancel --- */

void outbound_lost(struct outbound *outbound, struct line *line)
{
    if (line->job.step == JOB_CUTTING)
        cut_cancel(line);
    line_job_end(outbound->options.lines, line);
}

int outbound_decide(struct outbound *outbound, const struct attempt *attempt, bool ordered)
{
    struct link_message never = {
        .type = LINK_ENDED, .result = LINK_RESULT_NOT_STARTED, .outcome = LINK_OUTCOME_LINE_UNAVAILABLE};

    return decide(outbound, attempt, ordered ? NULL : &never);
}

void outbound_stopping(struct outbound *outbound)
{
    outbound->stopping = true;
}

static void cancel_call(void *context, int64_t fax, int64_t attempt)
{
    struct outbound *outbound = context;
    struct line *line = line_by_job(outbound->options.lines, (uint64_t)attempt);
    struct link_message abort = {.type = LINK_ABORT, .job = (uint64_t)attempt};

    if (line == NULL || line->job.fax != fax || line->job.abort_sent)
        return; /* being decided, or asked already */
    if (line->job.step == JOB_CUTTING) {
        cut_cancel(line);
        end_early(outbound, line, LINK_RESULT_FAILED, LINK_OUTCOME_ABORTED);
        return;
    }
    log_info("call is aborted fax=%s line=%s", line->job.fax_id, line->id);
    if (host_order(line->host, &abort, -1) == 0)
        line->job.abort_sent = true;
}

void outbound_cancel(struct outbound *outbound)
{
    if (fax_state_each_canceling(outbound->options.spool, cancel_call, outbound) < 0)
        log_error("faxes to cancel cannot be listed: %s", err_message());
}
