/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The dashboard's questions to the store, in one job of the reader thread. */
#include "spool/today.h"

#include "db/reader.h"
#include "db/stmt.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/time_zone.h"
#include "spool/fax_row.h"
#include "spool/page_style.h"
#include "spool/spool_private.h"
#include "spool/usage.h"
#include "spool/usage_report.h"

#include <stdio.h>
#include <stdlib.h>

struct today {
    int64_t since_ms, now_ms;
    json_t *answer;
    int error;
    char *message;
    void (*done)(void *context, int error, json_t *today);
    void *context;
};

int64_t today_begin(const struct spool *spool, int64_t now_ms)
{
    char text[16];
    int hours = 0, minutes = 0;
    time_zone_format(text, sizeof(text), now_ms, page_style(spool)->time_zone, "%H:%M");
    if (sscanf(text, "%2d:%2d", &hours, &minutes) != 2)
        hours = minutes = 0;
    int64_t begin_ms = now_ms - (hours * 60 + minutes) * 60000ll;
    return begin_ms / USAGE_HOUR_MS * USAGE_HOUR_MS;
}

/* ---- on the reader thread ---- */

static int add_sums(struct today *today, struct db *db, const char *name, enum usage_group group)
{
    const struct usage_query query = {.group = group, .from_ms = today->since_ms, .to_ms = today->now_ms};
    json_t *rows = json_array();
    json_object_set_new(today->answer, name, rows);
    return usage_report_hours(rows, db, &query);
}

static int add_preparing(struct today *today, struct db *db)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, db, "SELECT created_at FROM fax WHERE state = " SQL_PREPARING " ORDER BY id LIMIT 1");
    if (error)
        return error;
    error = stmt_step(stmt);
    json_object_set_new(today->answer, "preparing_since", json_integer(error == 1 ? stmt_int(stmt, "created_at") : 0));
    stmt_close(stmt);
    return error < 0 ? error : 0;
}

/* Since when the oldest delivery of a received fax waits. */
static int add_routing(struct today *today, struct db *db)
{
    struct stmt *stmt;
    int error =
        stmt_open(&stmt, db, "SELECT patient_from FROM route_delivery WHERE state IN (0, 1) ORDER BY id LIMIT 1");
    if (error)
        return error;
    error = stmt_step(stmt);
    json_object_set_new(today->answer, "routing_since", json_integer(error == 1 ? stmt_int(stmt, "patient_from") : 0));
    stmt_close(stmt);
    return error < 0 ? error : 0;
}

static int add_webhooks(struct today *today, struct db *db)
{
    struct stmt *stmt;
    json_t *list = json_array();
    json_object_set_new(today->answer, "webhooks", list);
    int error =
        stmt_open(&stmt, db,
                  "SELECT public_id, enabled, disabled_reason, (SELECT coalesce(min(d.next_at), 0) FROM delivery d"
                  " WHERE d.endpoint = endpoint.id AND d.next_at > 0) AS due FROM endpoint ORDER BY id");
    if (error)
        return error;
    while ((error = stmt_step(stmt)) == 1)
        json_array_append_new(list,
                              json_pack("{s:s, s:b, s:s, s:I}", "id", stmt_text(stmt, "public_id"), "enabled",
                                        stmt_int(stmt, "enabled") != 0, "reason", stmt_text(stmt, "disabled_reason"),
                                        "due", (json_int_t)stmt_int(stmt, "due")));
    stmt_close(stmt);
    return error;
}

static void run(void *context, struct db *db)
{
    struct today *today = context;
    today->answer = json_object();
    today->error = add_sums(today, db, "providers", USAGE_BY_PROVIDER);
    if (!today->error)
        today->error = add_sums(today, db, "errors", USAGE_BY_ERROR);
    if (!today->error)
        today->error = add_preparing(today, db);
    if (!today->error)
        today->error = add_webhooks(today, db);
    if (!today->error)
        today->error = add_routing(today, db);
    if (today->error)
        today->message = xstrdup(err_message()); /* the message is this thread's */
}

/* ---- on the loop ---- */

static void today_free(struct today *today)
{
    json_decref(today->answer);
    free(today->message);
    free(today);
}

static void finished(void *context, int error)
{
    struct today *today = context;
    if (!error && today->error)
        error = err_set(today->error, "%s", today->message);
    today->done(today->context, error, error ? NULL : today->answer);
    today_free(today);
}

int today_start(struct spool *spool, int64_t since_ms, void (*done)(void *context, int error, json_t *today),
                void *context)
{
    spool_assert_loop(spool);
    struct today *today = xcalloc(1, sizeof(*today));
    today->since_ms = since_ms;
    today->now_ms = clock_now_ms() + USAGE_HOUR_MS; /* with the hour that is not over */
    today->done = done;
    today->context = context;
    int error = reader_post(spool->reader, run, finished, today);
    if (error)
        today_free(today);
    return error;
}
