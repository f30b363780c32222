/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The faxes that wait for the end of a suspension are in an index that holds no others. */
#include "spool/suspension.h"

#include "db/stmt.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "spool/destination.h"
#include "spool/event.h"
#include "spool/fax_row.h"
#include "spool/fax_state.h"
#include "spool/spool.h"

#define ROOM 256

int suspension_begin(struct destination *destination, struct spool *spool, const char *reason)
{
    char since[CLOCK_TEXT_SIZE];
    bool news = !destination->suspended_at;
    str_copy(destination->suspended_reason, sizeof(destination->suspended_reason), reason);
    if (!news)
        return 0;
    destination->suspended_at = clock_now_ms();
    log_warning("number is suspended number=%s: %s", destination->number, reason);
    json_t *data = json_pack("{s:s, s:s, s:s}", "number", destination->number, "reason", destination->suspended_reason,
                             "since", clock_format(since, destination->suspended_at));
    int error = event_write(spool, "destination.suspended", NULL, data);
    json_decref(data);
    return error;
}

static int held_ids(int64_t ids[ROOM], struct spool *spool, const char *number)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool),
                          "SELECT id FROM fax WHERE state = 2 AND reason = 'destination_suspended' AND destination = ?"
                          " ORDER BY id LIMIT ?");
    if (error)
        return error;
    stmt_bind_text(stmt, number);
    stmt_bind_int(stmt, ROOM);
    return fax_row_ids(ids, ROOM, stmt);
}

static int let_go(struct spool *spool, int64_t id)
{
    struct fax fax;
    int error = fax_get(&fax, spool, id);
    if (error)
        return error;
    fax_row_set(&fax.reason, "");
    error = fax_state_change(spool, &fax, fax.not_before > clock_now_ms() ? FAX_SCHEDULED : FAX_QUEUED);
    fax_clear(&fax);
    return error;
}

int suspension_end(struct destination *destination, struct spool *spool)
{
    int64_t ids[ROOM];
    int count, error = 0;
    destination->suspended_at = 0;
    destination->suspended_reason[0] = '\0';
    destination->not_fax_in_a_row = 0;
    do {
        count = held_ids(ids, spool, destination->number);
        for (int i = 0; i < count && !error; i++)
            error = let_go(spool, ids[i]);
    } while (count == ROOM && !error);
    return count < 0 ? count : error;
}
