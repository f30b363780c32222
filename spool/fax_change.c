/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes of a fax that waits. Its time is part of its state: which of the two queues it is in (due now, due later)
 * follows from it.
 */
#include "spool/fax_change.h"

#include "db/stmt.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "spool/event.h"
#include "spool/fax_row.h"
#include "spool/fax_state.h"
#include "spool/fax_tag.h"
#include "spool/spool_private.h"

#include <stdlib.h>

static int check(const struct fax *fax, const struct fax_change *change)
{
    if (fax->direction == FAX_INBOUND)
        return err_set(ERR_CONFLICT, "a received fax cannot be changed");
    if (fax_state_is_final(fax->state) || fax_state_in_call(fax->state))
        return err_set(ERR_CONFLICT, "a fax that is %s cannot be changed", fax_state_name(fax->state));
    int64_t not_before = change->set_not_before ? change->not_before : fax->not_before;
    int64_t expires_at = change->set_expires_at ? change->expires_at : fax->expires_at;
    if ((change->set_not_before || change->set_expires_at) && expires_at > 0 && not_before >= expires_at)
        return err_set(ERR_INVALID, "not_before: has to be before expires_at");
    return 0;
}

static int write_row(struct spool *spool, const struct fax *fax)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool),
                          "UPDATE fax SET priority = ?, tags = ?, client_reference = ?, expires_at = ?,"
                          " max_attempts = ? WHERE id = ? AND state = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, fax->priority);
    stmt_bind_text(stmt, fax->tags);
    stmt_bind_text(stmt, fax->client_reference);
    stmt_bind_int(stmt, fax->expires_at);
    stmt_bind_int(stmt, fax->max_attempts);
    stmt_bind_int(stmt, fax->id);
    stmt_bind_int(stmt, fax->state);
    return stmt_run(NULL, stmt);
}

static void take(struct fax *fax, const struct fax_change *change)
{
    if (change->set_priority)
        fax->priority = change->priority;
    if (change->set_client_reference)
        fax_row_set(&fax->client_reference, change->client_reference);
    if (change->set_tags) {
        free(fax->tags);
        fax->tags = fax_row_json(change->tags);
    }
    if (change->set_expires_at)
        fax->expires_at = change->expires_at;
    if (change->set_max_attempts)
        fax->max_attempts = change->max_attempts;
    if (change->set_not_before)
        fax->not_before = change->not_before;
}

/* Where the fax belongs with its new time. While it is prepared or held its time waits with it. */
static enum fax_state state_for(const struct fax *fax, const struct fax_change *change)
{
    bool later = fax->not_before > clock_now_ms();
    if (!change->set_not_before)
        return fax->state;
    if (fax->state == FAX_SCHEDULED && !later)
        return FAX_QUEUED;
    if ((fax->state == FAX_QUEUED || fax->state == FAX_WAITING) && later)
        return FAX_SCHEDULED;
    return fax->state;
}

/* Whoever shows the fax, or keeps a copy of it, hears which of its members to look at again. */
static int tell(struct spool *spool, const struct fax *fax, const struct fax_change *change)
{
    const struct {
        bool set;
        const char *name;
    } members[] = {
        {change->set_not_before, "not_before"},
        {change->set_priority, "priority"},
        {change->set_tags, "tags"},
        {change->set_client_reference, "client_reference"},
        {change->set_expires_at, "expires_at"},
        {change->set_max_attempts, "max_attempts"},
    };
    json_t *names = json_array(), *data;
    for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++) {
        if (members[i].set)
            json_array_append_new(names, json_string(members[i].name));
    }
    data = json_pack("{s:o}", "changed", names);
    int error = json_array_size(names) > 0 ? event_write(spool, "fax.changed", fax, data) : 0;
    json_decref(data);
    return error;
}

int fax_change(struct spool *spool, struct fax *fax, const struct fax_change *change)
{
    spool_assert_loop(spool);
    int error = check(fax, change);
    if (error)
        return error;
    take(fax, change);
    error = write_row(spool, fax);
    if (!error && change->set_tags)
        error = fax_tags_set(spool, fax->id, change->tags);
    if (error)
        return error;
    enum fax_state next = state_for(fax, change);
    if (next != fax->state)
        fax_row_set(&fax->reason, "");
    spool_mark(spool, SPOOL_CHANGE_QUEUE); /* the next time to look, or the head of the queue, may be another */
    error = fax_state_change(spool, fax, next);
    return error ? error : tell(spool, fax, change);
}
