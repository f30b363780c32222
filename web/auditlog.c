/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /v1/audit-log: who did what, as JSON or CSV, and whether the log is still what was written. */
#include "spool/audit_list.h"
#include "spool/audit_verify.h"
#include "web/api.h"
#include "web/page.h"
#include "web/request.h"
#include "web/table.h"
#include "web/web_private.h"
#include "server/base/clock.h"
#include "server/base/csv.h"
#include "server/base/err.h"
#include "server/base/log.h"

#include <stdlib.h>
#include <string.h>

#define LIST_MAX 1000 /* of JSON; of CSV it is AUDIT_LIST_MAX */
#define COLUMNS  11   /* of CSV */

/* --- the list --- */

static const char *text_of(const json_t *entry, const char *name)
{
    const char *text = json_string_value(json_object_get(entry, name));

    return text ? text : "";
}

static void write_entry(FILE *out, const json_t *entry)
{
    const json_t *actor = json_object_get(entry, "actor");
    char *sequence = xasprintf("%lld", (long long)json_integer_value(json_object_get(entry, "sequence")));
    char *detail = json_dumps(json_object_get(entry, "detail"), JSON_COMPACT);
    const char *const cells[COLUMNS] = {
        sequence,
        text_of(entry, "at"),
        text_of(actor, "kind"),
        text_of(actor, "id"),
        text_of(actor, "name"),
        text_of(entry, "address"),
        text_of(entry, "action"),
        text_of(entry, "object"),
        detail ? detail : "",
        text_of(entry, "hash"),
        text_of(entry, "previous"),
    };

    csv_write(out, cells, COLUMNS);
    free(detail);
    free(sequence);
}

/* On the reader thread. */
static void write_entries(FILE *out, const json_t *entries)
{
    static const char *const names[COLUMNS] = {"sequence", "at",     "actor_kind", "actor_id", "actor_name", "address",
                                               "action",   "object", "detail",     "hash",     "previous"};
    const json_t *entry;
    size_t i;

    csv_write(out, names, COLUMNS);
    json_array_foreach((json_t *)entries, i, entry) write_entry(out, entry);
}

static void on_listed(void *context, int error, json_t *page)
{
    struct request *request = context;

    if (error) {
        request_error(request, error);
    } else if (request_wants_csv(request)) {
        page_link(request, page);
        table_send(request, "audit-log.csv", json_object_get(page, "text"));
    } else {
        page_send(request, page);
    }
    request_finish(request);
}

static void take_time(int64_t *at_ms, struct request *request, const char *name, const char *pointer,
                      struct problems *problems)
{
    const char *text = request_query(request, name);

    if (text && clock_parse(at_ms, text) < 0)
        problem_add(problems, pointer, "invalid_time", "%s", err_message());
}

void auditlog_list(struct request *request)
{
    static const char *const names[] = {"limit", "cursor", "actor", "action", "object", "from", "to", NULL};
    struct problems problems = {0};
    struct audit_query query = {0};
    int64_t limit;

    if (!request_check_query(request, names) ||
        !request_query_int(&limit, request, "limit", 1, request_wants_csv(request) ? AUDIT_LIST_MAX : LIST_MAX, 50))
        return;
    take_time(&query.from_ms, request, "from", "?from", &problems);
    take_time(&query.to_ms, request, "to", "?to", &problems);
    if (problem_any(&problems)) {
        request_problems(request, &problems);
        return;
    }
    query.limit = (int)limit;
    query.cursor = request_query(request, "cursor");
    query.actor = request_query(request, "actor");
    query.action = request_query(request, "action");
    query.object = request_query(request, "object");
    query.write = request_wants_csv(request) ? write_entries : NULL;
    page_wait(request, audit_list_start(request_spool(request), &query, on_listed, request));
}

/* --- is it what was written? --- */

struct wanted {
    struct request *request;
    struct audit_verification *verification;
};

/* The client went away, or the web part closes. */
static void on_gone(void *context)
{
    struct wanted *wanted = context;

    audit_verify_cancel(wanted->verification);
    free(wanted);
}

static json_t *result_json(const struct audit_result *result)
{
    json_t *head = json_pack("{s:I, s:s}", "sequence", (json_int_t)result->head.sequence, "hash", result->head.hash);
    json_t *broken = json_null();

    if (result->fault)
        broken =
            json_pack("{s:I, s:s}", "sequence", (json_int_t)result->broken, "reason", audit_fault_name(result->fault));
    return json_pack("{s:b, s:I, s:o, s:o}", "ok", result->fault == AUDIT_FAULT_NONE, "entries",
                     (json_int_t)result->entries, "head", head, "broken", broken);
}

static void on_verified(void *context, int error, const struct audit_result *result)
{
    struct wanted *wanted = context;
    struct request *request = wanted->request;

    request->gone = NULL;
    free(wanted);
    if (error)
        request_error(request, error);
    else
        request_reply(request, 200, result_json(result));
    if (!error && result->fault)
        log_error("the audit log was changed behind the server's back: entry %lld %s", (long long)result->broken,
                  audit_fault_name(result->fault));
    request_finish(request);
}

void auditlog_verify(struct request *request)
{
    static const char *const names[] = {NULL};
    struct wanted *wanted;
    int result;

    if (!request_check_query(request, names))
        return;
    wanted = xcalloc(1, sizeof *wanted);
    wanted->request = request;
    result = audit_verify_start(&wanted->verification, request_spool(request), on_verified, wanted);
    if (result < 0) {
        free(wanted);
        request_error(request, result == ERR_FULL ? ERR_AGAIN : result);
        return;
    }
    request->gone = on_gone;
    request->gone_context = wanted;
    request_wait(request);
}
