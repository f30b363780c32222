/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Outgoing mails as they are shown and counted, and the end of those that nobody needs any more. */
#include "spool/mail_private.h"

#include "db/stmt.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "spool/nullable.h"

#include <stdlib.h>

#define COLUMNS                                                                                                        \
    "mail.id AS id, mail.public_id AS public_id, mail.kind AS kind, mail.state AS state,"                              \
    " (SELECT fax.public_id FROM fax WHERE fax.id = mail.fax) AS fax_id, recipient, topic, tries, status,"             \
    " mail.reason AS reason, mail.created_at AS created_at, tried_at, mail.ended_at AS ended_at, next_at"

const char *mail_kind_name(enum mail_kind kind)
{
    switch (kind) {
    case MAIL_ROUTED:
        return "received_fax";
    case MAIL_RECEIPT:
        return "receipt";
    case MAIL_ENDPOINT_DISABLED:
        return "webhook_disabled";
    case MAIL_ALARM:
        return "alarm";
    }
    return "alarm";
}

static const char *state_name(enum mail_state state)
{
    switch (state) {
    case MAIL_WAITING:
        return "pending";
    case MAIL_SENT:
        return "sent";
    case MAIL_GIVEN_UP:
        return "failed";
    }
    return "pending";
}

static json_t *row_object(void *context, struct stmt *stmt)
{
    json_int_t status = stmt_int(stmt, "status");
    (void)context;
    return json_pack(
        "{s:s, s:s, s:s, s:o, s:s, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "id", stmt_text(stmt, "public_id"), "kind",
        mail_kind_name((enum mail_kind)stmt_int(stmt, "kind")), "status",
        state_name((enum mail_state)stmt_int(stmt, "state")), "fax", nullable_text(stmt_text(stmt, "fax_id")), "to",
        stmt_text(stmt, "recipient"), "topic", nullable_text(stmt_text(stmt, "topic")), "tries",
        (json_int_t)stmt_int(stmt, "tries"), "smtp_status", status ? json_integer(status) : json_null(), "reason",
        nullable_text(stmt_text(stmt, "reason")), "created_at", nullable_time(stmt_int(stmt, "created_at")), "tried_at",
        nullable_time(stmt_int(stmt, "tried_at")), "ended_at", nullable_time(stmt_int(stmt, "ended_at")), "next_at",
        nullable_time(stmt_int(stmt, "next_at")));
}

static json_t *row_cursor(void *context, struct stmt *stmt)
{
    (void)context;
    return json_sprintf("%lld", (long long)stmt_int(stmt, "id"));
}

int mail_json(json_t **object, struct spool *spool, const char *public_id)
{
    struct stmt *stmt;
    *object = NULL;
    int error = stmt_open(&stmt, spool_db(spool), "SELECT " COLUMNS " FROM mail WHERE mail.public_id = ?");
    if (error)
        return error;
    stmt_bind_text(stmt, public_id);
    error = stmt_step(stmt);
    if (error == 1)
        *object = row_object(NULL, stmt);
    stmt_close(stmt);
    return error == 1 ? 0 : error ? error : err_set(ERR_NOT_FOUND, "no such mail");
}

/* ---- lists ---- */

struct question {
    int64_t before, fax;
    int state, limit;
};

static int run_list(json_t **answer, void *context, struct db *db)
{
    const struct question *question = context;
    const struct query_page page = {.limit = question->limit, .object = row_object, .cursor = row_cursor};
    struct stmt *stmt;
    char *sql = xasprintf("SELECT " COLUMNS " FROM mail WHERE mail.id < ?%s%s ORDER BY mail.id DESC LIMIT ?",
                          question->fax ? " AND mail.fax = ?" : "", question->state >= 0 ? " AND mail.state = ?" : "");
    int error = stmt_open_once(&stmt, db, sql);
    free(sql);
    if (error)
        return error;
    stmt_bind_int(stmt, question->before);
    if (question->fax)
        stmt_bind_int(stmt, question->fax);
    if (question->state >= 0)
        stmt_bind_int(stmt, question->state);
    stmt_bind_int(stmt, question->limit + 1);
    return query_read_page(answer, &page, stmt);
}

int mail_list(struct spool *spool, const struct mail_list_wish *wish, query_done done, void *context)
{
    int64_t before = INT64_MAX;
    if (wish->limit < 1 || wish->limit > QUERY_LIMIT_MAX)
        return err_set(ERR_INVALID, "limit: 1 to %d", QUERY_LIMIT_MAX);
    if (wish->cursor && str_to_int(&before, wish->cursor, 0, INT64_MAX))
        return err_set(ERR_INVALID, "cursor: not one of ours");
    struct question *question = xcalloc(1, sizeof(*question));
    *question = (struct question){before, wish->fax, wish->state, wish->limit};
    return query_start(spool, run_list, question, done, context);
}

/* ---- counts ---- */

int mail_waiting(int *count, int64_t *oldest_at, struct spool *spool)
{
    struct stmt *stmt;
    *count = 0;
    *oldest_at = 0;
    int error =
        stmt_open(&stmt, spool_db(spool),
                  "SELECT (SELECT count(*) FROM (SELECT 1 FROM mail WHERE state = 0 LIMIT ?) AS few) AS waiting,"
                  " (SELECT queued_at FROM mail WHERE state = 0 ORDER BY id LIMIT 1) AS oldest");
    if (error)
        return error;
    stmt_bind_int(stmt, MAIL_COUNT_MAX);
    error = stmt_step(stmt);
    if (error == 1) {
        *count = (int)stmt_int(stmt, "waiting");
        *oldest_at = stmt_int(stmt, "oldest");
    }
    stmt_close(stmt);
    return error < 0 ? error : 0;
}

int mail_trim(struct spool *spool, int64_t before_ms, int room)
{
    struct stmt *stmt;
    int64_t changed = 0;
    int error = stmt_open(&stmt, spool_db(spool),
                          "DELETE FROM mail WHERE id IN (SELECT id FROM mail WHERE fax IS NULL AND ended_at > 0"
                          " AND ended_at < ? ORDER BY ended_at LIMIT ?)");
    if (error)
        return error;
    stmt_bind_int(stmt, before_ms);
    stmt_bind_int(stmt, room);
    error = stmt_run(&changed, stmt);
    return error ? error : (int)changed;
}
