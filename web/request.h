/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One request and its reply. A handler reads it, calls one request_reply... or request_problem..., and returns; the
 * reply leaves then, or after the commit of what was written. A handler that has to wait calls request_wait() instead,
 * and later, not before it has returned, replies and calls request_finish().
 *
 * The client may go away at any moment: then the request lives on without a connection until it is finished.
 *
 * Thread: loop.
 */
#ifndef FAXD_WEB_REQUEST_H
#define FAXD_WEB_REQUEST_H

#include "spool/contact_import.h"
#include "spool/key.h"
#include "spool/session.h"
#include "spool/user.h"
#include "web/fingerprint.h"
#include "web/gate.h"
#include "web/problem.h"
#include "web/route.h"
#include "web/witness.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <jansson.h>
#include <stdbool.h>
#include <sys/queue.h>

#define REQUEST_ID_SIZE      40
#define REQUEST_ADDRESS_SIZE 48

struct cover_try;
struct password;
struct spool;
struct upload;
struct web;

struct request {
    LIST_ENTRY(request) entry;
    struct web *web;             /* NULL once the web part is closed */
    struct gate *gate;           /* NULL together with http */
    struct evhttp_request *http; /* NULL once the client is gone, or has become a stream */
    char id[REQUEST_ID_SIZE];
    struct address client;              /* who asks, as gate_client() says */
    char address[REQUEST_ADDRESS_SIZE]; /* the same in letters */
    char method[8];                     /* "" when the head could not be read */
    char *path;
    struct evkeyvalq query;
    const struct route *route;
    char params[ROUTE_PARAMS][ROUTE_PARAM_SIZE];
    struct key key;              /* id 0 = none needed, or a session has come */
    struct user user;            /* who signed in, or whose key it is; id 0 = nobody */
    struct session session;      /* id 0 = none */
    struct password *password;   /* work on one, NULL = none */
    struct cover_try *cover_try; /* a template that is drawn, NULL = none */
    struct upload *upload;       /* the body of a route that takes large ones, else NULL */
    char idempotency_key[256], fingerprint[FINGERPRINT_SIZE];
    int64_t keep_reply_until; /* UTC ms; 0 = the usual time */
    int64_t began_at;         /* monotonic ms */

    struct contact_imported imported; /* what an import of contacts has done */

    struct witness witness; /* what the audit log will say of it */

    int status; /* 0 = not replied yet */
    struct evbuffer *reply;
    char *location;
    bool waiting;                /* the handler finishes it later */
    void (*gone)(void *context); /* of a handler that waits: the client went away, or the web part closes */
    void *gone_context;
};

struct request *request_new(struct web *web, struct gate *gate, struct evhttp_request *http);

struct spool *request_spool(const struct request *request);

/* NULL when absent. */
const char *request_query(const struct request *request, const char *name);
const char *request_header_in(const struct request *request, const char *name);
/* False, and a 400 is the reply, when a query parameter is not among `names` (ends with NULL). */
bool request_check_query(struct request *request, const char *const *names);
/* An integer parameter within a range, else `otherwise`; false and a 400 when it is no such number. */
bool request_query_int(int64_t *value, struct request *request, const char *name, int64_t low, int64_t high,
                       int64_t otherwise);

/* The body as JSON, a new reference, or NULL and the reply is made. */
json_t *request_json(struct request *request);
bool request_is_form(const struct request *request);
/* The client would rather have comma-separated values than JSON. */
bool request_wants_csv(const struct request *request);

/* Set a header of the reply. Headers stay when the reply changes. */
void request_header(struct request *request, const char *name, const char *value);
/* Takes `body` over. */
void request_reply(struct request *request, int status, json_t *body);
void request_reply_text(struct request *request, int status, const char *type, const void *text, size_t size);
/* `fd` is taken over. */
void request_reply_file(struct request *request, const char *type, int fd, size_t size);
void request_reply_empty(struct request *request, int status);
/* Names the content of the reply (ETag) and says how it may be kept. True when the client has just that: then the reply
 * is made, 304. */
bool request_is_known(struct request *request, const char *name, const char *cache_control);
void request_problem(struct request *request, int status, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* 422 with every fault; clears `problems`. */
void request_problems(struct request *request, struct problems *problems);
/* The reply that fits an error result and its message; what only a log can explain is logged, not told. */
void request_error(struct request *request, int error);

/* The usual replies to a result about the thing that the path's first parameter names, or that is being made: 404
 * no_such_KIND, 409 too_many, 409 exists. True for 0, and then there is no reply yet. */
bool request_found(struct request *request, int result, const char *kind);

void request_wait(struct request *request);
/* Send the reply and free the request. */
void request_finish(struct request *request);
/* The reply is 503 now: what the request did, or the entry of the audit log about it, cannot be stored. */
void request_not_stored(struct request *request);
/* For spool_after_commit: finish, with request_not_stored() when the turn is void. */
void request_on_committed(void *context, int error);
/* From a handler that does not wait: begin a reply without an end. The head goes out, the caller has the evhttp_request
 * and the gate from then on (it calls gate_stream(), and request_http_closed() when told), and the request ends. */
struct evhttp_request *request_stream(struct request *request, const char *type);
/* The connection was closed under a request: frees what evhttp leaves to us. */
void request_http_closed(struct evhttp_request *http);

#endif
