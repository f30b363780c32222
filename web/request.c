/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading a request, and making and sending its one reply.
 *
 * Who frees the evhttp_request: evhttp, once a reply was handed to it; evhttp, when a connection is freed with the
 * request still on it; we, when the connection broke before a reply (evhttp then takes the request off it first). The
 * close callback can tell the last two apart, since a request that was taken off has no connection. */
#include "web/request.h"

#include "spool/spool.h"
#include "web/cover_try.h"
#include "web/json_body.h"
#include "web/password.h"
#include "web/upload.h"
#include "web/web_private.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"

#include <event2/bufferevent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static void request_free(struct request *request)
{
    if (request->web)
        LIST_REMOVE(request, entry);
    if (request->gate)
        gate_on_close(request->gate, NULL, NULL);
    evhttp_clear_headers(&request->query);
    upload_free(request->upload);
    password_free(request->password);
    cover_try_free(request->cover_try);
    witness_clear(&request->witness);
    evbuffer_free(request->reply);
    free(request->path);
    free(request->location);
    free(request);
}

struct spool *request_spool(const struct request *request)
{
    return request->web->options.spool;
}

void request_http_closed(struct evhttp_request *http)
{
    if (!evhttp_request_get_connection(http))
        evhttp_request_free(http);
}

static void on_closed(void *context)
{
    struct request *request = context;

    request_http_closed(request->http);
    request->http = NULL;
    request->gate = NULL;
    if (request->gone) {
        request->gone(request->gone_context);
        request_free(request);
    }
}

/* Of a query libevent decodes the values only, and clients encode the brackets of created[gte]. */
static void decode_names(struct evkeyvalq *query)
{
    struct evkeyval *pair;

    TAILQ_FOREACH(pair, query, next)
    {
        size_t size;
        char *name = evhttp_uridecode(pair->key, 1, &size);
        if (name && strlen(name) == size) {
            free(pair->key);
            pair->key = name;
        } else {
            free(name); /* with a zero in it, it is no name of ours */
        }
    }
}

static void read_target(struct request *request, const char *target)
{
    size_t length = strcspn(target, "?#");

    request->path = xasprintf("%.*s", (int)length, target);
    TAILQ_INIT(&request->query);
    if (target[length] == '?') {
        char *query = xasprintf("%.*s", (int)strcspn(target + length + 1, "#"), target + length + 1);
        evhttp_parse_query_str(query, &request->query); /* what is malformed leaves an empty list */
        decode_names(&request->query);
        free(query);
    }
}

static void read_address(struct request *request)
{
    char text[CIDR_TEXT_SIZE];

    request->client = *gate_client(request->gate);
    str_copy(request->address, sizeof request->address, address_format(text, &request->client));
}

struct request *request_new(struct web *web, struct gate *gate, struct evhttp_request *http)
{
    struct request *request = xcalloc(1, sizeof *request);
    char ulid[STR_ULID_SIZE];

    request->web = web;
    request->gate = gate;
    request->http = http;
    request->began_at = clock_mono_ms();
    str_copy(request->method, sizeof request->method, gate_method(gate));
    request->reply = evbuffer_new();
    if (!request->reply)
        abort();
    snprintf(request->id, sizeof request->id, "req_%s", str_ulid(ulid, clock_now_ms()));
    read_target(request, gate_target(gate));
    read_address(request);
    LIST_INSERT_HEAD(&web->requests, request, entry);
    gate_on_close(gate, on_closed, request);
    return request;
}

/* --- reading --- */

const char *request_query(const struct request *request, const char *name)
{
    return evhttp_find_header(&request->query, name);
}

const char *request_header_in(const struct request *request, const char *name)
{
    return request->http ? evhttp_find_header(evhttp_request_get_input_headers(request->http), name) : NULL;
}

bool request_check_query(struct request *request, const char *const *names)
{
    struct problems problems = {0};
    const struct evkeyval *pair;
    int count = 0;

    while (names[count])
        count++;
    TAILQ_FOREACH(pair, &request->query, next)
    {
        int at = 0;
        while (at < count && strcmp(names[at], pair->key) != 0)
            at++;
        if (at < count)
            continue;
        char *near = problem_near(pair->key, names, count);
        char *pointer = xasprintf("?%.100s", pair->key);
        problem_add(&problems, pointer, "unknown_parameter", "\"%.60s\" is not a parameter of this resource%s",
                    pair->key, near);
        free(near);
        free(pointer);
    }
    if (!problem_any(&problems))
        return true;
    request_problems(request, &problems);
    return false;
}

bool request_query_int(int64_t *value, struct request *request, const char *name, int64_t low, int64_t high,
                       int64_t otherwise)
{
    const char *text = request_query(request, name);
    struct problems problems = {0};
    char pointer[64];

    *value = otherwise;
    if (!text || str_to_int(value, text, low, high) == 0)
        return true;
    snprintf(pointer, sizeof pointer, "?%s", name);
    problem_add(&problems, pointer, "out_of_range", "\"%.60s\" is not a number from %lld to %lld", text, (long long)low,
                (long long)high);
    request_problems(request, &problems);
    return false;
}

json_t *request_json(struct request *request)
{
    struct json_fault fault;
    json_t *root;
    if ((request->route->flags & ROUTE_BODY_NONE) && evbuffer_get_length(gate_body(request->gate)) == 0)
        return json_object();
    int result = json_body_parse(&root, &fault, gate_body(request->gate));

    gate_release(request->gate);
    if (result == 0) {
        witness_body(request, root);
        return root;
    }
    if (fault.line > 0)
        request_problem(request, 400, "malformed_json", "the body is not JSON: line %d, column %d: %s", fault.line,
                        fault.column, fault.detail);
    else
        request_problem(request, result == ERR_TOO_BIG ? 413 : 400,
                        result == ERR_TOO_BIG ? "json_too_complex" : "malformed_json", "%s", fault.detail);
    return NULL;
}

bool request_is_form(const struct request *request)
{
    const char *type = request_header_in(request, "Content-Type");

    return type && strncasecmp(type, "multipart/form-data", 19) == 0;
}

bool request_wants_csv(const struct request *request)
{
    const char *accept = request_header_in(request, "Accept");

    return accept && strncasecmp(accept, "text/csv", 8) == 0;
}

/* --- the reply --- */

void request_header(struct request *request, const char *name, const char *value)
{
    struct evkeyvalq *headers;

    if (!request->http)
        return;
    headers = evhttp_request_get_output_headers(request->http);
    evhttp_remove_header(headers, name);
    evhttp_add_header(headers, name, value);
}

static void begin_reply(struct request *request, int status, const char *type)
{
    request->status = status;
    evbuffer_drain(request->reply, evbuffer_get_length(request->reply));
    if (type)
        request_header(request, "Content-Type", type);
    else if (request->http)
        evhttp_remove_header(evhttp_request_get_output_headers(request->http), "Content-Type");
}

void request_reply_text(struct request *request, int status, const char *type, const void *text, size_t size)
{
    begin_reply(request, status, type);
    evbuffer_add(request->reply, text, size);
}

void request_reply_empty(struct request *request, int status)
{
    begin_reply(request, status, NULL);
}

bool request_is_known(struct request *request, const char *name, const char *cache_control)
{
    char tag[160];
    const char *known = request_header_in(request, "If-None-Match");

    snprintf(tag, sizeof tag, "\"%s\"", name);
    request_header(request, "ETag", tag);
    request_header(request, "Cache-Control", cache_control);
    if (!known || !strstr(known, tag))
        return false;
    request_reply_empty(request, 304);
    return true;
}

static int add_json(const char *text, size_t size, void *context)
{
    return evbuffer_add(context, text, size);
}

static void reply_json(struct request *request, int status, const char *type, json_t *body)
{
    begin_reply(request, status, type);
    json_dump_callback(body, add_json, request->reply, JSON_COMPACT | JSON_REAL_PRECISION(12));
    evbuffer_add(request->reply, "\n", 1);
    json_decref(body);
}

void request_reply(struct request *request, int status, json_t *body)
{
    reply_json(request, status, "application/json", body);
}

void request_reply_file(struct request *request, const char *type, int fd, size_t size)
{
    begin_reply(request, 200, type);
    if (size == 0)
        close(fd);
    else if (evbuffer_add_file(request->reply, fd, 0, (ev_off_t)size) < 0) {
        close(fd);
        request_problem(request, 500, "internal", "the document could not be read");
    }
}

static void reply_problem(struct request *request, int status, const char *code, const char *detail,
                          const struct problems *problems)
{
    if (status == 503)
        request_header(request, "Retry-After", "5");
    reply_json(request, status, "application/problem+json",
               problem_json(status, code, detail, request->path, request->id, problems));
}

void request_problem(struct request *request, int status, const char *code, const char *fmt, ...)
{
    char detail[512];
    va_list args;

    va_start(args, fmt);
    vsnprintf(detail, sizeof detail, fmt, args);
    va_end(args);
    reply_problem(request, status, code, detail, NULL);
}

void request_problems(struct request *request, struct problems *problems)
{
    char detail[64];

    snprintf(detail, sizeof detail, "%d fault%s in the request", problems->count, problems->count == 1 ? "" : "s");
    /* What is wrong only with a query parameter is a malformed request, not unprocessable content. */
    if (json_string_value(json_object_get(json_array_get(problems->errors, 0), "pointer"))[0] == '?')
        reply_problem(request, 400, "invalid_parameter", detail, problems);
    else
        reply_problem(request, 422, "validation", detail, problems);
    problem_clear(problems);
}

void request_error(struct request *request, int error)
{
    switch (error) {
    case ERR_NOT_FOUND:
        request_problem(request, 404, "not_found", "%s", err_message());
        return;
    case ERR_INVALID:
    case ERR_UNSUPPORTED:
        request_problem(request, 422, "validation", "%s", err_message());
        return;
    case ERR_TOO_BIG:
        request_problem(request, 413, "too_large", "%s", err_message());
        return;
    case ERR_CONFLICT:
        request_problem(request, 409, "conflict", "%s", err_message());
        return;
    case ERR_FULL:
        request_problem(request, 503, "storage_full", "%s", err_message());
        return;
    case ERR_DENIED:
        request_problem(request, 403, "forbidden", "%s", err_message());
        return;
    case ERR_AGAIN:
        request_problem(request, 503, "busy", "%s", err_message());
        return;
    default:
        if (!request->web) /* closing: nobody is there to be told */
            return;
        log_error("request failed request=%s path=%s error=%s: %s", request->id, request->path, err_name(error),
                  err_message());
        request_problem(request, 500, "internal", "something failed in the server; its log says more under %s",
                        request->id);
    }
}

/* --- sending --- */

static void add_common_headers(struct request *request)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request->http);

    request_header(request, "X-Request-Id", request->id);
    request_header(request, "X-Content-Type-Options", "nosniff");
    request_header(request, "X-Frame-Options", "DENY");
    request_header(request, "Referrer-Policy", "no-referrer");
    request_header(request, "Cross-Origin-Resource-Policy", "same-origin");
    request_header(request, "Cross-Origin-Opener-Policy", "same-origin");
    request_header(
        request, "Permissions-Policy",
        "camera=(), geolocation=(), microphone=(), payment=(), usb=(), display-capture=(), midi=(), serial=()");
    if (!evhttp_find_header(headers, "Content-Security-Policy"))
        request_header(request, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
    if (!evhttp_find_header(headers, "Cache-Control"))
        request_header(request, "Cache-Control", "no-store");
    if (request->web->tls)
        request_header(request, "Strict-Transport-Security", "max-age=31536000");
    if (request->location)
        request_header(request, "Location", request->location);
    if (request->web->closing || request->status == 408 || gate_has_unread(request->gate) ||
        gate_refusal(request->gate) == GATE_CONNECTIONS)
        request_header(request, "Connection", "close");
}

static void note(struct request *request)
{
    struct web *web = request->web;

    if (request->status >= 100 && request->status < 600)
        web->replies[request->status / 100]++;
    log_debug("request request=%s method=%s path=%s status=%d ms=%lld", request->id, request->method, request->path,
              request->status, (long long)(clock_mono_ms() - request->began_at));
}

static void linger_over(void *context)
{
    struct request *request = context;
    struct evhttp_request *http = request->http;

    request->gone = NULL;
    request->http = NULL;
    request_free(request);
    evhttp_send_reply_end(http); /* closes the connection */
}

static void nothing(void *context)
{
    (void)context;
}

/* A sender that is still sending would not see a reply on a connection that is closed under it (a reset may overtake
 * the data). So the reply goes out whole, and its end, which closes, waits until the sender stopped. */
static void send_and_linger(struct request *request)
{
    request->gone = nothing; /* on_closed then frees the request */
    evhttp_send_reply_start(request->http, request->status, problem_title(request->status));
    evhttp_send_reply_chunk(request->http, request->reply);
    gate_linger(request->gate, linger_over, request);
}

static void send_reply(struct request *request)
{
    bool is_head = strcmp(request->method, "HEAD") == 0;
    char length[24];

    witness_refused(request);
    add_common_headers(request);
    if (request->status != 204 && request->status != 304) {
        snprintf(length, sizeof length, "%zu", evbuffer_get_length(request->reply));
        request_header(request, "Content-Length", length);
    }
    note(request);
    if (is_head)
        evbuffer_drain(request->reply, evbuffer_get_length(request->reply));
    if (gate_has_unread(request->gate)) {
        send_and_linger(request);
        return;
    }
    evhttp_send_reply(request->http, request->status, problem_title(request->status), request->reply);
    request->http = NULL;
    request_free(request);
}

bool request_found(struct request *request, int result, const char *kind)
{
    char code[48];

    snprintf(code, sizeof code, "no_such_%s", kind);
    if (result == ERR_NOT_FOUND)
        request_problem(request, 404, code, "there is no %s %s", kind, request->params[0]);
    else if (result == ERR_FULL)
        request_problem(request, 409, "too_many", "%s", err_message());
    else if (result == ERR_CONFLICT)
        request_problem(request, 409, "exists", "%s", err_message());
    else if (result < 0)
        request_error(request, result);
    return result == 0;
}

void request_wait(struct request *request)
{
    request->waiting = true;
}

/* The handler waited, and has its reply: what that shows is on record before it leaves. */
static bool waits_for_record(struct request *request)
{
    bool waited = request->waiting;

    request->waiting = false;
    if (!waited || !request->http || !request->web || request->status >= 400)
        return false;
    if (witness_done(request) < 0) {
        request_not_stored(request);
        return false;
    }
    if (request->witness.written)
        spool_after_commit(request_spool(request), request_on_committed, request);
    return request->witness.written;
}

void request_finish(struct request *request)
{
    if (waits_for_record(request))
        return;
    if (request->http && request->web)
        send_reply(request);
    else
        request_free(request);
}

void request_not_stored(struct request *request)
{
    free(request->location);
    request->location = NULL;
    request_problem(request, 503, "not_stored", "the request could not be stored; nothing was done");
}

void request_on_committed(void *context, int error)
{
    struct request *request = context;

    if (error)
        request_not_stored(request);
    request_finish(request);
}

struct evhttp_request *request_stream(struct request *request, const char *type)
{
    struct evhttp_request *http = request->http;

    request->status = 200;
    request_header(request, "Content-Type", type);
    add_common_headers(request);
    note(request);
    evhttp_send_reply_start(http, 200, problem_title(200));
    /* evhttp looks at them again only at the end of a reply. */
    evhttp_clear_headers(evhttp_request_get_input_headers(http));
    evhttp_clear_headers(evhttp_request_get_output_headers(http));
    request->http = NULL;
    request->gate = NULL;
    return http;
}
