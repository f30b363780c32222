/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of documents: rows in the turn, files after its commit. A crash in between leaves a file that no row names,
 * which the sweep after the next start removes; never a row without its file.
 *
 * A remembered preparation (table prepared) lives as long as the upload that it was made of, and keeps the document
 * that it names: a fax with that upload which is being prepared right now may be about to take it.
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

static int finds(struct spool *spool, const char *sql, const char *sha)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), sql);
    if (error)
        return error;
    stmt_bind_text(stmt, sha);
    error = stmt_step(stmt);
    stmt_close(stmt);
    return error;
}

/* Every column by which a fax, or a batch of them to be, names a document, each with an index of its own. */
static const char *const names[] = {
    "SELECT 1 AS one FROM fax WHERE original = ? AND original <> '' LIMIT 1",
    "SELECT 1 AS one FROM fax WHERE document = ? AND document <> '' LIMIT 1",
    "SELECT 1 AS one FROM fax_document WHERE document = ? LIMIT 1",
    "SELECT 1 AS one FROM batch_document WHERE document = ? LIMIT 1",
};

int document_is_named(struct spool *spool, const char *sha)
{
    int found = 0;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names) && !found; i++)
        found = finds(spool, names[i], sha);
    return found;
}

static int forget(struct spool *spool, const char *original, const char *made)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "DELETE FROM prepared WHERE original = ? AND document = ?");
    if (error)
        return error;
    stmt_bind_text(stmt, original);
    stmt_bind_text(stmt, made);
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
        int error = forget(spool, original, made);
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
    int needed = document_is_named(spool, sha);
    if (needed)
        return needed < 0 ? needed : 0;
    int error = forget_made_of(spool, sha);
    if (error)
        return error;
    needed = finds(spool, "SELECT 1 AS one FROM prepared WHERE document = ? LIMIT 1", sha);
    if (needed)
        return needed < 0 ? needed : 0;
    return delete_row(spool, sha);
}
