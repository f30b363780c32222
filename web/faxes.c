/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /v1/faxes: where a fax enters faxd (web -> spool/submit), and what can be asked and wished about it. */
#include "spool/batch.h"
#include "spool/event.h"
#include "spool/fax.h"
#include "spool/fax_json.h"
#include "spool/fax_state.h"
#include "spool/list.h"
#include "spool/outcome.h"
#include "spool/spool.h"
#include "spool/submit.h"
#include "web/access.h"
#include "web/api.h"
#include "web/fax_accept.h"
#include "web/page.h"
#include "web/pages_wanted.h"
#include "web/request.h"
#include "web/upload.h"
#include "web/web_private.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/number.h"
#include "server/base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEARCH_MAX 100

/* --- POST /v1/faxes --- */

static int submit_fax(struct fax *fax, struct request *request, const struct cover_use *cover)
{
    struct fax_request *wanted = &request->upload->wanted;
    struct fax_stored stored;
    int result = fax_accept_store(&stored, request, cover);

    if (result == 0)
        result = submit(fax, request_spool(request), &wanted->submit);
    return result == 0 ? fax_accept_tell(request, fax, wanted->options) : result;
}

void faxes_post(struct request *request)
{
    struct cover_use cover = {0};
    struct fax fax = {0};
    int result;

    if (!fax_accept_upload(&cover, request))
        return;
    result = submit_fax(&fax, request, &cover);
    if (result == 0)
        fax_accept_reply(request, &fax);
    else
        request_error(request, result);
    fax_clear(&fax);
    cover_use_clear(&cover);
}

/* --- GET /v1/faxes --- */

static const char *const list_names[] = {
    "limit",        "cursor",      "direction", "status", "to",       "from",  "error", "tag", "client_reference",
    "created[gte]", "created[lt]", "unread",    "junk",   "assigned", "label", "batch", "q",   NULL};

static void take_time(int64_t *at_ms, struct request *request, const char *name, struct problems *problems)
{
    const char *text = request_query(request, name);
    char pointer[40] = "?";

    str_copy(pointer + 1, sizeof pointer - 1, name);
    if (text && clock_parse(at_ms, text) < 0)
        problem_add(problems, pointer, "invalid_time", "%s", err_message());
}

/* The store's exact match is on numbers as lines dial them. `from` may be an identity, and is then taken as it is. */
static const char *number_filter(char number[NUMBER_SIZE], const char *text)
{
    return text && number_normalise(number, text) == 0 ? number : text;
}

static void check_words(struct request *request, struct problems *problems)
{
    const char *direction = request_query(request, "direction");
    const char *error = request_query(request, "error");

    if (direction && strcmp(direction, "outbound") != 0 && strcmp(direction, "inbound") != 0)
        problem_add(problems, "?direction", "unknown_word", "\"%.60s\" is not one of: outbound, inbound", direction);
    if (error && outcome_from_code(error) == OUTCOME_NONE)
        problem_add(problems, "?error", "unknown_word", "\"%.60s\" is not an error code", error);
}

static enum list_choice take_choice(const struct request *request, const char *name, struct problems *problems)
{
    const char *word = request_query(request, name);
    char pointer[24];

    if (!word)
        return LIST_ALL;
    if (strcmp(word, "true") == 0 || strcmp(word, "false") == 0)
        return *word == 't' ? LIST_YES : LIST_NO;
    snprintf(pointer, sizeof pointer, "?%s", name);
    problem_add(problems, pointer, "unknown_word", "\"%.60s\" is not one of: true, false", word);
    return LIST_ALL;
}

/* Whose they are to see to: a user's, mine, nobody's. */
static void take_assigned(struct list_query *query, const struct request *request, struct problems *problems)
{
    const char *word = request_query(request, "assigned");
    struct user user;

    if (!word)
        return;
    if (strcmp(word, "none") == 0)
        query->has_assignee = LIST_NO;
    else if (strcmp(word, "me") == 0 && request->user.id)
        query->assigned = request->user.id;
    else if (strcmp(word, "me") == 0)
        problem_add(problems, "?assigned", "no_user", "this key is no user's, so that nothing is assigned to \"me\"");
    else if (user_find(&user, request_spool(request), word) == 0)
        query->assigned = user.id;
    else
        problem_add(problems, "?assigned", "unknown_user", "\"%.60s\" is no user; me and none are known besides", word);
}

static void take_batch(struct list_query *query, const struct request *request, struct problems *problems)
{
    const char *id = request_query(request, "batch");
    struct batch batch;

    if (id && batch_find(&batch, request_spool(request), id) == 0)
        query->batch = batch.id;
    else if (id)
        problem_add(problems, "?batch", "unknown_batch", "there is no batch \"%.60s\"", id);
}

static void take_inbox(struct list_query *query, const struct request *request, struct problems *problems)
{
    const char *q = request_query(request, "q");

    query->unread = take_choice(request, "unread", problems);
    query->junk = take_choice(request, "junk", problems);
    take_assigned(query, request, problems);
    query->label = request_query(request, "label");
    take_batch(query, request, problems);
    query->q = q;
    /* By who may look at contacts themselves; to others it would tell whose a number is. */
    query->contacts = request->key.scopes & KEY_FAX_SEND && request->user.role != USER_READER;
    if (q && (strlen(q) > SEARCH_MAX || !str_is_utf8(q, strlen(q)) || !q[strspn(q, " \t")]))
        problem_add(problems, "?q", "invalid_text", "1 to %d octets of UTF-8 can be looked for", SEARCH_MAX);
}

void faxes_list(struct request *request)
{
    char to[NUMBER_SIZE], from[NUMBER_SIZE];
    struct problems problems = {0};
    struct list_query query = {0};
    int64_t limit;

    if (!request_check_query(request, list_names) ||
        !request_query_int(&limit, request, "limit", 1, LIST_LIMIT_MAX, 50))
        return;
    take_time(&query.created_gte, request, "created[gte]", &problems);
    take_time(&query.created_lt, request, "created[lt]", &problems);
    check_words(request, &problems);
    take_inbox(&query, request, &problems);
    if (problem_any(&problems)) {
        request_problems(request, &problems);
        return;
    }
    query.limit = (int)limit;
    query.cursor = request_query(request, "cursor");
    query.direction = request_query(request, "direction");
    query.status = request_query(request, "status");
    query.to = number_filter(to, request_query(request, "to"));
    query.from = number_filter(from, request_query(request, "from"));
    query.error = request_query(request, "error");
    query.user = access_user(request);
    query.tag = request_query(request, "tag");
    query.client_reference = request_query(request, "client_reference");
    page_wait(request, list_start(request_spool(request), &query, page_reply, request));
}

/* --- one fax --- */

void faxes_get(struct request *request)
{
    struct fax fax;

    if (!access_fax(&fax, request))
        return;
    request_reply(request, 200, fax_json(&fax));
    fax_clear(&fax);
}

static void wish(struct request *request, int (*change)(struct spool *spool, const char *public_id), int status)
{
    struct fax fax;
    int result;

    if (!access_fax(&fax, request))
        return;
    fax_clear(&fax);
    result = change(request_spool(request), request->params[0]);
    if (result < 0)
        request_error(request, result);
    else if (access_fax(&fax, request)) {
        request_reply(request, status, fax_json(&fax));
        fax_clear(&fax);
    }
}

void faxes_cancel(struct request *request)
{
    wish(request, fax_state_cancel, 202);
}

void faxes_hold(struct request *request)
{
    wish(request, fax_state_hold, 200);
}

void faxes_release(struct request *request)
{
    wish(request, fax_state_release, 200);
}

void faxes_attempts(struct request *request)
{
    struct fax fax;
    json_t *list = NULL;
    int result;

    if (!access_fax(&fax, request))
        return;
    if ((result = fax_json_attempts(&list, request_spool(request), &fax)) < 0)
        request_error(request, result);
    else
        request_reply(request, 200, list);
    fax_clear(&fax);
}

void faxes_trace(struct request *request)
{
    struct fax fax;
    json_t *trace = NULL;
    int64_t number;
    int result;

    if (!access_fax(&fax, request))
        return;
    result = str_to_int(&number, request->params[1], 1, 1000000);
    if (result == 0)
        result = fax_json_trace(&trace, request_spool(request), &fax, (int)number);
    if (result == ERR_NOT_FOUND || result == ERR_INVALID)
        request_problem(request, 404, "no_such_attempt", "the fax has no attempt %s", request->params[1]);
    else if (result < 0)
        request_error(request, result);
    else
        request_reply(request, 200, trace);
    fax_clear(&fax);
}

void faxes_events(struct request *request)
{
    static const char *const names[] = {"limit", "cursor", NULL};
    struct event_range range = {0};
    struct fax fax;
    int64_t limit;

    if (!request_check_query(request, names) || !request_query_int(&limit, request, "limit", 1, 1000, 200) ||
        !request_query_int(&range.after, request, "cursor", 0, INT64_MAX, 0) || !access_fax(&fax, request))
        return;
    range.limit = (int)limit;
    range.fax = fax.id;
    page_wait(request, event_list(request_spool(request), &range, page_reply, request));
    fax_clear(&fax);
}
