/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of deliveries. On the route: attempt_end_inbound() -> route_fax() makes them in the transaction of the
 * reception -> server/route/route.c takes what is due -> route_delivery_told() -> the fax moves.
 */
#include "spool/route_delivery.h"

#include "db/stmt.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "spool/audit.h"
#include "spool/fax_state.h"
#include "spool/inbound_rule.h"
#include "spool/mail.h"
#include "spool/nullable.h"
#include "spool/query.h"
#include "spool/spool_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS                                                                                                        \
    "id, fax, public_id, rule, rule_name, settings, lane, state, tries, created_at, patient_from, next_at, "           \
    "started_at, ended_at, reason"
#define PAGE_MAX     200
#define ROUTED_AGAIN "the fax was routed again"

_Static_assert(ROUTE_FOLDER == 1 && ROUTE_EMAIL == 2 && ROUTE_WEBHOOK == 3 && ROUTE_PRINT == 4 && ROUTE_COMMAND == 5 &&
                   ROUTE_INBOX == 6,
               "methods are stored");
_Static_assert(ROUTE_WAITING == 0 && ROUTE_RUNNING == 1 && ROUTE_DELIVERED == 2 && ROUTE_GIVEN_UP == 3,
               "states are stored");

/* ---- patience ---- */

void route_patience_default(struct route_patience *patience)
{
    *patience = (struct route_patience){{5, 30, 120, 600, 1800, 3600}, 3 * 24 * 3600};
}

void route_patience_set(struct spool *spool, const struct route_patience *patience)
{
    spool_assert_loop(spool);
    *spool->route_patience = *patience;
}

static int64_t delay_ms(const struct route_patience *patience, int tries)
{
    int last = 0;
    while (last + 1 < RETRY_DELAYS_MAX && patience->delay_s[last + 1] > 0)
        last++;
    int at = tries - 1 < last ? tries - 1 : last;
    return 1000ll * patience->delay_s[at < 0 ? 0 : at];
}

/* ---- rows ---- */

static void read_row(struct route_delivery *delivery, struct stmt *stmt)
{
    json_t *settings = json_loads(stmt_text(stmt, "settings"), 0, NULL);
    *delivery = (struct route_delivery){.id = stmt_int(stmt, "id"), .fax = stmt_int(stmt, "fax")};
    str_copy(delivery->public_id, sizeof(delivery->public_id), stmt_text(stmt, "public_id"));
    str_copy(delivery->rule, sizeof(delivery->rule), stmt_text(stmt, "rule"));
    str_copy(delivery->rule_name, sizeof(delivery->rule_name), stmt_text(stmt, "rule_name"));
    str_copy(delivery->lane, sizeof(delivery->lane), stmt_text(stmt, "lane"));
    delivery->state = (enum route_state)stmt_int(stmt, "state");
    delivery->tries = (int)stmt_int(stmt, "tries");
    delivery->created_at = stmt_int(stmt, "created_at");
    delivery->patient_from = stmt_int(stmt, "patient_from");
    delivery->next_at = stmt_int(stmt, "next_at");
    delivery->started_at = stmt_int(stmt, "started_at");
    delivery->ended_at = stmt_int(stmt, "ended_at");
    delivery->reason = xstrdup(stmt_text(stmt, "reason"));
    if (!route_method_load(&delivery->method, settings)) {
        log_error("delivery %s: its settings cannot be read", delivery->public_id);
        delivery->unreadable = true;
        delivery->method = (struct route_method){ROUTE_INBOX, json_object()};
    }
    json_decref(settings);
}

void route_delivery_clear(struct route_delivery *delivery)
{
    route_method_clear(&delivery->method);
    free(delivery->reason);
    *delivery = (struct route_delivery){.id = 0};
}

static int one_row(struct route_delivery *delivery, struct stmt *stmt)
{
    int error = stmt_step(stmt);
    if (error == 1)
        read_row(delivery, stmt);
    stmt_close(stmt);
    return error == 1 ? 0 : error ? error : err_set(ERR_NOT_FOUND, "no such delivery");
}

int route_delivery_get(struct route_delivery *delivery, struct spool *spool, int64_t id)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "SELECT " COLUMNS " FROM route_delivery WHERE id = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, id);
    return one_row(delivery, stmt);
}

/* Runs and closes a statement with numbers alone. */
static int run_with(struct spool *spool, const char *sql, int64_t first, int64_t second)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), sql);
    if (error)
        return error;
    stmt_bind_int(stmt, first);
    if (second >= 0)
        stmt_bind_int(stmt, second);
    return stmt_run(NULL, stmt);
}

/* What a crash left half done is done again. (The condition of the index is said as it stands there.) */
int route_delivery_start(struct spool *spool)
{
    spool->route_patience = xcalloc(1, sizeof(*spool->route_patience));
    route_patience_default(spool->route_patience);
    int error = run_with(spool,
                         "UPDATE route_delivery SET state = 3, next_at = 0, ended_at = ?, reason = '" ROUTED_AGAIN "'"
                         " WHERE state IN (0, 1) AND state = 1 AND method <> 2 AND patient_from = 0",
                         clock_now_ms(), -1);
    if (error)
        return error;
    return run_with(spool,
                    "UPDATE route_delivery SET state = 0, next_at = ?"
                    " WHERE state IN (0, 1) AND state = 1 AND method <> 2",
                    clock_now_ms(), -1);
}

/* ---- new ones ---- */

static int insert(struct spool *spool, const struct fax *fax, const struct inbound_rule *rule,
                  const struct route_method *method, int64_t round)
{
    char ulid[STR_ULID_SIZE], public_id[ROUTE_DELIVERY_ID_SIZE], target[ROUTE_TARGET_SIZE], lane[ROUTE_LANE_SIZE];
    int64_t now_ms = clock_now_ms();
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool),
                          "INSERT INTO route_delivery (public_id, fax, round, rule, rule_name, method, settings, lane,"
                          " state, created_at, patient_from, next_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?)");
    if (error)
        return error;
    snprintf(public_id, sizeof(public_id), "rtd_%s", str_ulid(ulid, now_ms));
    snprintf(lane, sizeof(lane), "%d:%s", method->kind, route_method_target(target, method));
    char *settings = json_dumps(method->settings, JSON_COMPACT);
    stmt_bind_text(stmt, public_id);
    stmt_bind_int(stmt, fax->id);
    stmt_bind_int(stmt, round);
    stmt_bind_text(stmt, rule->public_id);
    stmt_bind_text(stmt, rule->name);
    stmt_bind_int(stmt, method->kind);
    stmt_bind_text(stmt, settings);
    stmt_bind_text(stmt, lane);
    stmt_bind_int(stmt, now_ms);
    stmt_bind_int(stmt, now_ms);
    stmt_bind_int(stmt, now_ms);
    error = stmt_run(NULL, stmt);
    free(settings);
    return error;
}

int route_delivery_add(struct spool *spool, const struct fax *fax, const struct inbound_rule *rule, int64_t round)
{
    int error = 0;
    spool_assert_loop(spool);
    for (int i = 0; i < rule->method_count && !error; i++)
        error = insert(spool, fax, rule, &rule->methods[i], round);
    if (!error)
        spool_mark(spool, SPOOL_CHANGE_ROUTE);
    return error;
}

static int last_round(int64_t *round, struct spool *spool, int64_t fax)
{
    struct stmt *stmt;
    *round = 0;
    int error =
        stmt_open(&stmt, spool_db(spool), "SELECT round FROM route_delivery WHERE fax = ? ORDER BY id DESC LIMIT 1");
    if (error)
        return error;
    stmt_bind_int(stmt, fax);
    error = stmt_step(stmt);
    if (error == 1)
        *round = stmt_int(stmt, "round");
    stmt_close(stmt);
    return error < 0 ? error : 0;
}

static int cancel_mails(struct spool *spool, int64_t fax)
{
    int64_t id;
    int error;
    while ((error = mail_next_of_fax(&id, spool, fax)) == 1)
        if ((error = mail_cancel(spool, id, ROUTED_AGAIN)) != 0)
            return error;
    return error;
}

/* One that runs cannot be called back. It ends by itself, without another try, and what it says no longer moves the
 * fax. */
static int end_rounds(struct spool *spool, int64_t fax)
{
    int error =
        run_with(spool, "UPDATE route_delivery SET patient_from = 0 WHERE fax = ? AND state IN (0, 1)", fax, -1);
    if (!error)
        error = cancel_mails(spool, fax);
    if (!error)
        error = run_with(spool,
                         "UPDATE route_delivery SET state = 3, next_at = 0, ended_at = ?, reason = '" ROUTED_AGAIN "'"
                         " WHERE fax = ? AND (state = 0 OR state = 1 AND method = 2)",
                         clock_now_ms(), fax);
    return error;
}

int route_delivery_round(int64_t *round, struct spool *spool, const struct fax *fax)
{
    int error = last_round(round, spool, fax->id);
    if (error)
        return error;
    ++*round;
    return end_rounds(spool, fax->id);
}

bool route_delivery_any(struct spool *spool, const struct fax *fax)
{
    int64_t round;
    return last_round(&round, spool, fax->id) == 0 && round > 0;
}

/* ---- what is due ---- */

int route_delivery_next(struct route_delivery *delivery, struct spool *spool, const char *after)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool),
                          "SELECT " COLUMNS " FROM route_delivery WHERE state = 0 AND lane > ?"
                          " ORDER BY lane, next_at, id LIMIT 1");
    if (error)
        return error;
    stmt_bind_text(stmt, after);
    error = one_row(delivery, stmt);
    return error == ERR_NOT_FOUND ? 0 : error ? error : 1;
}

int route_delivery_taken(struct spool *spool, struct route_delivery *delivery)
{
    struct stmt *stmt;
    int64_t count;
    int error = stmt_open(&stmt, spool_db(spool),
                          "UPDATE route_delivery SET state = 1, tries = tries + ?, started_at = ? WHERE id = ?"
                          " AND state = 0");
    if (error)
        return error;
    int counts = delivery->method.kind != ROUTE_EMAIL;
    delivery->started_at = clock_now_ms();
    stmt_bind_int(stmt, counts);
    stmt_bind_int(stmt, delivery->started_at);
    stmt_bind_int(stmt, delivery->id);
    error = stmt_run(&count, stmt);
    if (!error && count != 1)
        error = err_set(ERR_CONFLICT, "the delivery %s no longer waits", delivery->public_id);
    if (!error) {
        delivery->tries += counts;
        delivery->state = ROUTE_RUNNING;
    }
    return error;
}

/* ---- the fax follows ---- */

static int count_states(int64_t counts[4], struct spool *spool, int64_t fax, int64_t round)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool),
                          "SELECT state, count(*) AS deliveries FROM route_delivery WHERE fax = ? AND round = ?"
                          " GROUP BY state");
    if (error)
        return error;
    stmt_bind_int(stmt, fax);
    stmt_bind_int(stmt, round);
    while ((error = stmt_step(stmt)) == 1)
        counts[stmt_int(stmt, "state") & 3] += stmt_int(stmt, "deliveries");
    stmt_close(stmt);
    return error;
}

static enum fax_state state_by(const int64_t counts[4])
{
    if (counts[ROUTE_GIVEN_UP] > 0)
        return FAX_ROUTE_FAILED;
    return counts[ROUTE_WAITING] + counts[ROUTE_RUNNING] > 0 ? FAX_ROUTING : FAX_ROUTED;
}

static int move_fax(struct spool *spool, struct fax *fax)
{
    int64_t counts[4] = {0}, round;
    int error = last_round(&round, spool, fax->id);
    if (!error)
        error = count_states(counts, spool, fax->id, round);
    if (error)
        return error;
    enum fax_state next = state_by(counts);
    /* It was routed again meanwhile, and no rule wants it any more. */
    if (next != FAX_ROUTING && (fax->state == FAX_RECEIVED || fax->state == FAX_PARTIALLY_RECEIVED))
        return 0;
    return next == fax->state ? 0 : fax_state_change(spool, fax, next);
}

/* ---- how a try ended ---- */

static int write_end(struct spool *spool, const struct route_delivery *delivery)
{
    struct stmt *stmt;
    char reason[ROUTE_REASON_MAX + 1];
    int error = stmt_open(&stmt, spool_db(spool),
                          "UPDATE route_delivery SET state = ?, tries = ?, next_at = ?, ended_at = ?, reason = ?"
                          " WHERE id = ?");
    if (error)
        return error;
    str_copy(reason, sizeof(reason), delivery->reason);
    stmt_bind_int(stmt, delivery->state);
    stmt_bind_int(stmt, delivery->tries);
    stmt_bind_int(stmt, delivery->next_at);
    stmt_bind_int(stmt, delivery->ended_at);
    stmt_bind_text(stmt, reason);
    stmt_bind_int(stmt, delivery->id);
    return stmt_run(NULL, stmt);
}

static enum route_state state_after(enum route_told told)
{
    switch (told) {
    case ROUTE_TOLD_DONE:
        return ROUTE_DELIVERED;
    case ROUTE_TOLD_AGAIN:
        return ROUTE_WAITING;
    case ROUTE_TOLD_THEIRS:
        return ROUTE_RUNNING;
    case ROUTE_TOLD_GIVEN_UP:
        break;
    }
    return ROUTE_GIVEN_UP;
}

static void decide(struct route_delivery *delivery, const struct spool *spool, enum route_told told, int64_t next_at)
{
    int64_t now_ms = clock_now_ms(), last_ms = delivery->patient_from + 1000ll * spool->route_patience->give_up_s;
    delivery->tries += delivery->method.kind == ROUTE_EMAIL; /* the mailer's tries are counted as they end */
    if (told == ROUTE_TOLD_AGAIN) {
        next_at = now_ms + delay_ms(spool->route_patience, delivery->tries);
        if (next_at > last_ms)
            told = ROUTE_TOLD_GIVEN_UP;
    }
    bool ended = told == ROUTE_TOLD_DONE || told == ROUTE_TOLD_GIVEN_UP;
    delivery->next_at = ended ? 0 : next_at;
    delivery->ended_at = ended ? now_ms : 0;
    delivery->state = state_after(told);
}

/* Pages have left the server: the audit log says where to. */
static int tell_audit(struct spool *spool, const struct route_delivery *delivery, const struct fax *fax)
{
    char target[ROUTE_TARGET_SIZE];
    if (delivery->state != ROUTE_DELIVERED || delivery->method.kind == ROUTE_INBOX)
        return 0;
    json_t *detail = json_pack("{s:s, s:s, s:s, s:o}", "delivery", delivery->public_id, "rule", delivery->rule,
                               "method", route_kind_name(delivery->method.kind), "target",
                               nullable_text(route_method_target(target, &delivery->method)));
    char *text = json_dumps(detail, JSON_COMPACT);
    int error = audit_write_server(spool, "document.delivered", fax->public_id, text);
    json_decref(detail);
    free(text);
    return error;
}

static void tell_log(const struct route_delivery *delivery, const struct fax *fax)
{
    char target[ROUTE_TARGET_SIZE];
    log_info("delivery %s fax=%s delivery=%s method=%s target=%s tries=%d%s%s", route_state_name(delivery->state),
             fax->public_id, delivery->public_id, route_kind_name(delivery->method.kind),
             route_method_target(target, &delivery->method), delivery->tries, *delivery->reason ? " reason=" : "",
             delivery->reason);
}

/* Writes it and tells who is concerned. */
static int take_end(struct spool *spool, const struct route_delivery *delivery)
{
    struct fax fax = {0};
    int error = write_end(spool, delivery);
    if (!error)
        error = fax_get(&fax, spool, delivery->fax);
    if (!error) {
        tell_log(delivery, &fax);
        error = tell_audit(spool, delivery, &fax);
    }
    if (!error && delivery->patient_from)
        error = move_fax(spool, &fax);
    if (!error && delivery->state == ROUTE_WAITING)
        spool_mark(spool, SPOOL_CHANGE_ROUTE);
    fax_clear(&fax);
    return error;
}

/* A mail that was given up while the server took it has arrived all the same. */
static bool is_heard(const struct route_delivery *delivery, enum route_told told)
{
    return delivery->state == ROUTE_RUNNING || (delivery->state == ROUTE_GIVEN_UP && told == ROUTE_TOLD_DONE);
}

int route_delivery_told(struct spool *spool, int64_t id, enum route_told told, const char *reason, int64_t next_at)
{
    struct route_delivery delivery = {.id = 0};
    spool_assert_loop(spool);
    int error = route_delivery_get(&delivery, spool, id);
    if (!error && is_heard(&delivery, told)) {
        free(delivery.reason);
        delivery.reason = xstrdup(reason ? reason : "");
        decide(&delivery, spool, told, next_at);
        error = take_end(spool, &delivery);
    }
    route_delivery_clear(&delivery);
    return error;
}

static int resume(struct spool *spool, const struct route_delivery *delivery, const char *reason, int64_t next_at)
{
    struct route_delivery running = *delivery; /* borrows its texts */
    struct fax fax = {0};
    running.state = ROUTE_RUNNING;
    running.reason = (char *)reason;
    running.next_at = next_at;
    running.ended_at = 0;
    int error = write_end(spool, &running);
    if (!error)
        error = run_with(spool, "UPDATE route_delivery SET patient_from = ? WHERE id = ?", clock_now_ms(), running.id);
    if (!error)
        error = fax_get(&fax, spool, running.fax);
    if (!error)
        error = move_fax(spool, &fax);
    fax_clear(&fax);
    return error;
}

int route_delivery_resumed(struct spool *spool, int64_t id, const char *reason, int64_t next_at)
{
    struct route_delivery delivery = {.id = 0};
    spool_assert_loop(spool);
    int error = route_delivery_get(&delivery, spool, id);
    if (!error && (delivery.state == ROUTE_WAITING || delivery.state == ROUTE_RUNNING))
        error = err_set(ERR_CONFLICT, "its delivery is under way with another mail");
    if (!error && delivery.state == ROUTE_GIVEN_UP)
        error = resume(spool, &delivery, reason, next_at);
    route_delivery_clear(&delivery);
    return error;
}

/* ---- by API ---- */

static int find(struct route_delivery *delivery, struct spool *spool, const struct fax *fax, const char *public_id)
{
    struct stmt *stmt;
    int error =
        stmt_open(&stmt, spool_db(spool), "SELECT " COLUMNS " FROM route_delivery WHERE public_id = ? AND fax = ?");
    if (error)
        return error;
    stmt_bind_text(stmt, public_id);
    stmt_bind_int(stmt, fax->id);
    return one_row(delivery, stmt);
}

static int check_retry(const struct route_delivery *delivery, const struct fax *fax)
{
    if (delivery->state == ROUTE_DELIVERED)
        return err_set(ERR_CONFLICT, "it has arrived already");
    if (delivery->state == ROUTE_RUNNING)
        return err_set(ERR_CONFLICT, delivery->method.kind == ROUTE_EMAIL ? "it is in the queue of mails: see /v1/mails"
                                                                          : "it is being tried just now");
    if (fax->purged_at)
        return err_set(ERR_CONFLICT, "the documents of this fax were deleted");
    return 0;
}

/* It gets all the patience anew. */
int route_delivery_retry(struct route_delivery *delivery, struct spool *spool, struct fax *fax, const char *public_id)
{
    spool_assert_loop(spool);
    int error = find(delivery, spool, fax, public_id);
    if (error)
        return error;
    error = check_retry(delivery, fax);
    if (!error)
        error = run_with(spool,
                         "UPDATE route_delivery SET state = 0, ended_at = 0, patient_from = ?, next_at = 0"
                         " WHERE id = ?",
                         clock_now_ms(), delivery->id);
    int64_t id = delivery->id;
    route_delivery_clear(delivery);
    if (!error)
        error = move_fax(spool, fax);
    if (error)
        return error;
    spool_mark(spool, SPOOL_CHANGE_ROUTE);
    return route_delivery_get(delivery, spool, id);
}

int route_delivery_open(bool *open, struct spool *spool, int64_t fax)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool),
                          "SELECT 1 AS one FROM route_delivery WHERE fax = ? AND state IN (0, 1) LIMIT 1");
    if (error)
        return error;
    stmt_bind_int(stmt, fax);
    error = stmt_step(stmt);
    stmt_close(stmt);
    *open = error == 1;
    return error < 0 ? error : 0;
}

/* ---- JSON ---- */

const char *route_state_name(enum route_state state)
{
    switch (state) {
    case ROUTE_WAITING:
        return "waiting";
    case ROUTE_RUNNING:
        return "running";
    case ROUTE_DELIVERED:
        return "delivered";
    case ROUTE_GIVEN_UP:
        return "failed";
    }
    return "waiting";
}

json_t *route_delivery_json(const struct route_delivery *delivery)
{
    char target[ROUTE_TARGET_SIZE];
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:s, s:i, s:o, s:o, s:o, s:o, s:o}", "id", delivery->public_id,
                     "rule", delivery->rule, "rule_name", delivery->rule_name, "method",
                     route_kind_name(delivery->method.kind), "target",
                     nullable_text(route_method_target(target, &delivery->method)), "settings",
                     route_method_json(&delivery->method, false), "status", route_state_name(delivery->state), "tries",
                     delivery->tries, "reason", nullable_text(delivery->reason), "next_at",
                     nullable_time(delivery->next_at), "created_at", nullable_time(delivery->created_at), "started_at",
                     nullable_time(delivery->started_at), "ended_at", nullable_time(delivery->ended_at));
}

static json_t *row_object(struct stmt *stmt)
{
    struct route_delivery delivery;
    read_row(&delivery, stmt);
    json_t *object = route_delivery_json(&delivery);
    route_delivery_clear(&delivery);
    return object;
}

int route_delivery_page(json_t **page, struct spool *spool, const struct fax *fax, const char *cursor, int limit)
{
    struct stmt *stmt;
    int64_t after = 0;
    *page = NULL;
    if (limit < 1 || limit > PAGE_MAX)
        return err_set(ERR_INVALID, "limit: 1 to %d", PAGE_MAX);
    if (cursor && str_to_int(&after, cursor, 1, INT64_MAX))
        return err_set(ERR_INVALID, "cursor: not one of ours");
    int error = stmt_open(&stmt, spool_db(spool),
                          "SELECT " COLUMNS " FROM route_delivery WHERE fax = ? AND id > ? ORDER BY id LIMIT ?");
    if (error)
        return error;
    stmt_bind_int(stmt, fax->id);
    stmt_bind_int(stmt, after);
    stmt_bind_int(stmt, limit + 1);
    return query_page_of_loop(page, limit, row_object, stmt);
}
