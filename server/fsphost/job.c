/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Orders into jobs, results into messages. */
#include "server/fsphost/job.h"

#include "plugins/include/faxdev.h"
#include "server/base/err.h"
#include "server/base/log.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* FAX_RECEIVE has 4096 octets for the path and two names; in UTF-16 no path takes more units than octets in UTF-8. */
#define PATH_MAX_OCTETS 1024u

static int order_check(const struct link_message *order)
{
    const char *file = order->file;
    if (!file || file[0] != '/')
        return err_set(ERR_INVALID, "the order names no absolute path");
    if (strlen(file) > PATH_MAX_OCTETS)
        return err_set(ERR_INVALID, "the path has over %u octets", PATH_MAX_OCTETS);
    if (order->type == LINK_SEND && (!order->destination || !order->destination[0]))
        return err_set(ERR_INVALID, "the order names no number to dial");
    if (order->options) {
        json_t *options = json_loads(order->options, 0, NULL);
        bool is_object = json_is_object(options);
        json_decref(options);
        if (!is_object)
            return err_set(ERR_INVALID, "the options are no JSON object");
    }
    return 0;
}

static char *text_or_empty(const char *text)
{
    return xstrdup(text ? text : "");
}

int job_new(struct job **out, const struct link_message *order, int journal)
{
    *out = NULL;
    int result = order_check(order);
    if (result) {
        if (journal >= 0)
            close(journal);
        return result;
    }
    struct job *job = xcalloc(1, sizeof(*job));
    job->report.kind = REPORT_JOB;
    job->id = order->job;
    job->line = order->line;
    job->receive = order->type == LINK_RECEIVE;
    job->journal = journal;
    job->ring = job->receive ? order->number : 0;
    job->file = xstrdup(order->file);
    job->destination = text_or_empty(order->destination);
    job->caller_name = text_or_empty(order->caller_name);
    job->caller_number = text_or_empty(order->caller_number);
    job->receiver_name = text_or_empty(order->receiver_name);
    job->options = order->options ? xstrdup(order->options) : NULL;
    *out = job;
    return 0;
}

void job_close_journal(struct job *job)
{
    if (job->journal >= 0)
        close(job->journal);
    job->journal = -1;
}

void job_free(struct job *job)
{
    if (!job)
        return;
    job_close_journal(job);
    packet_status_clear(&job->result.status);
    free(job->result.record);
    free(job->result.own_name);
    free(job->result.own_number);
    free(job->file);
    free(job->destination);
    free(job->caller_name);
    free(job->caller_number);
    free(job->receiver_name);
    free(job->options);
    free(job);
}

char *job_options_text(const struct job *job)
{
    json_t *options = job->options ? json_loads(job->options, 0, NULL) : NULL;
    if (!options)
        options = json_object();
    if (job->journal >= 0)
        json_object_set_new(options, "journal_fd", json_integer(job->journal));
    if (job->ring)
        json_object_set_new(options, "ring", json_integer((json_int_t)job->ring));
    char *text = json_dumps(options, JSON_COMPACT);
    json_decref(options);
    return text;
}

void job_ended_message(struct link_message *message, const struct job *job, bool has_record)
{
    const struct job_result *result = &job->result;
    *message = (struct link_message){
        .type = LINK_ENDED,
        .job = job->id,
        .line = job->line,
        .flags = has_record ? 0 : LINK_FLAG_NO_RECORD,
        .phase = outcome_phase(result->status.status),
        .status = result->status.status,
        .page = result->status.page,
        .error = result->status.error ? result->status.error : result->error,
        .result = result->outcome.result,
        .outcome = result->outcome.word,
        .station_id = result->status.station_id,
        .caller_id = result->status.caller_id,
        .routing = result->status.routing,
        .receiver_name = result->own_name,
        .destination = result->own_number,
        .record = result->record,
    };
}
