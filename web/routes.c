/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of resources. web/openapi.json describes the same, and a test compares the two. */
#include "web/routes.h"

#include "spool/key.h"
#include "spool/user.h"
#include "web/api.h"

#include <stddef.h>

#define WRITES   ROUTE_WRITES
#define JSON     (ROUTE_WRITES | ROUTE_BODY_JSON)
#define UPLOAD   (ROUTE_WRITES | ROUTE_BODY_JSON | ROUTE_BODY_FORM | ROUTE_BODY_LARGE)
#define SEE      (USER_ADMIN | USER_OPERATOR | USER_READER)
#define SEND     (USER_ADMIN | USER_OPERATOR | USER_SENDER)
#define OPERATE  (USER_ADMIN | USER_OPERATOR)
#define ANY      (SEE | SEND)
#define HOOK     "/v1/webhook-endpoints"
#define ROUTES   "/v1/routes/outbound"
#define INBOUND  "/v1/routes/inbound"
#define DELIVERY HOOK "/{id}/deliveries"

const struct route routes[] = {
    {"POST", "/v1/faxes", KEY_FAX_SEND, SEND, UPLOAD, faxes_post},
    {"GET", "/v1/faxes", KEY_FAX_READ, ANY, 0, faxes_list},
    {"GET", "/v1/faxes/{id}", KEY_FAX_READ, ANY, 0, faxes_get},
    {"DELETE", "/v1/faxes/{id}", KEY_FAX_CANCEL | KEY_INBOX_MANAGE, OPERATE, WRITES, purge_fax},
    {"POST", "/v1/faxes/{id}/cancel", KEY_FAX_CANCEL, SEND, WRITES, faxes_cancel},
    {"POST", "/v1/faxes/{id}/hold", KEY_FAX_CANCEL, SEND, WRITES, faxes_hold},
    {"POST", "/v1/faxes/{id}/release", KEY_FAX_CANCEL, SEND, WRITES, faxes_release},
    {"PATCH", "/v1/faxes/{id}", KEY_FAX_CANCEL, SEND, JSON, verbs_patch},
    {"POST", "/v1/faxes/{id}/retry", KEY_FAX_SEND, SEND, JSON | ROUTE_BODY_NONE, verbs_retry},
    {"POST", "/v1/faxes/{id}/resend", KEY_FAX_SEND, SEND, JSON | ROUTE_BODY_NONE, verbs_resend},
    {"POST", "/v1/faxes/{id}/forward", KEY_FAX_SEND, SEND, JSON, verbs_forward},
    {"POST", "/v1/faxes/{id}/read", KEY_INBOX_MANAGE, SEND, JSON, inbox_post_read},
    {"POST", "/v1/faxes/{id}/assign", KEY_INBOX_MANAGE, OPERATE, JSON, inbox_post_assign},
    {"POST", "/v1/faxes/{id}/labels", KEY_INBOX_MANAGE, SEND, JSON, inbox_post_labels},
    {"POST", "/v1/faxes/{id}/junk", KEY_INBOX_MANAGE, SEND, JSON, inbox_post_junk},
    {"POST", "/v1/faxes/{id}/notes", KEY_INBOX_MANAGE, SEND, JSON, inbox_post_note},
    {"GET", "/v1/faxes/{id}/notes", KEY_FAX_READ, ANY, 0, inbox_list_notes},
    {"GET", "/v1/faxes/{id}/attempts", KEY_FAX_READ, ANY, 0, faxes_attempts},
    {"GET", "/v1/faxes/{id}/attempts/{n}/trace", KEY_FAX_READ, ANY, 0, faxes_trace},
    {"GET", "/v1/faxes/{id}/events", KEY_FAX_READ, ANY, 0, faxes_events},
    {"GET", "/v1/faxes/{id}/document", KEY_DOCUMENT_READ, ANY, 0, documents_get},
    {"GET", "/v1/faxes/{id}/pages/{n}", KEY_DOCUMENT_READ, ANY, 0, documents_page},
    {"GET", "/v1/faxes/{id}/receipt", KEY_DOCUMENT_READ, ANY, 0, receipt_get},
    {"GET", "/v1/faxes/{id}/thumbnail", KEY_DOCUMENT_READ, ANY, 0, documents_thumbnail},
    {"POST", "/v1/faxes/{id}/links", KEY_DOCUMENT_READ, ANY, ROUTE_BODY_JSON, links_post},
    {"GET", "/v1/links/{token}", 0, 0, 0, links_get},

    {"GET", "/v1/faxes/{id}/deliveries", KEY_FAX_READ, ANY, 0, deliveries_list},
    {"POST", "/v1/faxes/{id}/deliveries/{delivery}/retry", KEY_INBOX_MANAGE, OPERATE, WRITES, deliveries_retry},
    {"POST", "/v1/faxes/{id}/route", KEY_INBOX_MANAGE, OPERATE, WRITES, deliveries_route},

    {"POST", "/v1/batches", KEY_FAX_SEND, SEND, JSON | ROUTE_BODY_LARGE | ROUTE_BATCH, batches_post},
    {"GET", "/v1/batches", KEY_FAX_READ, ANY, 0, batches_list},
    {"GET", "/v1/batches/{id}", KEY_FAX_READ, ANY, 0, batches_get},
    {"POST", "/v1/batches/{id}/cancel", KEY_FAX_CANCEL, SEND, WRITES, batches_cancel},

    {"POST", "/v1/previews", KEY_FAX_SEND, SEND, (UPLOAD & ~ROUTE_WRITES) | ROUTE_PREVIEW, previews_post},
    {"GET", "/v1/previews/{id}", KEY_FAX_SEND, SEND, 0, previews_get},
    {"GET", "/v1/previews/{id}/document", KEY_FAX_SEND, SEND, 0, previews_document},
    {"GET", "/v1/previews/{id}/pages/{n}", KEY_FAX_SEND, SEND, 0, previews_page},
    {"GET", "/v1/cover-pages", KEY_FAX_SEND, SEND, 0, covers_list},
    {"POST", "/v1/cover-pages", KEY_CONFIG, OPERATE, ROUTE_BODY_JSON | ROUTE_BODY_TEXT, covers_post},
    {"POST", "/v1/cover-pages/sample", KEY_FAX_SEND, SEND, ROUTE_BODY_JSON | ROUTE_BODY_TEXT, covers_sample},
    {"GET", "/v1/cover-pages/{name}", KEY_FAX_SEND, SEND, 0, covers_get},
    {"PATCH", "/v1/cover-pages/{name}", KEY_CONFIG, OPERATE, ROUTE_BODY_JSON | ROUTE_BODY_TEXT, covers_patch},
    {"DELETE", "/v1/cover-pages/{name}", KEY_CONFIG, OPERATE, WRITES, covers_delete},

    {"GET", "/v1/lines", KEY_FAX_READ, SEE, 0, lines_list},
    {"GET", "/v1/lines/{*}", KEY_FAX_READ, SEE, 0, lines_get},
    {"PATCH", "/v1/lines/{*}", KEY_CONFIG, OPERATE, ROUTE_BODY_JSON, lines_patch},
    {"POST", "/v1/lines/{provider}/{line}/test", KEY_CONFIG, OPERATE, WRITES, lines_test},
    {"GET", "/v1/providers", KEY_FAX_READ, SEE, 0, lines_providers},

    {"GET", "/v1/trunks", KEY_CONFIG, OPERATE, 0, trunks_list},
    {"GET", "/v1/trunks/{provider}/{trunk}", KEY_CONFIG, OPERATE, 0, trunks_get},
    {"POST", "/v1/trunks/{provider}/{trunk}/test", KEY_CONFIG, OPERATE, WRITES, trunks_test},

    {"GET", "/v1/destinations", KEY_FAX_READ, SEE, 0, destinations_list},
    {"GET", "/v1/destinations/{number}", KEY_FAX_READ, SEE, 0, destinations_get},
    {"PATCH", "/v1/destinations/{number}", KEY_CONFIG, OPERATE, JSON, destinations_patch},
    {"DELETE", "/v1/destinations/{number}", KEY_CONFIG, OPERATE, WRITES, destinations_delete},

    {"GET", "/v1/contacts", KEY_FAX_SEND, SEND, 0, contacts_list},
    {"POST", "/v1/contacts", KEY_FAX_SEND, SEND, JSON, contacts_post},
    {"POST", "/v1/contacts/import", KEY_FAX_SEND, SEND, ROUTE_BODY_CSV, contacts_import},
    {"GET", "/v1/contacts/{id}", KEY_FAX_SEND, SEND, 0, contacts_get},
    {"PATCH", "/v1/contacts/{id}", KEY_FAX_SEND, SEND, JSON, contacts_patch},
    {"DELETE", "/v1/contacts/{id}", KEY_FAX_SEND, SEND, WRITES, contacts_delete},
    {"GET", "/v1/groups", KEY_FAX_SEND, SEND, 0, groups_list},
    {"POST", "/v1/groups", KEY_FAX_SEND, SEND, JSON, groups_post},
    {"GET", "/v1/groups/{id}", KEY_FAX_SEND, SEND, 0, groups_get},
    {"PATCH", "/v1/groups/{id}", KEY_FAX_SEND, SEND, JSON, groups_patch},
    {"DELETE", "/v1/groups/{id}", KEY_FAX_SEND, SEND, WRITES, groups_delete},

    {"GET", "/v1/identities", KEY_FAX_SEND, SEND, 0, identities_list},
    {"POST", "/v1/identities", KEY_CONFIG, OPERATE, JSON, identities_post},
    {"GET", "/v1/identities/{id}", KEY_FAX_SEND, SEND, 0, identities_get},
    {"PATCH", "/v1/identities/{id}", KEY_CONFIG, OPERATE, JSON, identities_patch},
    {"DELETE", "/v1/identities/{id}", KEY_CONFIG, OPERATE, WRITES, identities_delete},

    {"GET", "/v1/rules/block", KEY_CONFIG, OPERATE, 0, block_rules_list},
    {"POST", "/v1/rules/block", KEY_CONFIG, OPERATE, JSON, block_rules_post},
    {"GET", "/v1/rules/block/{id}", KEY_CONFIG, OPERATE, 0, block_rules_get},
    {"PATCH", "/v1/rules/block/{id}", KEY_CONFIG, OPERATE, JSON, block_rules_patch},
    {"DELETE", "/v1/rules/block/{id}", KEY_CONFIG, OPERATE, WRITES, block_rules_delete},

    {"GET", ROUTES, KEY_CONFIG, OPERATE, 0, outbound_rules_list},
    {"POST", ROUTES, KEY_CONFIG, USER_ADMIN, JSON, outbound_rules_post},
    {"POST", ROUTES "/test", KEY_CONFIG, OPERATE, ROUTE_BODY_JSON, outbound_rules_test},
    {"GET", ROUTES "/{id}", KEY_CONFIG, OPERATE, 0, outbound_rules_get},
    {"PATCH", ROUTES "/{id}", KEY_CONFIG, USER_ADMIN, JSON, outbound_rules_patch},
    {"DELETE", ROUTES "/{id}", KEY_CONFIG, USER_ADMIN, WRITES, outbound_rules_delete},

    {"GET", INBOUND, KEY_CONFIG, OPERATE, 0, inbound_rules_list},
    {"POST", INBOUND, KEY_CONFIG, USER_ADMIN, JSON | ROUTE_SECRET, inbound_rules_post},
    {"POST", INBOUND "/test", KEY_CONFIG, OPERATE, ROUTE_BODY_JSON, inbound_rules_test},
    {"GET", INBOUND "/{id}", KEY_CONFIG, OPERATE, 0, inbound_rules_get},
    {"PATCH", INBOUND "/{id}", KEY_CONFIG, USER_ADMIN, JSON | ROUTE_SECRET, inbound_rules_patch},
    {"DELETE", INBOUND "/{id}", KEY_CONFIG, USER_ADMIN, WRITES, inbound_rules_delete},

    {"GET", "/v1/mails", KEY_CONFIG, OPERATE, 0, mails_list},
    {"GET", "/v1/mails/{id}", KEY_CONFIG, OPERATE, 0, mails_get},
    {"POST", "/v1/mails/{id}/retry", KEY_CONFIG, OPERATE, WRITES, mails_retry},
    {"GET", "/v1/faxes/{id}/mails", KEY_FAX_READ, ANY, 0, mails_of_fax},

    {"GET", "/v1/events", KEY_FAX_READ, ANY, 0, events_list},
    {"GET", "/v1/events/stream", KEY_FAX_READ, ANY, ROUTE_UNCOUNTED, events_stream},

    {"GET", HOOK, KEY_CONFIG, USER_ADMIN, 0, webhooks_list},
    {"POST", HOOK, KEY_CONFIG, USER_ADMIN, JSON | ROUTE_SECRET, webhooks_post},
    {"GET", HOOK "/{id}", KEY_CONFIG, USER_ADMIN, 0, webhooks_get},
    {"PATCH", HOOK "/{id}", KEY_CONFIG, USER_ADMIN, JSON, webhooks_patch},
    {"DELETE", HOOK "/{id}", KEY_CONFIG, USER_ADMIN, WRITES, webhooks_delete},
    {"POST", HOOK "/{id}/rotate-secret", KEY_CONFIG, USER_ADMIN, WRITES | ROUTE_SECRET, webhooks_rotate},
    {"POST", HOOK "/{id}/test", KEY_CONFIG, USER_ADMIN, WRITES, webhooks_test},
    {"GET", DELIVERY, KEY_CONFIG, USER_ADMIN, 0, webhooks_deliveries},
    {"POST", DELIVERY "/{delivery}/replay", KEY_CONFIG, USER_ADMIN, WRITES, webhooks_replay},

    {"GET", "/v1/api-keys", KEY_CONFIG, USER_ADMIN, 0, keys_list},
    {"POST", "/v1/api-keys", KEY_CONFIG, USER_ADMIN, JSON | ROUTE_SECRET, keys_post},
    {"GET", "/v1/api-keys/{id}", KEY_CONFIG, USER_ADMIN, 0, keys_get},
    {"PATCH", "/v1/api-keys/{id}", KEY_CONFIG, USER_ADMIN, JSON, keys_patch},
    {"DELETE", "/v1/api-keys/{id}", KEY_CONFIG, USER_ADMIN, WRITES, keys_delete},
    {"POST", "/v1/api-keys/{id}/rotate", KEY_CONFIG, USER_ADMIN, JSON | ROUTE_SECRET, keys_rotate},

    {"GET", "/v1/assignees", KEY_INBOX_MANAGE, OPERATE, 0, users_assignable},
    {"GET", "/v1/users", KEY_CONFIG, USER_ADMIN, 0, users_list},
    {"POST", "/v1/users", KEY_CONFIG, USER_ADMIN, ROUTE_BODY_JSON, users_post},
    {"GET", "/v1/users/{id}", KEY_CONFIG, USER_ADMIN, 0, users_get},
    {"PATCH", "/v1/users/{id}", KEY_CONFIG, USER_ADMIN, ROUTE_BODY_JSON, users_patch},
    {"DELETE", "/v1/users/{id}", KEY_CONFIG, USER_ADMIN, WRITES, users_delete},

    {"GET", "/v1/setup", 0, 0, 0, setup_get},
    {"POST", "/v1/setup", 0, 0, ROUTE_BODY_JSON | ROUTE_SECRET, setup_post},
    {"POST", "/v1/session", 0, 0, ROUTE_BODY_JSON | ROUTE_SECRET, sessions_post},
    {"GET", "/v1/session", 0, ANY, 0, sessions_get},
    {"DELETE", "/v1/session", 0, ANY, WRITES, sessions_delete},
    {"POST", "/v1/session/password", 0, ANY, ROUTE_BODY_JSON | ROUTE_SECRET, sessions_password},

    {"GET", "/v1/audit-log", KEY_AUDIT_READ, USER_ADMIN, 0, auditlog_list},
    {"GET", "/v1/audit-log/verify", KEY_AUDIT_READ, USER_ADMIN, 0, auditlog_verify},

    {"GET", "/v1/reports/usage", KEY_FAX_READ, SEE, 0, reports_usage},
    {"GET", "/v1/dashboard", KEY_FAX_READ, ANY, 0, dashboard_get},
    {"GET", "/v1/system", KEY_CONFIG, USER_ADMIN, 0, system_get},
    {"GET", "/v1/system/log", KEY_CONFIG, USER_ADMIN, 0, system_log},

    {"POST", "/v1/test/inbound", KEY_FAX_SEND, SEND, ROUTE_BODY_JSON, test_inbound},

    {"GET", "/health/live", 0, 0, ROUTE_UNCOUNTED, health_live},
    {"GET", "/health/ready", 0, 0, ROUTE_UNCOUNTED, health_ready},
    {"GET", "/metrics", 0, 0, ROUTE_UNCOUNTED, health_metrics},
    {"GET", "/v1/openapi.json", 0, 0, 0, pages_file},

    {"GET", "/", 0, 0, ROUTE_UNCOUNTED, pages_file},
    {"GET", "/ui/{*}", 0, 0, ROUTE_UNCOUNTED, pages_file},
    {"GET", "/favicon.ico", 0, 0, ROUTE_UNCOUNTED, pages_file},
    {NULL, NULL, 0, 0, 0, NULL},
};
