/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Deliveries of events to endpoints. On the route: event_write() makes the rows (subscription.c), server/webhook works
 * through what is due: outbox_due(), outbox_taken(), HTTP, outbox_result(). A crash in between repeats the try.
 */
#include "spool/outbox.h"

#include "db/stmt.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "spool/event.h"
#include "spool/nullable.h"
#include "spool/query.h"
#include "spool/spool.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TAKEN_MS        60000
#define RETRY_AFTER_MAX 86400
#define HTTP_GONE       410
#define PAGE_MAX        1000

/* Stored: never renumber. */
enum delivery_state { DELIVERY_WAITING = 0, DELIVERY_DONE = 1, DELIVERY_GIVEN_UP = 2 };

static const int delays_s[] = {5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400};
#define DELAYS ((int)(sizeof(delays_s) / sizeof(*delays_s)))

static void read_due(struct outbox_delivery *delivery, struct stmt *stmt)
{
    *delivery = (struct outbox_delivery){.id = stmt_int(stmt, "id")};
    str_copy(delivery->public_id, sizeof(delivery->public_id), stmt_text(stmt, "public_id"));
    delivery->endpoint = stmt_int(stmt, "endpoint");
    delivery->event = stmt_int(stmt, "event");
    delivery->tries = (int)stmt_int(stmt, "tries");
    delivery->next_at = stmt_int(stmt, "next_at");
    delivery->type = xstrdup(stmt_text(stmt, "type"));
    delivery->body = event_body(delivery->event, delivery->type, stmt_int(stmt, "created_at"), stmt_text(stmt, "data"));
}

int outbox_due(struct outbox_delivery *deliveries, int room, struct spool *spool, int64_t endpoint, int64_t now_ms)
{
    struct stmt *stmt;
    int count = 0;
    int error = stmt_open(&stmt, spool_db(spool),
                          "SELECT d.id AS id, d.public_id AS public_id, d.endpoint AS endpoint, d.event AS event,"
                          " d.tries AS tries, d.next_at AS next_at, e.type AS type, e.created_at AS created_at,"
                          " e.data AS data FROM delivery d JOIN event e ON e.sequence = d.event"
                          " WHERE d.endpoint = ? AND d.next_at > 0 AND d.next_at <= ?"
                          " ORDER BY d.next_at, d.id LIMIT ?");
    if (error)
        return error;
    stmt_bind_int(stmt, endpoint);
    stmt_bind_int(stmt, now_ms);
    stmt_bind_int(stmt, room);
    while (count < room && (error = stmt_step(stmt)) == 1)
        read_due(&deliveries[count++], stmt);
    stmt_close(stmt);
    return error < 0 ? error : count;
}

void outbox_delivery_clear(struct outbox_delivery *delivery)
{
    free(delivery->type);
    free(delivery->body);
    memset(delivery, 0, sizeof(*delivery));
}

int outbox_waiting(struct outbox_waiting *list, int room, struct spool *spool)
{
    struct stmt *stmt;
    int count = 0;
    int error = stmt_open(&stmt, spool_db(spool),
                          "SELECT id, next_at FROM (SELECT e.id AS id, (SELECT d.next_at FROM delivery d"
                          " WHERE d.endpoint = e.id AND d.next_at > 0 ORDER BY d.next_at, d.id LIMIT 1) AS next_at"
                          " FROM endpoint e) AS first WHERE next_at IS NOT NULL LIMIT ?");
    if (error)
        return error;
    stmt_bind_int(stmt, room);
    while (count < room && (error = stmt_step(stmt)) == 1)
        list[count++] = (struct outbox_waiting){stmt_int(stmt, "id"), stmt_int(stmt, "next_at")};
    stmt_close(stmt);
    return error < 0 ? error : count;
}

int outbox_taken(struct spool *spool, int64_t delivery, int64_t now_ms)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "UPDATE delivery SET next_at = ? WHERE next_at > 0 AND id = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, now_ms + TAKEN_MS);
    stmt_bind_int(stmt, delivery);
    return stmt_run(NULL, stmt);
}

/* ---- the result of a try ---- */

struct row {
    int64_t endpoint;
    int tries;
    enum delivery_state state;
};

static int get_row(struct row *row, struct spool *spool, int64_t delivery)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "SELECT endpoint, tries, state FROM delivery WHERE id = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, delivery);
    error = stmt_step(stmt);
    if (error == 1) {
        row->endpoint = stmt_int(stmt, "endpoint");
        row->tries = (int)stmt_int(stmt, "tries");
        row->state = (enum delivery_state)stmt_int(stmt, "state");
    }
    stmt_close(stmt);
    return error == 1 ? 0 : error ? error : err_set(ERR_NOT_FOUND, "no such delivery");
}

static int write_result(struct spool *spool, int64_t delivery, enum delivery_state state, int64_t next_at,
                        int64_t now_ms, int http_status, const char *fault)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool),
                          "UPDATE delivery SET state = ?, tries = tries + 1, next_at = ?, tried_at = ?, status = ?,"
                          " error = ? WHERE id = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, state);
    stmt_bind_int(stmt, next_at);
    stmt_bind_int(stmt, now_ms);
    stmt_bind_int(stmt, http_status);
    stmt_bind_text(stmt, fault ? fault : "");
    stmt_bind_int(stmt, delivery);
    return stmt_run(NULL, stmt);
}

/* Up to a tenth more, so that what failed together does not come back together. */
static int64_t delay_ms(int tries, int retry_after_s)
{
    int64_t delay = 1000ll * delays_s[tries];
    if (retry_after_s > RETRY_AFTER_MAX)
        retry_after_s = RETRY_AFTER_MAX;
    if (1000ll * retry_after_s > delay)
        delay = 1000ll * retry_after_s;
    return delay + randombytes_uniform((uint32_t)(delay / 10));
}

static int disable(struct spool *spool, int64_t id)
{
    struct outbox_endpoint endpoint;
    const char *reason = "it answered 410 Gone";
    int error = outbox_endpoint_get(&endpoint, spool, id);
    if (!error)
        error = outbox_endpoint_enable(spool, id, false, reason);
    if (error)
        return error;
    log_warning("webhook endpoint %s is disabled: %s", endpoint.public_id, reason);
    /* Not the URL: whoever may read events would see the secret that it may hold. */
    json_t *data = json_pack("{s:s, s:s}", "id", endpoint.public_id, "reason", reason);
    error = event_write(spool, "webhook_endpoint.disabled", NULL, data);
    json_decref(data);
    outbox_endpoint_clear(&endpoint);
    return error;
}

int outbox_result(struct spool *spool, int64_t delivery, int http_status, const char *error_text, int retry_after_s,
                  int64_t now_ms)
{
    struct row row = {0};
    int error = get_row(&row, spool, delivery);
    if (error)
        return error;
    if (row.state != DELIVERY_WAITING)
        return err_set(ERR_CONFLICT, "this delivery has ended");
    if (http_status >= 200 && http_status < 300)
        return write_result(spool, delivery, DELIVERY_DONE, 0, now_ms, http_status, "");
    bool again = http_status != HTTP_GONE && row.tries < DELAYS;
    int64_t next_at = again ? now_ms + delay_ms(row.tries, retry_after_s) : 0;
    error = write_result(spool, delivery, again ? DELIVERY_WAITING : DELIVERY_GIVEN_UP, next_at, now_ms, http_status,
                         error_text);
    if (!error && again)
        spool_mark(spool, SPOOL_CHANGE_OUTBOX);
    if (!error && http_status == HTTP_GONE)
        error = disable(spool, row.endpoint);
    return error;
}

/* ---- by API ---- */

int outbox_replay(struct spool *spool, const char *endpoint_id, const char *delivery_id)
{
    struct outbox_endpoint endpoint;
    struct stmt *stmt;
    int64_t changed;
    int error = outbox_endpoint_find(&endpoint, spool, endpoint_id);
    if (error)
        return error;
    int64_t id = endpoint.id;
    bool enabled = endpoint.enabled;
    outbox_endpoint_clear(&endpoint);
    if (!enabled)
        return err_set(ERR_CONFLICT, "this webhook endpoint is disabled");
    error = stmt_open(&stmt, spool_db(spool),
                      "UPDATE delivery SET state = 0, tries = 0, next_at = ? WHERE public_id = ? AND endpoint = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, clock_now_ms());
    stmt_bind_text(stmt, delivery_id);
    stmt_bind_int(stmt, id);
    error = stmt_run(&changed, stmt);
    if (!error && !changed)
        return err_set(ERR_NOT_FOUND, "no such delivery");
    spool_mark(spool, SPOOL_CHANGE_OUTBOX);
    return error;
}

static const char *state_word(enum delivery_state state)
{
    switch (state) {
    case DELIVERY_WAITING:
        return "pending";
    case DELIVERY_DONE:
        return "delivered";
    case DELIVERY_GIVEN_UP:
        return "failed";
    }
    return "pending";
}

static json_t *delivery_json(struct stmt *stmt)
{
    json_t *fault = *stmt_text(stmt, "error") ? json_string(stmt_text(stmt, "error")) : NULL;
    json_int_t status = stmt_int(stmt, "status");
    return json_pack("{s:s, s:s, s:I, s:s, s:I, s:o, s:o, s:o, s:o, s:o}", "id", stmt_text(stmt, "public_id"), "type",
                     stmt_text(stmt, "type"), "sequence", (json_int_t)stmt_int(stmt, "event"), "status",
                     state_word((enum delivery_state)stmt_int(stmt, "state")), "tries",
                     (json_int_t)stmt_int(stmt, "tries"), "http_status", status ? json_integer(status) : json_null(),
                     "error", fault ? fault : json_null(), "created_at", nullable_time(stmt_int(stmt, "created_at")),
                     "tried_at", nullable_time(stmt_int(stmt, "tried_at")), "next_at",
                     nullable_time(stmt_int(stmt, "next_at")));
}

static int read_page(json_t **page, struct spool *spool, int64_t endpoint, int64_t before, int limit)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool),
                          "SELECT d.id AS id, d.public_id AS public_id, e.type AS type, d.event AS event,"
                          " d.state AS state, d.tries AS tries, d.status AS status, d.error AS error,"
                          " d.created_at AS created_at, d.tried_at AS tried_at, d.next_at AS next_at"
                          " FROM delivery d JOIN event e ON e.sequence = d.event"
                          " WHERE d.endpoint = ? AND d.id < ? ORDER BY d.id DESC LIMIT ?");
    if (error)
        return error;
    stmt_bind_int(stmt, endpoint);
    stmt_bind_int(stmt, before);
    stmt_bind_int(stmt, limit + 1);
    return query_page_of_loop(page, limit, delivery_json, stmt);
}

int outbox_deliveries_json(json_t **page, struct spool *spool, const char *endpoint_id, const char *cursor, int limit)
{
    struct outbox_endpoint endpoint;
    int64_t before = INT64_MAX;
    *page = NULL;
    if (limit < 1 || limit > PAGE_MAX)
        return err_set(ERR_INVALID, "limit: 1 to %d", PAGE_MAX);
    if (cursor && *cursor && str_to_int(&before, cursor, 1, INT64_MAX))
        return err_set(ERR_INVALID, "cursor: not one of ours");
    int error = outbox_endpoint_find(&endpoint, spool, endpoint_id);
    if (error)
        return error;
    int64_t id = endpoint.id;
    outbox_endpoint_clear(&endpoint);
    return read_page(page, spool, id, before, limit);
}
