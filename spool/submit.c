/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A fax enters the spool. On the route: web has stored the upload with document_put() and calls submit(); the server
 * then has it converted and calls submit_prepared(), unless the same upload was converted before.
 */
#include "spool/submit.h"

#include "db/stmt.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/number.h"
#include "server/base/str.h"
#include "spool/batch.h"
#include "spool/callable.h"
#include "spool/document.h"
#include "spool/event.h"
#include "spool/fax_day.h"
#include "spool/fax_document.h"
#include "spool/fax_count.h"
#include "spool/fax_row.h"
#include "spool/fax_state.h"
#include "spool/fax_tag.h"
#include "spool/outbound_rule.h"
#include "spool/rendition.h"
#include "spool/retry.h"
#include "spool/spool_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ATTEMPTS_MAX 50

static char *text_of(const char *text, const char *otherwise)
{
    return xstrdup(text && *text ? text : otherwise);
}

static bool has_documents(const struct submit_request *request)
{
    if (request->original)
        return document_is_sha(request->original);
    for (int i = 0; i < request->upload_count; i++) {
        if (!document_is_sha(request->uploads[i].sha))
            return false;
    }
    return request->cover ? document_is_sha(request->cover) : request->upload_count > 0;
}

/* The upload that fax.original names: the first, "" when the fax is a cover page alone. */
static const char *first_upload(const struct submit_request *request)
{
    if (request->original)
        return request->original;
    return request->upload_count > 0 ? request->uploads[0].sha : "";
}

static int check_callable(struct spool *spool, const char *number)
{
    struct callable_answer answer;
    int error = callable_ask(&answer, spool, number);
    if (error || answer.callable == CALLABLE_YES)
        return error;
    return err_set(ERR_DENIED, "to: %s", answer.why);
}

static int check(char number[NUMBER_SIZE], struct spool *spool, const struct submit_request *request)
{
    char fault[256];
    int error = number_normalise(number, request->to ? request->to : "");
    if (error) {
        str_copy(fault, sizeof(fault), err_message());
        return err_set(ERR_INVALID, "to: %s", fault);
    }
    /* A fax of a batch tells by its own end that its number may not be called (spool/claim.c). */
    if (!request->batch && (error = check_callable(spool, number)))
        return error;
    if (!has_documents(request))
        return err_set(ERR_INVALID, "documents: none was stored");
    if (request->max_attempts < 0 || request->max_attempts > ATTEMPTS_MAX)
        return err_set(ERR_INVALID, "retry.max_attempts: 1 to %d", ATTEMPTS_MAX);
    if (request->expires_at > 0 && request->expires_at <= clock_now_ms() && !request->batch)
        return err_set(ERR_INVALID, "expires_at: lies in the past");
    if (request->expires_at > 0 && request->not_before >= request->expires_at)
        return err_set(ERR_INVALID, "not_before: has to be before expires_at");
    if (!spool_has_room(spool))
        return err_set(ERR_FULL, "the disk has no room for new faxes");
    return 0;
}

static void fill(struct fax *fax, const struct spool *spool, const struct submit_request *request, const char *number)
{
    char ulid[STR_ULID_SIZE];
    *fax = (struct fax){
        .direction = FAX_OUTBOUND,
        .state = FAX_PREPARING,
        .reason = xstrdup(request->hold ? FAX_REASON_HELD : ""),
        .owner = request->owner,
        .user_id = request->user ? request->user->id : 0,
        .test = request->test,
        .destination = xstrdup(number),
        .sender = text_of(request->from, ""),
        .line_group = text_of(request->line_group, OUTBOUND_DEFAULT),
        .routed = !request->test && (!request->line_group || !*request->line_group),
        .priority = request->priority,
        .not_before = request->not_before,
        .expires_at = request->expires_at,
        .original = xstrdup(first_upload(request)),
        .document = xstrdup(""),
        .pages_total = -1,
        .prepared_of = -1,
        .max_attempts = request->max_attempts ? request->max_attempts : spool->policy->max_attempts,
        .resume = request->resume,
        .on_unconfirmed = request->on_unconfirmed,
        .message = xstrdup(""),
        .error = xstrdup(""),
        .remote_station_id = xstrdup(""),
        .local_station_id = xstrdup(""),
        .line = xstrdup(""),
        .options = fax_row_json(request->options),
        .transport = xstrdup(""),
        .client_reference = text_of(request->client_reference, ""),
        .tags = fax_row_json(request->tags),
        .metadata = fax_row_json(request->metadata),
        .resent_from = text_of(request->resent_from, ""),
        .purged_document = xstrdup(""),
        .labels = xstrdup(""),
    };
    str_copy(fax->user, sizeof(fax->user), request->user ? request->user->public_id : "");
    fax->batch = request->batch;
    str_copy(fax->batch_id, sizeof(fax->batch_id), request->batch_id);
    fax->created_at = fax->updated_at = clock_now_ms();
    snprintf(fax->public_id, sizeof(fax->public_id), "fax_%s", str_ulid(ulid, fax->created_at));
}

static int insert(struct fax *fax, struct spool *spool)
{
    struct stmt *stmt;
    int error = stmt_open(
        &stmt, spool_db(spool),
        "INSERT INTO fax (public_id, direction, state, reason, owner, test, destination, sender,"
        " line_group, priority, not_before, expires_at, created_at, updated_at, original,"
        " max_attempts, resume, on_unconfirmed, options, client_reference, tags, metadata,"
        " resent_from, user_id, routed, batch)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id");
    if (error)
        return error;
    stmt_bind_text(stmt, fax->public_id);
    stmt_bind_int(stmt, fax->direction);
    stmt_bind_int(stmt, fax->state);
    stmt_bind_text(stmt, fax->reason);
    stmt_bind_int(stmt, fax->owner);
    stmt_bind_int(stmt, fax->test);
    stmt_bind_text(stmt, fax->destination);
    stmt_bind_text(stmt, fax->sender);
    stmt_bind_text(stmt, fax->line_group);
    stmt_bind_int(stmt, fax->priority);
    stmt_bind_int(stmt, fax->not_before);
    stmt_bind_int(stmt, fax->expires_at);
    stmt_bind_int(stmt, fax->created_at);
    stmt_bind_int(stmt, fax->updated_at);
    stmt_bind_text(stmt, fax->original);
    stmt_bind_int(stmt, fax->max_attempts);
    stmt_bind_int(stmt, fax->resume);
    stmt_bind_int(stmt, fax->on_unconfirmed);
    stmt_bind_text(stmt, fax->options);
    stmt_bind_text(stmt, fax->client_reference);
    stmt_bind_text(stmt, fax->tags);
    stmt_bind_text(stmt, fax->metadata);
    stmt_bind_text(stmt, fax->resent_from);
    stmt_bind_int(stmt, fax->user_id);
    stmt_bind_int(stmt, fax->routed);
    stmt_bind_int(stmt, fax->batch);
    error = stmt_step(stmt);
    if (error == 1)
        fax->id = stmt_int(stmt, "id");
    stmt_close(stmt);
    return error == 1 ? 0 : error ? error : err_set(ERR_INTERNAL, "store: no fax was written");
}

/* Rows for all that fax.original does not say. */
static int add_documents(struct spool *spool, const struct fax *fax, const struct submit_request *request)
{
    bool plain = request->upload_count == 1 && json_object_size(request->uploads[0].info) == 0;
    int error = 0;
    for (int i = 0; i < request->upload_count && !plain && !error; i++)
        error = fax_document_add(spool, fax->id, FAX_DOCUMENT_UPLOAD, i + 1, request->uploads[i].sha,
                                 request->uploads[i].info);
    if (!error && request->cover) {
        json_t *fields = request->cover_fields ? json_deep_copy(request->cover_fields) : json_object();
        json_t *info = json_pack("{s:o}", "fields", fields);
        error = fax_document_add(spool, fax->id, FAX_DOCUMENT_COVER, 0, request->cover, info);
        json_decref(info);
    }
    return error;
}

struct known_forms {
    struct rendition renditions[RENDITIONS_MAX];
    char shas[RENDITIONS_MAX][DOCUMENT_SHA_SIZE];
    struct document_form forms[RENDITIONS_MAX];
    int count;
};

/* All forms of a single upload that was prepared before. ERR_NOT_FOUND when one is missing. */
static int find_known(struct known_forms *known, struct spool *spool, const struct fax *fax, const json_t *options)
{
    char key[RENDITION_KEY_SIZE];
    int error = 0;
    rendition_first(&known->renditions[0], options);
    known->count = 1;
    for (int i = 0; i < known->count && !error; i++) {
        rendition_key(key, &known->renditions[i], options, NULL);
        error = document_prepared(known->shas[i], &known->forms[i], spool, fax->original, key);
        if (!error && i == 0)
            known->count = 1 + rendition_others(known->renditions + 1, known->forms[0].width,
                                                known->forms[0].resolution, known->forms[0].length_mm);
    }
    return error;
}

/* The same upload under the same options was prepared before: no need to wait for the converter. */
static int use_prepared(struct spool *spool, struct fax *fax)
{
    struct known_forms known;
    struct submit_form forms[RENDITIONS_MAX];
    json_t *options = json_loads(*fax->options ? fax->options : "{}", 0, NULL);
    int error = find_known(&known, spool, fax, options);
    if (error == ERR_NOT_FOUND) {
        spool_mark(spool, SPOOL_CHANGE_PREPARE);
        error = 0;
    } else if (!error) {
        for (int i = 0; i < known.count; i++)
            forms[i] = (struct submit_form){known.shas[i], known.forms[i].resolution, known.forms[i].width};
        error = submit_prepared(spool, fax, forms, known.count, known.forms[0].pages);
    }
    json_decref(options);
    return error;
}

/* A fax of one plain upload may be ready at once, and one whose pages are there is; the others are put together first.
 */
static int go_on(struct spool *spool, struct fax *fax, const struct submit_request *request)
{
    int error = add_documents(spool, fax, request);
    if (error)
        return error;
    if (request->form_count > 0)
        return submit_prepared(spool, fax, request->forms, request->form_count, request->pages);
    if (!request->cover &&
        (request->original || (request->upload_count == 1 && !json_object_size(request->uploads[0].info))))
        return use_prepared(spool, fax);
    spool_mark(spool, SPOOL_CHANGE_PREPARE);
    return 0;
}

int submit(struct fax *fax, struct spool *spool, const struct submit_request *request)
{
    struct retry_policy policy;
    char number[NUMBER_SIZE];
    spool_assert_loop(spool);
    int error = check(number, spool, request);
    if (error)
        return error;
    fill(fax, spool, request, number);
    error = retry_policy_for(&policy, spool->policy, fax); /* refuses bad delays */
    if (!error)
        error = insert(fax, spool);
    if (!error)
        error = fax_day_note(spool, fax->id, fax->created_at);
    if (!error)
        error = fax_tags_add(spool, fax->id, request->tags);
    if (!error) {
        fax_count_move(spool, 0, FAX_PREPARING);
        error = batch_moved(spool, fax, 0, FAX_PREPARING);
    }
    if (!error) {
        error = event_write(spool, "fax.accepted", fax, NULL);
    }
    if (!error)
        error = go_on(spool, fax, request);
    if (error)
        fax_clear(fax);
    return error;
}

int submit_forms(struct submit_form forms[RENDITIONS_MAX], const struct fax *fax, const json_t *options,
                 const struct fax_document *renditions, int count)
{
    const char *resolution = json_string_value(json_object_get(options, "resolution"));
    int filled = 1;
    forms[0] = (struct submit_form){fax->document, resolution ? resolution : "fine", 0};
    for (int i = 0; i < count && filled < RENDITIONS_MAX; i++) {
        const json_t *info = renditions[i].info;
        const char *word = json_string_value(json_object_get(info, "resolution"));
        forms[filled++] = (struct submit_form){renditions[i].sha, word ? word : "standard",
                                               (int)json_integer_value(json_object_get(info, "width"))};
    }
    return filled;
}

/* The pages are made: nobody needs the passwords any more. That there was one is remembered, since without it the
 * upload cannot be made pages of again. */
static int forget_passwords(struct spool *spool, const struct fax *fax)
{
    struct fax_document *rows;
    int count = fax_documents(&rows, spool, fax->id, FAX_DOCUMENT_UPLOAD), error = count < 0 ? count : 0;
    for (int i = 0; i < count && !error; i++) {
        if (json_object_del(rows[i].info, "password") != 0)
            continue;
        json_object_set_new(rows[i].info, "protected", json_true());
        error = fax_document_add(spool, fax->id, FAX_DOCUMENT_UPLOAD, rows[i].position, rows[i].sha, rows[i].info);
    }
    fax_documents_free(rows, count > 0 ? count : 0);
    return error;
}

int submit_prepared(struct spool *spool, struct fax *fax, const struct submit_form *forms, int count, int pages)
{
    int64_t now_ms = clock_now_ms();
    enum fax_state next = fax->not_before > now_ms ? FAX_SCHEDULED : FAX_QUEUED;
    if (fax->state != FAX_PREPARING)
        return err_set(ERR_CONFLICT, "fax %s is not being prepared", fax->public_id);
    if (strcmp(fax->reason, FAX_REASON_HELD) == 0)
        next = FAX_HELD;
    if (fax->expires_at > 0 && fax->expires_at <= now_ms) {
        next = FAX_EXPIRED;
        fax->outcome = OUTCOME_EXPIRED;
    }
    int error = forget_passwords(spool, fax);
    if (error)
        return error;
    fax_row_set(&fax->document, forms[0].sha);
    fax->pages_total = pages;
    for (int i = 1; i < count; i++) {
        json_t *info = json_pack("{s:s, s:i}", "resolution", forms[i].resolution, "width", forms[i].width);
        error = fax_document_add(spool, fax->id, FAX_DOCUMENT_RENDITION, i, forms[i].sha, info);
        json_decref(info);
        if (error)
            return error;
    }
    return fax_state_change(spool, fax, next);
}

int submit_failed(struct spool *spool, struct fax *fax, enum fax_outcome outcome, const char *message)
{
    if (fax->state != FAX_PREPARING)
        return err_set(ERR_CONFLICT, "fax %s is not being prepared", fax->public_id);
    fax->outcome = outcome;
    fax_row_set(&fax->message, message && *message ? message : outcome_info(outcome)->message);
    fax_row_set(&fax->reason, "");
    int error = forget_passwords(spool, fax);
    if (error)
        return error;
    return fax_state_change(spool, fax, FAX_FAILED);
}

int submit_progress(struct spool *spool, int64_t fax, int done, int total)
{
    struct stmt *stmt;
    spool_assert_loop(spool);
    int error =
        stmt_open(&stmt, spool_db(spool),
                  "UPDATE fax SET prepared_pages = ?, prepared_of = ? WHERE state = " SQL_PREPARING " AND id = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, done);
    stmt_bind_int(stmt, total);
    stmt_bind_int(stmt, fax);
    return stmt_run(NULL, stmt);
}

int submit_waiting(struct spool *spool, int64_t after, int64_t *ids, int room)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool),
                          "SELECT id FROM fax WHERE state = " SQL_PREPARING " AND id > ? ORDER BY id LIMIT ?");
    if (error)
        return error;
    stmt_bind_int(stmt, after);
    stmt_bind_int(stmt, room);
    return fax_row_ids(ids, room, stmt);
}
