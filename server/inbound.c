/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inbound story. On the route: a host tells of a ring -> inbound_ring() writes fax and attempt and orders the call
 * to be answered -> its events -> the pages are read by the converter, adopted as a document, and the fax is there.
 *
 * A received page that was confirmed to the sender is never lost: until its document and row are committed the file and
 * the host's last word on it stay in the provider's folder, and the next start takes them up (inbound_decide). */
#include <config.h> /* in quotes it would be server/config.h */

#include "server/inbound.h"

#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/journal.h"
#include "server/base/log.h"
#include "server/call_file.h"
#include "server/host.h"
#include "server/verdict.h"
#include "server/base/number.h"
#include "spool/attempt.h"
#include "spool/block.h"
#include "spool/converter.h"
#include "spool/document.h"
#include "spool/fax_state.h"
#include "spool/spool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#define RETRY_S 5 /* until a converter that does not work is tried again */

/* A call that is over, its pages on their way into the spool. */
struct adoption {
    struct inbound *inbound;
    struct attempt attempt;
    char fax_id[FAX_ID_SIZE];
    struct attempt_result result;
    json_t *record;
    char *message, *station_id; /* behind the result's texts */
    enum fax_state state;       /* as far as the call goes */
    int pages;                  /* whole pages that there must be, -1 = the file tells */
    struct converter_job *work;
    struct event *retry;
    int output;
    char output_path[DOCUMENT_PATH_SIZE];
    LIST_ENTRY(adoption) link;
};

struct inbound {
    struct inbound_options options;
    LIST_HEAD(adoption_list, adoption) adoptions;
};

int inbound_new(struct inbound **out, const struct inbound_options *options)
{
    *out = xcalloc(1, sizeof **out);
    (*out)->options = *options;
    LIST_INIT(&(*out)->adoptions);
    return 0;
}

static void output_close(struct adoption *adoption)
{
    if (adoption->output >= 0)
        close(adoption->output);
    if (adoption->output_path[0] != '\0')
        unlink(adoption->output_path);
    adoption->output = -1;
    adoption->output_path[0] = '\0';
}

static void adoption_free(struct adoption *adoption)
{
    LIST_REMOVE(adoption, link);
    converter_cancel(adoption->work);
    output_close(adoption);
    if (adoption->retry != NULL)
        event_free(adoption->retry);
    json_decref(adoption->record);
    free(adoption->message);
    free(adoption->station_id);
    free(adoption);
}

void inbound_free(struct inbound *inbound)
{
    struct adoption *adoption;

    if (inbound == NULL)
        return;
    while ((adoption = LIST_FIRST(&inbound->adoptions)) != NULL)
        adoption_free(adoption);
    free(inbound);
}

/* --- adoption --- */

/* The last step: attempt and fax are closed with what there is. `sha` "" = no pages. */
static void finish(struct adoption *adoption, const char *sha, int pages, enum fax_state state)
{
    struct spool *spool = adoption->inbound->options.spool;
    int error;

    adoption->result.pages_confirmed = pages;
    error = attempt_end_inbound(spool, adoption->attempt.id, &adoption->result, sha, pages, state);
    if (error == 0 || error == ERR_CONFLICT)
        call_file_drop(spool, adoption->attempt.provider, adoption->attempt.id);
    else
        log_error("received fax cannot be recorded fax=%s line=%s/%s: %s", adoption->fax_id, adoption->attempt.provider,
                  adoption->attempt.line, err_message());
    adoption_free(adoption);
}

/* What nobody can read is put aside rather than thrown away: a person may see more in it than we do. */
static void put_aside(struct adoption *adoption, const char *why)
{
    char path[CALL_FILE_PATH_SIZE], aside[CALL_FILE_PATH_SIZE];
    struct spool *spool = adoption->inbound->options.spool;
    char *dot;

    if (call_file_find(path, spool, adoption->attempt.provider, CALL_FILE_RECEIVE, adoption->attempt.id) != 0)
        return;
    snprintf(aside, sizeof aside, "%s", path);
    dot = strrchr(aside, '/');
    dot[1] = 'k'; /* a name that lives on until the fax is purged: call_file.h */
    if (rename(path, aside) == 0)
        log_error("received file cannot be read fax=%s line=%s/%s: %s; kept as %s", adoption->fax_id,
                  adoption->attempt.provider, adoption->attempt.line, why, aside);
}

static void take_pages(struct adoption *adoption, int pages, bool complete)
{
    struct spool *spool = adoption->inbound->options.spool;
    enum fax_state state = adoption->state;
    char sha[DOCUMENT_SHA_SIZE];
    int error = document_adopt(sha, spool, adoption->output, adoption->output_path);

    adoption->output_path[0] = '\0'; /* gone either way */
    if (error != 0) {
        log_error("received fax cannot be stored fax=%s: %s", adoption->fax_id, err_message());
        adoption_free(adoption); /* still open: the next start tries again */
        return;
    }
    if (state == FAX_RECEIVED && (!complete || (adoption->pages >= 0 && pages < adoption->pages))) {
        state = FAX_PARTIALLY_RECEIVED;
        adoption->result.outcome = OUTCOME_RECEIVE_INCOMPLETE;
        adoption->result.message = "The received file holds less than was confirmed to the sender.";
    }
    finish(adoption, sha, pages, state);
}

static void verify_later(struct adoption *adoption);

static void on_verified(void *context, int error, json_t *result)
{
    struct adoption *adoption = context;
    const char *fault = error == 0 ? json_string_value(json_object_get(result, "error")) : NULL;
    json_int_t pages = json_integer_value(json_object_get(result, "pages"));

    adoption->work = NULL;
    if (error == 0 && fault != NULL && strcmp(fault, "internal") == 0)
        error = err_set(ERR_IO, "%.200s", json_string_value(json_object_get(result, "message")));
    if (error != 0) {
        log_error("converter does not work fax=%s: %s", adoption->fax_id, err_message());
        output_close(adoption);
        verify_later(adoption);
        return;
    }
    if (fault == NULL && pages > 0 && pages <= 10000) {
        take_pages(adoption, (int)pages, json_is_true(json_object_get(result, "complete")));
        return;
    }
    if (adoption->pages != 0 && (adoption->state == FAX_RECEIVED || adoption->pages > 0))
        put_aside(adoption, fault != NULL ? fault : "there is no whole page in it");
    if (adoption->state == FAX_RECEIVED) {
        adoption->result.outcome = OUTCOME_RECEIVE_INCOMPLETE;
        adoption->result.message = "No whole page could be read from the received file.";
    }
    finish(adoption, "", 0, FAX_RECEIVE_FAILED);
}

static int verify(struct adoption *adoption)
{
    const struct inbound_options *options = &adoption->inbound->options;
    char path[CALL_FILE_PATH_SIZE];
    json_t *job = json_pack("{s:s, s:i}", "op", "verify", "most_pages", adoption->pages);
    FILE *input = NULL;
    int error =
        call_file_find(path, options->spool, adoption->attempt.provider, CALL_FILE_RECEIVE, adoption->attempt.id);

    if (error == 0 && (input = fopen(path, "re")) == NULL)
        error = err_set(errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "cannot open %s: %s", path, strerror(errno));
    if (error == 0)
        error = document_temp(&adoption->output, adoption->output_path, options->spool);
    if (error == 0) {
        int fd = fileno(input);

        error =
            converter_run(&adoption->work, options->converter, job, &fd, 1, adoption->output, on_verified, adoption);
    }
    if (input != NULL)
        fclose(input);
    json_decref(job);
    return error;
}

/* Pages were confirmed and are not there. Under encryption they lay in memory, and the machine was restarted. */
static void tell_loss(struct adoption *adoption)
{
    if (adoption->pages <= 0)
        return;
    log_error("the file of a received fax is gone with %d confirmed pages fax=%s line=%s/%s", adoption->pages,
              adoption->fax_id, adoption->attempt.provider, adoption->attempt.line);
    adoption->result.outcome = OUTCOME_RECEIVE_INCOMPLETE;
    adoption->result.message = "Pages were confirmed to the sender, and the file with them is gone.";
}

/* Start to read the file, or find that there is nothing to read. */
static void start_verify(struct adoption *adoption)
{
    int error = adoption->pages != 0 ? verify(adoption) : ERR_NOT_FOUND;

    if (error == 0)
        return;
    output_close(adoption);
    if (error == ERR_NOT_FOUND) {
        tell_loss(adoption);
        finish(adoption, "", 0, adoption->state == FAX_REJECTED ? FAX_REJECTED : FAX_RECEIVE_FAILED);
        return;
    }
    log_error("received file cannot be checked yet fax=%s: %s", adoption->fax_id, err_message());
    verify_later(adoption);
}

static void on_retry(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    start_verify(argument);
}

static void verify_later(struct adoption *adoption)
{
    struct timeval delay = {RETRY_S, 0};

    if (adoption->retry == NULL)
        adoption->retry = evtimer_new(adoption->inbound->options.base, on_retry, adoption);
    evtimer_add(adoption->retry, &delay);
}

/* --- the end of a call --- */

static char *copy_text(const char *text)
{
    return text != NULL ? xstrdup(text) : NULL;
}

/* Texts of the verdict end with the event that they came in: the adoption outlives it. */
static void take_verdict(struct adoption *adoption, const struct verdict_facts *facts)
{
    adoption->state = verdict_receive(&adoption->result, &adoption->pages, facts);
    adoption->message = copy_text(adoption->result.message);
    adoption->station_id = copy_text(adoption->result.remote_station_id);
    adoption->result.message = adoption->message;
    adoption->result.remote_station_id = adoption->station_id;
    if (adoption->result.ended_at == 0)
        adoption->result.ended_at = clock_now_ms();
}

/* `ended` NULL: the provider died with the call. */
static int begin_adoption(struct inbound *inbound, const struct attempt *attempt, const struct link_message *ended)
{
    struct spool *spool = inbound->options.spool;
    struct verdict_facts facts = {.ended = ended, .transmitting = attempt->transmitting};
    struct adoption *adoption;
    struct fax fax = {0};
    char path[CALL_FILE_PATH_SIZE];
    int error = fax_get(&fax, spool, attempt->fax);

    if (error == 0)
        error = attempt_journal_path(path, sizeof path, spool, attempt->id);
    if (error == 0)
        error = journal_read(&facts.journal, path);
    if (error == 0) {
        adoption = xcalloc(1, sizeof *adoption);
        adoption->inbound = inbound;
        adoption->attempt = *attempt;
        adoption->output = -1;
        snprintf(adoption->fax_id, sizeof adoption->fax_id, "%s", fax.public_id);
        if (ended != NULL && ended->record != NULL)
            adoption->record = json_loads(ended->record, JSON_REJECT_DUPLICATES, NULL);
        facts.record = adoption->record;
        take_verdict(adoption, &facts);
        LIST_INSERT_HEAD(&inbound->adoptions, adoption, link);
        start_verify(adoption);
    }
    fax_clear(&fax);
    return error;
}

static int keep_end(struct inbound *inbound, const struct attempt *attempt, const struct link_message *ended)
{
    char path[CALL_FILE_PATH_SIZE];
    int error = call_file_path(path, inbound->options.spool, attempt->provider, CALL_FILE_END, attempt->id);

    return error == 0 ? call_file_keep_end(path, ended) : error;
}

void inbound_ended(struct inbound *inbound, struct line *line, const struct link_message *ended)
{
    struct attempt attempt;
    int error = attempt_get(&attempt, inbound->options.spool, (int64_t)line->job.id);

    if (error == 0 && keep_end(inbound, &attempt, ended) != 0)
        log_warning("end of the call not kept fax=%s line=%s: %s", line->job.fax_id, line->id, err_message());
    if (error == 0)
        error = begin_adoption(inbound, &attempt, ended);
    if (error != 0)
        log_error("call cannot be closed fax=%s line=%s: %s", line->job.fax_id, line->id, err_message());
    line_job_end(inbound->options.lines, line);
}

void inbound_lost(struct inbound *inbound, struct line *line)
{
    line_job_end(inbound->options.lines, line);
}

int inbound_count(const struct inbound *inbound)
{
    const struct adoption *adoption;
    int count = 0;

    LIST_FOREACH(adoption, &inbound->adoptions, link)
    count += adoption->work != NULL;
    return count;
}

int inbound_decide(struct inbound *inbound, const struct attempt *attempt)
{
    char path[CALL_FILE_PATH_SIZE];
    char *scratch = xmalloc(LINK_BYTES_MAX * 2);
    struct link_message ended;
    int error = call_file_path(path, inbound->options.spool, attempt->provider, CALL_FILE_END, attempt->id);

    if (error == 0) {
        bool told = call_file_read_end(&ended, scratch, path) == 0 && ended.type == LINK_ENDED;

        error = begin_adoption(inbound, attempt, told ? &ended : NULL);
    }
    free(scratch);
    return error;
}

/* --- ring and answer --- */

struct answer {
    struct inbound *inbound;
    uint64_t job, ring;
    int journal;
    char path[CALL_FILE_PATH_SIZE];
};

static void send_answer(void *context, int error)
{
    struct answer *answer = context;
    struct line *line = error == 0 ? line_by_job(answer->inbound->options.lines, answer->job) : NULL;

    if (line != NULL) {
        json_t *options = json_object();
        char *text;
        struct link_message message = {.type = LINK_RECEIVE,
                                       .job = answer->job,
                                       .line = (uint32_t)line->index,
                                       .number = answer->ring,
                                       .file = answer->path,
                                       .caller_number = line->station_id};

        if (line->station_id[0] != '\0')
            json_object_set_new(options, "station_id", json_string(line->station_id));
        text = json_dumps(options, JSON_COMPACT);
        message.options = text;
        if (host_order(line->host, &message, answer->journal) != 0) {
            struct link_message never = {.type = LINK_ENDED, .result = LINK_RESULT_NOT_STARTED};

            log_warning("call not answered fax=%s line=%s: %s", line->job.fax_id, line->id, err_message());
            inbound_ended(answer->inbound, line, &never);
        }
        free(text);
        json_decref(options);
    }
    close(answer->journal);
    free(answer);
}

static int answer_after_commit(struct inbound *inbound, struct line *line, uint64_t ring)
{
    struct spool *spool = inbound->options.spool;
    struct answer *answer = xcalloc(1, sizeof *answer);
    int64_t attempt = (int64_t)line->job.id;
    int error = call_file_path(answer->path, spool, line->provider, CALL_FILE_RECEIVE, attempt);
    int file = error == 0 ? call_file_create(answer->path) : error;
    int journal = file >= 0 ? attempt_journal(spool, attempt) : file;

    if (file >= 0)
        close(file);
    if (journal < 0) {
        free(answer);
        return journal;
    }
    answer->inbound = inbound;
    answer->job = line->job.id;
    answer->ring = ring;
    answer->journal = journal;
    spool_after_commit(spool, send_answer, answer);
    return 0;
}

static const char *ring_text(const json_t *ring, const char *key)
{
    const char *text = json_string_value(json_object_get(ring, key));

    return text != NULL && strlen(text) < 100 ? text : "";
}

static int begin_call(struct inbound *inbound, struct line *line, uint64_t number, const json_t *ring)
{
    struct spool *spool = inbound->options.spool;
    const char *called = ring_text(ring, "called");
    struct attempt attempt;
    struct fax fax = {0};
    int error = attempt_begin_inbound(&attempt, &fax, spool, line->provider, line->name, line->index,
                                      called[0] != '\0' ? called : line->number, ring_text(ring, "caller_id"));

    if (error == 0 && line->simulated)
        error = attempt_set_test(spool, &fax);
    if (error == 0)
        error = attempt_set_run(spool, attempt.id, host_run(line->host));
    if (error != 0)
        goto out;
    line_job_begin(inbound->options.lines, line, &attempt, &fax);
    log_info("call comes in fax=%s line=%s from=%s", fax.public_id, line->id, fax.sender);
    error = answer_after_commit(inbound, line, number);
    if (error != 0) {
        struct link_message never = {.type = LINK_ENDED, .result = LINK_RESULT_NOT_STARTED};

        log_error("call cannot be answered fax=%s line=%s: %s", fax.public_id, line->id, err_message());
        inbound_ended(inbound, line, &never);
        error = 0;
    }
out:
    fax_clear(&fax);
    return error;
}

static void reject(struct line *line, uint64_t number)
{
    struct link_message message = {.type = LINK_REJECT, .line = (uint32_t)line->index, .number = number};

    if (host_order(line->host, &message, -1) != 0)
        log_warning("call not rejected line=%s: %s", line->id, err_message());
}

static void reject_for_room(struct line *line, uint64_t number, const char *full)
{
    log_warning("call rejected line=%s: %s is full", line->id, full);
    reject(line, number);
}

/* Who calls, as rules compare it: NULL when it is a text that is no number. */
static const char *caller_of(char number[NUMBER_SIZE], const char *text)
{
    if (number_is_withheld(text))
        return "";
    return number_normalise(number, text) == 0 ? number : NULL;
}

/* The call is not answered, and that it came is written down. */
static int refuse_call(struct inbound *inbound, struct line *line, const json_t *ring, const struct block_rule *rule)
{
    struct spool *spool = inbound->options.spool;
    const char *called = ring_text(ring, "called");
    char why[300];
    const struct attempt_result result = {.outcome = OUTCOME_REJECTED_BY_RULE,
                                          .message = block_describe(why, sizeof why, rule)};
    struct attempt attempt;
    struct fax fax = {0};
    int64_t row = rule->id;
    int error = attempt_begin_inbound(&attempt, &fax, spool, line->provider, line->name, line->index,
                                      called[0] != '\0' ? called : line->number, ring_text(ring, "caller_id"));

    if (error == 0)
        error = attempt_end_inbound(spool, attempt.id, &result, "", 0, FAX_REJECTED);
    if (error == 0)
        error = block_hit(spool, row);
    fax_clear(&fax);
    return error;
}

/* True when a rule says no; the call is over then. */
static bool is_refused(struct inbound *inbound, struct line *line, uint64_t number, const json_t *ring)
{
    char text[NUMBER_SIZE];
    const char *caller = caller_of(text, ring_text(ring, "caller_id"));
    const struct block_rule *rule = caller != NULL ? block_denies(inbound->options.spool, FAX_INBOUND, caller) : NULL;

    if (rule == NULL)
        return false;
    log_info("call rejected line=%s: the rule %s denies it", line->id, rule->public_id);
    reject(line, number);
    if (refuse_call(inbound, line, ring, rule) != 0)
        log_error("rejected call not recorded line=%s: %s", line->id, err_message());
    return true;
}

void inbound_ring(struct inbound *inbound, struct line *line, uint64_t number, const char *ring)
{
    json_t *facts;

    if (line->job.id != 0 || !line->receive_enabled || !line->open) {
        log_debug("ring left alone line=%s", line->id);
        return;
    }
    if (!spool_has_room(inbound->options.spool)) {
        reject_for_room(line, number, "the disk");
        return;
    }
    if (!call_file_has_room(inbound->options.spool)) {
        reject_for_room(line, number, spool_call_dir(inbound->options.spool, 0));
        return;
    }
    facts = ring != NULL ? json_loads(ring, 0, NULL) : NULL;
    if (!is_refused(inbound, line, number, facts) && begin_call(inbound, line, number, facts) != 0)
        log_error("call not answered line=%s: %s", line->id, err_message());
    json_decref(facts);
}
