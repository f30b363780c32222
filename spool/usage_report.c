/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sums over hours and over numbers called. */
#include "spool/usage_report.h"

#include "db/reader.h"
#include "db/stmt.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "spool/fax.h"
#include "spool/spool_private.h"
#include "spool/usage.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SLICE    500 /* faxes; some 15 ms */
#define KEY_SIZE 64

struct sums {
    int64_t faxes, sent, delivered, failed, received, pages_sent, pages_received, call_ms;
};

/* Of one number. */
struct called {
    char number[KEY_SIZE];
    struct sums sums;
};

struct usage_report {
    struct spool *spool;
    struct usage_query query;
    json_t *data;
    bool complete, over;
    /* of numbers called */
    json_t *index; /* number: place in `called` */
    struct called *called;
    size_t count, room;
    int64_t before_ms, before, looked;
    int error;
    char *message;
    void (*done)(void *context, int error, json_t *report); /* NULL = canceled */
    void *context;
};

static void report_free(struct usage_report *report)
{
    json_decref(report->data);
    json_decref(report->index);
    free(report->called);
    free(report->message);
    free(report);
}

static json_t *sums_json(json_t *key, const struct sums *sums)
{
    return json_pack("{s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f}", "key", key, "faxes", (json_int_t)sums->faxes,
                     "sent", (json_int_t)sums->sent, "delivered", (json_int_t)sums->delivered, "failed",
                     (json_int_t)sums->failed, "received", (json_int_t)sums->received, "pages_sent",
                     (json_int_t)sums->pages_sent, "pages_received", (json_int_t)sums->pages_received, "call_s",
                     (double)sums->call_ms / 1000);
}

/* ---- hours ---- */

#define SUMS                                                                                                           \
    " sum(u.faxes) AS faxes,"                                                                                          \
    " sum(CASE WHEN u.direction = 0 THEN u.faxes ELSE 0 END) AS sent,"                                                 \
    " sum(CASE WHEN u.state = 10 THEN u.faxes ELSE 0 END) AS delivered,"                                               \
    " sum(CASE WHEN u.state IN (13, 15) THEN u.faxes ELSE 0 END) AS failed,"                                           \
    " sum(CASE WHEN u.state IN (22, 23) THEN u.faxes ELSE 0 END) AS received,"                                         \
    " sum(CASE WHEN u.direction = 0 THEN u.pages ELSE 0 END) AS pages_sent,"                                           \
    " sum(CASE WHEN u.direction = 1 THEN u.pages ELSE 0 END) AS pages_received,"                                       \
    " sum(u.call_ms) AS call_ms"
#define RANGE " FROM usage u WHERE u.hour >= ? AND u.hour < ?"

/* Whole days from the table of days, and the hours before and behind them: three ranges. */
#define PARTS(columns, table)                                                                                          \
    " FROM (SELECT hour" columns ", faxes, pages, call_ms FROM usage WHERE hour >= ? AND hour < ?"                     \
    " UNION ALL SELECT day * 24" columns ", faxes, pages, call_ms FROM " table " WHERE day >= ? AND day < ?"           \
    " UNION ALL SELECT hour" columns ", faxes, pages, call_ms FROM usage WHERE hour >= ? AND hour < ?) u"
#define OF_DAYS  PARTS(", direction, state, outcome, provider", "usage_day")
#define OF_USERS PARTS(", direction, state, user_id", "usage_user")

static const char *sql_of(enum usage_group group)
{
    switch (group) {
    case USAGE_BY_DAY:
        return "SELECT u.hour / 24 * 24 AS k, '' AS name," SUMS OF_DAYS " GROUP BY k ORDER BY k";
    case USAGE_BY_HOUR:
        return "SELECT u.hour AS k, '' AS name," SUMS RANGE " GROUP BY k ORDER BY k";
    case USAGE_BY_USER:
        return "SELECT u.user_id AS k, coalesce((SELECT a.public_id FROM account a WHERE a.id = u.user_id), '') AS "
               "name," SUMS OF_USERS " GROUP BY u.user_id ORDER BY sent DESC, u.user_id";
    case USAGE_BY_PROVIDER:
        return "SELECT 0 AS k, u.provider AS name," SUMS OF_DAYS " GROUP BY u.provider ORDER BY u.provider";
    case USAGE_BY_ERROR:
        return "SELECT u.outcome AS k, '' AS name," SUMS OF_DAYS
               " WHERE u.state IN (11, 12, 13, 15, 23, 24) AND u.outcome "
               "> 1 GROUP BY u.outcome ORDER BY sum(u.faxes) DESC,"
               " u.outcome";
    case USAGE_BY_DESTINATION:
        break;
    }
    return NULL;
}

static json_t *key_of(enum usage_group group, struct stmt *stmt)
{
    char time[CLOCK_TEXT_SIZE];
    int64_t key = stmt_int(stmt, "k");
    const char *name = stmt_text(stmt, "name");
    if (group == USAGE_BY_ERROR)
        return json_string(outcome_info((enum fax_outcome)key)->code);
    if (group == USAGE_BY_USER || group == USAGE_BY_PROVIDER)
        return *name ? json_string(name) : json_null();
    clock_format(time, key * USAGE_HOUR_MS);
    if (group == USAGE_BY_DAY)
        time[10] = '\0';
    return json_string(time);
}

static void bind_pair(struct stmt *stmt, int64_t from, int64_t until)
{
    stmt_bind_int(stmt, from);
    stmt_bind_int(stmt, until);
}

static void bind_range(struct stmt *stmt, const struct usage_query *query)
{
    int64_t from = query->from_ms / USAGE_HOUR_MS, until = (query->to_ms + USAGE_HOUR_MS - 1) / USAGE_HOUR_MS;
    int64_t day = (from + USAGE_DAY_HOURS - 1) / USAGE_DAY_HOURS, end = until / USAGE_DAY_HOURS;
    if (query->group == USAGE_BY_HOUR || day >= end) {
        bind_pair(stmt, from, until);
        day = end = 0;
    } else {
        bind_pair(stmt, from, day * USAGE_DAY_HOURS);
    }
    if (query->group == USAGE_BY_HOUR)
        return;
    bind_pair(stmt, day, end);
    bind_pair(stmt, end * USAGE_DAY_HOURS, end ? until : 0);
}

int usage_report_hours(json_t *data, struct db *db, const struct usage_query *query)
{
    enum usage_group group = query->group;
    struct stmt *stmt;
    int error = stmt_open(&stmt, db, sql_of(group));
    if (error)
        return error;
    bind_range(stmt, query);
    while ((error = stmt_step(stmt)) == 1) {
        const struct sums sums = {.faxes = stmt_int(stmt, "faxes"),
                                  .sent = stmt_int(stmt, "sent"),
                                  .delivered = stmt_int(stmt, "delivered"),
                                  .failed = stmt_int(stmt, "failed"),
                                  .received = stmt_int(stmt, "received"),
                                  .pages_sent = stmt_int(stmt, "pages_sent"),
                                  .pages_received = stmt_int(stmt, "pages_received"),
                                  .call_ms = stmt_int(stmt, "call_ms")};
        json_array_append_new(data, sums_json(key_of(group, stmt), &sums));
    }
    stmt_close(stmt);
    return error;
}

/* ---- numbers called ---- */

static struct sums *sums_of(struct usage_report *report, const char *number)
{
    const json_t *place = json_object_get(report->index, number);
    if (place)
        return &report->called[json_integer_value(place)].sums;
    if (report->count == report->room) {
        report->room = report->room ? report->room * 2 : 256;
        report->called = xrealloc(report->called, report->room * sizeof(*report->called));
    }
    struct called *called = &report->called[report->count];
    *called = (struct called){.sums = {0}};
    str_copy(called->number, sizeof(called->number), number);
    json_object_set_new(report->index, number, json_integer((json_int_t)report->count++));
    return &called->sums;
}

static void add_fax(struct usage_report *report, struct stmt *stmt)
{
    struct sums *sums = sums_of(report, stmt_text(stmt, "destination"));
    enum fax_state state = (enum fax_state)stmt_int(stmt, "state");
    sums->faxes++;
    sums->sent++;
    sums->delivered += state == FAX_DELIVERED;
    sums->failed += state == FAX_FAILED || state == FAX_EXPIRED;
    sums->pages_sent += stmt_int(stmt, "pages_confirmed");
    sums->call_ms += stmt_int(stmt, "call_ms");
}

static int by_faxes(const void *left, const void *right)
{
    const struct called *a = left, *b = right;
    if (a->sums.sent != b->sums.sent)
        return a->sums.sent < b->sums.sent ? 1 : -1;
    return strcmp(a->number, b->number);
}

static void put_called(struct usage_report *report)
{
    if (report->count)
        qsort(report->called, report->count, sizeof(*report->called), by_faxes);
    if (report->count > USAGE_DESTINATIONS)
        report->complete = false;
    for (size_t i = 0; i < report->count && i < USAGE_DESTINATIONS; i++)
        json_array_append_new(report->data, sums_json(json_string(report->called[i].number), &report->called[i].sums));
}

static int look_at_slice(struct usage_report *report, struct db *db)
{
    struct stmt *stmt;
    int found = 0;
    int error = stmt_open(&stmt, db,
                          "SELECT id, ended_at, test, destination, state, pages_confirmed,"
                          " (SELECT coalesce(sum(a.ended_at - a.connected_at), 0) FROM attempt a WHERE a.fax = fax.id"
                          " AND a.connected_at > 0 AND a.ended_at > a.connected_at) AS call_ms"
                          " FROM fax WHERE direction = 0 AND ended_at > 0 AND ended_at >= ?"
                          " AND (ended_at, id) < (?, ?) ORDER BY ended_at DESC, id DESC LIMIT ?");
    if (error)
        return error;
    stmt_bind_int(stmt, report->query.from_ms / USAGE_HOUR_MS * USAGE_HOUR_MS);
    stmt_bind_int(stmt, report->before_ms);
    stmt_bind_int(stmt, report->before);
    stmt_bind_int(stmt, SLICE);
    while ((error = stmt_step(stmt)) == 1) {
        found++;
        report->before_ms = stmt_int(stmt, "ended_at");
        report->before = stmt_int(stmt, "id");
        if (!stmt_int(stmt, "test"))
            add_fax(report, stmt);
    }
    stmt_close(stmt);
    report->looked += found;
    report->complete = found < SLICE;
    report->over = report->complete || report->looked >= USAGE_LOOKED;
    return error;
}

/* Here, since freeing a million numbers takes a while. */
static void forget_called(struct usage_report *report)
{
    json_decref(report->index);
    free(report->called);
    report->index = NULL;
    report->called = NULL;
}

/* ---- the way of a report ---- */

static void run(void *context, struct db *db)
{
    struct usage_report *report = context;
    if (report->query.group == USAGE_BY_DESTINATION) {
        report->error = look_at_slice(report, db);
        if (!report->error && report->over)
            put_called(report);
        if (report->error || report->over)
            forget_called(report);
    } else {
        report->over = true;
        report->error = usage_report_hours(report->data, db, &report->query);
    }
    if (report->error)
        report->message = xstrdup(err_message()); /* the message is this thread's */
}

static void finish(struct usage_report *report, int error)
{
    json_t *result = NULL;
    if (!error && report->error)
        error = err_set(report->error, "%s", report->message);
    if (!error)
        result = json_pack("{s:O, s:b}", "data", report->data, "complete", report->complete);
    if (report->done)
        report->done(report->context, error, result);
    json_decref(result);
    report_free(report);
}

static void finished(void *context, int error)
{
    struct usage_report *report = context;
    if (!error && !report->error && !report->over && report->done) {
        error = reader_post(report->spool->reader, run, finished, report);
        if (!error)
            return;
    }
    finish(report, error);
}

int usage_report_start(struct usage_report **out, struct spool *spool, const struct usage_query *query,
                       void (*done)(void *context, int error, json_t *report), void *context)
{
    spool_assert_loop(spool);
    struct usage_report *report = xcalloc(1, sizeof(*report));
    report->spool = spool;
    report->query = *query;
    report->done = done;
    report->context = context;
    report->data = json_array();
    report->index = json_object();
    report->complete = true;
    report->before_ms = (query->to_ms + USAGE_HOUR_MS - 1) / USAGE_HOUR_MS * USAGE_HOUR_MS;
    *out = report;
    int error = reader_post(spool->reader, run, finished, report);
    if (error) {
        *out = NULL;
        report_free(report);
    }
    return error;
}

void usage_report_cancel(struct usage_report *report)
{
    report->done = NULL;
}
