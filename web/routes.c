/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of resources. web/openapi.json describes the same, and a test compares the two. */
#include "web/routes.h"

#include "spool/key.h"
#include "web/api.h"

#include <stddef.h>

#define WRITES   ROUTE_WRITES
#define JSON     (ROUTE_WRITES | ROUTE_BODY_JSON)
#define UPLOAD   (ROUTE_WRITES | ROUTE_BODY_JSON | ROUTE_BODY_FORM | ROUTE_BODY_LARGE)
#define HOOK     "/v1/webhook-endpoints"
#define DELIVERY HOOK "/{id}/deliveries"

const struct route routes[] = {
    {"POST", "/v1/faxes", KEY_FAX_SEND, UPLOAD, faxes_post},
    {"GET", "/v1/faxes", KEY_FAX_READ, 0, faxes_list},
    {"GET", "/v1/faxes/{id}", KEY_FAX_READ, 0, faxes_get},
    {"DELETE", "/v1/faxes/{id}", KEY_FAX_CANCEL | KEY_INBOX_MANAGE, WRITES, purge_fax},
    {"POST", "/v1/faxes/{id}/cancel", KEY_FAX_CANCEL, WRITES, faxes_cancel},
    {"POST", "/v1/faxes/{id}/hold", KEY_FAX_CANCEL, WRITES, faxes_hold},
    {"POST", "/v1/faxes/{id}/release", KEY_FAX_CANCEL, WRITES, faxes_release},
    {"GET", "/v1/faxes/{id}/attempts", KEY_FAX_READ, 0, faxes_attempts},
    {"GET", "/v1/faxes/{id}/attempts/{n}/trace", KEY_FAX_READ, 0, faxes_trace},
    {"GET", "/v1/faxes/{id}/events", KEY_FAX_READ, 0, faxes_events},
    {"GET", "/v1/faxes/{id}/document", KEY_DOCUMENT_READ, 0, documents_get},
    {"GET", "/v1/faxes/{id}/pages/{n}", KEY_DOCUMENT_READ, 0, documents_page},
    {"GET", "/v1/faxes/{id}/thumbnail", KEY_DOCUMENT_READ, 0, documents_thumbnail},

    {"POST", "/v1/previews", KEY_FAX_SEND, (UPLOAD & ~ROUTE_WRITES) | ROUTE_PREVIEW, previews_post},
    {"GET", "/v1/previews/{id}", KEY_FAX_SEND, 0, previews_get},
    {"GET", "/v1/previews/{id}/document", KEY_FAX_SEND, 0, previews_document},
    {"GET", "/v1/previews/{id}/pages/{n}", KEY_FAX_SEND, 0, previews_page},
    {"GET", "/v1/cover-pages", KEY_FAX_SEND, 0, covers_list},

    {"GET", "/v1/lines", KEY_FAX_READ, 0, lines_list},
    {"GET", "/v1/lines/{*}", KEY_FAX_READ, 0, lines_get},
    {"PATCH", "/v1/lines/{*}", KEY_CONFIG, ROUTE_BODY_JSON, lines_patch},
    {"POST", "/v1/lines/{provider}/{line}/test", KEY_CONFIG, WRITES, lines_test},
    {"GET", "/v1/providers", KEY_FAX_READ, 0, lines_providers},

    {"GET", "/v1/trunks", KEY_CONFIG, 0, trunks_list},
    {"GET", "/v1/trunks/{provider}/{trunk}", KEY_CONFIG, 0, trunks_get},
    {"POST", "/v1/trunks/{provider}/{trunk}/test", KEY_CONFIG, WRITES, trunks_test},

    {"GET", "/v1/destinations", KEY_FAX_READ, 0, destinations_list},
    {"GET", "/v1/destinations/{number}", KEY_FAX_READ, 0, destinations_get},
    {"DELETE", "/v1/destinations/{number}", KEY_CONFIG, WRITES, destinations_delete},

    {"GET", "/v1/events", KEY_FAX_READ, 0, events_list},
    {"GET", "/v1/events/stream", KEY_FAX_READ, 0, events_stream},

    {"GET", HOOK, KEY_CONFIG, 0, webhooks_list},
    {"POST", HOOK, KEY_CONFIG, JSON | ROUTE_SECRET, webhooks_post},
    {"GET", HOOK "/{id}", KEY_CONFIG, 0, webhooks_get},
    {"PATCH", HOOK "/{id}", KEY_CONFIG, JSON, webhooks_patch},
    {"DELETE", HOOK "/{id}", KEY_CONFIG, WRITES, webhooks_delete},
    {"POST", HOOK "/{id}/rotate-secret", KEY_CONFIG, WRITES | ROUTE_SECRET, webhooks_rotate},
    {"POST", HOOK "/{id}/test", KEY_CONFIG, WRITES, webhooks_test},
    {"GET", DELIVERY, KEY_CONFIG, 0, webhooks_deliveries},
    {"POST", DELIVERY "/{delivery}/replay", KEY_CONFIG, WRITES, webhooks_replay},

    {"GET", "/v1/api-keys", KEY_CONFIG, 0, keys_list},
    {"POST", "/v1/api-keys", KEY_CONFIG, JSON | ROUTE_SECRET, keys_post},
    {"GET", "/v1/api-keys/{id}", KEY_CONFIG, 0, keys_get},
    {"DELETE", "/v1/api-keys/{id}", KEY_CONFIG, WRITES, keys_delete},

    {"GET", "/health/live", 0, 0, health_live},
    {"GET", "/health/ready", 0, 0, health_ready},
    {"GET", "/metrics", 0, 0, health_metrics},
    {"GET", "/v1/openapi.json", 0, 0, pages_file},

    {"GET", "/", 0, 0, pages_file},
    {"GET", "/ui/{*}", 0, 0, pages_file},
    {"GET", "/favicon.ico", 0, 0, pages_file},
    {NULL, NULL, 0, 0, NULL},
};
