/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sending once more what was sent or received. */
#include "spool/fax_again.h"

#include "db/stmt.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/number.h"
#include "spool/batch.h"
#include "spool/fax_document.h"
#include "spool/fax_row.h"
#include "spool/fax_state.h"
#include "spool/outbound_rule.h"
#include "spool/page_style.h"
#include "spool/preparation.h"
#include "spool/spool_private.h"
#include "spool/submit.h"

#include <stdlib.h>
#include <string.h>

/* ---- the same fax ---- */

bool fax_again_is_doubtful(const struct fax *fax)
{
    return fax->state == FAX_UNCONFIRMED || fax->delivery == FAX_DELIVERY_UNCONFIRMED;
}

static int check_retry(const struct fax *fax, bool sure)
{
    if (fax->direction == FAX_INBOUND)
        return err_set(ERR_CONFLICT, "a received fax cannot be sent again: forward it");
    if (!fax_state_is_final(fax->state))
        return err_set(ERR_CONFLICT, "the fax is %s: there is nothing to do again yet", fax_state_name(fax->state));
    if (fax->state == FAX_DELIVERED)
        return err_set(ERR_CONFLICT, "the fax is delivered: resend makes a new one");
    if (!*fax->document)
        return err_set(ERR_CONFLICT, "the fax has no pages: resend makes them anew");
    if (fax_again_is_doubtful(fax) && !sure)
        return err_set(ERR_CONFLICT, "the far end may have all of the fax: to call it again may send it twice");
    return 0;
}

/* A new round of calls begins: attempts count from here, and a deadline that has passed would end it at once. */
static int begin_round(struct spool *spool, struct fax *fax)
{
    struct stmt *stmt;
    if (fax->expires_at <= clock_now_ms())
        fax->expires_at = 0;
    int error = stmt_open(&stmt, spool_db(spool), "UPDATE fax SET calls_before = calls, expires_at = ? WHERE id = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, fax->expires_at);
    stmt_bind_int(stmt, fax->id);
    return stmt_run(NULL, stmt);
}

int fax_again_retry(struct spool *spool, struct fax *fax, bool sure)
{
    spool_assert_loop(spool);
    int error = check_retry(fax, sure), canceled = error || !fax->batch ? 0 : batch_is_canceled(spool, fax->batch);
    if (canceled)
        return canceled < 0 ? canceled : err_set(ERR_CONFLICT, "the batch of the fax is canceled: resend it alone");
    if (!error)
        error = begin_round(spool, fax);
    if (error)
        return error;
    fax->attempts = 0;
    fax->not_before = fax->ended_at = 0;
    if (fax->outcome == OUTCOME_EXPIRED || fax->outcome == OUTCOME_ABORTED) { /* no longer true; a failed call's is */
        fax->outcome = OUTCOME_NONE;
        fax_row_set(&fax->message, "");
        fax_row_set(&fax->error, "");
    }
    fax_row_set(&fax->reason, "");
    return fax_state_again(spool, fax);
}

/* ---- a new fax ---- */

/* What the new fax takes over, and where it is kept while submit() reads it. */
struct copy {
    struct submit_request request;
    struct fax_document *uploads, *cover, *renditions;
    int upload_count, cover_count, rendition_count;
    struct submit_upload list[PREPARATION_UPLOADS_MAX];
    struct submit_form forms[RENDITIONS_MAX];
    json_t *options, *tags, *metadata;
};

static void copy_clear(struct copy *copy)
{
    fax_documents_free(copy->uploads, copy->upload_count);
    fax_documents_free(copy->cover, copy->cover_count);
    fax_documents_free(copy->renditions, copy->rendition_count);
    json_decref(copy->options);
    json_decref(copy->tags);
    json_decref(copy->metadata);
}

static json_t *parsed(const char *text)
{
    return *text ? json_loads(text, 0, NULL) : NULL;
}

static bool goes_elsewhere(const struct fax *of, const struct fax_again *wish)
{
    char number[NUMBER_SIZE];
    return wish->to && number_normalise(number, wish->to) == 0 && strcmp(number, of->destination) != 0;
}

/* What the cover said of the contact that it was for, and not of whom it is for now. */
static void forget_contact(struct copy *copy)
{
    json_t *contact = json_object_get(copy->options, "to_contact");
    json_t *fields = copy->cover_count > 0 ? json_object_get(copy->cover[0].info, "fields") : NULL;
    if (contact && json_equal(json_object_get(contact, "name"), json_object_get(fields, "to_name"))) {
        json_object_del(fields, "to_name");
        json_object_del(fields, "to_company");
    }
    json_object_del(copy->options, "to_contact");
}

static void copy_wishes(struct copy *copy, const struct fax *of, const struct fax_again *wish)
{
    copy->options = parsed(of->options);
    copy->tags = parsed(of->tags);
    copy->metadata = parsed(of->metadata);
    copy->request = (struct submit_request){
        .to = wish->to ? wish->to : of->destination,
        .from = of->sender,
        .line_group = outbound_rule_asked(of),
        .priority = of->priority,
        .test = wish->test,
        .owner = wish->owner,
        .user = wish->user,
        .max_attempts = of->max_attempts,
        .resume = of->resume,
        .on_unconfirmed = of->on_unconfirmed,
        .options = copy->options,
        .client_reference = of->client_reference,
        .tags = copy->tags,
        .metadata = copy->metadata,
        .resent_from = of->public_id,
    };
}

static int read_rows(struct copy *copy, struct spool *spool, const struct fax *of)
{
    copy->upload_count = fax_documents(&copy->uploads, spool, of->id, FAX_DOCUMENT_UPLOAD);
    if (copy->upload_count >= 0)
        copy->cover_count = fax_documents(&copy->cover, spool, of->id, FAX_DOCUMENT_COVER);
    if (copy->upload_count >= 0 && copy->cover_count >= 0)
        copy->rendition_count = fax_documents(&copy->renditions, spool, of->id, FAX_DOCUMENT_RENDITION);
    int *counts[] = {&copy->upload_count, &copy->cover_count, &copy->rendition_count};
    int error = 0;
    for (int i = 0; i < 3; i++) {
        if (*counts[i] < 0) {
            error = *counts[i];
            *counts[i] = 0;
        }
    }
    return error;
}

static void copy_uploads(struct copy *copy, const struct fax *of)
{
    int count = copy->upload_count < PREPARATION_UPLOADS_MAX ? copy->upload_count : PREPARATION_UPLOADS_MAX;
    for (int i = 0; i < count; i++)
        copy->list[i] = (struct submit_upload){copy->uploads[i].sha, copy->uploads[i].info};
    copy->request.uploads = copy->list;
    copy->request.upload_count = count;
    if (count == 0 && *of->original) {
        copy->list[0] = (struct submit_upload){of->original, NULL};
        copy->request.upload_count = 1;
    }
    if (copy->cover_count > 0) {
        copy->request.cover = copy->cover[0].sha;
        copy->request.cover_fields = json_object_get(copy->cover[0].info, "fields");
    }
}

static void copy_forms(struct copy *copy, const struct fax *of)
{
    copy->request.form_count = submit_forms(copy->forms, of, copy->options, copy->renditions, copy->rendition_count);
    copy->request.forms = copy->forms;
    copy->request.pages = of->pages_total;
}

/* What was made of an upload with its password cannot be made again without it. */
static int check_passwords(const struct copy *copy)
{
    for (int i = 0; i < copy->upload_count; i++) {
        if (json_is_true(json_object_get(copy->uploads[i].info, "protected")))
            return err_set(ERR_CONFLICT, "document %d needs a password, which is not kept: send it anew", i + 1);
    }
    return 0;
}

static int check_resend(const struct fax *of, const struct fax_again *wish)
{
    if (of->direction == FAX_INBOUND)
        return err_set(ERR_CONFLICT, "a received fax cannot be resent: forward it");
    if (of->purged_at)
        return err_set(ERR_CONFLICT, "the documents of this fax were deleted");
    if (of->state == FAX_PREPARING)
        return err_set(ERR_CONFLICT, "the fax is preparing, its pages are not ready yet");
    if (!fax_state_is_final(of->state) && !goes_elsewhere(of, wish))
        return err_set(ERR_CONFLICT, "the fax is %s: it would reach the same number twice", fax_state_name(of->state));
    return 0;
}

int fax_again_resend(struct fax *fax, struct spool *spool, const struct fax *of, const struct fax_again *wish)
{
    struct copy copy = {.uploads = NULL};
    spool_assert_loop(spool);
    int error = check_resend(of, wish);
    if (error)
        return error;
    copy_wishes(&copy, of, wish);
    error = read_rows(&copy, spool, of);
    if (!error) {
        if (goes_elsewhere(of, wish))
            forget_contact(&copy);
        copy_uploads(&copy, of);
        if (*of->document && copy.cover_count == 0)
            copy_forms(&copy, of);
        else
            error = check_passwords(&copy);
    }
    if (!error)
        error = submit(fax, spool, &copy.request);
    copy_clear(&copy);
    return error;
}

int fax_again_forward(struct fax *fax, struct spool *spool, const struct fax *of, const struct fax_again *wish)
{
    spool_assert_loop(spool);
    if (!*of->document)
        return err_set(ERR_CONFLICT, "the fax is %s and has no pages", fax_state_name(of->state));
    const struct submit_upload upload = {of->document, NULL};
    const char *paper = page_style(spool)->paper;
    json_t *options = strcmp(paper, "a4") != 0 ? json_pack("{s:s}", "paper", paper) : NULL;
    const struct submit_request request = {
        .to = wish->to,
        .uploads = &upload,
        .upload_count = 1,
        .cover = wish->cover,
        .cover_fields = wish->cover_fields,
        .priority = FAX_NORMAL,
        .test = wish->test,
        .owner = wish->owner,
        .user = wish->user,
        .options = options,
        .resent_from = of->public_id,
    };
    int error = submit(fax, spool, &request);
    json_decref(options);
    return error;
}
