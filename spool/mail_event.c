/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What happens and is mailed: the end of a fax whose sender asked for a receipt, a webhook endpoint that was disabled,
 * and what the administrator wants to be woken for. Each is decided where its event is written, in the same
 * transaction.
 */
#include "config.h" /* strtok_r */

#include "spool/mail_private.h"

#include "db/stmt.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "spool/fax.h"
#include "spool/receipt_wish.h"

#include <stdlib.h>
#include <string.h>

#define QUIET_MS (3600 * 1000LL) /* between alarms of one topic */

static const struct mailed {
    const char *event;
    enum mail_kind kind;
    unsigned on;       /* receipts: set of 1 << enum receipt_on */
    const char *about; /* alarms: members of the data that make two of them different ones */
} mailed[] = {
    {"fax.delivered", MAIL_RECEIPT, 1u << RECEIPT_ON_DELIVERED | 1u << RECEIPT_ON_ALWAYS, NULL},
    {"fax.partially_delivered", MAIL_RECEIPT, 1u << RECEIPT_ON_FAILED | 1u << RECEIPT_ON_ALWAYS, NULL},
    {"fax.unconfirmed", MAIL_RECEIPT, 1u << RECEIPT_ON_FAILED | 1u << RECEIPT_ON_ALWAYS, NULL},
    {"fax.failed", MAIL_RECEIPT, 1u << RECEIPT_ON_FAILED | 1u << RECEIPT_ON_ALWAYS, NULL},
    {"fax.expired", MAIL_RECEIPT, 1u << RECEIPT_ON_FAILED | 1u << RECEIPT_ON_ALWAYS, NULL},
    {"fax.canceled", MAIL_RECEIPT, 1u << RECEIPT_ON_ALWAYS, NULL}, /* somebody knows already */
    {"webhook_endpoint.disabled", MAIL_ENDPOINT_DISABLED, 0, "id"},
    {"trunk.down", MAIL_ALARM, 0, "provider trunk"},
    {"channel.fault", MAIL_ALARM, 0, "provider line"},
    {"inbound.route_failed", MAIL_ALARM, 0, ""},
};

static const struct mailed *find_mailed(const char *type)
{
    for (size_t i = 0; i < sizeof(mailed) / sizeof(*mailed); i++)
        if (strcmp(mailed[i].event, type) == 0)
            return &mailed[i];
    return NULL;
}

/* What cannot be queued does not undo what happened; but a store that fails does. */
static int queue(struct spool *spool, struct mail *mail, json_t *options)
{
    char *text = json_dumps(options, JSON_COMPACT | JSON_SORT_KEYS);
    mail->options = text;
    int error = mail_queue(mail, spool);
    if (error == ERR_INVALID || error == ERR_UNSUPPORTED) {
        log_warning("no mail to be sent kind=%s: %s", mail_kind_name(mail->kind), err_message());
        error = 0;
    }
    free(text);
    json_decref(options);
    return error;
}

/* ---- receipts ---- */

static int queue_receipt(struct spool *spool, const struct mailed *what, const struct fax *fax)
{
    struct receipt_wish wish;
    if (!fax || !receipt_wish_read(&wish, fax->options))
        return 0;
    int error = 0;
    if (what->on & 1u << wish.on) {
        struct mail mail = {.kind = MAIL_RECEIPT, .fax = fax->id, .to = wish.email};
        error = queue(spool, &mail,
                      json_pack("{s:b, s:b, s:s, s:s}", "first_page", wish.first_page, "attach", wish.attach,
                                "language", wish.language, "status", fax_state_name(fax->state)));
    }
    return error;
}

/* ---- alarms ---- */

/* "trunk.down sipgate main": caller frees. */
static char *topic_of(const struct mailed *what, const json_t *data)
{
    char *topic = xstrdup(what->event);
    char *names = xstrdup(what->about), *rest;
    for (char *name = strtok_r(names, " ", &rest); name; name = strtok_r(NULL, " ", &rest)) {
        const char *value = json_string_value(json_object_get(data, name));
        char *longer = value ? xasprintf("%s %.100s", topic, value) : NULL;
        if (longer) {
            free(topic);
            topic = longer;
        }
    }
    free(names);
    return topic;
}

/* 1 when there was one lately, 0, or an error. */
static int told_lately(struct spool *spool, const char *topic)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool),
                          "SELECT 1 AS one FROM mail WHERE topic = ? AND topic <> '' AND created_at > ? LIMIT 1");
    if (error)
        return error;
    stmt_bind_text(stmt, topic);
    stmt_bind_int(stmt, clock_now_ms() - QUIET_MS);
    error = stmt_step(stmt);
    stmt_close(stmt);
    return error;
}

static int queue_alarm(struct spool *spool, const struct mailed *what, const struct fax *fax, const json_t *data,
                       const char *to)
{
    char *topic = topic_of(what, data);
    int error = told_lately(spool, topic);
    if (error == 0) {
        struct mail mail = {.kind = what->kind, .fax = fax ? fax->id : 0, .to = (char *)to, .topic = topic};
        error =
            queue(spool, &mail,
                  json_pack("{s:s, s:o}", "event", what->event, "data", data ? json_deep_copy(data) : json_object()));
    }
    free(topic);
    return error < 0 ? error : 0;
}

/* The address of the user whose key made a webhook endpoint; "" when there is none. */
static int owner_address(char address[MAIL_ADDRESS_MAX + 1], struct spool *spool, const char *endpoint)
{
    struct stmt *stmt;
    *address = '\0';
    int error = stmt_open(&stmt, spool_db(spool),
                          "SELECT account.email AS email FROM endpoint JOIN api_key ON api_key.id = endpoint.owner"
                          " JOIN account ON account.id = api_key.user_id"
                          " WHERE endpoint.public_id = ? AND account.disabled = 0");
    if (error)
        return error;
    stmt_bind_text(stmt, endpoint);
    error = stmt_step(stmt);
    if (error == 1)
        str_copy(address, MAIL_ADDRESS_MAX + 1, stmt_text(stmt, "email"));
    stmt_close(stmt);
    return error < 0 ? error : 0;
}

static int queue_disabled(struct spool *spool, const struct mailed *what, const json_t *data)
{
    char address[MAIL_ADDRESS_MAX + 1];
    const char *id = json_string_value(json_object_get(data, "id"));
    int error = owner_address(address, spool, id ? id : "");
    if (error)
        return error;
    const char *to = *address ? address : spool->mails->alarm_to;
    return *to ? queue_alarm(spool, what, NULL, data, to) : 0;
}

int mail_on_event(struct spool *spool, const char *type, const struct fax *fax, const json_t *data)
{
    const struct mailed *what = mail_configured(spool) ? find_mailed(type) : NULL;
    if (!what)
        return 0;
    switch (what->kind) {
    case MAIL_RECEIPT:
        return queue_receipt(spool, what, fax);
    case MAIL_ENDPOINT_DISABLED:
        return queue_disabled(spool, what, data);
    case MAIL_ALARM:
    case MAIL_ROUTED:
        break;
    }
    return *spool->mails->alarm_to ? queue_alarm(spool, what, fax, data, spool->mails->alarm_to) : 0;
}

void mail_on_flood(struct spool *spool, const char *whose)
{
    static const struct mailed flood = {"rate_limited", MAIL_ALARM, 0, "whose"};
    struct mails *mails = spool->mails;
    int64_t now_ms = clock_mono_ms();
    if (!mail_configured(spool) || !*mails->alarm_to ||
        (mails->flood_told_at && now_ms - mails->flood_told_at < QUIET_MS))
        return;
    mails->flood_told_at = now_ms;
    json_t *data = json_pack("{s:s}", "whose", whose);
    if (queue_alarm(spool, &flood, NULL, data, mails->alarm_to))
        log_warning("no alarm about refused requests: %s", err_message());
    json_decref(data);
}
