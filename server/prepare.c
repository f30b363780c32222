/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The second step of the outbound route: submit -> prepare_run() -> spool/preparation and the converter's sandboxed
 * children -> the documents are stored and the fax queued, or it has failed and says why. */
#include "server/prepare.h"

#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "spool/converter.h"
#include "spool/cover.h"
#include "spool/document.h"
#include "spool/fax.h"
#include "spool/fax_document.h"
#include "spool/page_style.h"
#include "spool/preparation.h"
#include "spool/spool.h"
#include "spool/submit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#define WORKS_MAX 32 /* faxes prepared at a time: the rest waits in the store */
#define RETRY_S   5  /* until a converter that does not work is tried again */

struct work {
    struct prepare *prepare;
    int64_t fax;
    char fax_id[FAX_ID_SIZE];
    struct preparation *preparation;
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
    preparation_cancel(work->preparation);
    free(work);
}

/* Begin again with the oldest, in a while: the converter or the store does not work. */
static void again_later(struct prepare *prepare)
{
    struct timeval delay = {RETRY_S, 0};

    prepare->last = 0;
    evtimer_add(prepare->timer, &delay);
}

/* --- the end of a preparation --- */

/* A form that is a file yet becomes a document. */
static int keep(struct preparation_form *form, struct spool *spool)
{
    int error;

    if (form->sha[0] != '\0')
        return 0;
    error = document_adopt(form->sha, spool, form->fd, form->path != NULL ? form->path : "");
    if (error != 0)
        form->sha[0] = '\0';
    free(form->path); /* the name is gone either way */
    form->path = NULL;
    return error;
}

static int take_forms(const struct work *work, struct fax *fax, struct preparation_form *forms, int count)
{
    struct submit_form list[RENDITIONS_MAX];
    int error = 0;

    for (int i = 0; i < count && error == 0; i++) {
        error = keep(&forms[i], work->prepare->options.spool);
        list[i] = (struct submit_form){forms[i].sha, forms[i].rendition.resolution, forms[i].width};
    }
    if (error == 0)
        error = submit_prepared(work->prepare->options.spool, fax, list, count, forms[0].pages);
    return error;
}

static int take_fault(const struct work *work, struct fax *fax, const char *fault, const char *message)
{
    enum fax_outcome outcome = outcome_from_code(fault);

    if (outcome == OUTCOME_NONE)
        outcome = OUTCOME_CONVERSION_FAILED;
    log_info("document cannot be faxed fax=%s: %s", work->fax_id, message != NULL ? message : fault);
    return submit_failed(work->prepare->options.spool, fax, outcome, message);
}

static int take_end(const struct work *work, const char *fault, const char *message, struct preparation_form *forms,
                    int count)
{
    struct fax fax = {0};
    int error = fax_get(&fax, work->prepare->options.spool, work->fax);

    if (error != 0)
        return error == ERR_NOT_FOUND ? 0 : error; /* canceled meanwhile, and its record deleted */
    if (fax.state != FAX_PREPARING)
        error = 0; /* canceled meanwhile */
    else if (fault != NULL)
        error = take_fault(work, &fax, fault, message);
    else
        error = take_forms(work, &fax, forms, count);
    fax_clear(&fax);
    return error;
}

static void on_done(void *context, int error, const char *fault, const char *message, struct preparation_form *forms,
                    int count)
{
    struct work *work = context;
    struct prepare *prepare = work->prepare;

    work->preparation = NULL;
    if (error == ERR_DAMAGED) { /* its fax fails, so that those behind it go on */
        error = 0;
        fault = "conversion_failed";
        message = "The stored document is damaged.";
    }
    if (error == 0)
        error = take_end(work, fault, message, forms, count);
    if (error != 0)
        log_error("document not prepared fax=%s: %s", work->fax_id, err_message());
    work_free(work);
    if (error != 0)
        again_later(prepare);
    else
        prepare_run(prepare);
}

static void on_progress(void *context, int done, int total)
{
    const struct work *work = context;

    if (submit_progress(work->prepare->options.spool, work->fax, done, total) != 0)
        log_warning("progress not shown fax=%s: %s", work->fax_id, err_message());
}

/* --- the beginning --- */

/* The uploads of a fax: rows, or fax.original alone. The count, or an error. */
static int read_uploads(struct preparation_upload *uploads, struct spool *spool, const struct fax *fax)
{
    struct fax_document *rows = NULL;
    int count = fax_documents(&rows, spool, fax->id, FAX_DOCUMENT_UPLOAD);

    if (count > PREPARATION_UPLOADS_MAX)
        count = PREPARATION_UPLOADS_MAX;
    for (int i = 0; i < count; i++) {
        uploads[i] = (struct preparation_upload){.fd = -1, .info = json_incref(rows[i].info)};
        memcpy(uploads[i].sha, rows[i].sha, sizeof uploads[i].sha);
    }
    fax_documents_free(rows, count > 0 ? count : 0);
    if (count != 0 || fax->original[0] == '\0')
        return count;
    uploads[0] = (struct preparation_upload){.fd = -1};
    memcpy(uploads[0].sha, fax->original, sizeof uploads[0].sha);
    return 1;
}

/* Fills the request's cover and fields; the fields are a new reference. */
static int read_cover(struct preparation_request *request, json_t **fields, const struct fax *fax)
{
    struct fax_document *row = NULL;
    int count = fax_documents(&row, request->spool, fax->id, FAX_DOCUMENT_COVER);

    *fields = NULL;
    request->cover = -1;
    if (count <= 0)
        return count;
    int64_t at_ms = fax->not_before > clock_now_ms() ? fax->not_before : clock_now_ms();
    json_t *defaults = cover_defaults(request->spool, request->options, fax->destination, fax->sender, at_ms);

    *fields = cover_fill(json_object_get(row[0].info, "fields"), defaults);
    request->cover_fields = *fields;
    request->cover = document_open(request->spool, row[0].sha);
    json_decref(defaults);
    fax_documents_free(row, count);
    return request->cover < 0 ? request->cover : 0;
}

static int start_preparation(struct work *work, struct fax *fax)
{
    const struct prepare_options *options = &work->prepare->options;
    const struct page_style *style = page_style(options->spool);
    struct preparation_upload uploads[PREPARATION_UPLOADS_MAX];
    struct preparation_request request = {.spool = options->spool,
                                          .converter = options->converter,
                                          .programs = style->programs,
                                          .folder = spool_work_dir(options->spool),
                                          .pages_max = style->pages_max,
                                          .uploads = uploads,
                                          .done = on_done,
                                          .progress = on_progress,
                                          .context = work};
    json_t *fax_options = json_loads(fax->options[0] != '\0' ? fax->options : "{}", 0, NULL), *fields = NULL;
    int error;

    request.options = fax_options;
    error = read_cover(&request, &fields, fax);
    if (error == 0)
        error = read_uploads(uploads, options->spool, fax);
    if (error >= 0) {
        request.upload_count = error;
        error = preparation_start(&work->preparation, &request);
    } else if (request.cover >= 0) {
        close(request.cover);
    }
    json_decref(fax_options);
    json_decref(fields);
    return error;
}

static int start(struct prepare *prepare, struct fax *fax)
{
    struct work *work = xcalloc(1, sizeof *work);
    int error;

    work->prepare = prepare;
    work->fax = fax->id;
    memcpy(work->fax_id, fax->public_id, sizeof work->fax_id);
    LIST_INSERT_HEAD(&prepare->works, work, link);
    prepare->count++;
    error = start_preparation(work, fax);
    if (error == ERR_DAMAGED) /* its fax fails, so that those behind it go on */
        error =
            submit_failed(prepare->options.spool, fax, OUTCOME_CONVERSION_FAILED, "The stored document is damaged.");
    if (error != 0 || work->preparation == NULL)
        work_free(work);
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

/* A fax that was canceled needs its pages no more. */
static void drop_canceled(struct prepare *prepare)
{
    struct work *work = LIST_FIRST(&prepare->works), *next;

    for (; work != NULL; work = next) {
        struct fax fax = {0};

        next = LIST_NEXT(work, link);
        if (fax_get(&fax, prepare->options.spool, work->fax) == 0 && fax.state != FAX_PREPARING)
            work_free(work);
        fax_clear(&fax);
    }
}

static void on_change(void *context, unsigned changes)
{
    struct prepare *prepare = context;

    if ((changes & SPOOL_CHANGE_UNPREPARED) != 0)
        drop_canceled(prepare);
    if ((changes & (SPOOL_CHANGE_PREPARE | SPOOL_CHANGE_UNPREPARED)) != 0)
        prepare_run(prepare);
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
