/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state machine: the table of steps, and the one function that takes them.
 *
 * One call at a time goes to a number. A queued fax whose number is engaged waits (claim_next sends it there), and this
 * file keeps the promise that it does not wait for ever: whenever a fax leaves the queue or a call, the best fax that
 * waits for the same number is queued.
 */
#include "spool/fax_state.h"

#include "db/stmt.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "spool/batch.h"
#include "spool/event.h"
#include "spool/fax_count.h"
#include "spool/fax_row.h"
#include "spool/outbound_rule.h"
#include "spool/queue_age.h"
#include "spool/spool.h"
#include "spool/usage.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* A step and its events. Steps within the queue that concern nobody outside have none. */
struct step {
    enum fax_state from, to;
    const char *event, *then;
};

#define CALL_ENDS(from)                                                                                                \
    {from, FAX_SCHEDULED, "fax.retry_scheduled", NULL}, {from, FAX_QUEUED, "fax.retry_scheduled", NULL},               \
        {from, FAX_DELIVERED, "fax.delivered", NULL},                                                                  \
        {from, FAX_PARTIALLY_DELIVERED, "fax.partially_delivered", NULL},                                              \
        {from, FAX_UNCONFIRMED, "fax.unconfirmed", NULL}, {from, FAX_FAILED, "fax.failed", NULL},                      \
        {from, FAX_EXPIRED, "fax.expired", NULL},                                                                      \
    {                                                                                                                  \
        from, FAX_CANCELING, NULL, NULL                                                                                \
    }

#define RECEPTION_ENDS(from)                                                                                           \
    {from, FAX_RECEIVED, "inbound.received", NULL},                                                                    \
        {from, FAX_PARTIALLY_RECEIVED, "inbound.partially_received", NULL},                                            \
        {from, FAX_RECEIVE_FAILED, "inbound.failed", NULL},                                                            \
    {                                                                                                                  \
        from, FAX_REJECTED, "inbound.rejected", NULL                                                                   \
    }

/* It was routed again, and met no rule. */
#define LEAVES_RULES(from)                                                                                             \
    {from, FAX_RECEIVED, NULL, NULL},                                                                                  \
    {                                                                                                                  \
        from, FAX_PARTIALLY_RECEIVED, NULL, NULL                                                                       \
    }

static const struct step steps[] = {
    {FAX_PREPARING, FAX_QUEUED, "fax.prepared", NULL},
    {FAX_PREPARING, FAX_SCHEDULED, "fax.prepared", "fax.scheduled"},
    {FAX_PREPARING, FAX_HELD, "fax.prepared", "fax.held"},
    {FAX_PREPARING, FAX_FAILED, "fax.prepare_failed", "fax.failed"},
    {FAX_PREPARING, FAX_CANCELED, "fax.canceled", NULL},
    {FAX_PREPARING, FAX_EXPIRED, "fax.expired", NULL},
    {FAX_HELD, FAX_QUEUED, "fax.released", NULL},
    {FAX_HELD, FAX_SCHEDULED, "fax.released", "fax.scheduled"},
    {FAX_HELD, FAX_CANCELED, "fax.canceled", NULL},
    {FAX_HELD, FAX_EXPIRED, "fax.expired", NULL},
    {FAX_SCHEDULED, FAX_QUEUED, NULL, NULL},
    {FAX_SCHEDULED, FAX_HELD, "fax.held", NULL},
    {FAX_SCHEDULED, FAX_CANCELED, "fax.canceled", NULL},
    {FAX_SCHEDULED, FAX_EXPIRED, "fax.expired", NULL},
    {FAX_QUEUED, FAX_WAITING, NULL, NULL},
    {FAX_QUEUED, FAX_DIALING, "fax.dialing", NULL},
    {FAX_QUEUED, FAX_SCHEDULED, "fax.scheduled", NULL},
    {FAX_QUEUED, FAX_HELD, "fax.held", NULL},
    {FAX_QUEUED, FAX_FAILED, "fax.failed", NULL},
    {FAX_QUEUED, FAX_CANCELED, "fax.canceled", NULL},
    {FAX_QUEUED, FAX_EXPIRED, "fax.expired", NULL},
    {FAX_WAITING, FAX_QUEUED, NULL, NULL},
    {FAX_WAITING, FAX_SCHEDULED, "fax.scheduled", NULL},
    {FAX_WAITING, FAX_HELD, "fax.held", NULL},
    {FAX_WAITING, FAX_CANCELED, "fax.canceled", NULL},
    {FAX_WAITING, FAX_EXPIRED, "fax.expired", NULL},
    {FAX_DIALING, FAX_NEGOTIATING, "fax.connected", NULL},
    {FAX_DIALING, FAX_SENDING, "fax.connected", NULL},
    {FAX_NEGOTIATING, FAX_SENDING, NULL, NULL},
    CALL_ENDS(FAX_DIALING),
    CALL_ENDS(FAX_NEGOTIATING),
    CALL_ENDS(FAX_SENDING),
    {FAX_CANCELING, FAX_CANCELED, "fax.canceled", NULL},
    {FAX_CANCELING, FAX_DELIVERED, "fax.delivered", NULL},
    {FAX_CANCELING, FAX_UNCONFIRMED, "fax.unconfirmed", NULL},
    {FAX_RINGING, FAX_RECEIVING, "inbound.receiving", NULL},
    RECEPTION_ENDS(FAX_RINGING),
    RECEPTION_ENDS(FAX_RECEIVING),
    {FAX_RECEIVED, FAX_ROUTING, NULL, NULL},
    {FAX_PARTIALLY_RECEIVED, FAX_ROUTING, NULL, NULL},
    {FAX_ROUTING, FAX_ROUTED, "inbound.routed", NULL},
    {FAX_ROUTING, FAX_ROUTE_FAILED, "inbound.route_failed", NULL},
    {FAX_ROUTED, FAX_ROUTING, NULL, NULL},
    {FAX_ROUTED, FAX_ROUTE_FAILED, "inbound.route_failed", NULL},
    {FAX_ROUTE_FAILED, FAX_ROUTING, NULL, NULL},
    {FAX_ROUTE_FAILED, FAX_ROUTED, "inbound.routed", NULL},
    LEAVES_RULES(FAX_ROUTING),
    LEAVES_RULES(FAX_ROUTED),
    LEAVES_RULES(FAX_ROUTE_FAILED),
};

/* Back from an end: only fax_state_again() takes these, so that nothing else can ever send what has ended. */
static const struct step again[] = {
    {FAX_PARTIALLY_DELIVERED, FAX_QUEUED, "fax.retry_scheduled", NULL},
    {FAX_UNCONFIRMED, FAX_QUEUED, "fax.retry_scheduled", NULL},
    {FAX_FAILED, FAX_QUEUED, "fax.retry_scheduled", NULL},
    {FAX_CANCELED, FAX_QUEUED, "fax.retry_scheduled", NULL},
    {FAX_EXPIRED, FAX_QUEUED, "fax.retry_scheduled", NULL},
};

static const struct step *find_step(enum fax_state from, enum fax_state to)
{
    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
        if (steps[i].from == from && steps[i].to == to)
            return &steps[i];
    return NULL;
}

static bool is_calling(enum fax_state state)
{
    return state == FAX_DIALING || state == FAX_NEGOTIATING || state == FAX_SENDING || state == FAX_CANCELING;
}

static int update_numbers(struct spool *spool, const struct fax *fax)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "UPDATE fax SET destination = ?, sender = ? WHERE id = ?");
    if (error)
        return error;
    stmt_bind_text(stmt, fax->destination);
    stmt_bind_text(stmt, fax->sender);
    stmt_bind_int(stmt, fax->id);
    return stmt_run(NULL, stmt);
}

/* Apart from the rest, since most steps leave them as they are: an UPDATE writes the index of every column that it
 * sets, whether the value differs or not. */
static int update_rare(struct spool *spool, const struct fax *fax)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool),
                          "UPDATE fax SET document = ?, original = ?, remote_station_id = ? WHERE id = ?"
                          " AND (document <> ? OR original <> ? OR remote_station_id <> ?)");
    if (error)
        return error;
    stmt_bind_text(stmt, fax->document);
    stmt_bind_text(stmt, fax->original);
    stmt_bind_text(stmt, fax->remote_station_id);
    stmt_bind_int(stmt, fax->id);
    stmt_bind_text(stmt, fax->document);
    stmt_bind_text(stmt, fax->original);
    stmt_bind_text(stmt, fax->remote_station_id);
    return stmt_run(NULL, stmt);
}

static int update_row(struct spool *spool, const struct fax *fax, enum fax_state next, int64_t now_ms)
{
    struct stmt *stmt;
    int64_t changed;
    int error = stmt_open(&stmt, spool_db(spool),
                          "UPDATE fax SET state = ?, updated_at = ?, reason = ?, not_before = ?,"
                          " pages_total = ?, pages_confirmed = ?, attempts = ?, calls = ?, delivery = ?,"
                          " outcome = ?, message = ?, error = ?, line = ?, attempt = ?, transport = ?,"
                          " local_station_id = ?, queued_at = ?, dialed_at = ?,"
                          " connected_at = ?, ended_at = ? WHERE id = ? AND state = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, next);
    stmt_bind_int(stmt, now_ms);
    stmt_bind_text(stmt, fax->reason);
    stmt_bind_int(stmt, fax->not_before);
    stmt_bind_int(stmt, fax->pages_total);
    stmt_bind_int(stmt, fax->pages_confirmed);
    stmt_bind_int(stmt, fax->attempts);
    stmt_bind_int(stmt, fax->calls);
    stmt_bind_int(stmt, fax->delivery);
    stmt_bind_int(stmt, fax->outcome);
    stmt_bind_text(stmt, fax->message);
    stmt_bind_text(stmt, fax->error);
    stmt_bind_text(stmt, fax->line);
    stmt_bind_int(stmt, fax->attempt);
    stmt_bind_text(stmt, fax->transport);
    stmt_bind_text(stmt, fax->local_station_id);
    stmt_bind_int(stmt, fax->queued_at);
    stmt_bind_int(stmt, fax->dialed_at);
    stmt_bind_int(stmt, fax->connected_at);
    stmt_bind_int(stmt, fax->ended_at);
    stmt_bind_int(stmt, fax->id);
    stmt_bind_int(stmt, fax->state);
    error = stmt_run(&changed, stmt);
    if (!error && changed != 1)
        error = err_set(ERR_CONFLICT, "fax %s is no longer %s", fax->public_id, fax_state_name(fax->state));
    return error;
}

static int update(struct spool *spool, const struct fax *fax, enum fax_state next, int64_t now_ms)
{
    int error = update_row(spool, fax, next, now_ms);
    if (!error)
        error = update_rare(spool, fax);
    if (!error && fax->direction == FAX_INBOUND)
        error = update_numbers(spool, fax);
    return error;
}

static void set_times(struct fax *fax, enum fax_state next, int64_t now_ms)
{
    if (next == FAX_QUEUED && fax->state != FAX_WAITING)
        fax->queued_at = now_ms;
    if ((next == FAX_NEGOTIATING || next == FAX_SENDING || next == FAX_RECEIVING) && !fax->connected_at)
        fax->connected_at = now_ms;
    if (fax_state_is_final(next) && !fax->ended_at)
        fax->ended_at = now_ms;
}

static unsigned change_of(enum fax_state from, enum fax_state next)
{
    if (next == FAX_QUEUED || next == FAX_SCHEDULED)
        return SPOOL_CHANGE_QUEUE;
    if (from == FAX_PREPARING && (next == FAX_CANCELED || next == FAX_EXPIRED))
        return SPOOL_CHANGE_UNPREPARED;
    return next == FAX_CANCELING ? SPOOL_CHANGE_CANCEL : 0;
}

static bool is_queued(enum fax_state state)
{
    return state == FAX_QUEUED || state == FAX_WAITING;
}

static int take_step(struct spool *spool, struct fax *fax, const struct step *step)
{
    int64_t now_ms = clock_now_ms();
    int64_t queued_at = fax->queued_at;
    bool was_final = fax_state_is_final(step->from), is_final = fax_state_is_final(step->to);
    int error = was_final && !is_final ? usage_reopened(spool, fax) : 0;
    if (error)
        return error;
    set_times(fax, step->to, now_ms);
    error = update(spool, fax, step->to, now_ms);
    if (error)
        return error;
    fax_count_move(spool, step->from, step->to);
    if (is_queued(step->from) != is_queued(step->to))
        queue_age_move(spool, is_queued(step->to) ? fax->queued_at : queued_at, is_queued(step->to) ? 1 : -1);
    error = batch_moved(spool, fax, step->from, step->to);
    if (error)
        return error;
    spool_mark(spool, change_of(step->from, step->to));
    if (step->to == FAX_HELD && fax->expires_at > 0)
        spool_mark(spool, SPOOL_CHANGE_QUEUE); /* its deadline is something to wait for */
    fax->state = step->to;
    fax->updated_at = now_ms;
    log_info("fax is %s fax=%s line=%s", fax_state_name(fax->state), fax->public_id, *fax->line ? fax->line : "-");
    if (is_final && !was_final)
        error = usage_ended(spool, fax);
    if (!error && step->event)
        error = event_write(spool, step->event, fax, NULL);
    if (!error && step->then)
        error = event_write(spool, step->then, fax, NULL);
    return error;
}

static int keep_state(struct spool *spool, struct fax *fax)
{
    int64_t now_ms = clock_now_ms();
    int error = update(spool, fax, fax->state, now_ms);
    if (!error)
        fax->updated_at = now_ms;
    return error;
}

int fax_state_change(struct spool *spool, struct fax *fax, enum fax_state next)
{
    if (next == fax->state)
        return keep_state(spool, fax);
    enum fax_state from = fax->state;
    const struct step *step = find_step(from, next);
    if (!step)
        return err_set(ERR_CONFLICT, "a fax that is %s cannot become %s", fax_state_name(from), fax_state_name(next));
    int error = next == FAX_QUEUED ? outbound_rule_queue(NULL, spool, fax) : 0;
    if (!error)
        error = take_step(spool, fax, step);
    bool left_queue = from == FAX_QUEUED && next != FAX_WAITING && !is_calling(next);
    bool left_call = is_calling(from) && !is_calling(next);
    if (!error && (left_queue || left_call))
        error = fax_state_free_number(spool, fax->destination, fax->test);
    return error;
}

int fax_state_again(struct spool *spool, struct fax *fax)
{
    for (size_t i = 0; i < sizeof(again) / sizeof(*again); i++)
        if (again[i].from == fax->state) {
            int error = outbound_rule_queue(NULL, spool, fax);
            return error ? error : take_step(spool, fax, &again[i]);
        }
    return err_set(ERR_CONFLICT, "a fax that is %s is not sent again", fax_state_name(fax->state));
}

/* ---- one call at a time to a number ---- */

int fax_state_number_engaged(struct spool *spool, const char *destination, bool test)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool),
                          "SELECT 1 AS one FROM fax WHERE destination = ? AND test = ? AND direction = 0"
                          " AND state IN " SQL_CALLING " LIMIT 1");
    if (error)
        return error;
    stmt_bind_text(stmt, destination);
    stmt_bind_int(stmt, test);
    error = stmt_step(stmt);
    stmt_close(stmt);
    return error;
}

static int best_waiting(struct fax *fax, struct spool *spool, const char *destination, bool test)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool),
                          "SELECT " FAX_COLUMNS " FROM fax WHERE state = " SQL_WAITING
                          " AND destination = ? AND test = ? ORDER BY priority, id LIMIT 1");
    if (error)
        return error;
    stmt_bind_text(stmt, destination);
    stmt_bind_int(stmt, test);
    return fax_row_one(fax, stmt);
}

int fax_state_free_number(struct spool *spool, const char *destination, bool test)
{
    struct fax fax;
    int error = best_waiting(&fax, spool, destination, test);
    if (error)
        return error == ERR_NOT_FOUND ? 0 : error;
    int engaged = fax_state_number_engaged(spool, destination, test);
    if (engaged == 0) {
        fax_row_set(&fax.reason, "");
        error = fax_state_change(spool, &fax, FAX_QUEUED);
    }
    fax_clear(&fax);
    return engaged < 0 ? engaged : error;
}

/* ---- wishes ---- */

static int refuse(const struct fax *fax, const char *wish)
{
    if (fax->direction == FAX_INBOUND)
        return err_set(ERR_CONFLICT, "a received fax cannot be %s", wish);
    return err_set(ERR_CONFLICT, "a fax that is %s cannot be %s", fax_state_name(fax->state), wish);
}

static int cancel(struct spool *spool, struct fax *fax)
{
    if (fax->state == FAX_CANCELING || fax->state == FAX_CANCELED)
        return 0;
    fax_row_set(&fax->reason, "");
    if (find_step(fax->state, FAX_CANCELING))
        return fax_state_change(spool, fax, FAX_CANCELING);
    if (find_step(fax->state, FAX_CANCELED))
        return fax_state_change(spool, fax, FAX_CANCELED);
    return refuse(fax, "canceled");
}

static int hold(struct spool *spool, struct fax *fax)
{
    if (fax->state == FAX_HELD)
        return 0;
    /* A fax that is being prepared goes on being prepared; submit_prepared() sees the wish. */
    enum fax_state next = fax->state == FAX_PREPARING ? FAX_PREPARING : FAX_HELD;
    if (next == FAX_HELD && !find_step(fax->state, FAX_HELD))
        return refuse(fax, "held");
    fax_row_set(&fax->reason, FAX_REASON_HELD);
    return fax_state_change(spool, fax, next);
}

static int release(struct spool *spool, struct fax *fax)
{
    bool preparing = fax->state == FAX_PREPARING && strcmp(fax->reason, FAX_REASON_HELD) == 0;
    if (fax->state != FAX_HELD && !preparing)
        return refuse(fax, "released");
    fax_row_set(&fax->reason, "");
    if (preparing)
        return fax_state_change(spool, fax, FAX_PREPARING);
    return fax_state_change(spool, fax, fax->not_before > clock_now_ms() ? FAX_SCHEDULED : FAX_QUEUED);
}

static int wish(struct spool *spool, const char *public_id, int (*act)(struct spool *spool, struct fax *fax))
{
    struct fax fax;
    int error = fax_find(&fax, spool, public_id);
    if (error)
        return error;
    error = act(spool, &fax);
    fax_clear(&fax);
    return error;
}

int fax_state_cancel(struct spool *spool, const char *public_id)
{
    return wish(spool, public_id, cancel);
}

int fax_state_hold(struct spool *spool, const char *public_id)
{
    return wish(spool, public_id, hold);
}

int fax_state_release(struct spool *spool, const char *public_id)
{
    return wish(spool, public_id, release);
}

int fax_state_each_canceling(struct spool *spool, void (*fn)(void *context, int64_t fax, int64_t attempt),
                             void *context)
{
    struct stmt *stmt;
    int64_t after = 0;
    for (;;) {
        /* One at a time, so that `fn` may change the fax it is told of. */
        int error =
            stmt_open(&stmt, spool_db(spool),
                      "SELECT id, attempt FROM fax WHERE state = " SQL_CANCELING " AND id > ? ORDER BY id LIMIT 1");
        if (error)
            return error;
        stmt_bind_int(stmt, after);
        error = stmt_step(stmt);
        int64_t attempt = error == 1 ? stmt_int(stmt, "attempt") : 0;
        after = error == 1 ? stmt_int(stmt, "id") : 0;
        stmt_close(stmt);
        if (error != 1)
            return error;
        fn(context, after, attempt);
    }
}
