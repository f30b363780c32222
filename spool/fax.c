/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Faxes by id, and the words that the API uses for their states. */
#include "spool/fax.h"

#include "db/stmt.h"
#include "server/base/err.h"
#include "spool/fax_row.h"
#include "spool/spool.h"

#include <stdlib.h>
#include <string.h>

int fax_get(struct fax *fax, struct spool *spool, int64_t id)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "SELECT " FAX_COLUMNS " FROM fax WHERE id = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, id);
    return fax_row_one(fax, stmt);
}

int fax_find(struct fax *fax, struct spool *spool, const char *public_id)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "SELECT " FAX_COLUMNS " FROM fax WHERE public_id = ?");
    if (error)
        return error;
    stmt_bind_text(stmt, public_id);
    return fax_row_one(fax, stmt);
}

void fax_clear(struct fax *fax)
{
    char **texts[] = {&fax->reason,   &fax->destination,       &fax->sender,          &fax->line_group,
                      &fax->original, &fax->document,          &fax->message,         &fax->error,
                      &fax->line,     &fax->options,           &fax->transport,       &fax->client_reference,
                      &fax->tags,     &fax->metadata,          &fax->resent_from,     &fax->purged_document,
                      &fax->labels,   &fax->remote_station_id, &fax->local_station_id};
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        free(*texts[i]);
    memset(fax, 0, sizeof(*fax));
}

const char *fax_state_name(enum fax_state state)
{
    switch (state) {
    case FAX_PREPARING:
        return "preparing";
    case FAX_HELD:
        return "held";
    case FAX_SCHEDULED:
        return "scheduled";
    case FAX_QUEUED:
    case FAX_WAITING:
        return "queued";
    case FAX_DIALING:
        return "dialing";
    case FAX_NEGOTIATING:
        return "negotiating";
    case FAX_SENDING:
        return "sending";
    case FAX_CANCELING:
        return "canceling";
    case FAX_DELIVERED:
        return "delivered";
    case FAX_PARTIALLY_DELIVERED:
        return "partially_delivered";
    case FAX_UNCONFIRMED:
        return "unconfirmed";
    case FAX_FAILED:
    case FAX_RECEIVE_FAILED:
        return "failed";
    case FAX_CANCELED:
        return "canceled";
    case FAX_EXPIRED:
        return "expired";
    case FAX_RINGING:
        return "ringing";
    case FAX_RECEIVING:
        return "receiving";
    case FAX_RECEIVED:
        return "received";
    case FAX_PARTIALLY_RECEIVED:
        return "partially_received";
    case FAX_REJECTED:
        return "rejected";
    case FAX_ROUTED:
        return "routed";
    case FAX_ROUTE_FAILED:
        return "route_failed";
    case FAX_ROUTING:
        return "routing";
    }
    return "unknown";
}

bool fax_state_is_final(enum fax_state state)
{
    switch (state) {
    case FAX_DELIVERED:
    case FAX_PARTIALLY_DELIVERED:
    case FAX_UNCONFIRMED:
    case FAX_FAILED:
    case FAX_CANCELED:
    case FAX_EXPIRED:
    case FAX_RECEIVED:
    case FAX_PARTIALLY_RECEIVED:
    case FAX_RECEIVE_FAILED:
    case FAX_REJECTED:
    case FAX_ROUTED:
    case FAX_ROUTE_FAILED:
    case FAX_ROUTING:
        return true;
    case FAX_PREPARING:
    case FAX_HELD:
    case FAX_SCHEDULED:
    case FAX_QUEUED:
    case FAX_WAITING:
    case FAX_DIALING:
    case FAX_NEGOTIATING:
    case FAX_SENDING:
    case FAX_CANCELING:
    case FAX_RINGING:
    case FAX_RECEIVING:
        break;
    }
    return false;
}

bool fax_state_in_call(enum fax_state state)
{
    switch (state) {
    case FAX_DIALING:
    case FAX_NEGOTIATING:
    case FAX_SENDING:
    case FAX_CANCELING:
    case FAX_RINGING:
    case FAX_RECEIVING:
        return true;
    case FAX_PREPARING:
    case FAX_HELD:
    case FAX_SCHEDULED:
    case FAX_QUEUED:
    case FAX_WAITING:
    case FAX_DELIVERED:
    case FAX_PARTIALLY_DELIVERED:
    case FAX_UNCONFIRMED:
    case FAX_FAILED:
    case FAX_CANCELED:
    case FAX_EXPIRED:
    case FAX_RECEIVED:
    case FAX_PARTIALLY_RECEIVED:
    case FAX_RECEIVE_FAILED:
    case FAX_REJECTED:
    case FAX_ROUTED:
    case FAX_ROUTE_FAILED:
    case FAX_ROUTING:
        break;
    }
    return false;
}

const char *fax_priority_name(enum fax_priority priority)
{
    switch (priority) {
    case FAX_URGENT:
        return "urgent";
    case FAX_HIGH:
        return "high";
    case FAX_NORMAL:
        return "normal";
    case FAX_BULK:
        return "bulk";
    }
    return "normal";
}

const char *fax_reason_text(const char *reason)
{
    static const struct {
        const char *word, *text;
    } texts[] = {
        {"held_by_user", "Somebody has put it on hold."},
        {"destination_busy", "Another fax is being sent to this number."},
        {"destination_suspended", "The number is suspended: it is not called until somebody says so."},
        {"outside_window", "By the outbound rules this number is not called at this time."},
        {"next_group", "The line or the network failed: the next line group is used."},
        {"line_unavailable", "No line could take the call: it is tried again."},
        {"retry", "The last call did not get through: it is tried again."},
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        if (strcmp(texts[i].word, reason) == 0)
            return texts[i].text;
    return NULL;
}

const char *fax_delivery_name(enum fax_delivery delivery)
{
    switch (delivery) {
    case FAX_DELIVERY_NONE:
        return "none";
    case FAX_DELIVERY_PARTIAL:
        return "partial";
    case FAX_DELIVERY_CONFIRMED:
        return "confirmed";
    case FAX_DELIVERY_UNCONFIRMED:
        return "unconfirmed";
    }
    return "none";
}
