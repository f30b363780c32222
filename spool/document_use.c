/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of documents: rows in the turn, files after its commit. A crash in between leaves a file that no row names,
 * which the sweep after the next start removes; never a row without its file.
 *
 * A remembered preparation (table prepared) is there to save the converter work for faxes that share an upload. It
 * keeps no document alive that no fax names: what is derived from purged pages would be the same pages.
 */
#include "config.h"

#include "spool/document_use.h"

#include "db/stmt.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "spool/document.h"
#include "spool/document_count.h"
#include "spool/spool_private.h"

#include <stdlib.h>

struct drop {
    struct spool *spool;
    char sha[DOCUMENT_SHA_SIZE];
};

/* The row may be there again, when the same octets were stored later in the turn or the part was undone:
 * document_drop_stray() looks. */
static void drop_file(void *context, int error)
{
    struct drop *drop = context;
    if (!error && document_drop_stray(drop->spool, drop->sha))
        log_warning("store: a deleted document's file stays until the next start: %s", err_message());
    free(drop);
}

static void drop_file_after_commit(struct spool *spool, const char *sha)
{
    struct drop *drop = xcalloc(1, sizeof(*drop));
    drop->spool = spool;
    str_copy(drop->sha, sizeof(drop->sha), sha);
    spool_after_commit(spool, drop_file, drop);
}

/* Does the query, with `sha` for each of its placeholders, find a row? */
static int finds(struct spool *spool, const char *sql, int placeholders, const char *sha)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), sql);
    if (error)
        return error;
    for (int i = 0; i < placeholders; i++)
        stmt_bind_text(stmt, sha);
    error = stmt_step(stmt);
    stmt_close(stmt);
    return error;
}

int document_is_named(struct spool *spool, const char *sha)
{
    int named = finds(spool, "SELECT 1 AS one FROM fax WHERE original = ? AND original <> '' LIMIT 1", 1, sha);
    if (named)
        return named;
    return finds(spool, "SELECT 1 AS one FROM fax WHERE document = ? AND document <> '' LIMIT 1", 1, sha);
}

static int run(struct spool *spool, const char *sql, const char *first, const char *second)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), sql);
    if (error)
        return error;
    stmt_bind_text(stmt, first);
    if (second)
        stmt_bind_text(stmt, second);
    return stmt_run(NULL, stmt);
}

/* 1 and one of the documents that were made of `original`, 0, or an error. */
static int next_made_of(char made[DOCUMENT_SHA_SIZE], struct spool *spool, const char *original)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "SELECT document FROM prepared WHERE original = ? LIMIT 1");
    if (error)
        return error;
    stmt_bind_text(stmt, original);
    error = stmt_step(stmt);
    if (error == 1)
        str_copy(made, DOCUMENT_SHA_SIZE, stmt_text(stmt, "document"));
    stmt_close(stmt);
    return error;
}

/* Every turn of the loop deletes a row at least, so that it ends whatever the rows say. */
static int forget_made_of(struct spool *spool, const char *original)
{
    char made[DOCUMENT_SHA_SIZE];
    int found;
    while ((found = next_made_of(made, spool, original)) == 1) {
        int error = run(spool, "DELETE FROM prepared WHERE original = ? AND document = ?", original, made);
        if (!error)
            error = document_release(spool, made);
        if (error)
            return error;
    }
    return found;
}

static int delete_row(struct spool *spool, const char *sha)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "DELETE FROM document WHERE sha256 = ? RETURNING size");
    if (error)
        return error;
    stmt_bind_text(stmt, sha);
    error = stmt_step(stmt);
    if (error == 1) {
        document_count_deleted(spool, stmt_int(stmt, "size"));
        drop_file_after_commit(spool, sha);
    }
    stmt_close(stmt);
    return error < 0 ? error : 0;
}

int document_release(struct spool *spool, const char *sha)
{
    spool_assert_loop(spool);
    if (!*sha)
        return 0;
    int named = document_is_named(spool, sha);
    if (named)
        return named < 0 ? named : 0;
    int error = run(spool, "DELETE FROM prepared WHERE document = ?", sha, NULL);
    if (!error)
        error = forget_made_of(spool, sha);
    return error ? error : delete_row(spool, sha);
}
