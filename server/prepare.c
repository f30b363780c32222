/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The second step of the outbound route: submit -> prepare_run() -> the converter's sandboxed child -> the document is
 * stored and the fax queued, or it has failed and says why. The same upload under the same options is converted once.
 */
#include "server/prepare.h"

#include "server/base/err.h"
#include "server/base/log.h"
#include "spool/converter.h"
#include "spool/document.h"
#include "spool/fax.h"
#include "spool/spool.h"
#include "spool/submit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#define WORKS_MAX 32 /* conversions asked for at a time: the rest waits in the store */
#define RETRY_S   5  /* until a converter that does not work is tried again */

struct work {
    struct prepare *prepare;
    int64_t fax;
    char fax_id[FAX_ID_SIZE];
    char *conversion;
    struct converter_job *job;
    int output;
    char output_path[DOCUMENT_PATH_SIZE];
    LIST_ENTRY(work) link;
};

struct prepare {
    struct prepare_options options;
    struct event *timer;
    LIST_HEAD(work_list, work) works;
    int count;
    int64_t last; /* faxes up to this row were taken up */
};

static void work_free(struct work *work)
{
    LIST_REMOVE(work, link);
    work->prepare->count--;
    converter_cancel(work->job);
    if (work->output >= 0)
        close(work->output);
    if (work->output_path[0] != '\0')
        unlink(work->output_path);
    free(work->conversion);
    free(work);
}

/* Begin again with the oldest, in a while: the converter or the store does not work. */
static void again_later(struct prepare *prepare)
{
    struct timeval delay = {RETRY_S, 0};

    prepare->last = 0;
    evtimer_add(prepare->timer, &delay);
}

/* --- the end of a conversion --- */

static int take_document(struct work *work, struct fax *fax, int pages)
{
    struct spool *spool = work->prepare->options.spool;
    char sha[DOCUMENT_SHA_SIZE];
    int error = document_adopt(sha, spool, work->output, work->output_path);

    work->output_path[0] = '\0'; /* gone either way */
    if (error == 0)
        error = document_remember(spool, fax->original, work->conversion, sha, pages);
    if (error == 0)
        error = submit_prepared(spool, fax, sha, pages);
    return error;
}

static int take_fault(struct work *work, struct fax *fax, const char *fault, const char *message)
{
    enum fax_outcome outcome = outcome_from_code(fault);

    if (outcome == OUTCOME_NONE)
        outcome = OUTCOME_CONVERSION_FAILED;
    log_info("document cannot be faxed fax=%s: %s", work->fax_id, message != NULL ? message : fault);
    return submit_failed(work->prepare->options.spool, fax, outcome, message);
}

static int take_result(struct work *work, const json_t *result)
{
    const char *fault = json_string_value(json_object_get(result, "error"));
    const char *message = json_string_value(json_object_get(result, "message"));
    json_int_t pages = json_integer_value(json_object_get(result, "pages"));
    struct fax fax = {0};
    int error = fax_get(&fax, work->prepare->options.spool, work->fax);

    if (error != 0)
        return error;
    if (fax.state != FAX_PREPARING)
        error = 0; /* canceled meanwhile */
    else if (fault != NULL && strcmp(fault, "internal") == 0)
        error = err_set(ERR_IO, "%.200s", message != NULL ? message : fault);
    else if (fault != NULL)
        error = take_fault(work, &fax, fault, message);
    else if (pages < 1 || pages > 10000)
        error = take_fault(work, &fax, "conversion_failed", "The converter's result makes no sense.");
    else
        error = take_document(work, &fax, (int)pages);
    fax_clear(&fax);
    return error;
}

static void on_done(void *context, int error, json_t *result)
{
    struct work *work = context;
    struct prepare *prepare = work->prepare;

    work->job = NULL;
    if (error == 0)
        error = take_result(work, result);
    if (error != 0)
        log_error("document not prepared fax=%s: %s", work->fax_id, err_message());
    work_free(work);
    if (error != 0)
        again_later(prepare);
    else
        prepare_run(prepare);
}

/* --- the beginning --- */

/* 0; or an error, after which the fax still waits. */
static int convert(struct work *work, struct fax *fax, const json_t *job)
{
    const struct prepare_options *options = &work->prepare->options;
    int input = document_open(options->spool, fax->original);
    int error = input < 0 ? input : document_temp(&work->output, work->output_path, options->spool);

    /* Its fax fails, so that those behind it go on. */
    if (input == ERR_DAMAGED)
        return submit_failed(options->spool, fax, OUTCOME_CONVERSION_FAILED, "The stored document is damaged.");
    if (error == 0)
        error = converter_run(&work->job, options->converter, job, &input, 1, work->output, on_done, work);
    if (input >= 0)
        close(input);
    return error;
}

static int start(struct prepare *prepare, struct fax *fax)
{
    struct work *work = xcalloc(1, sizeof *work);
    char sha[DOCUMENT_SHA_SIZE];
    json_t *job = NULL;
    int pages, error;

    work->prepare = prepare;
    work->fax = fax->id;
    work->output = -1;
    memcpy(work->fax_id, fax->public_id, sizeof work->fax_id);
    LIST_INSERT_HEAD(&prepare->works, work, link);
    prepare->count++;
    error = submit_conversion(&work->conversion, &job, fax);
    if (error == 0 && document_prepared(sha, &pages, prepare->options.spool, fax->original, work->conversion) == 0) {
        error = submit_prepared(prepare->options.spool, fax, sha, pages);
        work_free(work);
    } else {
        if (error == 0)
            error = convert(work, fax, job);
        if (error != 0 || work->job == NULL)
            work_free(work);
    }
    json_decref(job);
    return error;
}

static bool is_under_way(const struct prepare *prepare, int64_t fax)
{
    const struct work *work;

    LIST_FOREACH(work, &prepare->works, link)
    if (work->fax == fax)
        return true;
    return false;
}

static int start_row(struct prepare *prepare, int64_t id)
{
    struct fax fax = {0};
    int error = is_under_way(prepare, id) ? ERR_CONFLICT : fax_get(&fax, prepare->options.spool, id);

    if (error == ERR_CONFLICT)
        return 0;
    if (error == 0 && fax.state == FAX_PREPARING)
        error = start(prepare, &fax);
    fax_clear(&fax);
    return error;
}

/* Under encryption each work holds its upload and its result in memory: then as many as the converter runs at a time,
 * and one more that is ready for it. */
static int works_max(const struct prepare *prepare)
{
    int few = prepare->options.parallel + 1;

    return spool_encrypts(prepare->options.spool) && few < WORKS_MAX ? few : WORKS_MAX;
}

void prepare_run(struct prepare *prepare)
{
    int64_t ids[WORKS_MAX];
    int count;

    while (prepare->count < works_max(prepare)) {
        count = submit_waiting(prepare->options.spool, prepare->last, ids, works_max(prepare) - prepare->count);
        if (count == 0)
            return;
        for (int i = 0; i < count; i++) {
            int error = start_row(prepare, ids[i]);

            if (error != 0) {
                log_error("document not prepared row=%lld: %s", (long long)ids[i], err_message());
                again_later(prepare);
                return;
            }
            prepare->last = ids[i];
        }
        if (count < 0) {
            log_error("faxes to prepare cannot be listed: %s", err_message());
            again_later(prepare);
            return;
        }
    }
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    prepare_run(argument);
}

static void on_change(void *context, unsigned changes)
{
    if ((changes & SPOOL_CHANGE_PREPARE) != 0)
        prepare_run(context);
}

int prepare_new(struct prepare **out, const struct prepare_options *options)
{
    struct prepare *prepare = xcalloc(1, sizeof *prepare);

    prepare->options = *options;
    prepare->timer = evtimer_new(options->base, on_timer, prepare);
    LIST_INIT(&prepare->works);
    spool_listen(options->spool, on_change, prepare);
    *out = prepare;
    return 0;
}

void prepare_free(struct prepare *prepare)
{
    if (prepare == NULL)
        return;
    while (!LIST_EMPTY(&prepare->works))
        work_free(LIST_FIRST(&prepare->works));
    event_free(prepare->timer);
    free(prepare);
}
