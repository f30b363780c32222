/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /v1/faxes: where a fax enters faxd (web -> spool/submit), and what can be asked and wished about it. */
#include "spool/document.h"
#include "spool/event.h"
#include "spool/fax.h"
#include "spool/fax_json.h"
#include "spool/fax_state.h"
#include "spool/list.h"
#include "spool/outbound_rule.h"
#include "spool/outcome.h"
#include "spool/spool.h"
#include "spool/submit.h"
#include "web/access.h"
#include "web/api.h"
#include "web/page.h"
#include "web/pages_wanted.h"
#include "web/parties.h"
#include "web/request.h"
#include "web/upload.h"
#include "web/web_private.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/number.h"
#include "server/base/str.h"

#include <stdlib.h>
#include <string.h>

#define REPLY_AFTER_SEND_MS (24 * 3600 * 1000LL) /* a stored reply outlives a scheduled send by a day */
#define REPLY_KEPT_MS       (72 * 3600 * 1000LL)

static struct spool *spool_of(const struct request *request)
{
    return request->web->options.spool;
}

/* --- POST /v1/faxes --- */

static bool hides_header(const struct request *request)
{
    return json_is_false(json_object_get(request->upload->wanted.options, "header_show"));
}

/* False and the reply is made. */
static bool is_good(struct request *request)
{
    struct upload *upload = request->upload;

    if (upload->status)
        request_problem(request, upload->status, upload->code, "%s", upload->detail);
    else if (problem_any(&upload->problems))
        request_problems(request, &upload->problems);
    else if (request->web->draining)
        request_problem(request, 503, "draining", "the server is about to stop and takes no new faxes");
    else
        return true;
    return false;
}

static void accept_fax(struct request *request, const struct fax *fax)
{
    request->location = xasprintf("/v1/faxes/%s", fax->public_id);
    if (fax->not_before)
        request->keep_reply_until = fax->not_before + REPLY_AFTER_SEND_MS;
    if (request->keep_reply_until < clock_now_ms() + REPLY_KEPT_MS)
        request->keep_reply_until = 0;
    request_reply(request, 202, fax_json(fax));
}

static bool has_line(const struct request *request, const char *group)
{
    const struct web_options *options = &request->web->options;

    return !options->has_line || options->has_line(options->server, group, request->key.test);
}

/* The groups that would carry it: the one that was asked for, or those of the rules. */
static bool has_any_line(struct request *request, const char *group)
{
    const char *to = request->upload->wanted.submit.to;
    const struct outbound_rule *rule;
    char number[NUMBER_SIZE];
    int64_t opens_at;

    if (*group || request->key.test || number_normalise(number, to) < 0)
        return has_line(request, *group ? group : OUTBOUND_DEFAULT);
    rule = outbound_rule_for(&opens_at, spool_of(request), number, clock_now_ms());
    if (!rule)
        return has_line(request, OUTBOUND_DEFAULT);
    for (int i = 0; i < rule->group_count; i++) {
        if (has_line(request, rule->groups[i]))
            return true;
    }
    return false;
}

/* A fax that no line could ever carry would wait without end: its sender hears of it at once. */
static bool can_be_carried(struct request *request)
{
    const char *wanted = request->upload->wanted.submit.line_group, *group = wanted ? wanted : "";
    struct problems problems = {0};

    if (has_any_line(request, group))
        return true;
    problem_add(&problems, "/route/group", "unknown_group",
                "no line%s carries faxes of the group \"%s\": see /v1/lines",
                request->key.test ? " of a simulator, as test keys need," : "", *group ? group : OUTBOUND_DEFAULT);
    request_problems(request, &problems); /* cleared there */
    return false;
}

/* Who turns the header line off has to be allowed to (47 CFR 68.318(d)), and it is written down. */
static bool may_hide_header(struct request *request)
{
    if (!hides_header(request) || request->key.scopes & KEY_CONFIG) /* of a user, who is an admin then */
        return true;
    request_problem(
        request, 403, "header_required",
        "header.show=false needs a key with the scope config:*, or an admin: each page has to say who sent it");
    return false;
}

static int tell_hidden_header(struct request *request, const struct fax *fax)
{
    if (!hides_header(request))
        return 0;
    json_t *data = json_pack("{s:s, s:o, s:o}", "id", fax->public_id, "key",
                             request->key.id ? json_string(request->key.public_id) : json_null(), "user",
                             request->user.id ? json_string(request->user.public_id) : json_null());
    int result = event_write(spool_of(request), "fax.header_hidden", fax, data);

    json_decref(data);
    log_info("header line turned off fax=%s key=%s user=%s", fax->public_id, request->key.public_id,
             request->user.public_id);
    return result;
}

/* The documents into the store, and what the spool is told about them. */
static int store_documents(struct submit_upload *uploads, char (*shas)[DOCUMENT_SHA_SIZE], struct request *request)
{
    struct fax_request *wanted = &request->upload->wanted;
    int result = 0;

    for (int i = 0; i < wanted->document_count && result == 0; i++) {
        result = upload_store(shas[i], request->upload, i);
        uploads[i] = (struct submit_upload){shas[i], wanted->documents[i].info};
    }
    wanted->submit.uploads = uploads;
    wanted->submit.upload_count = wanted->document_count;
    return result;
}

static int store_cover(char sha[DOCUMENT_SHA_SIZE], struct request *request, const struct cover_use *cover)
{
    struct fax_request *wanted = &request->upload->wanted;
    int result = cover->data ? document_put(sha, spool_of(request), cover->data, cover->size) : 0;

    wanted->submit.cover = cover->data ? sha : NULL;
    wanted->submit.cover_fields = wanted->cover_fields;
    return result;
}

static int submit_fax(struct fax *fax, struct request *request, const struct cover_use *cover)
{
    struct fax_request *wanted = &request->upload->wanted;
    struct submit_upload uploads[FAX_REQUEST_DOCUMENTS];
    char shas[FAX_REQUEST_DOCUMENTS][DOCUMENT_SHA_SIZE], cover_sha[DOCUMENT_SHA_SIZE];
    int result = store_documents(uploads, shas, request);

    if (result == 0)
        result = store_cover(cover_sha, request, cover);
    if (result != 0)
        return result;
    wanted->submit.owner = request->key.id;
    wanted->submit.user = &request->user;
    wanted->submit.test = request->key.test;
    use_style(wanted, spool_of(request));
    result = submit(fax, spool_of(request), &wanted->submit);
    return result == 0 ? tell_hidden_header(request, fax) : result;
}

void faxes_post(struct request *request)
{
    struct cover_use cover = {0};
    struct fax fax = {0};
    int result;

    if (!is_good(request) || !parties_find(request) || !can_be_carried(request) || !may_hide_header(request) ||
        !can_be_read(request) || !cover_check(&cover, request))
        return;
    result = submit_fax(&fax, request, &cover);
    if (result == 0)
        accept_fax(request, &fax);
    else
        request_error(request, result);
    fax_clear(&fax);
    cover_use_clear(&cover);
}

/* --- GET /v1/faxes --- */

static const char *const list_names[] = {"limit", "cursor", "direction",        "status",       "to",          "from",
                                         "error", "tag",    "client_reference", "created[gte]", "created[lt]", NULL};

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

void faxes_list(struct request *request)
{
    char to[NUMBER_SIZE], from[NUMBER_SIZE];
    struct problems problems = {0};
    struct list_query query = {0};
    int64_t limit;

    if (!request_check_query(request, list_names) || !request_query_int(&limit, request, "limit", 1, 1000, 50))
        return;
    take_time(&query.created_gte, request, "created[gte]", &problems);
    take_time(&query.created_lt, request, "created[lt]", &problems);
    check_words(request, &problems);
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
    page_wait(request, list_start(spool_of(request), &query, page_reply, request));
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
    result = change(spool_of(request), request->params[0]);
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
    if ((result = fax_json_attempts(&list, spool_of(request), &fax)) < 0)
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
        result = fax_json_trace(&trace, spool_of(request), &fax, (int)number);
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
    struct fax fax;
    json_t *events = NULL;
    int64_t limit, cursor, last = 0;
    int result;

    if (!request_check_query(request, names) || !request_query_int(&limit, request, "limit", 1, 1000, 200) ||
        !request_query_int(&cursor, request, "cursor", 0, INT64_MAX, 0) || !access_fax(&fax, request))
        return;
    result = event_since(&events, &last, spool_of(request), cursor, (int)limit, fax.id);
    if (result < 0)
        request_error(request, result);
    else
        request_reply(request, 200,
                      json_pack("{s:o, s:b, s:o}", "data", events, "has_more", json_array_size(events) == (size_t)limit,
                                "next_cursor", json_sprintf("%lld", (long long)last)));
    fax_clear(&fax);
}
