/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /v1/reports/usage: what was sent and received, as JSON or CSV. */
#include "spool/usage.h"
#include "spool/usage_report.h"
#include "web/api.h"
#include "web/request.h"
#include "web/table.h"
#include "web/web_private.h"
#include "server/base/clock.h"
#include "server/base/csv.h"
#include "server/base/err.h"
#include "server/base/log.h"

#include <stdlib.h>
#include <string.h>

#define DAY_MS (24 * USAGE_HOUR_MS)

/* `days` are what is reported when a request does not say, `most` what it may ask for. */
static const struct {
    const char *word;
    int days, most;
} groups[] = {
    [USAGE_BY_DAY] = {"day", 30, 1100},
    [USAGE_BY_HOUR] = {"hour", 2, 62},
    [USAGE_BY_DESTINATION] = {"destination", 30, 1100},
    [USAGE_BY_USER] = {"user", 30, 1100},
    [USAGE_BY_PROVIDER] = {"provider", 30, 1100},
    [USAGE_BY_ERROR] = {"error", 30, 1100},
};

static const char *const columns[] = {"faxes",    "sent",       "delivered",      "failed",
                                      "received", "pages_sent", "pages_received", "call_s"};

#define COLUMNS (sizeof columns / sizeof *columns)

struct wanted {
    struct request *request;
    struct usage_report *report;
    struct usage_query query;
};

/* --- what is asked for --- */

static void take_group(struct usage_query *query, struct request *request, struct problems *problems)
{
    const char *word = request_query(request, "group_by");

    query->group = USAGE_BY_DAY;
    for (size_t i = 0; word && i < sizeof groups / sizeof *groups; i++) {
        if (strcmp(groups[i].word, word) == 0) {
            query->group = (enum usage_group)i;
            return;
        }
    }
    if (word)
        problem_add(problems, "?group_by", "unknown_word",
                    "\"%.60s\" is not one of: day, hour, destination, user, provider, error", word);
}

static bool take_time(int64_t *at_ms, struct request *request, const char *name, const char *pointer,
                      struct problems *problems)
{
    const char *text = request_query(request, name);

    if (!text)
        return false;
    if (clock_parse(at_ms, text) < 0)
        problem_add(problems, pointer, "invalid_time", "%s", err_message());
    return true;
}

static void take_range(struct usage_query *query, struct request *request, struct problems *problems)
{
    int64_t days = groups[query->group].days, most = groups[query->group].most;

    if (!take_time(&query->to_ms, request, "to", "?to", problems))
        query->to_ms = clock_now_ms();
    if (!take_time(&query->from_ms, request, "from", "?from", problems))
        query->from_ms = query->to_ms > days * DAY_MS ? query->to_ms - days * DAY_MS : 0;
    query->from_ms = query->from_ms / USAGE_HOUR_MS * USAGE_HOUR_MS;
    query->to_ms = (query->to_ms + USAGE_HOUR_MS - 1) / USAGE_HOUR_MS * USAGE_HOUR_MS;
    if (problem_any(problems))
        return;
    if (query->to_ms <= query->from_ms)
        problem_add(problems, "?to", "out_of_range", "to has to be after from");
    else if (query->to_ms - query->from_ms > most * DAY_MS)
        problem_add(problems, "?from", "out_of_range", "at most %lld days can be reported by %s", (long long)most,
                    groups[query->group].word);
}

/* --- the reply --- */

struct table {
    const char *group;
    const json_t *data;
};

static void write_row(FILE *out, const json_t *row)
{
    const char *key = json_string_value(json_object_get(row, "key"));
    char numbers[COLUMNS][24];
    const char *cells[1 + COLUMNS] = {key ? key : ""};

    for (size_t i = 0; i < COLUMNS; i++) {
        long long number = (long long)json_number_value(json_object_get(row, columns[i]));
        snprintf(numbers[i], sizeof numbers[i], "%lld", number);
        cells[1 + i] = numbers[i];
    }
    csv_write(out, cells, 1 + COLUMNS);
}

static void write_table(FILE *out, const void *context)
{
    const struct table *table = context;
    const char *names[1 + COLUMNS] = {table->group};
    const json_t *row;
    size_t i;

    memcpy(names + 1, columns, sizeof columns);
    csv_write(out, names, 1 + COLUMNS);
    json_array_foreach(table->data, i, row) write_row(out, row);
}

static void reply(struct request *request, const struct usage_query *query, json_t *report)
{
    char from[CLOCK_TEXT_SIZE], to[CLOCK_TEXT_SIZE];

    json_object_set_new(report, "group_by", json_string(groups[query->group].word));
    json_object_set_new(report, "from", json_string(clock_format(from, query->from_ms)));
    json_object_set_new(report, "to", json_string(clock_format(to, query->to_ms)));
    request_reply(request, 200, json_incref(report));
}

/* The client went away, or the web part closes. */
static void on_gone(void *context)
{
    struct wanted *wanted = context;

    usage_report_cancel(wanted->report);
    free(wanted);
}

static void on_reported(void *context, int error, json_t *report)
{
    struct wanted *wanted = context;
    struct request *request = wanted->request;
    struct table table = {.group = groups[wanted->query.group].word, .data = json_object_get(report, "data")};

    request->gone = NULL;
    if (error)
        request_error(request, error);
    else if (request_wants_csv(request))
        table_reply(request, "usage.csv", write_table, &table);
    else
        reply(request, &wanted->query, report);
    free(wanted);
    request_finish(request);
}

void reports_usage(struct request *request)
{
    static const char *const names[] = {"from", "to", "group_by", NULL};
    struct problems problems = {0};
    struct usage_query query = {0};
    struct wanted *wanted;
    int result;

    if (!request_check_query(request, names))
        return;
    take_group(&query, request, &problems);
    take_range(&query, request, &problems);
    if (problem_any(&problems)) {
        request_problems(request, &problems);
        return;
    }
    wanted = xcalloc(1, sizeof *wanted);
    wanted->request = request;
    wanted->query = query;
    result = usage_report_start(&wanted->report, request_spool(request), &query, on_reported, wanted);
    if (result < 0) {
        free(wanted);
        request_error(request, result == ERR_FULL ? ERR_AGAIN : result);
        return;
    }
    request->gone = on_gone;
    request->gone_context = wanted;
    request_wait(request);
}
