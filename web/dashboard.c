/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /v1/dashboard: what somebody who watches over the server wants to see at a glance, in one answer: from counts in
 * memory, sums by the hour and the ends of indices. */
#include "spool/fax.h"
#include "spool/queue_age.h"
#include "spool/spool.h"
#include "spool/today.h"
#include "web/api.h"
#include "web/request.h"
#include "web/web_private.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define QUEUE_OLD_S      3600             /* a fax that has waited so long in the queue is worth an alarm */
#define PREPARING_OLD_MS (10 * 60 * 1000) /* a document is prepared in seconds */
#define WEBHOOK_LATE_MS  (5 * 60 * 1000)  /* that a delivery is overdue */
#define ROUTE_LATE_MS    (10 * 60 * 1000) /* that a delivery of a received fax has waited */
#define ERRORS_MAX       10

/* --- alarms --- */

static void alarm_add(json_t *alarms, const char *code, const char *severity, const char *object, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

static void alarm_add(json_t *alarms, const char *code, const char *severity, const char *object, const char *fmt, ...)
{
    json_t *message;
    va_list args;

    va_start(args, fmt);
    message = json_vsprintf(fmt, args);
    va_end(args);
    json_array_append_new(alarms, json_pack("{s:s, s:s, s:o, s:o}", "code", code, "severity", severity, "object",
                                            object ? json_string(object) : json_null(), "message",
                                            message ? message : json_string(code)));
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

static void add_providers(json_t *alarms, const struct web_options *options)
{
    json_t *list = options->providers ? options->providers(options->server) : NULL;
    const json_t *provider;
    size_t i;

    json_array_foreach(list, i, provider) if (strcmp(text_of(provider, "state"), "up") != 0)
        alarm_add(alarms, "provider_down", "critical", text_of(provider, "name"), "The provider %s is %s.",
                  text_of(provider, "name"), text_of(provider, "state"));
    json_decref(list);
}

static void add_trunks(json_t *alarms, const struct web_options *options)
{
    json_t *list = options->trunks ? options->trunks(options->server) : NULL;
    const json_t *trunk;
    size_t i;

    json_array_foreach(list, i, trunk)
    {
        const char *state = text_of(trunk, "state");
        if (strcmp(state, "up") != 0 && strcmp(state, "disabled") != 0)
            alarm_add(alarms, "trunk_down", "critical", text_of(trunk, "id"), "The trunk %s is %s%s%s.",
                      text_of(trunk, "id"), state, *text_of(trunk, "reason") ? ": " : "", text_of(trunk, "reason"));
    }
    json_decref(list);
}

static void add_store(json_t *alarms, struct spool *spool)
{
    int64_t old = queue_older_than(spool, QUEUE_OLD_S);

    if (!spool_has_room(spool))
        alarm_add(alarms, "storage_low", "critical", NULL, "The disk of the store has no room for new faxes.");
    if (old > 0)
        alarm_add(alarms, "queue_old", "warning", NULL, "%lld faxes have waited in the queue for an hour or longer.",
                  (long long)old);
}

static void add_waits(json_t *alarms, const json_t *today, int64_t now_ms)
{
    int64_t preparing = json_integer_value(json_object_get(today, "preparing_since"));
    const json_t *hook;
    size_t i;

    if (preparing > 0 && now_ms - preparing > PREPARING_OLD_MS)
        alarm_add(alarms, "preparation_stuck", "warning", NULL, "A fax has been in preparation for %lld minutes.",
                  (long long)((now_ms - preparing) / 60000));
    json_array_foreach(json_object_get(today, "webhooks"), i, hook)
    {
        int64_t due = json_integer_value(json_object_get(hook, "due"));
        if (!json_is_true(json_object_get(hook, "enabled")) && *text_of(hook, "reason"))
            alarm_add(alarms, "webhook_disabled", "warning", text_of(hook, "id"), "A webhook was disabled: %s.",
                      text_of(hook, "reason"));
        else if (due > 0 && now_ms - due > WEBHOOK_LATE_MS)
            alarm_add(alarms, "webhook_late", "warning", text_of(hook, "id"), "A webhook is %lld minutes late.",
                      (long long)((now_ms - due) / 60000));
    }
}

/* A received fax that nobody was told of is as good as lost. */
static void add_routes(json_t *alarms, struct spool *spool, const json_t *today, int64_t now_ms)
{
    int64_t counts[FAX_STATES] = {0}, since = json_integer_value(json_object_get(today, "routing_since"));

    fax_counts(spool, counts);
    if (counts[FAX_ROUTE_FAILED] > 0)
        alarm_add(alarms, "route_failed", "critical", NULL,
                  "%lld received faxes could not be passed on by the inbound rules.",
                  (long long)counts[FAX_ROUTE_FAILED]);
    if (since > 0 && now_ms - since > ROUTE_LATE_MS)
        alarm_add(alarms, "route_late", "warning", NULL,
                  "A delivery of a received fax has been tried for %lld minutes.",
                  (long long)((now_ms - since) / 60000));
}

static json_t *alarms_of(const struct web *web, const json_t *today, int64_t now_ms)
{
    json_t *alarms = json_array();

    add_providers(alarms, &web->options);
    add_trunks(alarms, &web->options);
    add_store(alarms, web->options.spool);
    add_waits(alarms, today, now_ms);
    add_routes(alarms, web->options.spool, today, now_ms);
    return alarms;
}

/* --- lines and queue --- */

static json_t *lines_of(const struct web_options *options)
{
    static const char *const words[] = {"idle", "busy", "unavailable", "lost", "down"};
    json_t *list = options->lines ? options->lines(options->server) : NULL, *counts = json_object();
    const json_t *line;
    size_t i;

    for (i = 0; i < sizeof words / sizeof *words; i++)
        json_object_set_new(counts, words[i], json_integer(0));
    json_array_foreach(list, i, line)
    {
        const char *state = text_of(line, "state");
        json_object_set_new(counts, state, json_integer(json_integer_value(json_object_get(counts, state)) + 1));
    }
    json_object_set_new(counts, "total", json_integer((json_int_t)json_array_size(list)));
    json_decref(list);
    return counts;
}

static json_t *queue_of(struct spool *spool)
{
    int64_t counts[FAX_STATES] = {0};

    fax_counts(spool, counts);
    return json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "preparing", (json_int_t)counts[FAX_PREPARING], "held",
        (json_int_t)counts[FAX_HELD], "scheduled", (json_int_t)counts[FAX_SCHEDULED], "queued",
        (json_int_t)(counts[FAX_QUEUED] + counts[FAX_WAITING]), "sending",
        (json_int_t)(counts[FAX_DIALING] + counts[FAX_NEGOTIATING] + counts[FAX_SENDING] + counts[FAX_CANCELING]),
        "receiving", (json_int_t)(counts[FAX_RINGING] + counts[FAX_RECEIVING]), "ages", queue_ages(spool));
}

/* --- today --- */

static json_t *sum_of(const json_t *rows)
{
    static const char *const names[] = {"sent", "delivered", "failed", "received", "pages_sent", "pages_received"};
    json_t *sum = json_object();
    const json_t *row;
    size_t i;

    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        json_int_t total = 0;
        json_array_foreach(rows, i, row) total += json_integer_value(json_object_get(row, names[n]));
        json_object_set_new(sum, names[n], json_integer(total));
    }
    return sum;
}

/* {"code", "count"} of those that come first, sent and received together. */
static json_t *errors_of(const json_t *rows)
{
    json_t *errors = json_array();
    const json_t *row;
    size_t i;

    json_array_foreach(rows, i, row) if (i < ERRORS_MAX) json_array_append_new(
        errors, json_pack("{s:O, s:O}", "code", json_object_get(row, "key"), "count", json_object_get(row, "faxes")));
    return errors;
}

struct wanted {
    struct request *request;
    int64_t since_ms;
};

static void on_today(void *context, int error, json_t *today)
{
    struct wanted *wanted = context;
    struct request *request = wanted->request;
    char since[CLOCK_TEXT_SIZE];

    if (error) {
        request_error(request, error);
    } else if (request->web) {
        json_t *rows = json_object_get(today, "providers");
        request_reply(request, 200,
                      json_pack("{s:o, s:o, s:{s:s, s:o, s:O, s:o}, s:o}", "lines", lines_of(&request->web->options),
                                "queue", queue_of(request_spool(request)), "today", "since",
                                clock_format(since, wanted->since_ms), "totals", sum_of(rows), "providers", rows,
                                "errors", errors_of(json_object_get(today, "errors")), "alarms",
                                alarms_of(request->web, today, clock_now_ms())));
    }
    free(wanted);
    request_finish(request);
}

void dashboard_get(struct request *request)
{
    static const char *const names[] = {NULL};
    struct spool *spool = request_spool(request);
    struct wanted *wanted;
    int result;

    if (!request_check_query(request, names))
        return;
    wanted = xcalloc(1, sizeof *wanted);
    wanted->request = request;
    wanted->since_ms = today_begin(spool, clock_now_ms());
    request_wait(request);
    result = today_start(spool, wanted->since_ms, on_today, wanted);
    if (result < 0) {
        free(wanted);
        request->waiting = false;
        request_error(request, result == ERR_FULL ? ERR_AGAIN : result);
    }
}
