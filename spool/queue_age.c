/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A ring of minutes. Changes of the turn are kept apart until its commit, those of a part until it is kept. */
#include "spool/queue_age.h"

#include "db/stmt.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "spool/spool_private.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE_MS 60000
#define MINUTES   1440 /* a day */

struct change {
    int64_t minute;
    int count;
};

struct queue_ages {
    int64_t counts[MINUTES]; /* of minute m at m % MINUTES, for the MINUTES up to `newest` */
    int64_t newest, older;
    struct change *turn;
    size_t count, room, before_part;
};

/* Minutes that the ring has no room for any more become old. */
static void advance(struct queue_ages *ages, int64_t minute)
{
    if (minute - ages->newest > MINUTES)
        ages->newest = minute - MINUTES - 1;
    while (ages->newest < minute) {
        int64_t *slot = &ages->counts[++ages->newest % MINUTES];
        ages->older += *slot;
        *slot = 0;
    }
}

static void apply(struct queue_ages *ages, int64_t minute, int64_t count)
{
    int64_t now = clock_now_ms() / MINUTE_MS;
    advance(ages, minute > now ? minute : now);
    if (minute <= ages->newest - MINUTES)
        ages->older += count;
    else
        ages->counts[minute % MINUTES] += count;
}

static void committed(struct spool *spool)
{
    struct queue_ages *ages = spool->queue_ages;
    for (size_t i = 0; i < ages->count; i++)
        apply(ages, ages->turn[i].minute, ages->turn[i].count);
    ages->count = 0;
}

static void voided(struct spool *spool)
{
    spool->queue_ages->count = 0;
}

static void part_begin(struct spool *spool)
{
    spool->queue_ages->before_part = spool->queue_ages->count;
}

static void part_undo(struct spool *spool)
{
    spool->queue_ages->count = spool->queue_ages->before_part;
}

static void close_ages(struct spool *spool)
{
    free(spool->queue_ages->turn);
    free(spool->queue_ages);
    spool->queue_ages = NULL;
}

static const struct spool_hook hook = {
    .committed = committed,
    .voided = voided,
    .part_begin = part_begin,
    .part_undo = part_undo,
    .close = close_ages,
};

void queue_age_start(struct spool *spool)
{
    spool->queue_ages = xcalloc(1, sizeof(*spool->queue_ages));
    spool->queue_ages->newest = clock_now_ms() / MINUTE_MS;
    spool_hook(spool, &hook);
}

void queue_age_move(struct spool *spool, int64_t queued_at, int sign)
{
    struct queue_ages *ages = spool->queue_ages;
    if (ages->count == ages->room) {
        ages->room = ages->room ? ages->room * 2 : 64;
        ages->turn = xrealloc(ages->turn, ages->room * sizeof(*ages->turn));
    }
    ages->turn[ages->count++] = (struct change){queued_at / MINUTE_MS, sign};
}

/* Two queries, since each state has an index of its own. */
int queue_age_read(json_t **found, struct db *db)
{
    struct stmt *stmt;
    *found = NULL;
    int error = stmt_open(&stmt, db,
                          "SELECT minute, sum(faxes) AS faxes FROM"
                          " (SELECT queued_at / 60000 AS minute, count(*) AS faxes FROM fax WHERE state = 4 GROUP BY 1"
                          " UNION ALL"
                          " SELECT queued_at / 60000 AS minute, count(*) AS faxes FROM fax WHERE state = 5 GROUP BY 1)"
                          " AS waiting GROUP BY minute");
    if (error)
        return error;
    json_t *list = json_array();
    while ((error = stmt_step(stmt)) == 1)
        json_array_append_new(
            list, json_pack("[I, I]", (json_int_t)stmt_int(stmt, "minute"), (json_int_t)stmt_int(stmt, "faxes")));
    stmt_close(stmt);
    if (error)
        json_decref(list);
    else
        *found = list;
    return error;
}

void queue_age_set(struct spool *spool, const json_t *found)
{
    const json_t *row;
    size_t i;
    json_array_foreach(found, i, row) apply(spool->queue_ages, json_integer_value(json_array_get(row, 0)),
                                            json_integer_value(json_array_get(row, 1)));
}

int64_t queue_older_than(struct spool *spool, int64_t age_s)
{
    struct queue_ages *ages = spool->queue_ages;
    int64_t now = clock_now_ms() / MINUTE_MS;
    spool_assert_loop(spool);
    advance(ages, now);
    int64_t count = ages->older;
    for (int64_t minute = ages->newest - MINUTES + 1; minute <= now - age_s / 60; minute++)
        count += ages->counts[minute % MINUTES];
    return count > 0 ? count : 0; /* below nothing only while the count at start is under way */
}

json_t *queue_ages(struct spool *spool)
{
    static const int up_to_s[] = {60, 300, 900, 3600, 14400, 86400, 0};
    json_t *list = json_array();
    int64_t from_s = 0;
    for (size_t i = 0; i < sizeof(up_to_s) / sizeof(*up_to_s); i++) {
        int64_t count = queue_older_than(spool, from_s);
        if (up_to_s[i])
            count -= queue_older_than(spool, up_to_s[i]);
        json_array_append_new(list,
                              json_pack("{s:o, s:I}", "up_to_s", up_to_s[i] ? json_integer(up_to_s[i]) : json_null(),
                                        "count", (json_int_t)(count > 0 ? count : 0)));
        from_s = up_to_s[i];
    }
    return list;
}
