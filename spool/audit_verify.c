/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Walking the chain from its first entry to the head that was committed when the walk began. */
#include "spool/audit_verify.h"

#include "db/reader.h"
#include "db/stmt.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "spool/spool_private.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SLICE 2000 /* entries; some 10 ms */

struct audit_verification {
    struct spool *spool;
    struct audit_result result;
    char hash[AUDIT_HASH_SIZE]; /* of the last entry that was right */
    bool over;
    int error;
    char *message;
    void (*done)(void *context, int error, const struct audit_result *result); /* NULL = canceled */
    void *context;
};

const char *audit_fault_name(enum audit_fault fault)
{
    switch (fault) {
    case AUDIT_FAULT_NONE:
        return "none";
    case AUDIT_FAULT_CHANGED:
        return "changed";
    case AUDIT_FAULT_MISSING:
        return "missing";
    case AUDIT_FAULT_ADDED:
        return "added";
    }
    return "none";
}

static void verification_free(struct audit_verification *verification)
{
    if (verification->spool->audit_verifications > 0)
        verification->spool->audit_verifications--;
    free(verification->message);
    free(verification);
}

static void find(struct audit_verification *verification, enum audit_fault fault, int64_t sequence)
{
    verification->result.fault = fault;
    verification->result.broken = sequence;
    verification->over = true;
}

/* ---- on the reader thread ---- */

/* False at the first that is not right. */
static bool look(struct audit_verification *verification, struct stmt *stmt)
{
    struct audit_result *result = &verification->result;
    const struct audit_entry entry = {
        .actor = (enum audit_actor)stmt_int(stmt, "actor_kind"),
        .actor_id = stmt_text(stmt, "actor"),
        .actor_name = stmt_text(stmt, "actor_name"),
        .address = stmt_text(stmt, "address"),
        .action = stmt_text(stmt, "action"),
        .object = stmt_text(stmt, "object"),
        .detail = stmt_text(stmt, "detail"),
    };
    int64_t sequence = stmt_int(stmt, "sequence"), wanted = result->entries + 1;
    char hash[AUDIT_HASH_SIZE];
    if (sequence != wanted) {
        find(verification, AUDIT_FAULT_MISSING, wanted);
        return false;
    }
    audit_hash(hash, verification->hash, sequence, stmt_int(stmt, "at"), &entry);
    if (strcmp(hash, stmt_text(stmt, "hash")) != 0 ||
        (sequence == result->head.sequence && strcmp(hash, result->head.hash) != 0)) {
        find(verification, AUDIT_FAULT_CHANGED, sequence);
        return false;
    }
    str_copy(verification->hash, sizeof(verification->hash), hash);
    result->entries = sequence;
    return true;
}

static int look_at_slice(struct audit_verification *verification, struct db *db)
{
    struct stmt *stmt;
    int found = 0;
    int error = stmt_open(&stmt, db,
                          "SELECT sequence, at, actor_kind, actor, actor_name, address, action, object, detail, hash"
                          " FROM audit WHERE sequence > ? AND sequence <= ? ORDER BY sequence LIMIT ?");
    if (error)
        return error;
    stmt_bind_int(stmt, verification->result.entries);
    stmt_bind_int(stmt, verification->result.head.sequence);
    stmt_bind_int(stmt, SLICE);
    while ((error = stmt_step(stmt)) == 1 && look(verification, stmt))
        found++;
    stmt_close(stmt);
    if (error == 0 && found < SLICE && !verification->over) {
        verification->over = true;
        if (verification->result.entries < verification->result.head.sequence)
            find(verification, AUDIT_FAULT_MISSING, verification->result.entries + 1);
    }
    return error < 0 ? error : 0;
}

/* Numbers begin at 1: what stands below was put there by somebody else. */
static int look_below(struct audit_verification *verification, struct db *db)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, db, "SELECT sequence FROM audit WHERE sequence < 1 ORDER BY sequence LIMIT 1");
    if (error)
        return error;
    error = stmt_step(stmt);
    if (error == 1)
        find(verification, AUDIT_FAULT_ADDED, stmt_int(stmt, "sequence"));
    stmt_close(stmt);
    return error < 0 ? error : 0;
}

static void run(void *context, struct db *db)
{
    struct audit_verification *verification = context;
    if (verification->result.entries == 0)
        verification->error = look_below(verification, db);
    if (!verification->error && !verification->over)
        verification->error = look_at_slice(verification, db);
    if (verification->error)
        verification->message = xstrdup(err_message()); /* the message is this thread's */
}

/* ---- on the loop ---- */

static void finish(struct audit_verification *verification, int error)
{
    if (!error && verification->error)
        error = err_set(verification->error, "%s", verification->message);
    if (verification->done)
        verification->done(verification->context, error, error ? NULL : &verification->result);
    verification_free(verification);
}

static void finished(void *context, int error)
{
    struct audit_verification *verification = context;
    if (!error && !verification->error && !verification->over && verification->done) {
        error = reader_post(verification->spool->reader, run, finished, verification);
        if (!error)
            return;
    }
    finish(verification, error);
}

int audit_verify_start(struct audit_verification **out, struct spool *spool,
                       void (*done)(void *context, int error, const struct audit_result *result), void *context)
{
    spool_assert_loop(spool);
    *out = NULL;
    if (spool->audit_verifications >= AUDIT_VERIFY_MAX)
        return err_set(ERR_AGAIN, "the audit log is being verified %d times already", AUDIT_VERIFY_MAX);
    struct audit_verification *verification = xcalloc(1, sizeof(*verification));
    verification->spool = spool;
    verification->done = done;
    verification->context = context;
    audit_head(&verification->result.head, spool);
    spool->audit_verifications++;
    *out = verification;
    int error = reader_post(spool->reader, run, finished, verification);
    if (error) {
        *out = NULL;
        verification_free(verification);
    }
    return error;
}

void audit_verify_cancel(struct audit_verification *verification)
{
    verification->done = NULL;
}
