/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Event rows. The body that the world sees is put together from the row's columns, so that its number can be the row's
 * own. Events of the turn are kept for the listener until their commit.
 */
#include "spool/event.h"

#include "db/stmt.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "spool/fax.h"
#include "spool/fax_json.h"
#include "spool/mail.h"
#include "spool/query.h"
#include "spool/spool_private.h"
#include "spool/subscription.h"

#include <stdlib.h>

struct noted {
    int64_t sequence, user;
    char *type, *body;
};

struct noted_list {
    struct noted *list;
    size_t count, room;
};

struct event_log {
    event_fn fn;
    void *context;
    struct noted_list turn; /* written in this turn */
    struct noted_list told; /* committed, to be announced */
    size_t before_part;
};

static void noted_drop(struct noted_list *noted, size_t first)
{
    for (size_t i = first; i < noted->count; i++) {
        free(noted->list[i].type);
        free(noted->list[i].body);
    }
    noted->count = first;
}

static void noted_free(struct noted_list *noted)
{
    noted_drop(noted, 0);
    free(noted->list);
    *noted = (struct noted_list){NULL, 0, 0};
}

/* Takes `body` over. */
static void note(struct event_log *log, int64_t sequence, int64_t user, const char *type, char *body)
{
    struct noted_list *turn = &log->turn;
    if (turn->count == turn->room) {
        turn->room = turn->room ? turn->room * 2 : 64;
        turn->list = xrealloc(turn->list, turn->room * sizeof(*turn->list));
    }
    turn->list[turn->count++] = (struct noted){sequence, user, xstrdup(type), body};
}

static void committed(struct spool *spool)
{
    struct event_log *log = spool->events;
    noted_free(&log->told);
    log->told = log->turn;
    log->turn = (struct noted_list){NULL, 0, 0};
}

static void announce(struct spool *spool)
{
    /* The listener may write, which must not meet the list it is told from. */
    struct event_log *log = spool->events;
    struct noted_list told = log->told;
    log->told = (struct noted_list){NULL, 0, 0};
    for (size_t i = 0; i < told.count && log->fn; i++)
        log->fn(log->context, told.list[i].sequence, told.list[i].type, told.list[i].body, told.list[i].user);
    noted_free(&told);
}

static void voided(struct spool *spool)
{
    noted_drop(&spool->events->turn, 0);
}

static void part_begin(struct spool *spool)
{
    spool->events->before_part = spool->events->turn.count;
}

static void part_undo(struct spool *spool)
{
    noted_drop(&spool->events->turn, spool->events->before_part);
}

static void close_events(struct spool *spool)
{
    noted_free(&spool->events->turn);
    noted_free(&spool->events->told);
    free(spool->events);
    spool->events = NULL;
}

static const struct spool_hook hook = {
    .committed = committed,
    .announce = announce,
    .voided = voided,
    .part_begin = part_begin,
    .part_undo = part_undo,
    .close = close_events,
};

int event_start(struct spool *spool)
{
    spool->events = xcalloc(1, sizeof(*spool->events));
    spool_hook(spool, &hook);
    return 0;
}

void event_listen(struct spool *spool, event_fn fn, void *context)
{
    spool_assert_loop(spool);
    spool->events->fn = fn;
    spool->events->context = context;
}

char *event_body(int64_t sequence, const char *type, int64_t at_ms, const char *data)
{
    char time[CLOCK_TEXT_SIZE];
    return xasprintf("{\"type\":\"%s\",\"timestamp\":\"%s\",\"sequence\":%lld,\"data\":%s}", type,
                     clock_format(time, at_ms), (long long)sequence, data);
}

/* Whose event it is: of who sent the fax, or of who sees to a received one. */
static int64_t user_of(const struct fax *fax)
{
    if (!fax)
        return 0;
    return fax->user_id ? fax->user_id : fax->assigned;
}

static int insert(int64_t *sequence, struct spool *spool, const char *type, const struct fax *fax, int64_t now_ms,
                  const char *data)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool),
                          "INSERT INTO event (type, fax, created_at, data, user_id) VALUES (?, ?, ?, ?, ?)"
                          " RETURNING sequence");
    if (error)
        return error;
    stmt_bind_text(stmt, type);
    stmt_bind_int(stmt, fax ? fax->id : 0);
    stmt_bind_int(stmt, now_ms);
    stmt_bind_text(stmt, data);
    stmt_bind_int(stmt, user_of(fax));
    error = stmt_step(stmt);
    if (error == 1)
        *sequence = stmt_int(stmt, "sequence");
    stmt_close(stmt);
    return error == 1 ? 0 : error ? error : err_set(ERR_INTERNAL, "store: no event was written");
}

static char *data_text(const struct fax *fax, json_t *data)
{
    json_t *object = fax ? fax_json_thin(fax) : json_object();
    if (data)
        json_object_update(object, data);
    char *text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    return text ? text : xstrdup("{}");
}

/* `endpoint` 0 = those who want it. */
static int write_event(struct spool *spool, const char *type, const struct fax *fax, json_t *data, int64_t endpoint)
{
    spool_assert_loop(spool);
    int64_t sequence = 0, now_ms = clock_now_ms();
    char *text = data_text(fax, data);
    int error = insert(&sequence, spool, type, fax, now_ms, text);
    if (!error)
        error =
            endpoint ? subscription_deliver_to(spool, sequence, endpoint) : subscription_deliver(spool, sequence, type);
    if (!error && spool->events->fn)
        note(spool->events, sequence, user_of(fax), type, event_body(sequence, type, now_ms, text));
    free(text);
    return error;
}

int event_write(struct spool *spool, const char *type, const struct fax *fax, json_t *data)
{
    int error = write_event(spool, type, fax, data, 0);
    return error ? error : mail_on_event(spool, type, fax, data);
}

int event_write_to(struct spool *spool, const char *type, json_t *data, int64_t endpoint)
{
    return write_event(spool, type, NULL, data, endpoint);
}

/* ---- reading ---- */

static json_t *read_event(struct stmt *stmt)
{
    char time[CLOCK_TEXT_SIZE];
    json_int_t sequence = stmt_int(stmt, "sequence");
    json_t *data = json_loads(stmt_text(stmt, "data"), 0, NULL);
    return json_pack("{s:o, s:s, s:s, s:I, s:o}", "id", json_sprintf("%lld", (long long)sequence), "type",
                     stmt_text(stmt, "type"), "timestamp", clock_format(time, stmt_int(stmt, "created_at")), "sequence",
                     sequence, "data", data ? data : json_object());
}

static const char *sql_of(const struct event_range *range)
{
    if (range->fax)
        return "SELECT sequence, type, created_at, data FROM event WHERE fax = ? AND fax <> 0 AND sequence > ?"
               " ORDER BY sequence LIMIT ?";
    if (range->user)
        return "SELECT sequence, type, created_at, data FROM event WHERE user_id = ? AND user_id > 0 AND sequence > ?"
               " ORDER BY sequence LIMIT ?";
    return "SELECT sequence, type, created_at, data FROM event WHERE sequence > ? ORDER BY sequence LIMIT ?";
}

static int read_range(json_t **events, int64_t *last, struct db *db, const struct event_range *range)
{
    struct stmt *stmt;
    *events = NULL;
    *last = range->after;
    int error = stmt_open(&stmt, db, sql_of(range));
    if (error)
        return error;
    if (range->fax || range->user)
        stmt_bind_int(stmt, range->fax ? range->fax : range->user);
    stmt_bind_int(stmt, range->after);
    stmt_bind_int(stmt, range->limit);
    json_t *list = json_array();
    while ((error = stmt_step(stmt)) == 1) {
        *last = stmt_int(stmt, "sequence");
        json_array_append_new(list, read_event(stmt));
    }
    stmt_close(stmt);
    if (error)
        json_decref(list);
    else
        *events = list;
    return error;
}

int event_since(json_t **events, int64_t *last, struct spool *spool, const struct event_range *range)
{
    return read_range(events, last, spool_db(spool), range);
}

static int run_list(json_t **answer, void *question, struct db *db)
{
    const struct event_range *range = question;
    json_t *events;
    int64_t last;
    int error = read_range(&events, &last, db, range);
    if (!error)
        *answer = query_page_text(events, json_array_size(events) == (size_t)range->limit,
                                  json_sprintf("%lld", (long long)last));
    return error;
}

int event_list(struct spool *spool, const struct event_range *range, query_done done, void *context)
{
    struct event_range *question = xmalloc(sizeof(*question));
    *question = *range;
    return query_start(spool, run_list, question, done, context);
}

/* Oldest first by number, up to the first that is young enough: times ascend with numbers, and no index on time is
 * needed for it. */
static int find_old(int64_t *up_to, struct spool *spool, int64_t before_ms, int room)
{
    struct stmt *stmt;
    int count = 0;
    int error = stmt_open(&stmt, spool_db(spool), "SELECT sequence, created_at FROM event ORDER BY sequence LIMIT ?");
    if (error)
        return error;
    stmt_bind_int(stmt, room);
    while ((error = stmt_step(stmt)) == 1 && stmt_int(stmt, "created_at") < before_ms) {
        *up_to = stmt_int(stmt, "sequence");
        count++;
    }
    stmt_close(stmt);
    return error < 0 ? error : count;
}

int event_trim(struct spool *spool, int64_t before_ms, int room)
{
    struct stmt *stmt;
    int64_t up_to = 0;
    int count = find_old(&up_to, spool, before_ms, room);
    if (count <= 0)
        return count;
    int error = stmt_open(&stmt, spool_db(spool), "DELETE FROM event WHERE sequence <= ?");
    if (error)
        return error;
    stmt_bind_int(stmt, up_to);
    error = stmt_run(NULL, stmt);
    return error ? error : count;
}
