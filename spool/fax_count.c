/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counts by state = rows at start (counted on the reader thread, on a snapshot taken before the first write) + what was
 * committed since. Changes of the turn are kept apart until its commit, those of a part until it is kept.
 */
#include "spool/fax_count.h"

#include "db/db.h"
#include "db/reader.h"
#include "db/stmt.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "spool/document_count.h"
#include "spool/queue_age.h"
#include "spool/spool_private.h"

#include <stdlib.h>
#include <string.h>

struct counter {
    int64_t at_start[FAX_STATES], since[FAX_STATES];
    int64_t turn[FAX_STATES], before_part[FAX_STATES];
};

struct count_job {
    struct spool *spool;
    struct db *db; /* holds the snapshot */
    int64_t found[FAX_STATES];
    struct document_usage documents;
    json_t *waiting; /* of queue_age_read */
    int error;
};

static void committed(struct spool *spool)
{
    for (int i = 0; i < FAX_STATES; i++)
        spool->counter->since[i] += spool->counter->turn[i];
    memset(spool->counter->turn, 0, sizeof(spool->counter->turn));
}

static void voided(struct spool *spool)
{
    memset(spool->counter->turn, 0, sizeof(spool->counter->turn));
}

static void part_begin(struct spool *spool)
{
    memcpy(spool->counter->before_part, spool->counter->turn, sizeof(spool->counter->turn));
}

static void part_undo(struct spool *spool)
{
    memcpy(spool->counter->turn, spool->counter->before_part, sizeof(spool->counter->turn));
}

static void close_counter(struct spool *spool)
{
    free(spool->counter);
    spool->counter = NULL;
}

static const struct spool_hook hook = {
    .committed = committed,
    .voided = voided,
    .part_begin = part_begin,
    .part_undo = part_undo,
    .close = close_counter,
};

static int count(struct count_job *job)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, job->db, "SELECT state, count(*) AS faxes FROM fax GROUP BY state");
    if (error)
        return error;
    while ((error = stmt_step(stmt)) == 1) {
        int64_t state = stmt_int(stmt, "state");
        if (state > 0 && state < FAX_STATES)
            job->found[state] = stmt_int(stmt, "faxes");
    }
    stmt_close(stmt);
    return error;
}

/* On the reader thread, but on the connection that holds the snapshot. */
static void run(void *context, struct db *db)
{
    struct count_job *job = context;
    (void)db;
    db_own(job->db);
    job->error = count(job);
    if (!job->error)
        job->error = document_count_read(&job->documents, job->db);
    if (!job->error)
        job->error = queue_age_read(&job->waiting, job->db);
}

static void done(void *context, int error)
{
    struct count_job *job = context;
    db_own(job->db);
    if (!error && !job->error) {
        memcpy(job->spool->counter->at_start, job->found, sizeof(job->found));
        document_count_set(job->spool, &job->documents);
        queue_age_set(job->spool, job->waiting);
    } else if (!error) {
        log_warning("store: faxes and documents could not be counted");
    }
    db_close(job->db);
    json_decref(job->waiting);
    free(job);
}

static int take_snapshot(struct db *db)
{
    struct stmt *stmt;
    int error = db_exec(db, "BEGIN");
    if (error)
        return error;
    error = stmt_open(&stmt, db, "SELECT 1 AS one FROM fax LIMIT 1");
    return error ? error : stmt_run(NULL, stmt);
}

int fax_count_open(struct spool *spool, const char *path)
{
    spool->counter = xcalloc(1, sizeof(*spool->counter));
    spool_hook(spool, &hook);
    document_count_start(spool);
    queue_age_start(spool);
    struct count_job *job = xcalloc(1, sizeof(*job));
    job->spool = spool;
    int error = db_open(&job->db, path, DB_READER);
    if (!error)
        error = take_snapshot(job->db);
    if (!error)
        error = reader_post(spool->reader, run, done, job);
    if (error) {
        db_close(job->db);
        free(job);
    }
    return error;
}

void fax_count_move(struct spool *spool, enum fax_state from, enum fax_state to)
{
    if (from)
        spool->counter->turn[from]--;
    if (to)
        spool->counter->turn[to]++;
}

void fax_counts(const struct spool *spool, int64_t *counts)
{
    spool_assert_loop(spool);
    for (int i = 0; i < FAX_STATES; i++) {
        int64_t count = spool->counter->at_start[i] + spool->counter->since[i];
        counts[i] = count > 0 ? count : 0; /* below nothing only while the count at start is under way */
    }
}
