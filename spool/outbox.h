/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Webhook endpoints and their deliveries: rows written with the state change, worked off by server/webhook.
 *
 * Standard Webhooks 1.0.0; retries 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h with jitter; 410 disables.
 *
 * Thread: loop.
 */
#ifndef FAXD_SPOOL_OUTBOX_H
#define FAXD_SPOOL_OUTBOX_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define OUTBOX_ID_SIZE   40
#define OUTBOX_ROTATE_MS (24 * 3600 * 1000LL)

struct spool;

struct outbox_endpoint {
    int64_t id;
    char public_id[OUTBOX_ID_SIZE]; /* "whe_" + ULID */
    char *url;
    char *secret;     /* "whsec_" + base64 */
    char *old_secret; /* signs as well while it is not ""; set by outbox_endpoint_rotate for OUTBOX_ROTATE_MS */
    char *events;     /* JSON array of types or prefixes ("fax.*"), "[]" = all but the opt-in ones */
    bool enabled;
    bool from_config; /* not changed by API */
    char *disabled_reason;
    int64_t owner, created_at;
};

struct outbox_delivery {
    int64_t id;
    char public_id[OUTBOX_ID_SIZE]; /* "msg_" + ULID: webhook-id, the same on every try */
    int64_t endpoint;
    int64_t event; /* sequence */
    int tries;
    int64_t next_at;   /* 0 = done or given up */
    char *type, *body; /* of the event */
};

#define OUTBOX_SECRET_SIZE 128 /* of "whsec_" and base64, with its end */

/* Is it an https or http URL with a host, without credentials, of at most 2,000 octets; is it a secret of Standard
 * Webhooks? 0 or ERR_INVALID. Pure. */
int outbox_url_check(const char *url);
int outbox_secret_check(const char *secret);
/* A new one. */
void outbox_secret_make(char secret[OUTBOX_SECRET_SIZE]);

/* Checked: https or http URL with a host, no credentials, at most 2,000 octets; secret made when `secret` is NULL.
 * Whether a private or loopback address is welcome is for the caller and for who connects. 0, ERR_INVALID, ERR_FULL (at
 * most 100). */
int outbox_endpoint_create(struct outbox_endpoint *endpoint, struct spool *spool, const char *url, const char *secret,
                           const json_t *events, int64_t owner, bool from_config);
int outbox_endpoint_find(struct outbox_endpoint *endpoint, struct spool *spool, const char *public_id);
int outbox_endpoint_get(struct outbox_endpoint *endpoint, struct spool *spool, int64_t id);
int outbox_endpoint_delete(struct spool *spool, const char *public_id);
/* Change what is not NULL. 0, ERR_NOT_FOUND, ERR_INVALID, ERR_CONFLICT (stands in the configuration). */
int outbox_endpoint_update(struct spool *spool, const char *public_id, const char *url, const json_t *events);
/* A new secret; the old one signs as well for OUTBOX_ROTATE_MS. 0 and the endpoint (the caller clears); errors as
 * above. */
int outbox_endpoint_rotate(struct outbox_endpoint *endpoint, struct spool *spool, const char *public_id);
/* Send an event webhook_endpoint.test to this endpoint alone. 0, ERR_NOT_FOUND, ERR_CONFLICT (disabled). */
int outbox_endpoint_test(struct spool *spool, const char *public_id);
int outbox_endpoint_enable(struct spool *spool, int64_t id, bool enabled, const char *reason);
json_t *outbox_endpoints_json(struct spool *spool); /* new array; secrets shown only by create */
json_t *outbox_endpoint_json(const struct outbox_endpoint *endpoint, bool with_secret);
void outbox_endpoint_clear(struct outbox_endpoint *endpoint);
/* The configuration's endpoints replace those of the last start (matched by URL, so that deliveries go on). */
int outbox_endpoints_from_config(struct spool *spool, const json_t *list);

/* Endpoints with deliveries that wait, and when the first of each is due: at most `room` (OUTBOX_ENDPOINTS_MAX holds
 * all); the count or an error. Looked at one by one, so that an endpoint that does not answer holds no other up. */
#define OUTBOX_ENDPOINTS_MAX 100

struct outbox_waiting {
    int64_t endpoint, next_at;
};

int outbox_waiting(struct outbox_waiting *list, int room, struct spool *spool);

/* Deliveries of an endpoint that are due, oldest first: fills at most `room`; the count or an error. Each is cleared by
 * the caller. */
int outbox_due(struct outbox_delivery *deliveries, int room, struct spool *spool, int64_t endpoint, int64_t now_ms);
void outbox_delivery_clear(struct outbox_delivery *delivery);

/* Result of a try: HTTP status (0 = no answer, `error` says why), `retry_after_s` from the header or -1. Decides the
 * next time, done, or given up; 410 disables the endpoint (event webhook_endpoint.disabled). */
int outbox_result(struct spool *spool, int64_t delivery, int http_status, const char *error, int retry_after_s,
                  int64_t now_ms);
/* Started: pushes next_at 60 s ahead so that a crash repeats it (at least once), and a second look does not. */
int outbox_taken(struct spool *spool, int64_t delivery, int64_t now_ms);
int outbox_replay(struct spool *spool, const char *endpoint_id, const char *delivery_id);
/* Newest first, by cursor: {"data":[...],"has_more":...,"next_cursor":...}. */
int outbox_deliveries_json(json_t **page, struct spool *spool, const char *endpoint_id, const char *cursor, int limit);

#endif
