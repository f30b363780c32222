/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of batches: accepted, found, listed, canceled. */
#include "spool/batch.h"

#include "db/stmt.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "spool/batch_private.h"
#include "spool/fax_row.h"
#include "spool/spool_private.h"
#include "spool/submit.h"

#include <stdio.h>
#include <stdlib.h>

#define PAGE_MAX 100

void batch_row_read(struct batch *batch, struct stmt *stmt)
{
    *batch = (struct batch){.id = stmt_int(stmt, "id")};
    str_copy(batch->public_id, sizeof(batch->public_id), stmt_text(stmt, "public_id"));
    batch->owner = stmt_int(stmt, "owner");
    batch->user_id = stmt_int(stmt, "user_id");
    batch->test = stmt_int(stmt, "test") != 0;
    batch->total = (int)stmt_int(stmt, "total");
    batch->expanded = (int)stmt_int(stmt, "expanded");
    batch->dropped = (int)stmt_int(stmt, "dropped");
    batch->created_at = stmt_int(stmt, "created_at");
    batch->canceled_at = stmt_int(stmt, "canceled_at");
    batch->completed_at = stmt_int(stmt, "completed_at");
}

/* ---- a new one ---- */

static void set_text(json_t *object, const char *key, const char *text)
{
    if (text && *text)
        json_object_set_new(object, key, json_string(text));
}

/* What every fax of the batch is submitted with, as batch_run.c reads it again. */
static char *wishes_text(const struct submit_request *wanted)
{
    json_t *wishes = json_pack("{s:i, s:I, s:I, s:b, s:i, s:i, s:i, s:O*, s:O*, s:O*}", "priority", wanted->priority,
                               "not_before", (json_int_t)wanted->not_before, "expires_at",
                               (json_int_t)wanted->expires_at, "hold", wanted->hold, "max_attempts",
                               wanted->max_attempts, "resume", wanted->resume, "on_unconfirmed", wanted->on_unconfirmed,
                               "options", wanted->options, "tags", wanted->tags, "metadata", wanted->metadata);
    set_text(wishes, "from", wanted->from);
    set_text(wishes, "line_group", wanted->line_group);
    set_text(wishes, "client_reference", wanted->client_reference);
    char *text = json_dumps(wishes, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(wishes);
    return text ? text : xstrdup("{}");
}

static int insert(struct batch *batch, struct spool *spool, const struct submit_request *wanted)
{
    struct stmt *stmt;
    char *wishes = wishes_text(wanted);
    int error = stmt_open(&stmt, spool_db(spool),
                          "INSERT INTO batch (public_id, owner, user_id, test, wishes, total, created_at)"
                          " VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id");
    if (!error) {
        stmt_bind_text(stmt, batch->public_id);
        stmt_bind_int(stmt, batch->owner);
        stmt_bind_int(stmt, batch->user_id);
        stmt_bind_int(stmt, batch->test);
        stmt_bind_text(stmt, wishes);
        stmt_bind_int(stmt, batch->total);
        stmt_bind_int(stmt, batch->created_at);
        error = stmt_step(stmt);
        if (error == 1)
            batch->id = stmt_int(stmt, "id");
        stmt_close(stmt);
        error = error == 1 ? 0 : error ? error : err_set(ERR_INTERNAL, "store: no batch was written");
    }
    free(wishes);
    return error;
}

static int add_document(struct spool *spool, const struct batch *batch, enum batch_document_role role, int position,
                        const char *sha, const json_t *info)
{
    struct stmt *stmt;
    char *text = fax_row_json(info);
    int error = stmt_open(&stmt, spool_db(spool),
                          "INSERT INTO batch_document (batch, role, position, document, info) VALUES (?, ?, ?, ?, ?)");
    if (!error) {
        stmt_bind_int(stmt, batch->id);
        stmt_bind_int(stmt, role);
        stmt_bind_int(stmt, position);
        stmt_bind_text(stmt, sha);
        stmt_bind_text(stmt, text);
        error = stmt_run(NULL, stmt);
    }
    free(text);
    return error;
}

static int add_documents(struct spool *spool, const struct batch *batch, const struct submit_request *wanted,
                         const char *list)
{
    int error = add_document(spool, batch, BATCH_DOCUMENT_LIST, 0, list, NULL);
    for (int i = 0; i < wanted->upload_count && !error; i++)
        error =
            add_document(spool, batch, BATCH_DOCUMENT_UPLOAD, i + 1, wanted->uploads[i].sha, wanted->uploads[i].info);
    if (!error && wanted->cover) {
        json_t *info = json_pack("{s:O*}", "fields", wanted->cover_fields);
        error = add_document(spool, batch, BATCH_DOCUMENT_COVER, 0, wanted->cover, info);
        json_decref(info);
    }
    return error;
}

int batch_create(struct batch *batch, struct spool *spool, const struct submit_request *wanted, const char *list,
                 int total)
{
    char ulid[STR_ULID_SIZE];
    spool_assert_loop(spool);
    if (wanted->upload_count == 0 && !wanted->cover)
        return err_set(ERR_INVALID, "documents: none was stored");
    if (total < 1 || total > BATCH_RECIPIENTS_MAX)
        return err_set(ERR_INVALID, "recipients: 1 to %d", BATCH_RECIPIENTS_MAX);
    if (!spool_has_room(spool))
        return err_set(ERR_FULL, "the disk has no room for new faxes");
    *batch = (struct batch){.owner = wanted->owner,
                            .user_id = wanted->user ? wanted->user->id : 0,
                            .test = wanted->test,
                            .total = total,
                            .created_at = clock_now_ms()};
    snprintf(batch->public_id, sizeof(batch->public_id), "bat_%s", str_ulid(ulid, batch->created_at));
    int error = insert(batch, spool, wanted);
    if (!error)
        error = add_documents(spool, batch, wanted, list);
    if (!error)
        batch_wake(spool);
    return error;
}

/* ---- those there are ---- */

int batch_find(struct batch *batch, struct spool *spool, const char *public_id)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "SELECT " BATCH_COLUMNS " FROM batch WHERE public_id = ?");
    if (error)
        return error;
    stmt_bind_text(stmt, public_id);
    error = stmt_step(stmt);
    if (error == 1)
        batch_row_read(batch, stmt);
    stmt_close(stmt);
    return error == 1 ? 0 : error ? error : err_set(ERR_NOT_FOUND, "no such batch");
}

int batch_is_canceled(struct spool *spool, int64_t id)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "SELECT 1 AS one FROM batch WHERE id = ? AND canceled_at > 0");
    if (error)
        return error;
    stmt_bind_int(stmt, id);
    error = stmt_step(stmt);
    stmt_close(stmt);
    return error;
}

int batch_cancel(struct spool *spool, struct batch *batch)
{
    struct stmt *stmt;
    spool_assert_loop(spool);
    if (batch->canceled_at)
        return 0;
    if (batch->completed_at)
        return err_set(ERR_CONFLICT, "the batch is done: there is nothing left to cancel");
    batch->canceled_at = clock_now_ms();
    int error = stmt_open(&stmt, spool_db(spool), "UPDATE batch SET canceled_at = ?, open = 1 WHERE id = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, batch->canceled_at);
    stmt_bind_int(stmt, batch->id);
    error = stmt_run(NULL, stmt);
    if (!error) {
        log_info("batch is canceled batch=%s", batch->public_id);
        batch_wake(spool);
    }
    return error;
}

/* Rows first, and their counts when the statement is closed. */
static int read_page(struct batch *rows, int room, struct spool *spool, int64_t before, int64_t user)
{
    struct stmt *stmt;
    int count = 0;
    int error = stmt_open(&stmt, spool_db(spool),
                          user ? "SELECT " BATCH_COLUMNS
                                 " FROM batch WHERE user_id = ? AND user_id > 0 AND id < ? ORDER BY id DESC LIMIT ?"
                               : "SELECT " BATCH_COLUMNS " FROM batch WHERE id < ? ORDER BY id DESC LIMIT ?");
    if (error)
        return error;
    if (user)
        stmt_bind_int(stmt, user);
    stmt_bind_int(stmt, before);
    stmt_bind_int(stmt, room);
    while (count < room && (error = stmt_step(stmt)) == 1)
        batch_row_read(&rows[count++], stmt);
    stmt_close(stmt);
    return error < 0 ? error : count;
}

int batch_page(json_t **page, struct spool *spool, const char *cursor, int limit, int64_t user)
{
    struct batch rows[PAGE_MAX + 1];
    int64_t before = INT64_MAX;
    *page = NULL;
    if (cursor && *cursor && str_to_int(&before, cursor, 1, INT64_MAX))
        return err_set(ERR_INVALID, "cursor: not one of ours");
    if (limit < 1 || limit > PAGE_MAX)
        return err_set(ERR_INVALID, "limit: 1 to %d", PAGE_MAX);
    int count = read_page(rows, limit + 1, spool, before, user);
    if (count < 0)
        return count;
    bool more = count > limit;
    json_t *data = json_array();
    for (int i = 0; i < count - more; i++)
        json_array_append_new(data, batch_json(spool, &rows[i]));
    *page = json_pack("{s:o, s:b, s:o}", "data", data, "has_more", more, "next_cursor",
                      more ? json_sprintf("%lld", (long long)rows[limit - 1].id) : json_null());
    return 0;
}
