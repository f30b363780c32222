/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of identities. That one is the default, and no second, the schema proves.
 */
#include "spool/identity.h"

#include "db/stmt.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "spool/nullable.h"
#include "spool/spool.h"

#include <stdio.h>
#include <stdlib.h>

#define COLUMNS                                                                                                        \
    "id, public_id, name, number, station_id, header_text, time_zone, caller_id, receipt_email, receipt_on,"           \
    " language, is_default, owner, created_at"

static void read_row(struct identity *identity, struct stmt *stmt)
{
    *identity = (struct identity){.id = stmt_int(stmt, "id")};
    str_copy(identity->public_id, sizeof(identity->public_id), stmt_text(stmt, "public_id"));
    str_copy(identity->name, sizeof(identity->name), stmt_text(stmt, "name"));
    str_copy(identity->number, sizeof(identity->number), stmt_text(stmt, "number"));
    str_copy(identity->station_id, sizeof(identity->station_id), stmt_text(stmt, "station_id"));
    str_copy(identity->header_text, sizeof(identity->header_text), stmt_text(stmt, "header_text"));
    str_copy(identity->time_zone, sizeof(identity->time_zone), stmt_text(stmt, "time_zone"));
    str_copy(identity->caller_id, sizeof(identity->caller_id), stmt_text(stmt, "caller_id"));
    str_copy(identity->receipt_email, sizeof(identity->receipt_email), stmt_text(stmt, "receipt_email"));
    identity->receipt_on = (enum receipt_on)stmt_int(stmt, "receipt_on");
    str_copy(identity->language, sizeof(identity->language), stmt_text(stmt, "language"));
    identity->is_default = stmt_int(stmt, "is_default") != 0;
    identity->owner = stmt_int(stmt, "owner");
    identity->created_at = stmt_int(stmt, "created_at");
}

static int one_row(struct identity *identity, struct stmt *stmt)
{
    int error = stmt_step(stmt);
    if (error == 1)
        read_row(identity, stmt);
    stmt_close(stmt);
    return error == 1 ? 0 : error ? error : err_set(ERR_NOT_FOUND, "no such identity");
}

int identity_find(struct identity *identity, struct spool *spool, const char *public_id)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "SELECT " COLUMNS " FROM identity WHERE public_id = ?");
    if (error)
        return error;
    stmt_bind_text(stmt, public_id);
    return one_row(identity, stmt);
}

int identity_default(struct identity *identity, struct spool *spool)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "SELECT " COLUMNS " FROM identity WHERE is_default = 1");
    return error ? error : one_row(identity, stmt);
}

static int count(int *rows, struct spool *spool)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "SELECT count(*) AS rows FROM identity");
    if (error)
        return error;
    error = stmt_step(stmt);
    *rows = error == 1 ? (int)stmt_int(stmt, "rows") : 0;
    stmt_close(stmt);
    return error < 0 ? error : 0;
}

static int clear_default(struct spool *spool)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "UPDATE identity SET is_default = 0 WHERE is_default = 1");
    return error ? error : stmt_run(NULL, stmt);
}

static void bind_row(struct stmt *stmt, const struct identity *identity)
{
    stmt_bind_text(stmt, identity->name);
    stmt_bind_text(stmt, identity->number);
    stmt_bind_text(stmt, identity->station_id);
    stmt_bind_text(stmt, identity->header_text);
    stmt_bind_text(stmt, identity->time_zone);
    stmt_bind_text(stmt, identity->caller_id);
    stmt_bind_text(stmt, identity->receipt_email);
    stmt_bind_int(stmt, identity->receipt_on);
    stmt_bind_text(stmt, identity->language);
    stmt_bind_int(stmt, identity->is_default);
}

static int insert(struct identity *identity, struct spool *spool)
{
    struct identity given = *identity;
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool),
                          "INSERT INTO identity (name, number, station_id, header_text, time_zone, caller_id,"
                          " receipt_email, receipt_on, language, is_default, public_id, owner, created_at)"
                          " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
                          " RETURNING " COLUMNS);
    if (error)
        return error;
    bind_row(stmt, &given);
    stmt_bind_text(stmt, given.public_id);
    stmt_bind_int(stmt, given.owner);
    stmt_bind_int(stmt, given.created_at);
    return one_row(identity, stmt);
}

int identity_create(struct identity *identity, struct spool *spool)
{
    char ulid[STR_ULID_SIZE];
    int rows, error = count(&rows, spool);
    if (error)
        return error;
    if (rows >= IDENTITIES_MAX)
        return err_set(ERR_FULL, "there are %d identities already", IDENTITIES_MAX);
    if (rows == 0)
        identity->is_default = true;
    if (identity->is_default)
        error = clear_default(spool);
    if (error)
        return error;
    identity->created_at = clock_now_ms();
    snprintf(identity->public_id, sizeof(identity->public_id), "idn_%s", str_ulid(ulid, identity->created_at));
    return insert(identity, spool);
}

int identity_update(struct identity *identity, struct spool *spool)
{
    struct identity before;
    struct stmt *stmt;
    int error = identity_find(&before, spool, identity->public_id);
    if (!error && before.is_default && !identity->is_default)
        error = err_set(ERR_CONFLICT, "one identity has to be the default: make another one so instead");
    if (!error && identity->is_default && !before.is_default)
        error = clear_default(spool);
    if (!error)
        error = stmt_open(&stmt, spool_db(spool),
                          "UPDATE identity SET name = ?, number = ?, station_id = ?, header_text = ?, time_zone = ?,"
                          " caller_id = ?, receipt_email = ?, receipt_on = ?, language = ?, is_default = ?"
                          " WHERE id = ?");
    if (error)
        return error;
    bind_row(stmt, identity);
    stmt_bind_int(stmt, identity->id);
    return stmt_run(NULL, stmt);
}

int identity_delete(struct spool *spool, const char *public_id)
{
    struct identity identity;
    struct stmt *stmt;
    int rows = 0, error = identity_find(&identity, spool, public_id);
    if (!error && identity.is_default)
        error = count(&rows, spool);
    if (!error && rows > 1)
        error = err_set(ERR_CONFLICT, "\"%s\" is the default: make another identity the default first", identity.name);
    if (!error)
        error = stmt_open(&stmt, spool_db(spool), "DELETE FROM identity WHERE id = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, identity.id);
    return stmt_run(NULL, stmt);
}

/* ---- JSON ---- */

json_t *identity_json(const struct identity *identity)
{
    char created[CLOCK_TEXT_SIZE];
    return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:o, s:b, s:s}", "id", identity->public_id, "name",
                     identity->name, "number", nullable_text(identity->number), "station_id",
                     nullable_text(identity->station_id), "header_text", nullable_text(identity->header_text),
                     "time_zone", nullable_text(identity->time_zone), "caller_id", nullable_text(identity->caller_id),
                     "receipt_email", nullable_text(identity->receipt_email), "receipt_on",
                     receipt_on_words[identity->receipt_on], "language", nullable_text(identity->language), "default",
                     identity->is_default, "created_at", clock_format(created, identity->created_at));
}

struct question {
    int64_t after;
    int limit;
};

static json_t *row_object(void *context, struct stmt *stmt)
{
    struct identity identity;
    (void)context;
    read_row(&identity, stmt);
    return identity_json(&identity);
}

static json_t *row_cursor(void *context, struct stmt *stmt)
{
    (void)context;
    return json_sprintf("%lld", (long long)stmt_int(stmt, "id"));
}

static int run_list(json_t **answer, void *context, struct db *db)
{
    const struct question *question = context;
    const struct query_page page = {.limit = question->limit, .object = row_object, .cursor = row_cursor};
    struct stmt *stmt;
    int error = stmt_open(&stmt, db, "SELECT " COLUMNS " FROM identity WHERE id > ? ORDER BY id LIMIT ?");
    if (error)
        return error;
    stmt_bind_int(stmt, question->after);
    stmt_bind_int(stmt, question->limit + 1);
    return query_read_page(answer, &page, stmt);
}

int identity_list(struct spool *spool, const char *cursor, int limit, query_done done, void *context)
{
    int64_t after = 0;
    if (limit < 1 || limit > QUERY_LIMIT_MAX)
        return err_set(ERR_INVALID, "limit: 1 to %d", QUERY_LIMIT_MAX);
    if (cursor && str_to_int(&after, cursor, 0, INT64_MAX))
        return err_set(ERR_INVALID, "cursor: not one of ours");
    struct question *question = xcalloc(1, sizeof(*question));
    *question = (struct question){.after = after, .limit = limit};
    return query_start(spool, run_list, question, done, context);
}
