/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Attempts: a call begins, is followed, and ends. On the route: scheduler -> claim_next() -> attempt_begin() -> the
 * host has the call -> attempt_end() -> retry_decide() -> fax_state_change().
 *
 * Pages are counted twice over: a call counts those of its own file, the fax those of the document. A call that resumes
 * sends a file that starts with a later page, and maybe with page 1 once more; document_pages() converts.
 */
#include "spool/attempt.h"

#include "db/stmt.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "spool/event.h"
#include "spool/fax_count.h"
#include "spool/fax_json.h"
#include "spool/fax_row.h"
#include "spool/fax_state.h"
#include "spool/spool_private.h"
#include "spool/subscription.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS                                                                                                        \
    "id, fax, number, provider, line, line_index, run, started_at, dialed_at, connected_at, ended_at, first_page, "    \
    "first_repeated, transmitting, pages_confirmed"

static void read_row(struct attempt *attempt, struct stmt *stmt)
{
    *attempt = (struct attempt){.id = stmt_int(stmt, "id")};
    attempt->fax = stmt_int(stmt, "fax");
    attempt->number = (int)stmt_int(stmt, "number");
    str_copy(attempt->provider, sizeof(attempt->provider), stmt_text(stmt, "provider"));
    str_copy(attempt->line, sizeof(attempt->line), stmt_text(stmt, "line"));
    attempt->line_index = (int)stmt_int(stmt, "line_index");
    str_copy(attempt->run, sizeof(attempt->run), stmt_text(stmt, "run"));
    attempt->started_at = stmt_int(stmt, "started_at");
    attempt->dialed_at = stmt_int(stmt, "dialed_at");
    attempt->connected_at = stmt_int(stmt, "connected_at");
    attempt->ended_at = stmt_int(stmt, "ended_at");
    attempt->first_page = (int)stmt_int(stmt, "first_page");
    attempt->first_repeated = stmt_int(stmt, "first_repeated") != 0;
    attempt->transmitting = stmt_int(stmt, "transmitting") != 0;
    attempt->pages_confirmed = (int)stmt_int(stmt, "pages_confirmed");
}

static int one_row(struct attempt *attempt, struct stmt *stmt)
{
    int error = stmt_step(stmt);
    if (error == 1)
        read_row(attempt, stmt);
    stmt_close(stmt);
    return error == 1 ? 0 : error ? error : err_set(ERR_NOT_FOUND, "no such attempt");
}

int attempt_get(struct attempt *attempt, struct spool *spool, int64_t id)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "SELECT " COLUMNS " FROM attempt WHERE id = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, id);
    return one_row(attempt, stmt);
}

/* ---- a call begins ---- */

/* Where the call's file starts. All pages confirmed and yet another call: the last page is sent again, since a call has
 * to have one. */
static void choose_pages(struct attempt *attempt, const struct fax *fax)
{
    int confirmed = fax->pages_confirmed;
    if (fax->pages_total > 0 && confirmed >= fax->pages_total)
        confirmed = fax->pages_total - 1;
    if (fax->resume == FAX_RESUME_ALL)
        confirmed = 0;
    attempt->first_page = confirmed + 1;
    attempt->first_repeated = fax->resume == FAX_RESUME_FIRST_AND_REMAINING && confirmed > 0;
}

/* Written only while the fax is as the caller saw it: no row otherwise. */
static int insert(struct attempt *attempt, struct spool *spool, const struct fax *fax)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool),
                          "INSERT INTO attempt (fax, number, provider, line, line_index, started_at, dialed_at,"
                          " first_page, first_repeated)"
                          " SELECT id, ?, ?, ?, ?, ?, ?, ?, ? FROM fax WHERE id = ? AND state = ? RETURNING id");
    if (error)
        return error;
    stmt_bind_int(stmt, attempt->number);
    stmt_bind_text(stmt, attempt->provider);
    stmt_bind_text(stmt, attempt->line);
    stmt_bind_int(stmt, attempt->line_index);
    stmt_bind_int(stmt, attempt->started_at);
    stmt_bind_int(stmt, attempt->dialed_at);
    stmt_bind_int(stmt, attempt->first_page);
    stmt_bind_int(stmt, attempt->first_repeated);
    stmt_bind_int(stmt, fax->id);
    stmt_bind_int(stmt, fax->state);
    error = stmt_step(stmt);
    if (error == 1)
        attempt->id = stmt_int(stmt, "id");
    stmt_close(stmt);
    if (error == 1)
        return 0;
    return error ? error : err_set(ERR_CONFLICT, "fax %s is no longer %s", fax->public_id, fax_state_name(fax->state));
}

static void fill(struct attempt *attempt, const struct fax *fax, const char *provider, const char *line, int line_index)
{
    *attempt = (struct attempt){.fax = fax->id, .number = fax->calls + 1, .line_index = line_index, .first_page = 1};
    str_copy(attempt->provider, sizeof(attempt->provider), provider);
    str_copy(attempt->line, sizeof(attempt->line), line);
    attempt->started_at = attempt->dialed_at = clock_now_ms();
}

static void set_line(struct fax *fax, const struct attempt *attempt)
{
    char name[sizeof(attempt->provider) + sizeof(attempt->line)];
    snprintf(name, sizeof(name), "%s/%s", attempt->provider, attempt->line);
    fax_row_set(&fax->line, name);
    fax->attempt = attempt->id;
}

int attempt_begin(struct attempt *attempt, struct spool *spool, struct fax *fax, const char *provider, const char *line,
                  int line_index)
{
    spool_assert_loop(spool);
    if (fax->state != FAX_QUEUED)
        return err_set(ERR_CONFLICT, "a fax that is %s cannot be called", fax_state_name(fax->state));
    fill(attempt, fax, provider, line, line_index);
    choose_pages(attempt, fax);
    int error = insert(attempt, spool, fax);
    if (error)
        return error;
    set_line(fax, attempt);
    fax->calls = attempt->number;
    fax->dialed_at = attempt->dialed_at;
    fax->connected_at = 0;
    fax_row_set(&fax->reason, "");
    return fax_state_change(spool, fax, FAX_DIALING);
}

static int insert_inbound(struct fax *fax, struct spool *spool, const char *called, const char *caller)
{
    char ulid[STR_ULID_SIZE], public_id[FAX_ID_SIZE];
    struct stmt *stmt;
    int64_t now_ms = clock_now_ms();
    snprintf(public_id, sizeof(public_id), "fax_%s", str_ulid(ulid, now_ms));
    int error = stmt_open(&stmt, spool_db(spool),
                          "INSERT INTO fax (public_id, direction, state, destination, sender, created_at, updated_at,"
                          " dialed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING " FAX_COLUMNS);
    if (error)
        return error;
    stmt_bind_text(stmt, public_id);
    stmt_bind_int(stmt, FAX_INBOUND);
    stmt_bind_int(stmt, FAX_RINGING);
    stmt_bind_text(stmt, called ? called : "");
    stmt_bind_text(stmt, caller ? caller : "");
    stmt_bind_int(stmt, now_ms);
    stmt_bind_int(stmt, now_ms);
    stmt_bind_int(stmt, now_ms);
    return fax_row_one(fax, stmt);
}

int attempt_begin_inbound(struct attempt *attempt, struct fax *fax, struct spool *spool, const char *provider,
                          const char *line, int line_index, const char *called, const char *caller)
{
    spool_assert_loop(spool);
    int error = insert_inbound(fax, spool, called, caller);
    if (error)
        return error;
    fax_count_move(spool, 0, FAX_RINGING);
    fill(attempt, fax, provider, line, line_index);
    error = insert(attempt, spool, fax);
    if (!error) {
        set_line(fax, attempt);
        fax->calls = fax->attempts = 1;
        error = fax_state_change(spool, fax, FAX_RINGING);
    }
    if (!error)
        error = event_write(spool, "inbound.ringing", fax, NULL);
    if (error)
        fax_clear(fax);
    return error;
}

/* ---- while it lasts ---- */

/* An UPDATE of an open attempt, bound up to its id. */
static int run_open(struct stmt *stmt, int64_t id)
{
    int64_t changed;
    stmt_bind_int(stmt, id);
    int error = stmt_run(&changed, stmt);
    return error || changed ? error : err_set(ERR_NOT_FOUND, "attempt %lld is not open", (long long)id);
}

int attempt_set_run(struct spool *spool, int64_t id, const char *run)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "UPDATE attempt SET run = ? WHERE ended_at = 0 AND id = ?");
    if (error)
        return error;
    stmt_bind_text(stmt, run);
    return run_open(stmt, id);
}

int attempt_set_connected(struct spool *spool, int64_t id, int64_t at_ms)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "UPDATE attempt SET connected_at = ? WHERE ended_at = 0 AND id = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, at_ms);
    return run_open(stmt, id);
}

int attempt_set_transmitting(struct spool *spool, int64_t id)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "UPDATE attempt SET transmitting = 1 WHERE ended_at = 0 AND id = ?");
    if (error)
        return error;
    return run_open(stmt, id);
}

/* Pages of the document that are confirmed after `pages` of this call's file were. */
static int document_pages(const struct attempt *attempt, const struct fax *fax, int pages)
{
    int own = attempt->first_repeated && pages > 0 ? pages - 1 : pages;
    int confirmed = own > 0 ? attempt->first_page - 1 + own : 0;
    if (confirmed < fax->pages_confirmed)
        confirmed = fax->pages_confirmed;
    if (fax->pages_total >= 0 && confirmed > fax->pages_total)
        confirmed = fax->pages_total;
    return confirmed;
}

static int write_page(struct spool *spool, const struct attempt *attempt, const struct fax *fax, int pages)
{
    struct stmt *stmt;
    int error =
        stmt_open(&stmt, spool_db(spool), "UPDATE attempt SET pages_confirmed = ? WHERE ended_at = 0 AND id = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, pages);
    error = run_open(stmt, attempt->id);
    if (error)
        return error;
    error = stmt_open(&stmt, spool_db(spool), "UPDATE fax SET pages_confirmed = ? WHERE id = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, fax->pages_confirmed);
    stmt_bind_int(stmt, fax->id);
    return stmt_run(NULL, stmt);
}

int attempt_set_pages(struct spool *spool, int64_t id, int pages)
{
    struct attempt attempt;
    struct fax fax = {0};
    int error = attempt_get(&attempt, spool, id);
    if (!error)
        error = fax_get(&fax, spool, attempt.fax);
    if (error)
        return error;
    if (pages > attempt.pages_confirmed) {
        fax.pages_confirmed = fax.direction == FAX_OUTBOUND ? document_pages(&attempt, &fax, pages) : pages;
        error = write_page(spool, &attempt, &fax, pages);
        if (!error && fax.direction == FAX_OUTBOUND && subscription_wants(spool, "fax.page_sent"))
            error = event_write(spool, "fax.page_sent", &fax, NULL);
    }
    fax_clear(&fax);
    return error;
}

/* ---- a call ends ---- */

/* The open attempt and its fax, which must be in this call: anything else is an event that was acted on before. */
static int load_open(struct attempt *attempt, struct fax *fax, struct spool *spool, int64_t id,
                     enum fax_direction direction)
{
    int error = attempt_get(attempt, spool, id);
    if (error)
        return error;
    if (attempt->ended_at)
        return err_set(ERR_CONFLICT, "attempt %lld has ended already", (long long)id);
    error = fax_get(fax, spool, attempt->fax);
    if (error)
        return error;
    if (fax->attempt == id && fax->direction == direction && fax_state_in_call(fax->state))
        return 0;
    error = err_set(ERR_CONFLICT, "fax %s is %s and not in attempt %lld", fax->public_id, fax_state_name(fax->state),
                    (long long)id);
    fax_clear(fax);
    return error;
}

static int close_row(struct spool *spool, const struct attempt *attempt, const struct attempt_result *result,
                     int64_t ended_at, int64_t connected_at)
{
    struct stmt *stmt;
    char *record = result->record ? json_dumps(result->record, JSON_COMPACT) : NULL;
    int error = stmt_open(&stmt, spool_db(spool),
                          "UPDATE attempt SET ended_at = ?, connected_at = ?, pages_confirmed = ?, outcome = ?,"
                          " message = ?, fs_status = ?, end_sent = ?, final_confirmed = ?, remote_station_id = ?,"
                          " record = ? WHERE ended_at = 0 AND id = ?");
    if (!error) {
        stmt_bind_int(stmt, ended_at);
        stmt_bind_int(stmt, connected_at);
        stmt_bind_int(stmt, result->pages_confirmed);
        stmt_bind_int(stmt, result->outcome);
        stmt_bind_text(stmt, result->message ? result->message : "");
        stmt_bind_int(stmt, result->fs_status);
        stmt_bind_int(stmt, result->end_sent);
        stmt_bind_int(stmt, result->final_confirmed);
        stmt_bind_text(stmt, result->remote_station_id ? result->remote_station_id : "");
        stmt_bind_text(stmt, record ? record : "");
        error = run_open(stmt, attempt->id);
    }
    free(record);
    return error;
}

static void set_error(struct fax *fax, const struct attempt_result *result)
{
    char *text = NULL;
    if (result->outcome != OUTCOME_NONE && result->outcome != OUTCOME_SUCCESS) {
        json_t *error = fax_json_error(result->outcome, result->message, result->fs_status, result->record);
        text = json_dumps(error, JSON_COMPACT);
        json_decref(error);
    }
    fax_row_set(&fax->error, text);
    free(text);
}

/* What the call told about the fax, whichever way it went. */
static void take_result(struct fax *fax, const struct attempt *attempt, const struct attempt_result *result)
{
    const char *local = json_string_value(json_object_get(result->record, "local_station_id"));
    const char *message =
        result->message && *result->message ? result->message : outcome_info(result->outcome)->message;
    fax->attempt = 0;
    fax->outcome = result->outcome;
    fax->connected_at = result->connected_at ? result->connected_at : attempt->connected_at;
    fax_row_set(&fax->message, result->outcome == OUTCOME_SUCCESS ? "" : message);
    set_error(fax, result);
    if (result->remote_station_id && *result->remote_station_id)
        fax_row_set(&fax->remote_station_id, result->remote_station_id);
    if (local && *local)
        fax_row_set(&fax->local_station_id, local);
    if (result->record) {
        json_t *transport = fax_json_transport(result->record);
        char *text = json_dumps(transport, JSON_COMPACT);
        fax_row_set(&fax->transport, text);
        free(text);
        json_decref(transport);
    }
}

static bool is_same_kind(enum fax_outcome outcome, enum fax_outcome earlier)
{
    if (outcome == OUTCOME_NOT_FAX || retry_is_at_once(outcome))
        return earlier == outcome;
    return earlier != OUTCOME_NONE && retry_class_of(earlier) == retry_class_of(outcome);
}

/* Earlier calls of the same class, newest first, as retry.h counts them. */
static int count_same(int *count, struct spool *spool, const struct attempt *attempt, enum fax_outcome outcome)
{
    struct stmt *stmt;
    bool in_a_row = retry_class_of(outcome) == RETRY_LINE;
    *count = 0;
    int error = stmt_open(&stmt, spool_db(spool),
                          "SELECT outcome FROM attempt WHERE fax = ? AND number < ? ORDER BY number DESC LIMIT 1000");
    if (error)
        return error;
    stmt_bind_int(stmt, attempt->fax);
    stmt_bind_int(stmt, attempt->number);
    while ((error = stmt_step(stmt)) == 1) {
        bool same = is_same_kind(outcome, (enum fax_outcome)stmt_int(stmt, "outcome"));
        if (!same && in_a_row)
            break;
        *count += same;
    }
    stmt_close(stmt);
    return error < 0 ? error : 0;
}

static int decide(struct retry_decision *decision, struct spool *spool, struct fax *fax, const struct attempt *attempt,
                  const struct attempt_result *result)
{
    struct retry_policy policy;
    struct retry_facts facts = {
        .outcome = result->outcome,
        .cancel_wanted = fax->state == FAX_CANCELING,
        .end_sent = result->end_sent,
        .final_confirmed = result->final_confirmed,
        .earlier_unconfirmed = fax->delivery == FAX_DELIVERY_UNCONFIRMED,
        .pages_total = fax->pages_total,
        .pages_confirmed = fax->pages_confirmed,
        .attempts = fax->attempts,
        .calls = fax->calls,
        .now_ms = clock_now_ms(),
        .expires_at = fax->expires_at,
    };
    int error = retry_policy_for(&policy, spool->policy, fax);
    if (!error)
        error = count_same(&facts.same_class_calls, spool, attempt, result->outcome);
    if (!error)
        retry_decide(decision, &policy, &facts);
    return error;
}

int attempt_end(struct retry_decision *decision, struct spool *spool, int64_t id, const struct attempt_result *result)
{
    struct retry_decision decided;
    struct attempt attempt;
    struct fax fax = {0};
    spool_assert_loop(spool);
    int64_t ended_at = result->ended_at > 0 ? result->ended_at : clock_now_ms();
    int error = load_open(&attempt, &fax, spool, id, FAX_OUTBOUND);
    if (error)
        return error;
    fax.attempts += outcome_info(result->outcome)->counts;
    fax.pages_confirmed = document_pages(&attempt, &fax, result->pages_confirmed);
    error = decide(&decided, spool, &fax, &attempt, result);
    if (error)
        goto out;
    take_result(&fax, &attempt, result);
    error = close_row(spool, &attempt, result, ended_at, fax.connected_at);
    if (error)
        goto out;
    fax.delivery = decided.delivery;
    fax.not_before = decided.not_before;
    fax_row_set(&fax.reason, decided.reason);
    if (fax_state_is_final(decided.next))
        fax.ended_at = ended_at;
    error = fax_state_change(spool, &fax, decided.next);
    if (!error && decision)
        *decision = decided;
    log_info("call ended fax=%s line=%s attempt=%lld outcome=%s pages=%d/%d next=%s", fax.public_id, fax.line,
             (long long)id, outcome_info(result->outcome)->code, fax.pages_confirmed, fax.pages_total,
             fax_state_name(decided.next));
out:
    fax_clear(&fax);
    return error;
}

int attempt_end_inbound(struct spool *spool, int64_t id, const struct attempt_result *result, const char *document,
                        int pages, enum fax_state state)
{
    struct attempt attempt;
    struct fax fax = {0};
    spool_assert_loop(spool);
    int64_t ended_at = result->ended_at > 0 ? result->ended_at : clock_now_ms();
    int error = load_open(&attempt, &fax, spool, id, FAX_INBOUND);
    if (error)
        return error;
    take_result(&fax, &attempt, result);
    error = close_row(spool, &attempt, result, ended_at, fax.connected_at);
    if (!error) {
        fax_row_set(&fax.document, document);
        fax.pages_total = fax.pages_confirmed = pages;
        fax.delivery = state == FAX_RECEIVED ? FAX_DELIVERY_CONFIRMED
                       : pages > 0           ? FAX_DELIVERY_PARTIAL
                                             : FAX_DELIVERY_NONE;
        fax.ended_at = ended_at;
        error = fax_state_change(spool, &fax, state);
    }
    log_info("call ended fax=%s line=%s attempt=%lld outcome=%s pages=%d", fax.public_id, fax.line, (long long)id,
             outcome_info(result->outcome)->code, pages);
    fax_clear(&fax);
    return error;
}

/* ---- recovery ---- */

static int next_open(struct attempt *attempt, enum fax_direction *direction, struct spool *spool, int64_t after)
{
    struct fax fax;
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool),
                          "SELECT " COLUMNS " FROM attempt WHERE ended_at = 0 AND id > ? ORDER BY id LIMIT 1");
    if (error)
        return error;
    stmt_bind_int(stmt, after);
    error = one_row(attempt, stmt);
    if (!error)
        error = fax_get(&fax, spool, attempt->fax);
    if (error)
        return error;
    *direction = fax.direction;
    fax_clear(&fax);
    return 0;
}

int attempt_each_open(struct spool *spool,
                      void (*fn)(void *context, const struct attempt *attempt, enum fax_direction direction),
                      void *context)
{
    struct attempt attempt = {.id = 0};
    enum fax_direction direction;
    int error;
    /* One at a time, so that `fn` may end the attempt it is told of. */
    while (!(error = next_open(&attempt, &direction, spool, attempt.id)))
        fn(context, &attempt, direction);
    return error == ERR_NOT_FOUND ? 0 : error;
}
