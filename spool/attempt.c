/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Attempts: a call begins and is followed; its end is attempt_end.c. On the route: scheduler -> claim_next() ->
 * attempt_begin() -> the host has the call.
 *
 * Pages are counted twice over: a call counts those of its own file, the fax those of the document. A call that resumes
 * sends a file that starts with a later page, and maybe with page 1 once more; attempt_document_pages() converts.
 */
#include "spool/attempt.h"

#include "db/stmt.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/str.h"
#include "spool/event.h"
#include "spool/fax_count.h"
#include "spool/fax_day.h"
#include "spool/fax_row.h"
#include "spool/fax_state.h"
#include "spool/spool_private.h"
#include "spool/subscription.h"

#include <stdio.h>
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

int attempt_set_test(struct spool *spool, struct fax *fax)
{
    struct stmt *stmt;
    spool_assert_loop(spool);
    int error = stmt_open(&stmt, spool_db(spool), "UPDATE fax SET test = 1 WHERE id = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, fax->id);
    error = stmt_run(NULL, stmt);
    if (!error)
        fax->test = true;
    return error;
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
    error = fax_day_note(spool, fax->id, fax->created_at);
    if (!error)
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

int attempt_document_pages(const struct attempt *attempt, const struct fax *fax, int pages)
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
        fax.pages_confirmed = fax.direction == FAX_OUTBOUND ? attempt_document_pages(&attempt, &fax, pages) : pages;
        error = write_page(spool, &attempt, &fax, pages);
        if (!error && fax.direction == FAX_OUTBOUND && subscription_wants(spool, "fax.page_sent"))
            error = event_write(spool, "fax.page_sent", &fax, NULL);
    }
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
