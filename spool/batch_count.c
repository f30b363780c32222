/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How far a batch is: a row for each state, written with every step of a fax of it, so that the progress of twenty
 * thousand is read from a dozen rows.
 */
#include "spool/batch.h"

#include "db/stmt.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "spool/batch_private.h"
#include "spool/event.h"
#include "spool/fax_row.h"
#include "spool/nullable.h"
#include "spool/spool_private.h"

/* ---- counting ---- */

static int add(struct spool *spool, int64_t batch, enum fax_state state, int change)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool),
                          "INSERT INTO batch_count (batch, state, faxes) VALUES (?, ?, ?)"
                          " ON CONFLICT (batch, state) DO UPDATE SET faxes = batch_count.faxes + excluded.faxes");
    if (error)
        return error;
    stmt_bind_int(stmt, batch);
    stmt_bind_int(stmt, state);
    stmt_bind_int(stmt, change);
    return stmt_run(NULL, stmt);
}

static int set_flag(struct spool *spool, const char *sql, int64_t batch)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), sql);
    if (error)
        return error;
    stmt_bind_int(stmt, batch);
    return stmt_run(NULL, stmt);
}

/* The last record of a batch is deleted: nothing is left that it tells of. */
static int drop_empty(struct spool *spool, int64_t batch)
{
    return set_flag(spool,
                    "DELETE FROM batch WHERE id = ? AND open = 0 AND completed_at > 0"
                    " AND NOT EXISTS (SELECT 1 FROM batch_count WHERE batch_count.batch = batch.id AND faxes > 0)",
                    batch);
}

/* What the step means for the batch beside the counts. */
static int follow(struct spool *spool, const struct fax *fax, enum fax_state from, enum fax_state to)
{
    int error = 0;
    if (from == FAX_PREPARING)
        batch_wake(spool); /* others may wait for its pages */
    if (to == 0)
        return drop_empty(spool, fax->batch);
    if (fax_state_is_final(to))
        return batch_check_done(spool, fax->batch);
    if (from && fax_state_is_final(from)) /* sent again by hand */
        error = set_flag(spool, "UPDATE batch SET completed_at = 0 WHERE id = ? AND completed_at > 0", fax->batch);
    if (!error && fax_state_in_call(from) && !fax_state_in_call(to)) { /* another call: not of a canceled batch */
        error = set_flag(spool, "UPDATE batch SET open = 1 WHERE id = ? AND canceled_at > 0", fax->batch);
        batch_wake(spool);
    }
    return error;
}

int batch_moved(struct spool *spool, const struct fax *fax, enum fax_state from, enum fax_state to)
{
    int error = 0;
    if (!fax->batch)
        return 0;
    if (from)
        error = add(spool, fax->batch, from, -1);
    if (!error && to)
        error = add(spool, fax->batch, to, 1);
    return error ? error : follow(spool, fax, from, to);
}

int batch_count(struct spool *spool, int64_t id, enum fax_state state)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "SELECT faxes FROM batch_count WHERE batch = ? AND state = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, id);
    stmt_bind_int(stmt, state);
    error = stmt_step(stmt);
    int count = error == 1 ? (int)stmt_int(stmt, "faxes") : 0;
    stmt_close(stmt);
    return error < 0 ? error : count;
}

/* ---- the end ---- */

/* 1 when all that will ever be made has ended and nobody was told, 0, or an error. */
static int is_done(struct batch *batch, struct spool *spool, int64_t id)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool),
                          "SELECT " BATCH_COLUMNS " FROM batch WHERE id = ? AND completed_at = 0 AND expanded = total"
                          " AND NOT EXISTS (SELECT 1 FROM batch_count WHERE batch_count.batch = batch.id AND faxes > 0"
                          " AND state NOT IN " SQL_ENDED ")");
    if (error)
        return error;
    stmt_bind_int(stmt, id);
    error = stmt_step(stmt);
    if (error == 1)
        batch_row_read(batch, stmt);
    stmt_close(stmt);
    return error;
}

static int write_done(struct spool *spool, struct batch *batch)
{
    struct stmt *stmt;
    batch->completed_at = clock_now_ms();
    int error = stmt_open(&stmt, spool_db(spool), "UPDATE batch SET completed_at = ? WHERE id = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, batch->completed_at);
    stmt_bind_int(stmt, batch->id);
    return stmt_run(NULL, stmt);
}

int batch_check_done(struct spool *spool, int64_t id)
{
    struct batch batch;
    int done = is_done(&batch, spool, id);
    if (done != 1)
        return done;
    int error = write_done(spool, &batch);
    if (error)
        return error;
    json_t *data = batch_json(spool, &batch);
    error = event_write(spool, "batch.completed", NULL, data);
    json_decref(data);
    log_info("batch is done batch=%s recipients=%d", batch.public_id, batch.total);
    return error;
}

/* ---- as JSON ---- */

static void count_word(json_t *counts, const char *word, int64_t count)
{
    json_int_t before = json_integer_value(json_object_get(counts, word));
    if (before + count > 0)
        json_object_set_new(counts, word, json_integer(before + count));
}

/* Recipients whose fax is not made yet are being prepared; those whose fax never will be were canceled. */
static json_t *counts_of(struct spool *spool, const struct batch *batch)
{
    struct stmt *stmt;
    int error;
    json_t *counts = json_object();
    if (stmt_open(&stmt, spool_db(spool), "SELECT state, faxes FROM batch_count WHERE batch = ? AND faxes > 0"))
        return counts;
    stmt_bind_int(stmt, batch->id);
    while ((error = stmt_step(stmt)) == 1)
        count_word(counts, fax_state_name((enum fax_state)stmt_int(stmt, "state")), stmt_int(stmt, "faxes"));
    stmt_close(stmt);
    if (error < 0)
        log_warning("store: a batch could not be counted: %s", err_message());
    count_word(counts, "preparing", batch->total - batch->expanded);
    count_word(counts, "canceled", batch->dropped);
    return counts;
}

json_t *batch_json(struct spool *spool, const struct batch *batch)
{
    const char *status = batch->canceled_at ? "canceled" : batch->completed_at ? "done" : "running";
    return json_pack("{s:s, s:s, s:i, s:o, s:b, s:o, s:o, s:o}", "id", batch->public_id, "status", status, "total",
                     batch->total, "counts", counts_of(spool, batch), "test", batch->test, "created_at",
                     nullable_time(batch->created_at), "canceled_at", nullable_time(batch->canceled_at), "completed_at",
                     nullable_time(batch->completed_at));
}
