/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The faxes of a batch are made, or canceled, slice by slice.
 *
 * Whose pages are all the same: the first fax is prepared like any other, the rest waits for it and then takes its
 * pages, or its fault. Where each has a cover of its own, each is prepared, a few at a time, so that the faxes of
 * others find their way between them.
 */
#include "config.h"

#include "spool/batch.h"

#include "db/stmt.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "spool/batch_private.h"
#include "spool/contact.h"
#include "spool/document.h"
#include "spool/document_use.h"
#include "spool/fax_document.h"
#include "spool/fax_row.h"
#include "spool/fax_state.h"
#include "spool/preparation.h"
#include "spool/spool_private.h"
#include "spool/submit.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SLICE       40  /* faxes that are made in a turn */
#define CANCEL      100 /* faxes that are canceled in a turn */
#define PREPARE_MAX 16  /* of a batch with covers at a time */
#define PAUSE_MS    5   /* between slices, for others */
#define FAILED_MS   10000

struct batches {
    struct spool *spool;
    struct event *timer;
    FILE *list; /* of the batch below; NULL = none is open */
    int64_t list_of;
};

/* All that the faxes of a batch are submitted with, and whom it is read from. */
struct plan {
    struct batch batch;
    int64_t position; /* in the list */
    json_t *wishes;
    char list[DOCUMENT_SHA_SIZE], cover[DOCUMENT_SHA_SIZE];
    json_t *cover_info;
    struct submit_upload uploads[PREPARATION_UPLOADS_MAX];
    char shas[PREPARATION_UPLOADS_MAX][DOCUMENT_SHA_SIZE];
    json_t *infos[PREPARATION_UPLOADS_MAX];
    int upload_count;
    struct user user;
    struct fax model; /* the fax that was made last, id 0 = none */
    struct fax_document *renditions;
    int rendition_count;
    struct submit_form forms[RENDITIONS_MAX];
    int form_count;
};

static void plan_clear(struct plan *plan)
{
    for (int i = 0; i < plan->upload_count; i++)
        json_decref(plan->infos[i]);
    json_decref(plan->cover_info);
    json_decref(plan->wishes);
    fax_documents_free(plan->renditions, plan->rendition_count);
    fax_clear(&plan->model);
}

/* ---- reading the plan ---- */

static int read_wishes(struct plan *plan, struct spool *spool)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "SELECT wishes, position FROM batch WHERE id = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, plan->batch.id);
    error = stmt_step(stmt);
    if (error == 1) {
        plan->wishes = json_loads(stmt_text(stmt, "wishes"), 0, NULL);
        plan->position = stmt_int(stmt, "position");
    }
    stmt_close(stmt);
    return error < 0 ? error : plan->wishes ? 0 : err_set(ERR_DAMAGED, "the wishes of a batch cannot be read");
}

static void take_document(struct plan *plan, struct stmt *stmt)
{
    const char *sha = stmt_text(stmt, "document");
    json_t *info = json_loads(stmt_text(stmt, "info"), 0, NULL);
    int role = (int)stmt_int(stmt, "role"), at = plan->upload_count;
    if (role == BATCH_DOCUMENT_LIST) {
        str_copy(plan->list, sizeof(plan->list), sha);
        json_decref(info);
    } else if (role == BATCH_DOCUMENT_COVER) {
        str_copy(plan->cover, sizeof(plan->cover), sha);
        plan->cover_info = info;
    } else {
        str_copy(plan->shas[at], sizeof(plan->shas[at]), sha);
        plan->infos[at] = info;
        plan->uploads[at] = (struct submit_upload){plan->shas[at], info};
        plan->upload_count++;
    }
}

static int read_documents(struct plan *plan, struct spool *spool)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool),
                          "SELECT role, document, info FROM batch_document WHERE batch = ? ORDER BY role, position");
    if (error)
        return error;
    stmt_bind_int(stmt, plan->batch.id);
    while (plan->upload_count < PREPARATION_UPLOADS_MAX && (error = stmt_step(stmt)) == 1)
        take_document(plan, stmt);
    stmt_close(stmt);
    return error < 0 ? error : 0;
}

static int read_model(struct plan *plan, struct spool *spool)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool),
                          "SELECT " FAX_COLUMNS " FROM fax WHERE batch = ? AND batch > 0 ORDER BY id DESC LIMIT 1");
    if (error)
        return error;
    stmt_bind_int(stmt, plan->batch.id);
    error = fax_row_one(&plan->model, stmt);
    if (error == ERR_NOT_FOUND)
        return 0;
    if (!error) {
        plan->rendition_count = fax_documents(&plan->renditions, spool, plan->model.id, FAX_DOCUMENT_RENDITION);
        if (plan->rendition_count < 0) {
            error = plan->rendition_count;
            plan->rendition_count = 0;
        }
    }
    return error;
}

static int plan_read(struct plan *plan, struct spool *spool)
{
    int error = read_wishes(plan, spool);
    if (!error)
        error = read_documents(plan, spool);
    if (!error && plan->batch.user_id)
        error = user_get(&plan->user, spool, plan->batch.user_id);
    if (error == ERR_NOT_FOUND)
        error = 0; /* the user is gone; whose it was is not */
    plan->user.id = plan->batch.user_id;
    if (!error)
        error = read_model(plan, spool);
    if (!error && !*plan->cover && plan->model.id && *plan->model.document)
        plan->form_count = submit_forms(plan->forms, &plan->model, json_object_get(plan->wishes, "options"),
                                        plan->renditions, plan->rendition_count);
    return error;
}

/* ---- making faxes ---- */

static json_int_t number_of(const struct plan *plan, const char *key)
{
    return json_integer_value(json_object_get(plan->wishes, key));
}

static const char *text_of(const json_t *object, const char *key, const json_t *otherwise)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : json_string_value(json_object_get(otherwise, key));
}

static struct submit_request request_of(struct plan *plan, const json_t *recipient, const json_t *fields)
{
    const json_t *metadata = json_object_get(recipient, "metadata");
    return (struct submit_request){
        .to = json_string_value(json_object_get(recipient, "to")),
        .from = text_of(plan->wishes, "from", NULL),
        .uploads = plan->uploads,
        .upload_count = plan->upload_count,
        .cover = *plan->cover ? plan->cover : NULL,
        .cover_fields = fields,
        .forms = plan->forms,
        .form_count = plan->form_count,
        .pages = plan->model.pages_total,
        .line_group = text_of(plan->wishes, "line_group", NULL),
        .priority = (enum fax_priority)number_of(plan, "priority"),
        .not_before = number_of(plan, "not_before"),
        .expires_at = number_of(plan, "expires_at"),
        .hold = json_is_true(json_object_get(plan->wishes, "hold")),
        .test = plan->batch.test,
        .owner = plan->batch.owner,
        .user = &plan->user,
        .max_attempts = (int)number_of(plan, "max_attempts"),
        .resume = (enum fax_resume)number_of(plan, "resume"),
        .on_unconfirmed = (enum fax_on_unconfirmed)number_of(plan, "on_unconfirmed"),
        .options = json_object_get(plan->wishes, "options"),
        .client_reference = text_of(recipient, "client_reference", plan->wishes),
        .tags = json_object_get(plan->wishes, "tags"),
        .metadata = metadata ? metadata : json_object_get(plan->wishes, "metadata"),
        .batch = plan->batch.id,
        .batch_id = plan->batch.public_id,
    };
}

/* The pages of another one could not be made, and these are the same. */
static bool has_fault(const struct plan *plan)
{
    return !*plan->cover && plan->model.state == FAX_FAILED && !*plan->model.document && !plan->model.purged_at;
}

#define CONTACT "contact:"

static void set_missing(json_t *object, const char *key, const char *text)
{
    if (*text && !json_object_get(object, key))
        json_object_set_new(object, key, json_string(text));
}

/* A recipient that is named by the id of a contact becomes its number, and who that is stands on the cover and with the
 * fax. One that is gone meanwhile is left out. */
static int find_contact(struct contact *contact, struct spool *spool, const struct plan *plan, const char *to,
                        json_t *fields)
{
    int error = contact_find(contact, spool, to + strlen(CONTACT));
    if (error == ERR_NOT_FOUND)
        return err_set(ERR_INVALID, "there is no contact %.60s any more", to + strlen(CONTACT));
    if (!error && *plan->cover) {
        set_missing(fields, "to_name", contact->name);
        set_missing(fields, "to_company", contact->organization);
    }
    return error;
}

static int submit_one(struct fax *fax, struct spool *spool, struct plan *plan, const json_t *recipient, json_t *fields)
{
    struct submit_request request = request_of(plan, recipient, fields);
    struct contact contact;
    json_t *options = NULL;
    int error = 0;
    if (request.to && strncmp(request.to, CONTACT, strlen(CONTACT)) == 0) {
        error = find_contact(&contact, spool, plan, request.to, fields);
        if (!error) {
            options = request.options ? json_copy((json_t *)request.options) : json_object();
            json_object_set_new(options, "to_contact", contact_called(&contact));
            request.to = contact.number;
            request.options = options;
        }
    }
    if (!error)
        error = submit(fax, spool, &request);
    json_decref(options);
    return error;
}

static int make_fax(struct spool *spool, struct plan *plan, const json_t *recipient)
{
    struct fax fax = {0};
    json_t *fields = json_deep_copy(json_object_get(plan->cover_info, "fields")), *own;
    own = json_object_get(recipient, "fields");
    if (!fields)
        fields = json_object();
    json_object_update(fields, own);
    int error = submit_one(&fax, spool, plan, recipient, fields);
    if (!error && has_fault(plan))
        error = submit_failed(spool, &fax, plan->model.outcome, plan->model.message);
    fax_clear(&fax);
    json_decref(fields);
    return error;
}

/* How many may be made now: 0 = the first one's pages, or a place among those that are prepared, are waited for. */
static int allowance(struct spool *spool, const struct plan *plan)
{
    if (plan->batch.expanded == 0)
        return 1;
    if (plan->form_count > 0 || has_fault(plan))
        return SLICE;
    int preparing = batch_count(spool, plan->batch.id, FAX_PREPARING);
    if (preparing < 0)
        return preparing;
    if (preparing == 0 && !*plan->cover)
        return 1; /* the one before was canceled, or is purged, and cannot serve */
    /* The uploads of the first are remembered once it is through, so that the others only need their covers. */
    if (!*plan->cover || preparing == plan->batch.expanded - plan->batch.dropped)
        return preparing == 0 ? 1 : 0;
    return preparing < PREPARE_MAX ? PREPARE_MAX - preparing : 0;
}

static void close_list(struct batches *batches)
{
    if (batches->list)
        fclose(batches->list);
    batches->list = NULL;
}

static int open_list(struct batches *batches, const struct plan *plan)
{
    if (!batches->list || batches->list_of != plan->batch.id) {
        close_list(batches);
        int fd = document_open(batches->spool, plan->list);
        if (fd < 0)
            return fd;
        batches->list = fdopen(fd, "r");
        if (!batches->list) {
            close(fd);
            return err_set(ERR_IO, "the list of a batch cannot be read");
        }
        batches->list_of = plan->batch.id;
    }
    if (fseeko(batches->list, (off_t)plan->position, SEEK_SET) != 0)
        return err_set(ERR_IO, "the list of a batch cannot be read");
    return 0;
}

/* One recipient: 0, ERR_NOT_FOUND at the end of the list, or an error. One that this version takes no more, of a list
 * that an older one accepted, is left out; nothing else of the batch depends on it. */
static int next_recipient(struct batches *batches, struct plan *plan, char **line, size_t *room)
{
    ssize_t length = getline(line, room, batches->list);
    json_t *recipient = length > 0 ? json_loadb(*line, (size_t)length, 0, NULL) : NULL;
    if (!recipient)
        return err_set(length > 0 ? ERR_DAMAGED : ERR_NOT_FOUND, "the list of a batch is damaged");
    int error = make_fax(batches->spool, plan, recipient);
    if (error == ERR_INVALID) {
        log_warning("a recipient is left out batch=%s: %s", plan->batch.public_id, err_message());
        plan->batch.dropped++;
        error = 0;
    }
    json_decref(recipient);
    if (!error) {
        plan->position += length;
        plan->batch.expanded++;
    }
    return error;
}

static int release_documents(struct spool *spool, const struct plan *plan)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "DELETE FROM batch_document WHERE batch = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, plan->batch.id);
    error = stmt_run(NULL, stmt);
    for (int i = 0; i < plan->upload_count && !error; i++)
        error = document_release(spool, plan->shas[i]);
    if (!error)
        error = document_release(spool, plan->cover);
    return error ? error : document_release(spool, plan->list);
}

/* What the row says of the work; `open` = there is more of it. */
static int write_row(struct spool *spool, const struct plan *plan, bool open)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool),
                          "UPDATE batch SET expanded = ?, dropped = ?, position = ?, open = ? WHERE id = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, plan->batch.expanded);
    stmt_bind_int(stmt, plan->batch.dropped);
    stmt_bind_int(stmt, plan->position);
    stmt_bind_int(stmt, open);
    stmt_bind_int(stmt, plan->batch.id);
    return stmt_run(NULL, stmt);
}

static int end_work(struct batches *batches, struct plan *plan)
{
    close_list(batches);
    int error = release_documents(batches->spool, plan);
    if (!error)
        error = write_row(batches->spool, plan, false);
    return error ? error : batch_check_done(batches->spool, plan->batch.id);
}

static int expand(struct batches *batches, struct plan *plan)
{
    char *line = NULL;
    size_t room = 0;
    int count = allowance(batches->spool, plan), done = 0;
    if (count <= 0)
        return count;
    int error = open_list(batches, plan);
    while (!error && done < count && plan->batch.expanded < plan->batch.total) {
        error = next_recipient(batches, plan, &line, &room);
        done += !error;
    }
    free(line);
    if (error == ERR_NOT_FOUND || error == ERR_DAMAGED) { /* the rest cannot be known: told, and not waited for */
        log_error("batch=%s: %s", plan->batch.public_id, err_message());
        plan->batch.dropped += plan->batch.total - plan->batch.expanded;
        plan->batch.expanded = plan->batch.total;
        error = 0;
    }
    if (!error)
        error =
            plan->batch.expanded == plan->batch.total ? end_work(batches, plan) : write_row(batches->spool, plan, true);
    return error ? error : done + 1;
}

/* ---- canceling ---- */

static int cancel_ids(int64_t *ids, struct spool *spool, int64_t batch)
{
    struct stmt *stmt;
    int error =
        stmt_open(&stmt, spool_db(spool),
                  "SELECT id FROM fax WHERE batch = ? AND batch > 0 AND state IN " SQL_UNCALLED " ORDER BY id LIMIT ?");
    if (error)
        return error;
    stmt_bind_int(stmt, batch);
    stmt_bind_int(stmt, CANCEL);
    return fax_row_ids(ids, CANCEL, stmt);
}

static int cancel_fax(struct spool *spool, int64_t id)
{
    struct fax fax;
    int error = fax_get(&fax, spool, id);
    if (error)
        return error;
    fax_row_set(&fax.reason, "");
    error = fax_state_change(spool, &fax, FAX_CANCELED);
    fax_clear(&fax);
    return error;
}

/* Recipients that have no fax yet get none. */
static int cancel(struct batches *batches, struct plan *plan)
{
    int64_t ids[CANCEL];
    int error = 0, count = cancel_ids(ids, batches->spool, plan->batch.id);
    for (int i = 0; i < count && !error; i++)
        error = cancel_fax(batches->spool, ids[i]);
    if (count < 0 || error)
        return error ? error : count;
    if (count == CANCEL)
        return count;
    plan->batch.dropped += plan->batch.total - plan->batch.expanded;
    plan->batch.expanded = plan->batch.total;
    error = end_work(batches, plan);
    return error ? error : count + 1;
}

/* ---- the work ---- */

static int next_open(struct batch *batch, struct spool *spool, int64_t after)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool),
                          "SELECT " BATCH_COLUMNS " FROM batch WHERE open = 1 AND id > ? ORDER BY id LIMIT 1");
    if (error)
        return error;
    stmt_bind_int(stmt, after);
    error = stmt_step(stmt);
    if (error == 1)
        batch_row_read(batch, stmt);
    stmt_close(stmt);
    return error;
}

static int work_on(struct batches *batches, const struct batch *batch)
{
    struct plan plan = {.batch = *batch};
    int result = plan_read(&plan, batches->spool);
    if (result == 0)
        result = batch->canceled_at ? cancel(batches, &plan) : expand(batches, &plan);
    plan_clear(&plan);
    return result;
}

/* One that has to wait does not keep the next from its turn. */
int batch_run(struct spool *spool)
{
    struct batch batch = {.id = 0};
    int found;
    spool_assert_loop(spool);
    while ((found = next_open(&batch, spool, batch.id)) == 1) {
        int done = work_on(spool->batches, &batch);
        if (done)
            return done;
    }
    return found;
}

static void wait_for(struct batches *batches, int ms)
{
    struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    evtimer_add(batches->timer, &wait);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
    struct batches *batches = context;
    (void)fd, (void)what;
    int error = spool_part_begin(batches->spool);
    int done = error ? error : batch_run(batches->spool);
    if (!error)
        error = spool_part_end(batches->spool, done >= 0);
    if (done < 0 || error)
        log_warning("batches: %s", err_message());
    if (done < 0 || error)
        wait_for(batches, FAILED_MS);
    else if (done > 0)
        wait_for(batches, PAUSE_MS);
}

/* Not sooner than after a pause: a step of a fax may wake it in the middle of a slice. */
void batch_wake(struct spool *spool)
{
    if (spool->batches && spool->batches->timer && !evtimer_pending(spool->batches->timer, NULL))
        wait_for(spool->batches, PAUSE_MS);
}

static void close_batches(struct spool *spool)
{
    if (spool->batches->timer)
        event_free(spool->batches->timer);
    close_list(spool->batches);
    free(spool->batches);
    spool->batches = NULL;
}

static const struct spool_hook hook = {.close = close_batches};

int batch_start(struct spool *spool)
{
    spool->batches = xcalloc(1, sizeof(*spool->batches));
    spool->batches->spool = spool;
    spool_hook(spool, &hook);
    if (!spool->base)
        return 0;
    spool->batches->timer = evtimer_new(spool->base, on_timer, spool->batches);
    if (!spool->batches->timer)
        return err_set(ERR_INTERNAL, "cannot make the timer of batches");
    batch_wake(spool); /* what the last run left */
    return 0;
}
