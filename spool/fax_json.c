/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Faxes, attempts and errors in the shapes of the API. */
#include "spool/fax_json.h"

#include "db/stmt.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "spool/nullable.h"
#include "spool/spool.h"

#include <stdlib.h>
#include <string.h>

static json_t *parsed(const char *text, json_t *otherwise)
{
    json_t *value = text && *text ? json_loads(text, 0, NULL) : NULL;
    if (!value)
        return otherwise;
    json_decref(otherwise);
    return value;
}

static json_t *copy_or_null(const json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    return value ? json_incref(value) : json_null();
}

/* Names of the documented status codes (plug-in ABI); what is not in the table is shown as a number. */
static json_t *fs_name(uint32_t status)
{
    static const struct {
        uint32_t status;
        const char *name;
    } names[] = {
        {0x20000000, "FS_INITIALIZING"},     {0x20000001, "FS_DIALING"},      {0x20000002, "FS_TRANSMITTING"},
        {0x20000004, "FS_RECEIVING"},        {0x20000008, "FS_COMPLETED"},    {0x20000010, "FS_HANDLED"},
        {0x20000020, "FS_LINE_UNAVAILABLE"}, {0x20000040, "FS_BUSY"},         {0x20000080, "FS_NO_ANSWER"},
        {0x20000100, "FS_BAD_ADDRESS"},      {0x20000200, "FS_NO_DIAL_TONE"}, {0x20000400, "FS_DISCONNECTED"},
        {0x20000800, "FS_FATAL_ERROR"},      {0x20001000, "FS_NOT_FAX_CALL"}, {0x20002000, "FS_CALL_DELAYED"},
        {0x20004000, "FS_CALL_BLACKLISTED"}, {0x20200000, "FS_USER_ABORT"},   {0x20800000, "FS_ANSWERED"},
    };
    if (!status)
        return json_null();
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (names[i].status == status)
            return json_string(names[i].name);
    return json_sprintf("0x%08x", status);
}

json_t *fax_json_error(enum fax_outcome outcome, const char *message, uint32_t fs_status, const json_t *record)
{
    const struct outcome_info *info = outcome_info(outcome);
    return json_pack("{s:s, s:s, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "code", info->code, "class",
                     info->class_name, "phase", nullable_text(info->phase), "retryable", info->retryable, "fs_status",
                     fs_name(fs_status), "t30", copy_or_null(record, "t30_result"), "sip",
                     copy_or_null(record, "sip_status"), "q850", copy_or_null(record, "q850"), "hylafax",
                     nullable_text(info->hylafax), "message",
                     nullable_text(message && *message ? message : info->message), "hint", nullable_text(info->hint));
}

json_t *fax_json_transport(const json_t *record)
{
    static const char *const keys[][2] = {
        {"mode", "mode"},          {"codec", "codec"}, {"t38_version", "t38_version"}, {"rate_bps", "rate_bps"},
        {"modem", "modem"},        {"ecm", "ecm"},     {"compression", "compression"}, {"resolution", "resolution"},
        {"bad_lines", "bad_rows"},
    };
    json_t *transport = json_object();
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
        json_object_set_new(transport, keys[i][0], copy_or_null(record, keys[i][1]));
    return transport;
}

static json_t *pages_of(const struct fax *fax)
{
    /* Every page left when only the last confirmation is missing. */
    int sent =
        fax->delivery == FAX_DELIVERY_UNCONFIRMED && fax->pages_total > 0 ? fax->pages_total : fax->pages_confirmed;
    return json_pack("{s:o, s:i, s:i}", "total", fax->pages_total >= 0 ? json_integer(fax->pages_total) : json_null(),
                     "sent", sent, "confirmed", fax->pages_confirmed);
}

/* A call may break off after the far end has confirmed everything: the attempt tells of it, the fax is delivered. */
static bool has_failed(const struct fax *fax)
{
    return fax->outcome != OUTCOME_NONE && fax->outcome != OUTCOME_SUCCESS && fax->state != FAX_DELIVERED;
}

static json_t *timing_of(const struct fax *fax)
{
    int64_t billed_ms =
        fax->connected_at > 0 && fax->ended_at > fax->connected_at ? fax->ended_at - fax->connected_at : 0;
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:I}", "created", nullable_time(fax->created_at), "queued",
                     nullable_time(fax->queued_at), "dialed", nullable_time(fax->dialed_at), "connected",
                     nullable_time(fax->connected_at), "ended", nullable_time(fax->ended_at), "billed_s",
                     (json_int_t)((billed_ms + 999) / 1000));
}

static json_t *links_of(const struct fax *fax)
{
    json_t *links = json_pack("{s:o, s:o, s:o}", "self", json_sprintf("/v1/faxes/%s", fax->public_id), "events",
                              json_sprintf("/v1/faxes/%s/events", fax->public_id), "attempts",
                              json_sprintf("/v1/faxes/%s/attempts", fax->public_id));
    if (fax->document && *fax->document)
        json_object_set_new(links, "document", json_sprintf("/v1/faxes/%s/document", fax->public_id));
    if (fax->direction == FAX_OUTBOUND && !fax_state_is_final(fax->state))
        json_object_set_new(links, "cancel", json_sprintf("/v1/faxes/%s/cancel", fax->public_id));
    return links;
}

static void add_head(json_t *object, const struct fax *fax)
{
    json_object_set_new(object, "id", json_string(fax->public_id));
    json_object_set_new(object, "direction", json_string(fax->direction == FAX_INBOUND ? "inbound" : "outbound"));
    json_object_set_new(object, "status", json_string(fax_state_name(fax->state)));
    json_object_set_new(object, "delivery", json_string(fax_delivery_name(fax->delivery)));
    json_object_set_new(object, "to", nullable_text(fax->destination));
    json_object_set_new(object, "from", nullable_text(fax->sender));
    json_object_set_new(object, "pages", pages_of(fax));
    json_object_set_new(object, "attempts", json_integer(fax->attempts));
    json_object_set_new(object, "client_reference", nullable_text(fax->client_reference));
    json_object_set_new(object, "test", json_boolean(fax->test));
}

json_t *fax_json_thin(const struct fax *fax)
{
    json_t *object = json_object();
    add_head(object, fax);
    json_object_set_new(object, "error", has_failed(fax) ? json_string(outcome_info(fax->outcome)->code) : json_null());
    return object;
}

/* How far it is while the pages are made. */
static json_t *preparation_of(const struct fax *fax)
{
    if (fax->state != FAX_PREPARING)
        return json_null();
    return json_pack("{s:i, s:o}", "pages", fax->prepared_pages, "of",
                     fax->prepared_of >= 0 ? json_integer(fax->prepared_of) : json_null());
}

/* Whom its sender chose among the contacts, as that was called then. Few faxes have one, and a list has many faxes. */
static json_t *contact_of(const struct fax *fax)
{
    json_t *options = fax->options && strstr(fax->options, "\"to_contact\"") ? parsed(fax->options, NULL) : NULL;
    json_t *contact = options ? copy_or_null(options, "to_contact") : json_null();
    json_decref(options);
    return contact;
}

static void add_outbound(json_t *object, const struct fax *fax)
{
    json_object_set_new(object, "to_contact", contact_of(fax));
    bool waits = fax->state == FAX_SCHEDULED;
    json_object_set_new(object, "preparation", preparation_of(fax));
    const char *why = fax_reason_text(fax->reason);
    json_object_set_new(object, "reason", nullable_text(fax->reason));
    json_object_set_new(object, "reason_text", why ? json_string(why) : json_null());
    json_object_set_new(object, "priority", json_string(fax_priority_name(fax->priority)));
    json_object_set_new(object, "next_attempt_at", nullable_time(waits ? fax->not_before : 0));
    json_object_set_new(object, "not_before", nullable_time(fax->not_before));
    json_object_set_new(object, "expires_at", nullable_time(fax->expires_at));
    json_object_set_new(object, "calls", json_integer(fax->calls));
    json_object_set_new(object, "max_attempts", json_integer(fax->max_attempts));
    json_object_set_new(object, "resent_from", nullable_text(fax->resent_from));
    json_object_set_new(object, "batch", nullable_text(fax->batch_id));
}

static void add_inbound(json_t *object, const struct fax *fax)
{
    json_object_set_new(object, "unread", json_boolean(fax->unread));
    json_object_set_new(object, "assigned", nullable_text(fax->assigned_to));
    json_object_set_new(object, "labels", parsed(fax->labels, json_array()));
    json_object_set_new(object, "junk", json_boolean(fax->junk));
}

json_t *fax_json(const struct fax *fax)
{
    json_t *object = json_object();
    add_head(object, fax);
    if (fax->direction == FAX_OUTBOUND)
        add_outbound(object, fax);
    else
        add_inbound(object, fax);
    json_object_set_new(object, "number", json_integer(fax->id));
    json_object_set_new(object, "user", nullable_text(fax->user));
    json_object_set_new(object, "remote_station_id", nullable_text(fax->remote_station_id));
    json_object_set_new(object, "local_station_id", nullable_text(fax->local_station_id));
    json_object_set_new(object, "line", nullable_text(fax->line));
    if (has_failed(fax))
        json_object_set_new(object, "error", parsed(fax->error, fax_json_error(fax->outcome, fax->message, 0, NULL)));
    json_object_set_new(object, "transport", parsed(fax->transport, json_null()));
    json_object_set_new(object, "timing", timing_of(fax));
    /* What was sent or received can be proved by its hash also when we no longer have it. */
    json_object_set_new(object, "document_sha256",
                        nullable_text(fax->purged_at ? fax->purged_document : fax->document));
    json_object_set_new(object, "documents_purged_at", nullable_time(fax->purged_at));
    json_object_set_new(object, "tags", parsed(fax->tags, json_array()));
    json_object_set_new(object, "metadata", parsed(fax->metadata, json_object()));
    json_object_set_new(object, "links", links_of(fax));
    return object;
}

static json_t *attempt_error(struct stmt *stmt, const json_t *record)
{
    enum fax_outcome outcome = (enum fax_outcome)stmt_int(stmt, "outcome");
    if (outcome == OUTCOME_NONE || outcome == OUTCOME_SUCCESS)
        return json_null();
    return fax_json_error(outcome, stmt_text(stmt, "message"), (uint32_t)stmt_int(stmt, "fs_status"), record);
}

/* What the network said of the call. */
static void add_network(json_t *object, const json_t *record)
{
    static const char *const keys[] = {"trunk", "call_id",     "sip_status",  "sip_reason", "q850",
                                       "codec", "t38_version", "packet_loss", "jitter_ms"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
        json_object_set_new(object, keys[i], copy_or_null(record, keys[i]));
}

static json_t *attempt_object(struct stmt *stmt, const struct fax *fax)
{
    json_t *record = parsed(stmt_text(stmt, "record"), json_null());
    json_t *object = json_object();
    int number = (int)stmt_int(stmt, "number");
    json_object_set_new(object, "number", json_integer(number));
    json_object_set_new(object, "line", json_string(stmt_text(stmt, "line")));
    json_object_set_new(object, "provider", json_string(stmt_text(stmt, "provider")));
    json_object_set_new(object, "started_at", nullable_time(stmt_int(stmt, "started_at")));
    json_object_set_new(object, "dialed_at", nullable_time(stmt_int(stmt, "dialed_at")));
    json_object_set_new(object, "connected_at", nullable_time(stmt_int(stmt, "connected_at")));
    json_object_set_new(object, "ended_at", nullable_time(stmt_int(stmt, "ended_at")));
    json_object_set_new(object, "first_page", json_integer(stmt_int(stmt, "first_page")));
    json_object_set_new(object, "pages_confirmed", json_integer(stmt_int(stmt, "pages_confirmed")));
    json_object_set_new(object, "outcome",
                        nullable_text(outcome_info((enum fax_outcome)stmt_int(stmt, "outcome"))->code));
    json_object_set_new(object, "error", attempt_error(stmt, record));
    json_object_set_new(object, "transport", json_is_object(record) ? fax_json_transport(record) : json_null());
    json_object_set_new(object, "remote_station_id", nullable_text(stmt_text(stmt, "remote_station_id")));
    add_network(object, record);
    if (json_object_get(record, "frames") || json_object_get(record, "sip"))
        json_object_set_new(object, "frames_link",
                            json_sprintf("/v1/faxes/%s/attempts/%d/trace", fax->public_id, number));
    json_decref(record);
    return object;
}

int fax_json_attempts(json_t **list, struct spool *spool, const struct fax *fax)
{
    struct stmt *stmt;
    *list = NULL;
    int error = stmt_open(&stmt, spool_db(spool),
                          "SELECT number, line, provider, started_at, dialed_at, connected_at, ended_at, first_page,"
                          " pages_confirmed, outcome, message, fs_status, remote_station_id, record"
                          " FROM attempt WHERE fax = ? ORDER BY number");
    if (error)
        return error;
    stmt_bind_int(stmt, fax->id);
    json_t *data = json_array();
    while ((error = stmt_step(stmt)) == 1)
        json_array_append_new(data, attempt_object(stmt, fax));
    stmt_close(stmt);
    if (error) {
        json_decref(data);
        return error;
    }
    *list = json_pack("{s:o}", "data", data);
    return 0;
}

static json_t *list_of(const json_t *record, const char *key)
{
    json_t *list = json_object_get(record, key);
    return json_is_array(list) ? json_incref(list) : json_array();
}

int fax_json_trace(json_t **trace, struct spool *spool, const struct fax *fax, int number)
{
    static const char *const keys[] = {"frames_omitted",
                                       "sip_omitted",
                                       "modem_dialogue_omitted",
                                       "trunk",
                                       "call_id",
                                       "t30_result",
                                       "t30_text",
                                       "sip_status",
                                       "sip_reason",
                                       "q850"};
    struct stmt *stmt;
    *trace = NULL;
    int error = stmt_open(&stmt, spool_db(spool), "SELECT record FROM attempt WHERE fax = ? AND number = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, fax->id);
    stmt_bind_int(stmt, number);
    error = stmt_step(stmt);
    if (error == 1) {
        json_t *record = parsed(stmt_text(stmt, "record"), json_object());
        *trace = json_pack("{s:i, s:o, s:o, s:o}", "number", number, "frames", list_of(record, "frames"), "sip",
                           list_of(record, "sip"), "modem_dialogue", list_of(record, "modem_dialogue"));
        for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
            json_object_set_new(*trace, keys[i], copy_or_null(record, keys[i]));
        json_decref(record);
    }
    stmt_close(stmt);
    return error == 1 ? 0 : error ? error : err_set(ERR_NOT_FOUND, "this fax has no attempt %d", number);
}
