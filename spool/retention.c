/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The policy at work. One timer is set for the moment at which the next fax is due, or for an hour when that is further
 * away: the wall clock may be set meanwhile, and a day is the shortest age, so that a fax which ends now is not due
 * before another look. When much is due, a batch is one turn of the loop, with a pause behind it in which the
 * loop serves others.
 */
#include "config.h"

#include "spool/retention.h"

#include "db/stmt.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "spool/audit.h"
#include "spool/fax.h"
#include "spool/fax_row.h"
#include "spool/purge.h"
#include "spool/spool_private.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS     (24 * 3600 * 1000ll)
#define BATCH      50
#define ROOM_MAX   200
#define PAUSE_MS   20 /* between batches: more than one takes, so that most of the loop's time is for others */
#define LOOK_MS    (3600 * 1000ll)
#define FAILED_MS  (60 * 1000ll)
#define RULE_COUNT 4

struct retention {
    struct spool *spool;
    struct retention_policy policy;
    struct event *timer;
};

/* One age of the policy: to whom it applies and what it does. Records come first, since they take their documents with
 * them. */
struct rule {
    enum fax_direction direction;
    int days;
    const char *due;  /* SQL: ids of those that ended up to a time, oldest first */
    const char *next; /* SQL: the end of the oldest */
    int (*purge)(struct spool *spool, struct fax *fax);
};

#define OF_RECORDS   " FROM fax WHERE direction = ? AND ended_at > 0 AND state IN " SQL_ENDED
#define OF_DOCUMENTS " FROM fax WHERE direction = ? AND ended_at > 0 AND purged_at = 0 AND state IN " SQL_ENDED
/* Nor that of which a delivery waits. */
#define AT_REST " AND NOT EXISTS (SELECT 1 FROM route_delivery d WHERE d.fax = fax.id AND d.state IN (0, 1))"
#define UP_TO   AT_REST " AND ended_at <= ? ORDER BY ended_at, id LIMIT ?"
#define OLDEST  AT_REST " ORDER BY ended_at, id LIMIT 1"

static void rules_of(struct rule rules[RULE_COUNT], const struct retention_policy *policy)
{
    static const char records[] = "SELECT id" OF_RECORDS UP_TO, record[] = "SELECT ended_at" OF_RECORDS OLDEST;
    static const char documents[] = "SELECT id" OF_DOCUMENTS UP_TO, document[] = "SELECT ended_at" OF_DOCUMENTS OLDEST;
    rules[0] = (struct rule){FAX_OUTBOUND, policy->outbound_records_days, records, record, purge_record};
    rules[1] = (struct rule){FAX_INBOUND, policy->inbound_records_days, records, record, purge_record};
    rules[2] = (struct rule){FAX_OUTBOUND, policy->outbound_documents_days, documents, document, purge_documents};
    rules[3] = (struct rule){FAX_INBOUND, policy->inbound_documents_days, documents, document, purge_documents};
}

/* By hand it is the request that is told of. */
static int tell(struct spool *spool, const struct rule *rule, const struct fax *fax)
{
    char detail[64];
    snprintf(detail, sizeof(detail), "{\"after_days\":%d,\"record\":%s}", rule->days,
             rule->purge == purge_record ? "true" : "false");
    return audit_write_server(spool, "fax.purged", fax->public_id, detail);
}

static int purge_one(struct spool *spool, const struct rule *rule, int64_t id)
{
    struct fax fax;
    int error = fax_get(&fax, spool, id);
    if (error)
        return error;
    bool had = *fax.original || *fax.document || rule->purge == purge_record;
    error = rule->purge(spool, &fax);
    if (!error && had)
        error = tell(spool, rule, &fax);
    fax_clear(&fax);
    return error;
}

static int run_rule(struct spool *spool, const struct rule *rule, int room)
{
    int64_t ids[ROOM_MAX];
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), rule->due);
    if (error)
        return error;
    stmt_bind_int(stmt, rule->direction);
    stmt_bind_int(stmt, clock_now_ms() - rule->days * DAY_MS);
    stmt_bind_int(stmt, room);
    int count = fax_row_ids(ids, room, stmt);
    for (int i = 0; i < count; i++) {
        error = purge_one(spool, rule, ids[i]);
        if (error)
            return error;
    }
    return count;
}

int retention_run(struct spool *spool, int room)
{
    struct rule rules[RULE_COUNT];
    int done = 0;
    spool_assert_loop(spool);
    if (room > ROOM_MAX)
        room = ROOM_MAX;
    rules_of(rules, &spool->retention->policy);
    for (int i = 0; i < RULE_COUNT && done < room; i++) {
        int count = rules[i].days ? run_rule(spool, &rules[i], room - done) : 0;
        if (count < 0)
            return count;
        done += count;
    }
    return done;
}

/* ---- the timer ---- */

static void wait_for(struct retention *retention, int64_t wait_ms)
{
    struct timeval wait = {.tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000};
    event_add(retention->timer, &wait);
}

/* When the oldest fax of a rule is due: 0 and `*at_ms`, which is left alone when there is none or another is due
 * earlier. */
static int next_of_rule(int64_t *at_ms, struct spool *spool, const struct rule *rule)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), rule->next);
    if (error)
        return error;
    stmt_bind_int(stmt, rule->direction);
    error = stmt_step(stmt);
    if (error == 1 && stmt_int(stmt, "ended_at") + rule->days * DAY_MS < *at_ms)
        *at_ms = stmt_int(stmt, "ended_at") + rule->days * DAY_MS;
    stmt_close(stmt);
    return error < 0 ? error : 0;
}

/* How long until something is due, or until another look. No rule: for ever (-1). */
static int64_t wait_of(struct retention *retention)
{
    struct rule rules[RULE_COUNT];
    int64_t now_ms = clock_now_ms(), at_ms = now_ms + LOOK_MS;
    bool any = false;
    rules_of(rules, &retention->policy);
    for (int i = 0; i < RULE_COUNT; i++) {
        if (!rules[i].days)
            continue;
        any = true;
        if (next_of_rule(&at_ms, retention->spool, &rules[i])) {
            log_warning("retention: %s", err_message());
            return FAILED_MS;
        }
    }
    if (!any)
        return -1;
    return at_ms > now_ms + PAUSE_MS ? at_ms - now_ms : PAUSE_MS;
}

/* What a batch did stays whole or not at all: a fault in the middle of one fax must not leave half of it. */
static int run_batch(struct spool *spool)
{
    int error = spool_part_begin(spool);
    if (error)
        return error;
    int count = retention_run(spool, BATCH);
    error = spool_part_end(spool, count >= 0);
    return count < 0 ? count : error ? error : count;
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
    struct retention *retention = context;
    int64_t wait_ms = FAILED_MS;
    (void)fd;
    (void)what;
    int count = run_batch(retention->spool);
    if (count < 0)
        log_warning("retention: %s", err_message());
    else
        wait_ms = count == BATCH ? PAUSE_MS : wait_of(retention);
    if (wait_ms >= 0)
        wait_for(retention, wait_ms);
}

void retention_set(struct spool *spool, const struct retention_policy *policy)
{
    struct retention *retention = spool->retention;
    spool_assert_loop(spool);
    retention->policy = *policy;
    if (!retention->timer)
        return;
    int64_t wait_ms = wait_of(retention);
    if (wait_ms >= 0)
        wait_for(retention, wait_ms);
    else
        event_del(retention->timer);
}

static void close_retention(struct spool *spool)
{
    if (spool->retention->timer)
        event_free(spool->retention->timer);
    free(spool->retention);
    spool->retention = NULL;
}

static const struct spool_hook hook = {.close = close_retention};

int retention_start(struct spool *spool)
{
    struct retention *retention = xcalloc(1, sizeof(*retention));
    retention->spool = spool;
    spool->retention = retention;
    spool_hook(spool, &hook);
    if (!spool->base)
        return 0;
    retention->timer = evtimer_new(spool->base, on_timer, retention);
    return retention->timer ? 0 : err_set(ERR_INTERNAL, "cannot make the timer of retention");
}
