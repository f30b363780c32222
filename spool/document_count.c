/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Documents on record = those of the snapshot that fax_count takes at start + what was committed since. Changes of the
 * turn are kept apart until its commit, those of a part until it is kept.
 */
#include "config.h"

#include "spool/document_count.h"

#include "db/stmt.h"
#include "server/base/log.h"
#include "spool/spool_private.h"

#include <stdlib.h>

struct document_counter {
    struct document_usage at_start, since, turn, before_part;
};

static void committed(struct spool *spool)
{
    struct document_counter *counter = spool->document_counter;
    counter->since.documents += counter->turn.documents;
    counter->since.bytes += counter->turn.bytes;
    counter->since.purged += counter->turn.purged;
    counter->turn = (struct document_usage){0};
}

static void voided(struct spool *spool)
{
    spool->document_counter->turn = (struct document_usage){0};
}

static void part_begin(struct spool *spool)
{
    spool->document_counter->before_part = spool->document_counter->turn;
}

static void part_undo(struct spool *spool)
{
    spool->document_counter->turn = spool->document_counter->before_part;
}

static void close_counter(struct spool *spool)
{
    free(spool->document_counter);
    spool->document_counter = NULL;
}

static const struct spool_hook hook = {
    .committed = committed,
    .voided = voided,
    .part_begin = part_begin,
    .part_undo = part_undo,
    .close = close_counter,
};

void document_count_start(struct spool *spool)
{
    spool->document_counter = xcalloc(1, sizeof(*spool->document_counter));
    spool_hook(spool, &hook);
}

int document_count_read(struct document_usage *found, struct db *db)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, db, "SELECT count(*) AS documents, coalesce(sum(size), 0) AS bytes FROM document");
    if (error)
        return error;
    error = stmt_step(stmt);
    if (error == 1) {
        found->documents = stmt_int(stmt, "documents");
        found->bytes = stmt_int(stmt, "bytes");
    }
    stmt_close(stmt);
    return error < 0 ? error : 0;
}

void document_count_set(struct spool *spool, const struct document_usage *found)
{
    spool->document_counter->at_start = *found;
}

int document_count_stored(struct spool *spool, const char *sha, int64_t size_bytes)
{
    struct document_usage *turn = &spool->document_counter->turn;
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "SELECT size FROM document WHERE sha256 = ?");
    if (error)
        return error;
    stmt_bind_text(stmt, sha);
    error = stmt_step(stmt);
    if (error >= 0) {
        spool_used_room(spool, size_bytes);
        turn->documents += error == 0;
        turn->bytes += size_bytes - (error == 1 ? stmt_int(stmt, "size") : 0);
    }
    stmt_close(stmt);
    return error < 0 ? error : 0;
}

void document_count_deleted(struct spool *spool, int64_t size_bytes)
{
    struct document_usage *turn = &spool->document_counter->turn;
    turn->documents--;
    turn->bytes -= size_bytes;
    turn->purged++;
}

void document_usage(struct document_usage *usage, const struct spool *spool)
{
    const struct document_counter *counter = spool->document_counter;
    spool_assert_loop(spool);
    int64_t documents = counter->at_start.documents + counter->since.documents;
    int64_t bytes = counter->at_start.bytes + counter->since.bytes;
    /* Below nothing only while the count at start is under way. */
    usage->documents = documents > 0 ? documents : 0;
    usage->bytes = bytes > 0 ? bytes : 0;
    usage->purged = counter->since.purged;
}
