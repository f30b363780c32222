/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be done with a fax that is there: changed while it waits, called again, sent anew, sent on. */
#include "spool/cover.h"
#include "spool/document.h"
#include "spool/fax.h"
#include "spool/fax_again.h"
#include "spool/fax_change.h"
#include "spool/fax_json.h"
#include "spool/outbound_rule.h"
#include "spool/submit.h"
#include "web/access.h"
#include "web/api.h"
#include "web/auth.h"
#include "web/body.h"
#include "web/fax_accept.h"
#include "web/fax_field.h"
#include "web/fax_way.h"
#include "web/parties.h"
#include "web/request.h"
#include "web/web_private.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/number.h"
#include "server/base/str.h"

#include <stdlib.h>
#include <string.h>

#define NOTE_MAX   4000
#define NOTE_COVER "plain" /* carries the note of a fax that is sent on */

/* --- PATCH /v1/faxes/{id} --- */

static bool takes_away(const char *name, const json_t *value)
{
    if (json_is_null(value))
        return strcmp(name, "priority") != 0 && strcmp(name, "max_attempts") != 0;
    return strcmp(name, "tags") == 0 && json_is_array(value) && json_array_size(value) == 0;
}

static void take_change(void *context, const char *name, json_t *value, const char *pointer, struct problems *problems)
{
    struct fax_change *change = context;
    struct submit_request fields = {.priority = FAX_NORMAL};

    const char *field = strcmp(name, "max_attempts") == 0 ? "retry.max_attempts" : name;
    if (!takes_away(name, value))
        fax_field_take(&fields, NULL, fax_field_find(field), value, pointer, problems);
    if (strcmp(name, "not_before") == 0) {
        change->set_not_before = true;
        change->not_before = fields.not_before;
    } else if (strcmp(name, "expires_at") == 0) {
        change->set_expires_at = true;
        change->expires_at = fields.expires_at;
        if (fields.expires_at && fields.expires_at <= clock_now_ms())
            problem_add(problems, pointer, "in_the_past", "the fax would expire at once");
    } else if (strcmp(name, "max_attempts") == 0) {
        change->set_max_attempts = true;
        change->max_attempts = fields.max_attempts;
    } else if (strcmp(name, "priority") == 0) {
        change->set_priority = true;
        change->priority = fields.priority;
    } else if (strcmp(name, "tags") == 0) {
        change->set_tags = true;
        change->tags = fields.tags;
    } else {
        change->set_client_reference = true;
        change->client_reference = fields.client_reference;
    }
}

static void reply_fax(struct request *request, int status, const struct fax *fax, int result)
{
    if (result == 0)
        request_reply(request, status, fax_json(fax));
    else
        request_error(request, result);
}

static void change_fax(struct request *request, struct fax *fax, const struct fax_change *change)
{
    int result = fax_change(request_spool(request), fax, change);
    struct problems problems = {0};

    if (result == ERR_INVALID) {
        problem_add(&problems, change->set_not_before ? "/not_before" : "/expires_at", "after_expires_at", "%s",
                    err_message());
        request_problems(request, &problems); /* cleared there */
    } else {
        reply_fax(request, 200, fax, result);
    }
}

void verbs_patch(struct request *request)
{
    static const char *const names[] = {"not_before",       "expires_at", "max_attempts", "priority", "tags",
                                        "client_reference", NULL};
    struct problems problems = {0};
    struct fax_change change = {0};
    struct fax fax;
    json_t *root;

    if (!access_fax(&fax, request))
        return;
    root = request_json(request);
    if (root)
        body_read(root, names, take_change, &change, &problems);
    if (problem_any(&problems))
        request_problems(request, &problems);
    else if (root)
        change_fax(request, &fax, &change);
    json_decref(root);
    fax_clear(&fax);
}

/* --- what retry, resend and forward may say --- */

struct again {
    const char *to, *note; /* borrowed from the body */
    bool confirm;
};

static void take_again(void *context, const char *name, json_t *value, const char *pointer, struct problems *problems)
{
    struct again *again = context;
    struct submit_request fields = {0};

    if (strcmp(name, "confirm") == 0) {
        again->confirm = body_bool(value, pointer, problems);
    } else if (strcmp(name, "note") == 0) {
        again->note = body_text(value, 1, NOTE_MAX, pointer, problems);
    } else {
        fax_field_take(&fields, NULL, fax_field_find("to"), value, pointer, problems);
        again->to = fields.to;
    }
}

static bool read_body(struct again *again, json_t *root, struct request *request, const char *const *names,
                      bool needs_number)
{
    struct problems problems = {0};

    *again = (struct again){0};
    body_read(root, names, take_again, again, &problems);
    if (needs_number && json_is_object(root) && !json_object_get(root, "to"))
        problem_add(&problems, "/to", "missing", "the number to send to is needed");
    if (!problem_any(&problems))
        return fax_accept_now(request);
    request_problems(request, &problems);
    return false;
}

/* The fax, first of all, since whoever may not see it learns nothing more; and the body. NULL and the reply is made;
 * else the caller clears both. */
static json_t *read_again(struct again *again, struct fax *fax, struct request *request, const char *const *names,
                          bool needs_number)
{
    json_t *root;

    if (!access_fax(fax, request))
        return NULL;
    root = request_json(request);
    if (root && read_body(again, root, request, names, needs_number))
        return root;
    json_decref(root);
    fax_clear(fax);
    return NULL;
}

static bool has_documents(struct request *request, const struct fax *fax)
{
    if (fax->purged_at)
        request_problem(request, 410, "purged", "the documents of this fax were deleted");
    return !fax->purged_at;
}

/* --- POST /v1/faxes/{id}/retry --- */

/* A key for tests has nobody called: a fax that is none of its kind is not its to send. */
static bool may_call(struct request *request, const struct fax *fax)
{
    if (request->key.test && !fax->test)
        request_problem(request, 403, "test_key", "a test key cannot have a fax sent that is not a test");
    return !request->key.test || fax->test;
}

static void retry(struct request *request, struct fax *fax, bool sure)
{
    int result = fax_again_retry(request_spool(request), fax, sure);

    if (result == ERR_CONFLICT && !sure && fax_again_is_doubtful(fax))
        request_problem(request, 409, "unconfirmed", "%s; {\"confirm\": true} says that this is wanted", err_message());
    else
        reply_fax(request, 202, fax, result);
}

void verbs_retry(struct request *request)
{
    static const char *const names[] = {"confirm", NULL};
    struct again again;
    struct fax fax;
    json_t *root = read_again(&again, &fax, request, names, false);

    if (!root)
        return;
    if (has_documents(request, &fax) && may_call(request, &fax) && parties_callable(request, fax.destination) &&
        fax_way_exists(request, outbound_rule_asked(&fax), fax.destination, fax.test))
        retry(request, &fax, again.confirm);
    fax_clear(&fax);
    json_decref(root);
}

/* --- new faxes --- */

/* A test stays a test, whoever repeats it. */
static struct fax_again wish_of(const struct request *request, const struct fax *of, const struct again *again)
{
    return (struct fax_again){
        .to = again->to, .owner = request->key.id, .user = &request->user, .test = request->key.test || of->test};
}

/* Sending pages to another number shows them to somebody: who may not read them may not do that. */
static bool may_show(struct request *request, const struct fax *of, const struct again *again)
{
    char number[NUMBER_SIZE];
    bool same = !again->to || (number_normalise(number, again->to) == 0 && strcmp(number, of->destination) == 0);

    return (same && of->direction == FAX_OUTBOUND) || auth_has(request, KEY_DOCUMENT_READ);
}

static void reply_new(struct request *request, struct fax *fax, const json_t *options, int result)
{
    if (result == 0)
        result = fax_accept_tell(request, fax, options);
    if (result == 0)
        fax_accept_reply(request, fax);
    else
        request_error(request, result);
    fax_clear(fax);
}

static void resend(struct request *request, const struct fax *of, const struct again *again)
{
    const struct fax_again wish = wish_of(request, of, again);
    const char *to = wish.to ? wish.to : of->destination;
    json_t *options = json_loads(*of->options ? of->options : "{}", 0, NULL);
    struct fax fax = {0};

    if (parties_callable(request, to) && fax_way_exists(request, outbound_rule_asked(of), to, wish.test) &&
        fax_accept_header(request, options))
        reply_new(request, &fax, options, fax_again_resend(&fax, request_spool(request), of, &wish));
    json_decref(options);
}

void verbs_resend(struct request *request)
{
    static const char *const names[] = {"to", NULL};
    struct again again;
    struct fax of;
    json_t *root = read_again(&again, &of, request, names, false);

    if (!root)
        return;
    if (has_documents(request, &of) && may_show(request, &of, &again))
        resend(request, &of, &again);
    fax_clear(&of);
    json_decref(root);
}

/* The template that carries a note, stored. 0 and its hash, or an error. */
static int store_note_cover(char sha[DOCUMENT_SHA_SIZE], struct spool *spool)
{
    char *data = NULL;
    size_t size;
    int result = cover_read(&data, &size, spool, NOTE_COVER);

    if (result == ERR_NOT_FOUND)
        return err_set(ERR_UNSUPPORTED, "a note needs the cover page \"" NOTE_COVER "\", which is not there");
    if (result == 0)
        result = document_put(sha, spool, data, size);
    free(data);
    return result;
}

static void forward(struct request *request, const struct fax *of, const struct again *again)
{
    struct fax_again wish = wish_of(request, of, again);
    char sha[DOCUMENT_SHA_SIZE];
    struct fax fax = {0};
    json_t *fields = NULL;
    int result = 0;

    if (again->note) {
        fields = json_pack("{s:s, s:s}", "note", again->note, "subject", "Forwarded fax");
        result = store_note_cover(sha, request_spool(request));
        wish.cover = sha;
        wish.cover_fields = fields;
    }
    if (result == 0)
        result = fax_again_forward(&fax, request_spool(request), of, &wish);
    reply_new(request, &fax, NULL, result);
    json_decref(fields);
}

void verbs_forward(struct request *request)
{
    static const char *const names[] = {"to", "note", NULL};
    struct again again;
    struct fax of;
    json_t *root = read_again(&again, &of, request, names, true);

    if (!root)
        return;
    if (has_documents(request, &of) && may_show(request, &of, &again) && parties_callable(request, again.to) &&
        fax_way_exists(request, NULL, again.to, request->key.test || of.test))
        forward(request, &of, &again);
    fax_clear(&of);
    json_decref(root);
}
