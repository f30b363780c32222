/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Purging one fax. Only what has ended is touched: until then a call, a conversion or an adoption may need its files.
 */
#include "config.h"

#include "spool/purge.h"

#include "db/stmt.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "spool/attempt.h"
#include "spool/batch.h"
#include "spool/document.h"
#include "spool/document_use.h"
#include "spool/event.h"
#include "spool/fax.h"
#include "spool/fax_count.h"
#include "spool/fax_row.h"
#include "spool/route_delivery.h"
#include "spool/spool_private.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_SIZE 4096

/* ---- what lies beside the documents ---- */

/* Files of a call that outlive it: its journal, and a received file that nobody could read, which inbound put aside in
 * the folder of its provider as k<attempt>.tif. */
struct leftover {
    struct spool *spool;
    int64_t attempt;
    char provider[64];
};

static void remove_file(const char *path)
{
    if (unlink(path) != 0 && errno != ENOENT)
        log_warning("purge: cannot remove %s: %s", path, strerror(errno));
}

/* What is committed of the call's fax: neither record nor documents, the record only, or both as before (the part that
 * purged it was undone). */
static void look(bool *has_record, bool *has_documents, struct spool *spool, int64_t attempt)
{
    struct stmt *stmt;
    *has_record = *has_documents = true; /* not known: leave the files */
    if (stmt_open(&stmt, spool_db(spool),
                  "SELECT f.purged_at AS purged_at FROM attempt a JOIN fax f ON f.id = a.fax WHERE a.id = ?"))
        return;
    stmt_bind_int(stmt, attempt);
    int found = stmt_step(stmt);
    if (found >= 0) {
        *has_record = found == 1;
        *has_documents = found == 1 && stmt_int(stmt, "purged_at") == 0;
    }
    stmt_close(stmt);
}

static void remove_aside(const struct leftover *leftover)
{
    char path[PATH_SIZE];
    for (int i = 0; i < 2; i++) {
        const char *folder = spool_call_dir(leftover->spool, i);
        if (!folder)
            continue;
        int length =
            snprintf(path, sizeof(path), "%s/%s/k%lld.tif", folder, leftover->provider, (long long)leftover->attempt);
        if (length < (int)sizeof(path))
            remove_file(path);
    }
}

static void remove_leftover(void *context, int error)
{
    struct leftover *leftover = context;
    char path[PATH_SIZE];
    bool has_record = true, has_documents = true;
    if (!error)
        look(&has_record, &has_documents, leftover->spool, leftover->attempt);
    if (!has_documents)
        remove_aside(leftover);
    if (!has_record && !attempt_journal_path(path, sizeof(path), leftover->spool, leftover->attempt))
        remove_file(path);
    free(leftover);
}

static int remove_leftovers_after_commit(struct spool *spool, const struct fax *fax)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "SELECT id, provider FROM attempt WHERE fax = ? ORDER BY number");
    if (error)
        return error;
    stmt_bind_int(stmt, fax->id);
    while ((error = stmt_step(stmt)) == 1) {
        struct leftover *leftover = xcalloc(1, sizeof(*leftover));
        leftover->spool = spool;
        leftover->attempt = stmt_int(stmt, "id");
        str_copy(leftover->provider, sizeof(leftover->provider), stmt_text(stmt, "provider"));
        spool_after_commit(spool, remove_leftover, leftover);
    }
    stmt_close(stmt);
    return error;
}

/* ---- documents ---- */

static int check_ended(struct spool *spool, const struct fax *fax)
{
    bool open = false;
    if (!fax_state_is_final(fax->state))
        return err_set(ERR_CONFLICT, "a fax that is %s cannot be purged before its end", fax_state_name(fax->state));
    int error = fax->direction == FAX_INBOUND ? route_delivery_open(&open, spool, fax->id) : 0;
    if (error || !open)
        return error;
    return err_set(ERR_CONFLICT, "a delivery of this fax still waits: it cannot be purged before its end");
}

static int write_purged(struct spool *spool, const struct fax *fax, int64_t now_ms)
{
    struct stmt *stmt;
    int64_t changed;
    int error = stmt_open(&stmt, spool_db(spool),
                          "UPDATE fax SET purged_at = ?, updated_at = ?, purged_document = document, document = '',"
                          " original = '' WHERE id = ? AND state = ? AND purged_at = 0");
    if (error)
        return error;
    stmt_bind_int(stmt, now_ms);
    stmt_bind_int(stmt, now_ms);
    stmt_bind_int(stmt, fax->id);
    stmt_bind_int(stmt, fax->state);
    error = stmt_run(&changed, stmt);
    if (!error && changed != 1)
        error = err_set(ERR_CONFLICT, "fax %s is no longer %s", fax->public_id, fax_state_name(fax->state));
    return error;
}

/* 1 and one of the documents in table fax_document, whose row is deleted, 0, or an error. */
static int next_other(char sha[DOCUMENT_SHA_SIZE], struct spool *spool, const struct fax *fax)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool),
                          "DELETE FROM fax_document WHERE fax = ? AND (role, position) IN (SELECT role, position"
                          " FROM fax_document WHERE fax = ? LIMIT 1) RETURNING document");
    if (error)
        return error;
    stmt_bind_int(stmt, fax->id);
    stmt_bind_int(stmt, fax->id);
    error = stmt_step(stmt);
    if (error == 1)
        str_copy(sha, DOCUMENT_SHA_SIZE, stmt_text(stmt, "document"));
    stmt_close(stmt);
    return error;
}

/* Uploads, other forms, copies as sent; with their rows go the passwords of uploads. */
static int release_others(struct spool *spool, const struct fax *fax)
{
    char sha[DOCUMENT_SHA_SIZE];
    int found;
    while ((found = next_other(sha, spool, fax)) == 1) {
        int error = document_release(spool, sha);
        if (error)
            return error;
    }
    return found;
}

static void follow(struct fax *fax, int64_t now_ms)
{
    fax->purged_at = fax->updated_at = now_ms;
    fax_row_set(&fax->purged_document, fax->document);
    fax_row_set(&fax->document, "");
    fax_row_set(&fax->original, "");
}

/* `*had` = there were documents. The fax has ended. */
static int purge(bool *had, struct spool *spool, struct fax *fax)
{
    int64_t now_ms = clock_now_ms();
    *had = false;
    if (fax->purged_at)
        return 0;
    *had = *fax->original || *fax->document;
    int error = write_purged(spool, fax, now_ms);
    if (!error)
        error = document_release(spool, fax->document);
    if (!error)
        error = document_release(spool, fax->original);
    if (!error)
        error = release_others(spool, fax);
    if (!error)
        error = remove_leftovers_after_commit(spool, fax);
    if (!error)
        follow(fax, now_ms);
    return error;
}

int purge_documents(struct spool *spool, struct fax *fax)
{
    bool had = false;
    spool_assert_loop(spool);
    int error = check_ended(spool, fax);
    if (!error)
        error = purge(&had, spool, fax);
    if (error || !had)
        return error;
    json_t *data = json_pack("{s:b}", "record_deleted", 0);
    error = event_write(spool, "document.purged", fax, data);
    json_decref(data);
    if (!error)
        log_info("documents deleted fax=%s", fax->public_id);
    return error;
}

/* ---- the record ---- */

static int delete_where(struct spool *spool, const char *sql, int64_t id)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), sql);
    if (error)
        return error;
    stmt_bind_int(stmt, id);
    return stmt_run(NULL, stmt);
}

/* Deliveries go with their events. */
static int delete_rows(struct spool *spool, const struct fax *fax)
{
    int error = delete_where(spool, "DELETE FROM event WHERE fax = ? AND fax <> 0", fax->id);
    if (!error)
        error = delete_where(spool, "DELETE FROM attempt WHERE fax = ?", fax->id);
    if (!error)
        error = delete_where(spool, "DELETE FROM fax WHERE id = ?", fax->id);
    return error;
}

/* Of no fax, or it would go with the others; and without a number, which is what deleting the record is about. */
static int write_last_event(struct spool *spool, const struct fax *fax)
{
    json_t *data = json_pack("{s:s, s:s, s:s, s:b}", "id", fax->public_id, "direction",
                             fax->direction == FAX_INBOUND ? "inbound" : "outbound", "status",
                             fax_state_name(fax->state), "record_deleted", 1);
    int error = event_write(spool, "document.purged", NULL, data);
    json_decref(data);
    return error;
}

int purge_record(struct spool *spool, struct fax *fax)
{
    bool had = false;
    spool_assert_loop(spool);
    int error = check_ended(spool, fax);
    if (!error && fax->purged_at)
        error = remove_leftovers_after_commit(spool, fax);
    if (!error)
        error = purge(&had, spool, fax);
    if (!error)
        error = delete_rows(spool, fax);
    if (!error) {
        fax_count_move(spool, fax->state, 0);
        error = batch_moved(spool, fax, fax->state, 0);
    }
    if (!error && had)
        error = write_last_event(spool, fax);
    if (!error)
        log_info("record deleted fax=%s", fax->public_id);
    return error;
}
