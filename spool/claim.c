/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The queue as the scheduler sees it. Due now, due later, and waiting for an engaged number are states of their own,
 * each with an index that holds nothing else: the head of the index is the answer, however long the queue is.
 */
#include "spool/claim.h"

#include "db/stmt.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "spool/block.h"
#include "spool/callable.h"
#include "spool/batch.h"
#include "spool/fax_row.h"
#include "spool/fax_state.h"
#include "spool/outbound_rule.h"
#include "spool/spool.h"

#include <stdlib.h>

#define LOOKS_MAX   64
#define PROMOTE_MAX 10000

static int head(struct fax *fax, struct spool *spool, const char *line_group, bool test)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool),
                          "SELECT " FAX_COLUMNS " FROM fax WHERE state = " SQL_QUEUED
                          " AND line_group = ? AND test = ? ORDER BY priority, id LIMIT 1");
    if (error)
        return error;
    stmt_bind_text(stmt, line_group);
    stmt_bind_int(stmt, test);
    return fax_row_one(fax, stmt);
}

static int expire(struct spool *spool, struct fax *fax)
{
    fax_row_set(&fax->reason, "");
    if (fax->outcome == OUTCOME_NONE) {
        fax->outcome = OUTCOME_EXPIRED;
        fax_row_set(&fax->message, outcome_info(OUTCOME_EXPIRED)->message);
    }
    return fax_state_change(spool, fax, FAX_EXPIRED);
}

/* A rule that was made after the fax, or a suspension: 1 when neither concerns it, 0 when it was put away. */
static int check_callable(struct spool *spool, struct fax *fax)
{
    struct callable_answer answer;
    int error = callable_ask(&answer, spool, fax->destination);
    if (error)
        return error;
    switch (answer.callable) {
    case CALLABLE_YES:
        break;
    case CALLABLE_DENIED:
        fax_row_set(&fax->reason, "");
        fax_row_set(&fax->error, "");
        fax_row_set(&fax->message, answer.why);
        fax->outcome = OUTCOME_BLACKLISTED;
        error = block_hit(spool, answer.rule);
        return error ? error : fax_state_change(spool, fax, FAX_FAILED);
    case CALLABLE_SUSPENDED:
        fax_row_set(&fax->reason, FAX_REASON_SUSPENDED);
        return fax_state_change(spool, fax, FAX_HELD);
    }
    return 1;
}

/* The rules say another queue by now, or another time: 1 when they do not, 0 when the fax was put there. */
static int check_route(struct spool *spool, struct fax *fax, int64_t now_ms)
{
    int64_t opens_at;
    bool moved;
    if (!fax->routed)
        return 1;
    outbound_rule_for(&opens_at, spool, fax->destination, now_ms);
    if (opens_at) {
        fax->not_before = opens_at;
        fax_row_set(&fax->reason, FAX_REASON_WINDOW);
        return fax_state_change(spool, fax, FAX_SCHEDULED);
    }
    int error = outbound_rule_queue(&moved, spool, fax);
    if (!error && moved)
        spool_mark(spool, SPOOL_CHANGE_QUEUE);
    return error ? error : !moved;
}

/* 1 when the fax may be called now; 0 when it was put away and the next is to be looked at; or an error. */
static int consider(struct spool *spool, struct fax *fax, int64_t now_ms)
{
    if (fax->expires_at > 0 && fax->expires_at <= now_ms)
        return expire(spool, fax);
    int canceled = fax->batch ? batch_is_canceled(spool, fax->batch) : 0;
    if (canceled)
        return canceled < 0 ? canceled : fax_state_change(spool, fax, FAX_CANCELED);
    int callable = check_callable(spool, fax);
    if (callable != 1)
        return callable;
    int routed = check_route(spool, fax, now_ms);
    if (routed != 1)
        return routed;
    int engaged = fax_state_number_engaged(spool, fax->destination, fax->test);
    if (engaged <= 0)
        return engaged < 0 ? engaged : 1;
    fax_row_set(&fax->reason, FAX_REASON_BUSY);
    return fax_state_change(spool, fax, FAX_WAITING);
}

int claim_next(struct fax *fax, struct spool *spool, const char *line_group, bool test)
{
    int64_t now_ms = clock_now_ms();
    for (int looks = 0; looks < LOOKS_MAX; looks++) {
        int error = head(fax, spool, line_group, test);
        if (error)
            return error;
        int due = consider(spool, fax, now_ms);
        if (due == 1)
            return 0;
        fax_clear(fax);
        if (due < 0)
            return due;
    }
    return err_set(ERR_AGAIN, "more faxes than %d at the head of the queue wait for engaged numbers", LOOKS_MAX);
}

/* ---- what falls due ---- */

static int due_ids(int64_t *ids, struct spool *spool, int64_t now_ms, int room)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool),
                          "SELECT id FROM fax WHERE state = " SQL_SCHEDULED
                          " AND not_before <= ? ORDER BY not_before, id LIMIT ?");
    if (error)
        return error;
    stmt_bind_int(stmt, now_ms);
    stmt_bind_int(stmt, room);
    return fax_row_ids(ids, room, stmt);
}

static int expired_ids(int64_t *ids, struct spool *spool, int64_t now_ms, int room)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool),
                          "SELECT id FROM fax WHERE expires_at > 0 AND state IN " SQL_UNCALLED
                          " AND expires_at <= ? ORDER BY expires_at, id LIMIT ?");
    if (error)
        return error;
    stmt_bind_int(stmt, now_ms);
    stmt_bind_int(stmt, room);
    return fax_row_ids(ids, room, stmt);
}

static int queue_one(struct spool *spool, struct fax *fax)
{
    fax_row_set(&fax->reason, "");
    return fax_state_change(spool, fax, FAX_QUEUED);
}

static int for_each(struct spool *spool, const int64_t *ids, int count,
                    int (*act)(struct spool *spool, struct fax *fax))
{
    for (int i = 0; i < count; i++) {
        struct fax fax;
        int error = fax_get(&fax, spool, ids[i]);
        if (error)
            return error;
        error = act(spool, &fax);
        fax_clear(&fax);
        if (error)
            return error;
    }
    return count;
}

static int first_at(int64_t *at_ms, struct spool *spool, const char *sql)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), sql);
    if (error)
        return error;
    error = stmt_step(stmt);
    if (error == 1) {
        int64_t found = stmt_int(stmt, "at");
        if (!*at_ms || found < *at_ms)
            *at_ms = found;
    }
    stmt_close(stmt);
    return error < 0 ? error : 0;
}

static int find_next(int64_t *next_at, struct spool *spool)
{
    *next_at = 0;
    int error =
        first_at(next_at, spool,
                 "SELECT not_before AS at FROM fax WHERE state = " SQL_SCHEDULED " ORDER BY not_before, id LIMIT 1");
    if (!error)
        error = first_at(next_at, spool,
                         "SELECT expires_at AS at FROM fax WHERE expires_at > 0 AND state IN " SQL_UNCALLED
                         " ORDER BY expires_at, id LIMIT 1");
    return error;
}

int claim_promote(int64_t *next_at, struct spool *spool, int64_t now_ms, int room)
{
    if (room < 1)
        room = 1;
    if (room > PROMOTE_MAX)
        room = PROMOTE_MAX;
    int64_t *ids = xcalloc((unsigned long)room, sizeof(*ids));
    /* What has expired goes first, so that it is not queued for the moment between. */
    int expired = expired_ids(ids, spool, now_ms, room);
    if (expired > 0)
        expired = for_each(spool, ids, expired, expire);
    int due = expired;
    if (expired >= 0 && expired < room) {
        due = due_ids(ids, spool, now_ms, room - expired);
        if (due > 0)
            due = for_each(spool, ids, due, queue_one);
    } else if (expired >= 0) {
        due = 0;
    }
    free(ids);
    if (expired < 0 || due < 0)
        return expired < 0 ? expired : due;
    int error = find_next(next_at, spool);
    return error ? error : expired + due;
}

int claim_number_free(struct spool *spool, const char *destination)
{
    int error = fax_state_free_number(spool, destination, false);
    return error ? error : fax_state_free_number(spool, destination, true);
}
