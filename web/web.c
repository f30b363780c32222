/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way of a request: gate, route, key, idempotency, handler, commit, reply. */
#include "web/web.h"

#include "spool/spool.h"
#include "web/auth.h"
#include "web/idempotent.h"
#include "web/limits.h"
#include "web/preview.h"
#include "web/rendering.h"
#include "web/request.h"
#include "web/routes.h"
#include "web/setup.h"
#include "web/stream.h"
#include "web/throttle.h"
#include "web/tls.h"
#include "web/upload.h"
#include "web/web_private.h"
#include "web/worker.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

/* Many people may share an address. */
#define FAILURES_OF_A_PAIR     5  /* a name from one address */
#define FAILURES_OF_STRANGERS  50 /* a name from all that are strange to it */
#define FAILURES_OF_AN_ADDRESS 30

/* --- what the gate refused --- */

static const struct {
    int status;
    const char *code, *detail;
} refusals[] = {
    [GATE_BAD_HEAD] = {400, "malformed_request", "this is not an HTTP/1.1 request"},
    [GATE_BAD_FRAMING] = {400, "malformed_body", "the length of the body is contradictory, or none belongs here"},
    [GATE_BAD_METHOD] = {501, "unknown_method", "nothing here has this method"},
    [GATE_BAD_CODING] = {501, "unknown_coding", "the only transfer coding taken is chunked"},
    [GATE_BAD_EXPECT] = {417, "unknown_expectation", "the only expectation met is 100-continue"},
    [GATE_BAD_VERSION] = {505, "http_version", "HTTP/1.0 and HTTP/1.1 are spoken here"},
    [GATE_HEAD_SIZE] = {431, "head_too_large", "request line and headers may have 16384 octets"},
    [GATE_SLOW] = {408, "too_slow", "the request did not arrive in time"},
    [GATE_BODY_SIZE] = {413, "body_too_large", "the body is larger than is taken here"},
    [GATE_MEMORY] = {503, "memory_full", "too many large requests are under way; try again in a moment"},
    [GATE_CONNECTIONS] = {503, "too_many_connections", "too many connections; try again in a moment"},
};

static bool was_refused(struct request *request)
{
    enum gate_refusal refusal = gate_refusal(request->gate);

    if (refusal == GATE_OK || refusal == GATE_NOT_ADMITTED)
        return false;
    request->web->refused++;
    request_problem(request, refusals[refusal].status, refusals[refusal].code, "%s", refusals[refusal].detail);
    return true;
}

/* --- before the handler --- */

static bool has_route(struct request *request)
{
    char allow[ROUTE_ALLOW_SIZE];
    enum route_result result =
        route_find(&request->route, request->params, allow, routes, request->method, request->path);

    if (result == ROUTE_FOUND)
        return true;
    if (!limits_check(request))
        return false;
    if (result == ROUTE_NO_PATH) {
        request_problem(request, 404, "no_such_resource", "there is nothing at this path");
        return false;
    }
    request_header(request, "Allow", allow);
    if (strcmp(request->method, "OPTIONS") == 0)
        request_reply_empty(request, 204);
    else
        request_problem(request, 405, "method_not_allowed", "this resource takes %s", allow);
    return false;
}

static bool is_json(const char *type)
{
    return type && (strncasecmp(type, "application/json", 16) == 0) && (type[16] == '\0' || strchr("; \t", type[16]));
}

static bool is_csv(const char *type)
{
    return type && (strncasecmp(type, "text/csv", 8) == 0) && (type[8] == '\0' || strchr("; \t", type[8]));
}

static bool has_right_type(struct request *request)
{
    unsigned flags = request->route->flags;

    if ((flags & ROUTE_BODY_NONE) && evbuffer_get_length(gate_body(request->gate)) == 0)
        return true;
    if (flags & ROUTE_BODY_CSV) {
        if (is_csv(request_header_in(request, "Content-Type")) || request_is_form(request))
            return true;
        request_problem(request, 415, "unsupported_media_type", "the body has to be text/csv or multipart/form-data");
        return false;
    }

    if (!(flags & (ROUTE_BODY_JSON | ROUTE_BODY_FORM)) || is_json(request_header_in(request, "Content-Type")) ||
        ((flags & ROUTE_BODY_FORM) && request_is_form(request)))
        return true;
    request_problem(request, 415, "unsupported_media_type", "the body has to be %s",
                    flags & ROUTE_BODY_FORM ? "application/json or multipart/form-data" : "application/json");
    return false;
}

/* Before a body is read: only whom it can lead to something may send one, and only as much as the resource takes. */
static size_t admit(void *context, const struct gate *gate, const char *authorization, const char *cookie)
{
    const struct web *web = context;
    char params[ROUTE_PARAMS][ROUTE_PARAM_SIZE], allow[ROUTE_ALLOW_SIZE], *path = xstrdup(gate_target(gate));
    const struct route *route = NULL;
    struct user user = {0};
    struct key key = {0};

    path[strcspn(path, "?#")] = '\0';
    if (route_find(&route, params, allow, routes, gate_method(gate), path) != ROUTE_FOUND ||
        !auth_admits(&key, &user, web->options.spool, route, authorization, cookie) ||
        !key_rule_allows(&key.rule, gate_client(gate)) ||
        !limits_have_room(web->limits, &key, user.id, gate_client(gate)))
        route = NULL;
    free(path);
    if (!route)
        return 0;
    if (route->flags & ROUTE_BODY_CSV)
        return web->options.body_max < ROUTE_BODY_FILE ? web->options.body_max : ROUTE_BODY_FILE;
    if (route->flags & ROUTE_BODY_TEXT)
        return web->options.body_max < ROUTE_BODY_PAGE ? web->options.body_max : ROUTE_BODY_PAGE;
    return route->flags & ROUTE_BODY_LARGE ? web->options.body_max : ROUTE_BODY_SMALL;
}

/* --- the handler and after --- */

/* What a writing handler did stays only when it succeeded; its reply then waits for the commit. */
static void run_writer(struct request *request, void (*handle)(struct request *request))
{
    struct spool *spool = request_spool(request);
    int result = spool_part_begin(spool);
    bool keep = false;

    if (result == 0) {
        handle(request);
        keep = request->status < 400;
        if (keep && ((result = witness_done(request)) < 0 || (result = idempotent_keep(request)) < 0))
            keep = false;
        if (spool_part_end(spool, keep) < 0 && result == 0)
            result = ERR_IO;
    }
    if (result < 0) {
        log_error("request could not be stored request=%s path=%s: %s", request->id, request->path, err_message());
        request_on_committed(request, result);
    } else if (keep) {
        spool_after_commit(spool, request_on_committed, request);
    } else {
        request_finish(request);
    }
}

void web_write(struct request *request, void (*handle)(struct request *request))
{
    request->waiting = false;
    run_writer(request, handle);
}

static void run(struct request *request)
{
    if (request->route->flags & ROUTE_WRITES) {
        run_writer(request, request->route->handle);
        return;
    }
    request->route->handle(request);
    if (request->waiting)
        return;
    if (!request->http) { /* it has become a stream */
        request_finish(request);
        return;
    }
    if (request->status < 400 && witness_done(request) < 0)
        request_not_stored(request);
    /* What was read may have been written by another request of this turn: it is told after the commit as well. */
    if (request->route->scope != 0 && request->status < 400)
        spool_after_commit(request_spool(request), request_on_committed, request);
    else
        request_finish(request);
}

/* The body is here, and read where that took long. */
static void go_on(struct request *request)
{
    request->waiting = false;
    if (!request->http)
        request_finish(request);
    else if (idempotent_begin(request))
        run(request);
    else
        request_finish(request);
}

/* The body was not read, though nothing is in the way any more: what was has passed in the meantime. */
static bool was_admitted(struct request *request)
{
    if (gate_refusal(request->gate) != GATE_NOT_ADMITTED)
        return true;
    request_header(request, "Retry-After", "1");
    request_problem(request, 429, "rate_limited", "this came a moment too early; try again in 1 s");
    return false;
}

static void on_request(struct evhttp_request *http, void *context)
{
    struct web *web = context;
    struct gate *gate = gates_find(web->gates, http);
    struct request *request;

    if (!gate) {
        evhttp_send_error(http, 503, NULL);
        return;
    }
    request = request_new(web, gate, http);
    if (was_refused(request) || !has_route(request) || !auth_check(request) || !limits_check(request) ||
        !was_admitted(request) || !has_right_type(request) || !idempotent_key(request))
        request_finish(request);
    else if (request->route->flags & ROUTE_BODY_LARGE)
        upload_start(request, go_on);
    else
        go_on(request);
}

/* --- open and close --- */

static int listen_on(struct web *web)
{
    const struct web_options *options = &web->options;
    struct evhttp_bound_socket *bound =
        evhttp_bind_socket_with_handle(web->http, web->address, (ev_uint16_t)options->port);
    struct sockaddr_storage address;
    socklen_t size = sizeof address;

    if (!bound)
        return err_set(ERR_IO, "cannot listen on %s port %d: %s", web->address, options->port, strerror(errno));
    if (getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&address, &size) < 0)
        return err_set(ERR_IO, "getsockname: %s", strerror(errno));
    web->port = address.ss_family == AF_INET6 ? ntohs(((struct sockaddr_in6 *)&address)->sin6_port)
                                              : ntohs(((struct sockaddr_in *)&address)->sin_port);
    gates_set_listener(web->gates, bound);
    return 0;
}

static bool has_tls(const char *certificate)
{
    return certificate && *certificate;
}

int web_check_tls(const char *certificate, const char *key)
{
    struct tls *tls = NULL;
    int error = has_tls(certificate) ? tls_open(&tls, certificate, key) : 0;

    tls_close(tls);
    return error;
}

int web_reload_tls(struct web *web, const char *certificate, const char *key)
{
    return web->tls && has_tls(certificate) ? tls_reload(web->tls, certificate, key) : 0;
}

static int open_links(struct web *web)
{
    char *path = xasprintf("%s/link.key", spool_state_dir(web->options.spool));
    int error = link_secret_open(web->link_secret, path);

    free(path);
    return error;
}

static int make_server(struct web *web)
{
    const struct web_options *options = &web->options;
    struct gate_limits limits = {
        .memory_max = options->memory_max,
        .connections_max = options->connections_max,
        .tls = web->tls,
        .proxies = &web->proxies,
        .admit = admit,
        .context = web,
    };

    if (!(web->http = evhttp_new(options->base)))
        return err_set(ERR_INTERNAL, "evhttp_new failed");
    evhttp_set_max_headers_size(web->http, 2 * 16384); /* the gate's clean heads are smaller */
    evhttp_set_max_body_size(web->http, 1);            /* and have no body */
    evhttp_set_default_content_type(web->http, NULL);
    evhttp_set_allowed_methods(web->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST | EVHTTP_REQ_PUT |
                                              EVHTTP_REQ_PATCH | EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS);
    evhttp_set_gencb(web->http, on_request, web);
    web->gates = gates_new(options->base, web->http, &limits);
    return 0;
}

int web_open(struct web **out, const struct web_options *options)
{
    struct web *web;
    int result;

    *out = NULL;
    if (options->memory_max < options->body_max)
        return err_set(ERR_INVALID, "web: the memory for all bodies has to hold at least one of the largest");
    web = xcalloc(1, sizeof *web);
    web->options = *options;
    web->address = xstrdup(options->address);
    web->version = xstrdup(options->version);
    web->options.address = web->address;
    web->options.version = web->version;
    web->started_at = clock_now_ms();
    LIST_INIT(&web->requests);
    if (options->proxies)
        web->proxies = *options->proxies;
    web->options.proxies = NULL; /* borrowed until here */
    web->limits = limits_new(options->per_minute, options->address_per_minute);
    web->renderings = renderings_new();
    web->previews = previews_new();
    web->pairs = throttle_new(FAILURES_OF_A_PAIR);
    web->strangers = throttle_new(FAILURES_OF_STRANGERS);
    web->addresses = throttle_new(FAILURES_OF_AN_ADDRESS);
    result = has_tls(options->tls_certificate) ? tls_open(&web->tls, options->tls_certificate, options->tls_key) : 0;
    web->options.tls_certificate = web->options.tls_key = NULL; /* borrowed until here */
    if (result == 0)
        result = open_links(web);
    if (result == 0)
        result = make_server(web);
    if (result == 0)
        result = listen_on(web);
    if (result == 0 && !(web->worker = worker_new(options->base)))
        result = ERR_IO;
    if (result == 0)
        result = setup_open(web);
    if (result == 0)
        web->streams = streams_new(web);
    if (result == 0)
        *out = web;
    else
        web_close(web);
    return result;
}

int web_port(const struct web *web)
{
    return web->port;
}

void web_set_limits(struct web *web, int per_minute, int address_per_minute)
{
    limits_set(web->limits, per_minute, address_per_minute);
}

void web_set_proxies(struct web *web, const struct forwarded_proxies *proxies)
{
    web->proxies = *proxies;
}

void web_drain(struct web *web)
{
    web->draining = true;
}

void web_close(struct web *web)
{
    struct request *request;

    if (!web)
        return;
    web->closing = true;
    if (web->gates)
        gates_set_listener(web->gates, NULL); /* freed with its evhttp */
    if (web->http)
        evhttp_free(web->http);
    worker_free(web->worker);
    gates_free(web->gates);
    tls_close(web->tls);
    /* What still waits for a commit or for a reader finishes later, into nothing. */
    while ((request = LIST_FIRST(&web->requests)) != NULL) {
        LIST_REMOVE(request, entry);
        request->web = NULL;
    }
    streams_free(web->streams);
    renderings_free(web->renderings);
    previews_free(web->previews);
    throttle_free(web->pairs);
    throttle_free(web->strangers);
    throttle_free(web->addresses);
    limits_free(web->limits);
    free(web->address);
    free(web->version);
    free(web);
}
