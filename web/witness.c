/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Entries of the audit log about requests. What changes something and what shows a page is told; lists and states are
 * not. */
#include "web/witness.h"

#include "spool/audit.h"
#include "web/request.h"
#include "web/web_private.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"

#include <stdlib.h>
#include <string.h>

#define HOOK       "/v1/webhook-endpoints"
#define ROUTES     "/v1/routes/outbound"
#define INBOUND    "/v1/routes/inbound"
#define PAIRS_MAX  8   /* of the query */
#define VALUE_MAX  100 /* octets of each */
#define FIELDS_MAX 40  /* of a body */

enum word_flag {
    LOOKS = 1u << 0,  /* one entry an hour for the same actor and object is enough */
    BOTH = 1u << 1,   /* the object has both parameters of the path: "provider/line" */
    SECRET = 1u << 2, /* the parameter of the path is one; the handler says what it is about */
};

static const struct word {
    const char *method, *pattern, *action;
    unsigned flags;
} words[] = {
    {"POST", "/v1/faxes", "fax.sent", 0},
    {"DELETE", "/v1/faxes/{id}", "fax.purged", 0},
    {"POST", "/v1/faxes/{id}/cancel", "fax.canceled", 0},
    {"POST", "/v1/faxes/{id}/hold", "fax.held", 0},
    {"POST", "/v1/faxes/{id}/release", "fax.released", 0},
    {"PATCH", "/v1/faxes/{id}", "fax.changed", 0},
    {"POST", "/v1/faxes/{id}/retry", "fax.retried", 0},
    {"POST", "/v1/faxes/{id}/resend", "fax.resent", 0},
    {"POST", "/v1/faxes/{id}/forward", "fax.forwarded", 0},
    {"POST", "/v1/faxes/{id}/assign", "fax.assigned", 0},
    {"POST", "/v1/faxes/{id}/read", "fax.marked_read", 0},
    {"POST", "/v1/faxes/{id}/labels", "fax.labelled", 0},
    {"POST", "/v1/faxes/{id}/junk", "fax.junked", 0},
    {"POST", "/v1/faxes/{id}/notes", "fax.noted", 0},
    {"POST", "/v1/faxes/{id}/deliveries/{delivery}/retry", "delivery.retried", BOTH},
    {"POST", "/v1/faxes/{id}/route", "fax.routed", 0},
    {"GET", "/v1/faxes/{id}/receipt", "receipt.downloaded", 0},
    {"POST", "/v1/batches", "batch.sent", 0},
    {"POST", "/v1/batches/{id}/cancel", "batch.canceled", 0},
    {"GET", "/v1/faxes/{id}/document", "document.downloaded", 0},
    {"POST", "/v1/faxes/{id}/links", "link.created", 0},
    {"GET", "/v1/links/{token}", "document.downloaded", SECRET},
    {"GET", "/v1/faxes/{id}/pages/{n}", "fax.viewed", LOOKS},
    {"GET", "/v1/faxes/{id}/thumbnail", "fax.viewed", LOOKS},

    {"POST", "/v1/cover-pages", "cover_page.created", 0},
    {"PATCH", "/v1/cover-pages/{name}", "cover_page.changed", 0},
    {"DELETE", "/v1/cover-pages/{name}", "cover_page.deleted", 0},

    {"PATCH", "/v1/lines/{*}", "line.changed", 0},
    {"POST", "/v1/lines/{provider}/{line}/test", "line.tested", BOTH},
    {"POST", "/v1/trunks/{provider}/{trunk}/test", "trunk.tested", BOTH},
    {"PATCH", "/v1/destinations/{number}", "destination.changed", 0},
    {"DELETE", "/v1/destinations/{number}", "destination.forgotten", 0},

    {"POST", "/v1/contacts", "contact.created", 0},
    {"POST", "/v1/contacts/import", "contact.imported", 0},
    {"PATCH", "/v1/contacts/{id}", "contact.changed", 0},
    {"DELETE", "/v1/contacts/{id}", "contact.deleted", 0},
    {"POST", "/v1/groups", "group.created", 0},
    {"PATCH", "/v1/groups/{id}", "group.changed", 0},
    {"DELETE", "/v1/groups/{id}", "group.deleted", 0},
    {"POST", "/v1/identities", "identity.created", 0},
    {"PATCH", "/v1/identities/{id}", "identity.changed", 0},
    {"DELETE", "/v1/identities/{id}", "identity.deleted", 0},

    {"POST", "/v1/rules/block", "block_rule.created", 0},
    {"PATCH", "/v1/rules/block/{id}", "block_rule.changed", 0},
    {"DELETE", "/v1/rules/block/{id}", "block_rule.deleted", 0},
    {"POST", ROUTES, "outbound_rule.created", 0},
    {"PATCH", ROUTES "/{id}", "outbound_rule.changed", 0},
    {"DELETE", ROUTES "/{id}", "outbound_rule.deleted", 0},

    {"POST", INBOUND, "inbound_rule.created", 0},
    {"PATCH", INBOUND "/{id}", "inbound_rule.changed", 0},
    {"DELETE", INBOUND "/{id}", "inbound_rule.deleted", 0},
    {"POST", "/v1/mails/{id}/retry", "mail.retried", 0},

    {"POST", HOOK, "webhook.created", 0},
    {"PATCH", HOOK "/{id}", "webhook.changed", 0},
    {"DELETE", HOOK "/{id}", "webhook.deleted", 0},
    {"POST", HOOK "/{id}/rotate-secret", "webhook.secret_rotated", 0},
    {"POST", HOOK "/{id}/test", "webhook.tested", 0},
    {"POST", HOOK "/{id}/deliveries/{delivery}/replay", "webhook.replayed", BOTH},

    {"POST", "/v1/api-keys", "key.created", 0},
    {"PATCH", "/v1/api-keys/{id}", "key.changed", 0},
    {"DELETE", "/v1/api-keys/{id}", "key.revoked", 0},
    {"POST", "/v1/api-keys/{id}/rotate", "key.rotated", 0},

    {"POST", "/v1/users", "user.created", 0},
    {"PATCH", "/v1/users/{id}", "user.changed", 0},
    {"DELETE", "/v1/users/{id}", "user.deleted", 0},
    {"POST", "/v1/setup", "user.created", 0},
    {"POST", "/v1/session", "user.signed_in", 0},
    {"DELETE", "/v1/session", "user.signed_out", 0},
    {"POST", "/v1/session/password", "user.password_changed", 0},

    {"POST", "/v1/test/inbound", "test.received", 0},

    {"GET", "/v1/audit-log", "audit.viewed", LOOKS},
};

static const struct word *word_of(const struct route *route)
{
    for (size_t i = 0; route && i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i].method, route->method) == 0 && strcmp(words[i].pattern, route->pattern) == 0)
            return &words[i];
    return NULL;
}

const char *witness_action(const struct route *route)
{
    const struct word *word = word_of(route);

    return word ? word->action : NULL;
}

int witness_words(void)
{
    return (int)(sizeof words / sizeof *words);
}

/* --- what handlers say --- */

void witness_about(struct request *request, const char *object)
{
    free(request->witness.object);
    request->witness.object = xstrdup(object);
}

void witness_note(struct request *request, const char *name, json_t *value)
{
    if (!request->witness.detail)
        request->witness.detail = json_object();
    json_object_set_new(request->witness.detail, name, value);
}

void witness_body(struct request *request, const json_t *root)
{
    const char *name;
    json_t *value, *changed;
    int count = 0;

    if (strcmp(request->method, "PATCH") != 0 || !json_is_object(root))
        return;
    changed = json_object();
    json_object_foreach((json_t *)root, name, value)
    {
        if (count++ == FIELDS_MAX)
            break;
        if (json_is_boolean(value) || json_is_number(value) || json_is_null(value))
            json_object_set(changed, name, value);
        else
            json_object_set_new(changed, name, json_string("...")); /* a text may be a secret */
    }
    witness_note(request, "changed", changed);
}

void witness_clear(struct witness *witness)
{
    free(witness->object);
    json_decref(witness->detail);
    *witness = (struct witness){0};
}

/* --- entries --- */

static void take_actor(struct audit_entry *entry, const struct request *request)
{
    entry->address = request->address;
    if (request->key.id) {
        entry->actor = AUDIT_KEY;
        entry->actor_id = request->key.public_id;
        entry->actor_name = request->key.name;
    } else if (request->user.id) {
        entry->actor = AUDIT_USER;
        entry->actor_id = request->user.public_id;
        entry->actor_name = request->user.name;
    } else {
        entry->actor = AUDIT_UNKNOWN;
    }
}

/* The id in Location is that of a thing which was made. */
static const char *made_id(const struct request *request)
{
    const char *slash = request->location ? strrchr(request->location, '/') : NULL;

    return slash ? slash + 1 : "";
}

/* Caller frees. */
static char *object_of(const struct request *request, unsigned flags)
{
    const char *made = made_id(request);

    if (request->witness.object)
        return xstrdup(request->witness.object);
    if (*made)
        return xstrdup(made);
    if (flags & SECRET)
        return xstrdup("");
    return flags & BOTH ? xasprintf("%s/%s", request->params[0], request->params[1]) : xstrdup(request->params[0]);
}

static json_t *query_of(const struct request *request)
{
    const struct evkeyval *pair;
    json_t *query = json_object();
    int count = 0;

    TAILQ_FOREACH(pair, &request->query, next)
    {
        char name[VALUE_MAX], value[VALUE_MAX];
        if (count++ == PAIRS_MAX)
            break;
        str_copy(name, sizeof name, pair->key);
        str_copy(value, sizeof value, pair->value);
        json_object_set_new(query, name, json_string(value)); /* what is not UTF-8 is left out */
    }
    return query;
}

static json_t *detail_of(const struct request *request)
{
    json_t *detail = json_pack("{s:s}", "request", request->id);

    json_object_update(detail, request->witness.detail);
    if (*made_id(request) && request->params[0][0])
        json_object_set_new(detail, "of", json_string(request->params[0])); /* made of another, as by a resend */
    if (!TAILQ_EMPTY(&request->query))
        json_object_set_new(detail, "query", query_of(request));
    return detail;
}

static int write_entry(struct request *request, struct audit_entry *entry, unsigned flags, json_t *detail,
                       int (*write)(struct spool *spool, const struct audit_entry *entry))
{
    char *object = object_of(request, flags), *text = json_dumps(detail, JSON_COMPACT);
    int result;

    take_actor(entry, request);
    entry->object = object;
    entry->detail = text;
    result = write(request_spool(request), entry);
    free(object);
    free(text);
    json_decref(detail);
    return result;
}

int witness_done(struct request *request)
{
    const struct word *word = word_of(request->route);
    struct audit_entry entry = {0};
    int result;

    if (!word || request->witness.written)
        return 0;
    entry.action = word->action;
    result = write_entry(request, &entry, word->flags, detail_of(request),
                         word->flags & LOOKS ? audit_write_look : audit_write);
    request->witness.written = result == 0;
    if (result < 0)
        log_error("no entry in the audit log request=%s action=%s: %s", request->id, word->action, err_message());
    return result;
}

/* 401 without anything to sign in with is only somebody who looks in. */
static bool is_refusal(const struct request *request)
{
    return request->status == 403 || (request->status == 401 && request->route &&
                                      (request_header_in(request, "Authorization") || witness_action(request->route)));
}

void witness_refused(struct request *request)
{
    const struct word *word = word_of(request->route);
    struct audit_entry entry = {.action = "access.refused"};
    json_t *detail;

    if (!is_refusal(request))
        return;
    detail = json_pack("{s:s, s:i, s:s, s:s}", "request", request->id, "status", request->status, "method",
                       request->method, "path", request->route ? request->route->pattern : "");
    json_object_update(detail, request->witness.detail);
    if (write_entry(request, &entry, word ? word->flags : 0, detail, audit_write_refusal) < 0)
        log_warning("no entry in the audit log request=%s action=access.refused: %s", request->id, err_message());
}
