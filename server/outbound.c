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
#include "server/base/str.h"
#include "server/call_file.h"
#include "server/host.h"
#include "server/verdict.h"
#include "spool/attempt.h"
#include "spool/converter.h"
#include "spool/destination.h"
#include "spool/document.h"
#include "spool/fax_document.h"
#include "spool/fax_state.h"
#include "spool/header_line.h"
#include "spool/rendition.h"
#include "spool/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct outbound {
    struct outbound_options options;
    bool stopping;
};

/* A form of the fax on its way into the call's file. */
struct form {
    struct making *making;
    struct converter_job *work;
    char sha[DOCUMENT_SHA_SIZE];
    char resolution[RENDITION_RESOLUTION];
    int width;
    char path[CALL_FILE_PATH_SIZE];
};

/* The line's job.work while its step is JOB_MAKING. */
struct making {
    struct outbound *outbound;
    uint64_t job;
    struct form forms[RENDITIONS_MAX];
    int count, pending;
    bool failed;
};

static void making_free(struct making *making)
{
    for (int i = 0; i < making->count; i++)
        converter_cancel(making->forms[i].work);
    free(making);
}

static void making_cancel(struct line *line)
{
    making_free(line->job.work);
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

        if (line->job.id != 0 && line->job.direction == FAX_OUTBOUND && line->job.step == JOB_MAKING)
            making_cancel(line);
    }
    free(outbound);
}

/* --- the end of a call --- */

static const char *text_of(const json_t *object, const char *key, const char *otherwise)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text != NULL && *text != '\0' ? text : otherwise;
}

static int pages_in_file(const struct attempt *attempt, const struct fax *fax)
{
    return fax->pages_total - (attempt->first_page - 1) + (attempt->first_repeated ? 1 : 0);
}

/* Which of the forms the engine chose; a provider that does not say sent the first. */
static int form_sent(const json_t *record)
{
    json_int_t form = json_integer_value(json_object_get(record, "rendition"));

    return form > 0 && form < RENDITIONS_MAX ? (int)form : 0;
}

/* What left in a call is kept as it was, header lines and all: it is what can be proved to have been sent. */
static void keep_as_sent(struct spool *spool, const struct attempt *attempt, const json_t *record)
{
    char path[CALL_FILE_PATH_SIZE], sha[DOCUMENT_SHA_SIZE];
    int error = call_file_find(path, spool, attempt->provider,
                               (enum call_file_kind)(CALL_FILE_SEND + form_sent(record)), attempt->id);
    int fd = -1;

    if (error == 0 && (fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) < 0)
        error = err_set(ERR_IO, "cannot open %s: %s", path, strerror(errno));
    if (error == 0)
        error = document_copy(sha, spool, fd);
    if (error == 0) {
        json_t *info = json_pack("{s:i, s:b}", "first_page", attempt->first_page, "repeated", attempt->first_repeated);

        error = fax_document_add(spool, attempt->fax, FAX_DOCUMENT_AS_SENT, attempt->number, sha, info);
        json_decref(info);
    }
    if (error != 0)
        log_warning("the pages as sent are not kept attempt=%lld: %s", (long long)attempt->id, err_message());
    if (fd >= 0)
        close(fd);
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
    if (error == 0 && attempt->transmitting)
        keep_as_sent(spool, attempt, record);
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

/* What earlier calls to the number have taught; without a word the provider chooses. */
static void add_transport(json_t *options, struct spool *spool, const struct fax *fax)
{
    struct destination destination = {.transport = DESTINATION_AUTO};

    if (fax->test || destination_get(&destination, spool, fax->destination) != 0 ||
        destination_next_transport(&destination) == DESTINATION_AUTO)
        return;
    json_object_set_new(options, "transport",
                        json_string(destination_transport_name(destination_next_transport(&destination))));
}

/* What of the request's options concerns the call, with the line's own where there are none. */
static json_t *call_options(const struct making *making, const struct line *line, const struct fax *fax)
{
    const struct outbound *outbound = making->outbound;
    static const char *const passed[] = {"ecm",        "modems",   "max_rate_bps", "compressions",
                                         "subaddress", "password", "station_id",   "caller_id"};
    json_t *asked = json_loads(fax->options, 0, NULL);
    json_t *options = json_object();

    if (line->station_id[0] != '\0')
        json_object_set_new(options, "station_id", json_string(line->station_id));
    for (unsigned i = 0; i < sizeof passed / sizeof passed[0]; i++) {
        json_t *value = json_object_get(asked, passed[i]);

        if (value != NULL && !json_is_null(value))
            json_object_set(options, passed[i], value);
    }
    if (making->count > 1) {
        json_t *renditions = json_array();

        for (int i = 1; i < making->count; i++)
            json_array_append_new(renditions, json_pack("{s:s, s:s, s:i}", "file", making->forms[i].path, "resolution",
                                                        making->forms[i].resolution, "width", making->forms[i].width));
        json_object_set_new(options, "renditions", renditions);
    }
    add_transport(options, outbound->options.spool, fax);
    if (outbound->options.call_limit_s > 0)
        json_object_set_new(options, "call_limit_s", json_integer(outbound->options.call_limit_s));
    json_decref(asked);
    return options;
}

static int order_after_commit(struct making *making, struct line *line, const struct fax *fax)
{
    struct outbound *outbound = making->outbound;
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
    options = call_options(making, line, fax);
    order->file = xstrdup(making->forms[0].path);
    order->destination = xstrdup(fax->destination);
    station_id = json_string_value(json_object_get(options, "station_id"));
    order->station_id = xstrdup(station_id != NULL ? station_id : "");
    order->options = json_dumps(options, JSON_COMPACT);
    json_decref(options);
    line->job.step = JOB_ORDERED;
    spool_after_commit(spool, send_order, order);
    return 0;
}

/* --- the files --- */

/* NULL = none. New reference. */
static json_t *header_of(const struct spool *spool, const struct line *line, const struct fax *fax)
{
    json_t *options = json_loads(fax->options[0] != '\0' ? fax->options : "{}", 0, NULL);
    const char *from = fax->sender[0] != '\0' ? fax->sender : text_of(options, "station_id", line->station_id);
    json_t *header = header_line(spool, options, from, fax->destination, fax->pages_total);

    json_decref(options);
    return header;
}

/* The fax's own document, and its renditions. */
static int list_forms(struct making *making, const struct attempt *attempt, const struct fax *fax)
{
    struct spool *spool = making->outbound->options.spool;
    struct fax_document *rows = NULL;
    int count = fax_documents(&rows, spool, fax->id, FAX_DOCUMENT_RENDITION), error = count < 0 ? count : 0;

    str_copy(making->forms[0].sha, sizeof making->forms[0].sha, fax->document);
    making->count = 1;
    for (int i = 0; i < count && making->count < RENDITIONS_MAX; i++) {
        struct form *form = &making->forms[making->count++];

        str_copy(form->sha, sizeof form->sha, rows[i].sha);
        str_copy(form->resolution, sizeof form->resolution, text_of(rows[i].info, "resolution", "standard"));
        form->width = (int)json_integer_value(json_object_get(rows[i].info, "width"));
    }
    for (int i = 0; i < making->count && error == 0; i++) {
        making->forms[i].making = making;
        error = call_file_path(making->forms[i].path, spool, attempt->provider,
                               (enum call_file_kind)(CALL_FILE_SEND + i), attempt->id);
    }
    fax_documents_free(rows, count > 0 ? count : 0);
    return error;
}

static int order_made(struct making *making, struct line *line)
{
    struct fax fax = {0};
    int error = fax_get(&fax, making->outbound->options.spool, line->job.fax);

    if (error == 0)
        error = order_after_commit(making, line, &fax);
    fax_clear(&fax);
    return error;
}

/* The last of the forms is there, or a first has failed. */
static void on_all_made(struct making *making, int error)
{
    struct outbound *outbound = making->outbound;
    struct line *line = line_by_job(outbound->options.lines, making->job);

    if (line != NULL) {
        line->job.work = NULL;
        if (error == 0)
            error = order_made(making, line);
        if (error != 0) {
            log_error("the pages of a call cannot be made fax=%s line=%s: %s", line->job.fax_id, line->id,
                      err_message());
            end_early(outbound, line, LINK_RESULT_NOT_STARTED, LINK_OUTCOME_LINE_UNAVAILABLE);
        }
    }
    making_free(making);
}

static void on_made(void *context, int error, json_t *result)
{
    struct form *form = context;
    struct making *making = form->making;
    const char *fault = error == 0 ? json_string_value(json_object_get(result, "error")) : NULL;

    form->work = NULL;
    making->pending--;
    if (fault != NULL)
        error = err_set(ERR_INVALID, "%s", fault);
    if (error != 0 || making->pending == 0)
        on_all_made(making, error);
}

static int make_form(struct form *form, const json_t *job)
{
    const struct outbound_options *options = &form->making->outbound->options;
    int input = document_open(options->spool, form->sha);
    int output = input < 0 ? input : call_file_create(form->path);
    int error = output < 0 ? output : 0;

    if (error == 0)
        error = converter_run(&form->work, options->converter, job, &input, 1, output, on_made, form);
    if (error == 0)
        form->making->pending++;
    if (input >= 0)
        close(input);
    if (output >= 0)
        close(output);
    return error;
}

/* Cut out what is left to send, and put the header line on. Takes `header` over. */
static int make_forms(struct making *making, struct line *line, const struct attempt *attempt, json_t *header)
{
    json_t *job = json_pack("{s:s, s:i, s:b}", "op", "cut", "first", attempt->first_page, "repeat_first",
                            attempt->first_repeated);
    int error = 0;

    if (header != NULL)
        json_object_set_new(job, "header", header);
    for (int i = 0; i < making->count && error == 0; i++)
        error = make_form(&making->forms[i], job);
    if (error == 0) {
        line->job.step = JOB_MAKING;
        line->job.work = making;
    }
    json_decref(job);
    return error;
}

static int place_forms(struct making *making, struct line *line, const struct fax *fax)
{
    int error = 0;

    for (int i = 0; i < making->count && error == 0; i++)
        error = document_place(making->outbound->options.spool, making->forms[i].sha, making->forms[i].path);
    return error == 0 ? order_after_commit(making, line, fax) : error;
}

static int start_files(struct outbound *outbound, struct line *line, const struct attempt *attempt,
                       const struct fax *fax)
{
    struct making *making = xcalloc(1, sizeof *making);
    json_t *header = header_of(outbound->options.spool, line, fax);
    bool work = header != NULL || attempt->first_page > 1;
    int error;

    making->outbound = outbound;
    making->job = line->job.id;
    error = list_forms(making, attempt, fax);
    if (error == 0)
        error = work ? make_forms(making, line, attempt, header) : place_forms(making, line, fax);
    else
        json_decref(header);
    if (error != 0 || !work)
        making_free(making);
    return error;
}

/* --- begin --- */

int outbound_start(struct outbound *outbound, struct line *line, struct fax *fax)
{
    struct spool *spool = outbound->options.spool;
    struct attempt attempt;
    int error = attempt_begin(&attempt, spool, fax, line->provider, line->name, line->index);

    if (error == 0)
        error = attempt_set_run(spool, attempt.id, host_run(line->host));
    if (error != 0)
        return error;
    line_job_begin(outbound->options.lines, line, &attempt, fax);
    error = start_files(outbound, line, &attempt, fax);
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
    if (line->job.step == JOB_MAKING)
        making_cancel(line);
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
    if (line->job.step == JOB_MAKING) {
        making_cancel(line);
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
