/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one function that turns a row into a struct fax. Columns are read in the order of FAX_COLUMNS, which lets stmt
 * find each at the first look.
 */
#include "spool/fax_row.h"

#include "db/stmt.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"

#include <stdlib.h>

static char *text(struct stmt *stmt, const char *column)
{
    return xstrdup(stmt_text(stmt, column));
}

void fax_row_read(struct fax *fax, struct stmt *stmt)
{
    fax->id = stmt_int(stmt, "id");
    str_copy(fax->public_id, sizeof(fax->public_id), stmt_text(stmt, "public_id"));
    fax->direction = (enum fax_direction)stmt_int(stmt, "direction");
    fax->state = (enum fax_state)stmt_int(stmt, "state");
    fax->reason = text(stmt, "reason");
    fax->owner = stmt_int(stmt, "owner");
    fax->test = stmt_int(stmt, "test") != 0;
    fax->destination = text(stmt, "destination");
    fax->sender = text(stmt, "sender");
    fax->line_group = text(stmt, "line_group");
    fax->routed = stmt_int(stmt, "routed") != 0;
    fax->priority = (enum fax_priority)stmt_int(stmt, "priority");
    fax->not_before = stmt_int(stmt, "not_before");
    fax->expires_at = stmt_int(stmt, "expires_at");
    fax->created_at = stmt_int(stmt, "created_at");
    fax->updated_at = stmt_int(stmt, "updated_at");
    fax->queued_at = stmt_int(stmt, "queued_at");
    fax->dialed_at = stmt_int(stmt, "dialed_at");
    fax->connected_at = stmt_int(stmt, "connected_at");
    fax->ended_at = stmt_int(stmt, "ended_at");
    fax->original = text(stmt, "original");
    fax->document = text(stmt, "document");
    fax->pages_total = (int)stmt_int(stmt, "pages_total");
    fax->prepared_pages = (int)stmt_int(stmt, "prepared_pages");
    fax->prepared_of = (int)stmt_int(stmt, "prepared_of");
    fax->pages_confirmed = (int)stmt_int(stmt, "pages_confirmed");
    fax->attempts = (int)stmt_int(stmt, "attempts");
    fax->calls = (int)stmt_int(stmt, "calls");
    fax->max_attempts = (int)stmt_int(stmt, "max_attempts");
    fax->resume = (enum fax_resume)stmt_int(stmt, "resume");
    fax->on_unconfirmed = (enum fax_on_unconfirmed)stmt_int(stmt, "on_unconfirmed");
    fax->delivery = (enum fax_delivery)stmt_int(stmt, "delivery");
    fax->outcome = (enum fax_outcome)stmt_int(stmt, "outcome");
    fax->message = text(stmt, "message");
    fax->error = text(stmt, "error");
    fax->remote_station_id = text(stmt, "remote_station_id");
    fax->local_station_id = text(stmt, "local_station_id");
    fax->line = text(stmt, "line");
    fax->attempt = stmt_int(stmt, "attempt");
    fax->options = text(stmt, "options");
    fax->transport = text(stmt, "transport");
    fax->client_reference = text(stmt, "client_reference");
    fax->tags = text(stmt, "tags");
    fax->metadata = text(stmt, "metadata");
    fax->resent_from = text(stmt, "resent_from");
    fax->purged_at = stmt_int(stmt, "purged_at");
    fax->purged_document = text(stmt, "purged_document");
    fax->user_id = stmt_int(stmt, "user_id");
    str_copy(fax->user, sizeof(fax->user), stmt_text(stmt, "user_public_id"));
    fax->unread = stmt_int(stmt, "unread") != 0;
    fax->junk = stmt_int(stmt, "junk") != 0;
    fax->assigned = stmt_int(stmt, "assigned");
    fax->labels = text(stmt, "labels");
    str_copy(fax->assigned_to, sizeof(fax->assigned_to), stmt_text(stmt, "assigned_public_id"));
    fax->batch = stmt_int(stmt, "batch");
    str_copy(fax->batch_id, sizeof(fax->batch_id), stmt_text(stmt, "batch_public_id"));
}

int fax_row_one(struct fax *fax, struct stmt *stmt)
{
    int error = stmt_step(stmt);
    if (error == 1)
        fax_row_read(fax, stmt);
    stmt_close(stmt);
    return error == 1 ? 0 : error ? error : err_set(ERR_NOT_FOUND, "no such fax");
}

int fax_row_ids(int64_t *ids, int room, struct stmt *stmt)
{
    int count = 0;
    int error = 0;
    while (count < room && (error = stmt_step(stmt)) == 1)
        ids[count++] = stmt_int(stmt, "id");
    stmt_close(stmt);
    return error < 0 ? error : count;
}

void fax_row_set(char **text, const char *value)
{
    char *copy = xstrdup(value ? value : "");
    free(*text);
    *text = copy;
}

char *fax_row_json(const json_t *value)
{
    bool empty = !value || json_is_null(value) || (json_is_object(value) && json_object_size(value) == 0) ||
                 (json_is_array(value) && json_array_size(value) == 0);
    char *text = empty ? NULL : json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS);
    return text ? text : xstrdup("");
}
