/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /health and /metrics: for those who watch over the server. They need no key and tell no number and no name. */
#include "spool/document_count.h"
#include "spool/fax.h"
#include "spool/spool.h"
#include "web/api.h"
#include "web/request.h"
#include "web/stream.h"
#include "web/tls.h"
#include "web/web_private.h"
#include "server/base/clock.h"

#include <stdlib.h>
#include <string.h>

void health_live(struct request *request)
{
    request_reply(request, 200, json_pack("{s:s, s:s}", "status", "ok", "version", request->web->options.version));
}

/* A pair that is old still serves: that degrades, and the log says why. */
static void add_tls(json_t *state, const struct tls *tls)
{
    json_t *checks = json_object_get(state, "checks");
    const char *word = tls_expires_at(tls) <= clock_now_ms() ? "expired" : tls_is_stale(tls) ? "stale" : "ok";
    const char *status = json_string_value(json_object_get(state, "status"));

    if (!checks) {
        checks = json_object();
        json_object_set_new(state, "checks", checks);
    }
    json_object_set_new(checks, "tls", json_string(word));
    if (strcmp(word, "ok") != 0 && status && strcmp(status, "ok") == 0)
        json_object_set_new(state, "status", json_string("degraded"));
}

void health_ready(struct request *request)
{
    const struct web_options *options = &request->web->options;
    bool ok = true;
    json_t *state = options->ready ? options->ready(options->server, &ok) : NULL;

    if (!state)
        state = json_pack("{s:s}", "status", "ok");
    if (request->web->tls)
        add_tls(state, request->web->tls);
    if (request->web->draining)
        json_object_set_new(state, "status", json_string("draining"));
    if (!ok || request->web->draining)
        request_header(request, "Retry-After", "5");
    request_reply(request, ok && !request->web->draining ? 200 : 503, state);
}

static void metric(struct evbuffer *out, const char *name, const char *type, const char *help)
{
    evbuffer_add_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void add_store(struct evbuffer *out, struct spool *spool)
{
    struct document_usage usage;

    document_usage(&usage, spool);
    metric(out, "faxd_store_has_room", "gauge", "1 while the disk of the store has room for new faxes.");
    evbuffer_add_printf(out, "faxd_store_has_room %d\n", spool_has_room(spool));
    metric(out, "faxd_storage_free_bytes", "gauge", "Octets that the disk of the store has left for faxd.");
    evbuffer_add_printf(out, "faxd_storage_free_bytes %lld\n", (long long)spool_free_bytes(spool));
    metric(out, "faxd_documents", "gauge", "Stored documents; one that several faxes share counts once.");
    evbuffer_add_printf(out, "faxd_documents %lld\n", (long long)usage.documents);
    metric(out, "faxd_documents_bytes", "gauge", "Octets of the stored documents.");
    evbuffer_add_printf(out, "faxd_documents_bytes %lld\n", (long long)usage.bytes);
    metric(out, "faxd_purged_documents_total", "counter", "Documents deleted by retention or by hand.");
    evbuffer_add_printf(out, "faxd_purged_documents_total %lld\n", (long long)usage.purged);
}

/* Several states share a shown word: they are added up. */
static void add_faxes(struct evbuffer *out, const struct spool *spool)
{
    int64_t counts[FAX_STATES] = {0};

    fax_counts(spool, counts);
    metric(out, "faxd_faxes", "gauge", "Faxes on record by direction and state.");
    for (int state = FAX_PREPARING; state < FAX_STATES; state++) {
        if ((state > FAX_EXPIRED && state < FAX_RINGING) || state == FAX_WAITING)
            continue;
        evbuffer_add_printf(out, "faxd_faxes{direction=\"%s\",state=\"%s\"} %lld\n",
                            state < FAX_RINGING ? "outbound" : "inbound", fax_state_name((enum fax_state)state),
                            (long long)(counts[state] + (state == FAX_QUEUED ? counts[FAX_WAITING] : 0)));
    }
}

static void add_http(struct evbuffer *out, const struct web *web)
{
    metric(out, "faxd_http_replies_total", "counter", "HTTP replies by class of status.");
    for (int i = 2; i <= 5; i++)
        evbuffer_add_printf(out, "faxd_http_replies_total{class=\"%dxx\"} %lld\n", i, (long long)web->replies[i]);
    metric(out, "faxd_http_refused_total", "counter", "Requests refused before they were read whole.");
    evbuffer_add_printf(out, "faxd_http_refused_total %lld\n", (long long)web->refused);
    metric(out, "faxd_http_connections", "gauge", "Open HTTP connections.");
    evbuffer_add_printf(out, "faxd_http_connections %d\n", gates_connections(web->gates));
    metric(out, "faxd_http_body_bytes", "gauge", "Octets of request bodies under way.");
    evbuffer_add_printf(out, "faxd_http_body_bytes %zu\n", gates_memory(web->gates));
    metric(out, "faxd_http_event_streams", "gauge", "Open event streams.");
    evbuffer_add_printf(out, "faxd_http_event_streams %d\n", streams_count(web->streams));
}

void health_metrics(struct request *request)
{
    const struct web *web = request->web;
    struct evbuffer *out = evbuffer_new();

    if (!out) {
        request_problem(request, 503, "busy", "no memory for this now");
        return;
    }
    metric(out, "faxd_build_info", "gauge", "Version of the server.");
    evbuffer_add_printf(out, "faxd_build_info{version=\"%s\"} 1\n", web->options.version);
    metric(out, "faxd_start_time_seconds", "gauge", "When the server started, in seconds since 1970.");
    evbuffer_add_printf(out, "faxd_start_time_seconds %lld\n", (long long)(web->started_at / 1000));
    add_store(out, web->options.spool);
    add_faxes(out, web->options.spool);
    add_http(out, web);
    if (web->tls) {
        metric(out, "faxd_tls_certificate_expires_seconds", "gauge",
               "When the certificate ends, in seconds since 1970.");
        evbuffer_add_printf(out, "faxd_tls_certificate_expires_seconds %lld\n",
                            (long long)(tls_expires_at(web->tls) / 1000));
    }
    if (web->options.metrics)
        web->options.metrics(web->options.server, out);
    request_reply_text(request, 200, "text/plain; version=0.0.4; charset=utf-8", "", 0);
    evbuffer_add_buffer(request->reply, out);
    evbuffer_free(out);
}
