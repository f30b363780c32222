/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Notes on received faxes. They are added and never changed: who reads one can rely on who wrote it and when. They go
 * with the record of the fax.
 */
#include "spool/inbox.h"

#include "db/stmt.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/str.h"
#include "spool/query.h"
#include "spool/spool_private.h"

#include <stdio.h>
#include <string.h>

#define NOTE_ID_SIZE 32
#define NOTES_LIMIT  200

static json_t *note_json(struct stmt *stmt)
{
    char time[CLOCK_TEXT_SIZE];
    const char *user = stmt_text(stmt, "user_public_id"), *author = stmt_text(stmt, "author");
    json_t *object = json_pack("{s:s, s:s, s:s}", "id", stmt_text(stmt, "public_id"), "text", stmt_text(stmt, "text"),
                               "created_at", clock_format(time, stmt_int(stmt, "created_at")));
    json_object_set_new(object, "author", *author ? json_string(author) : json_null());
    json_object_set_new(object, "user", *user ? json_string(user) : json_null());
    return object;
}

static int count_notes(struct spool *spool, const struct fax *fax)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "SELECT count(*) AS notes FROM fax_note WHERE fax = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, fax->id);
    error = stmt_step(stmt);
    int count = error == 1 ? (int)stmt_int(stmt, "notes") : 0;
    stmt_close(stmt);
    return error < 0 ? error : count;
}

static int insert(struct spool *spool, const struct fax *fax, const struct user *user, const char *author,
                  const char *text)
{
    char ulid[STR_ULID_SIZE], id[NOTE_ID_SIZE];
    struct stmt *stmt;
    int64_t now_ms = clock_now_ms();
    snprintf(id, sizeof(id), "note_%s", str_ulid(ulid, now_ms));
    int error = stmt_open(&stmt, spool_db(spool),
                          "INSERT INTO fax_note (public_id, fax, user_id, author, text, created_at)"
                          " VALUES (?, ?, ?, ?, ?, ?)");
    if (error)
        return error;
    stmt_bind_text(stmt, id);
    stmt_bind_int(stmt, fax->id);
    stmt_bind_int(stmt, user->id);
    stmt_bind_text(stmt, author);
    stmt_bind_text(stmt, text);
    stmt_bind_int(stmt, now_ms);
    return stmt_run(NULL, stmt);
}

#define NOTE_COLUMNS                                                                                                   \
    "id, public_id, author, text, created_at, "                                                                        \
    "(SELECT account.public_id FROM account WHERE account.id = fax_note.user_id) AS user_public_id"

static int newest(json_t **note, struct spool *spool, const struct fax *fax)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool),
                          "SELECT " NOTE_COLUMNS " FROM fax_note WHERE fax = ? ORDER BY id DESC LIMIT 1");
    if (error)
        return error;
    stmt_bind_int(stmt, fax->id);
    error = stmt_step(stmt);
    if (error == 1)
        *note = note_json(stmt);
    stmt_close(stmt);
    return error == 1 ? 0 : error ? error : err_set(ERR_INTERNAL, "store: no note was written");
}

int inbox_note(json_t **note, struct spool *spool, const struct fax *fax, const struct user *user, const char *author,
               const char *text)
{
    *note = NULL;
    spool_assert_loop(spool);
    int error = inbox_check(fax);
    if (error)
        return error;
    int count = count_notes(spool, fax);
    if (count < 0)
        return count;
    if (count >= INBOX_NOTES_MAX)
        return err_set(ERR_CONFLICT, "the fax has %d notes already", INBOX_NOTES_MAX);
    error = insert(spool, fax, user, author, text);
    return error ? error : newest(note, spool, fax);
}

int inbox_notes(json_t **page, struct spool *spool, const struct fax *fax, const char *cursor, int limit)
{
    struct stmt *stmt;
    int64_t after = 0;
    int error = 0;
    *page = NULL;
    spool_assert_loop(spool);
    if (cursor && str_to_int(&after, cursor, 0, INT64_MAX))
        return err_set(ERR_INVALID, "cursor: not one of ours");
    if (limit < 1 || limit > NOTES_LIMIT)
        return err_set(ERR_INVALID, "limit: 1 to %d", NOTES_LIMIT);
    error = stmt_open(&stmt, spool_db(spool),
                      "SELECT " NOTE_COLUMNS " FROM fax_note WHERE fax = ? AND id > ? ORDER BY id LIMIT ?");
    if (error)
        return error;
    stmt_bind_int(stmt, fax->id);
    stmt_bind_int(stmt, after);
    stmt_bind_int(stmt, limit + 1);
    return query_page_of_loop(page, limit, note_json, stmt);
}
