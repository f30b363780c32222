/* SPDX-License-Identifier: GPL-2.0-or-later */
/* REST and pages on evhttp, on top of the spool only: it changes the spool, and the server acts on that. What it needs
 * to know of lines and health comes through the callbacks below, since it may not look into server/.
 *
 * Thread: loop.
 */
#ifndef FAXD_WEB_WEB_H
#define FAXD_WEB_WEB_H

#include "server/base/forwarded.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct web;
struct spool;
struct converter;

/* A reception that a client with a test key wants. Texts are borrowed, "" = none. */
struct web_test_call {
    const char *to;         /* number of the line, "" = any */
    const char *from;       /* who calls */
    const char *station_id; /* of his machine, "" = the simulator's own */
    int pages;
};

struct web_options {
    struct event_base *base;
    struct spool *spool;
    struct converter *converter; /* pages and PDFs on demand */
    const char *address;         /* "127.0.0.1", "::1", "0.0.0.0" */
    int port;                    /* 0 = any; web_port() tells */
    /* PEM files: then TLS is spoken, and nothing else. NULL or "" = plain HTTP. */
    const char *tls_certificate, *tls_key;
    size_t body_max;   /* octets of one request body; more is 413 before it is read */
    size_t memory_max; /* octets of all bodies under way together; more is 503 with Retry-After */
    int connections_max;
    const char *version;
    bool allow_private_webhooks;
    int per_minute, address_per_minute;      /* see web_set_limits */
    const struct forwarded_proxies *proxies; /* copied; see web_set_proxies */
    void *server;                            /* context of the callbacks */
    json_t *(*lines)(void *server);          /* new array, the line objects of /v1/lines */
    json_t *(*providers)(void *server);      /* new array */
    json_t *(*trunks)(void *server);         /* new array, the trunk objects of /v1/trunks; NULL: there are none */
    /* POST /v1/trunks/{provider}/{name}/test: begin one. 0, ERR_NOT_FOUND, ERR_CLOSED (the provider does not run). */
    int (*trunk_test)(void *server, const char *provider, const char *name);
    /* PATCH /v1/lines/{id}: enable or disable; -1 = leave. 0, ERR_NOT_FOUND. */
    int (*line_set)(void *server, const char *line, int send, int receive);
    /* POST /v1/lines/{id}/test: begin one. 0, ERR_NOT_FOUND, ERR_UNSUPPORTED (there is nothing to test), ERR_CONFLICT
     * (it is in a call), ERR_CLOSED. */
    int (*line_test)(void *server, const char *line);
    /* Is there a line, now or when it is enabled again, for faxes of this group? Those of test keys go over lines of
     * simulators only, others never. NULL: not asked. */
    bool (*has_line)(void *server, const char *group, bool test);
    /* POST /v1/test/inbound: ring a line of a simulator. 0, ERR_NOT_FOUND, ERR_CONFLICT (all are busy) or another
     * error; then `done` is called once, not from within, with the line's id and number or an error. NULL: none. */
    int (*test_call)(void *server, const struct web_test_call *call,
                     void (*done)(void *context, int error, const char *line, const char *number), void *context);
    json_t *(*ready)(void *server, bool *ok); /* /health/ready: {"status":"ok"|"degraded"|"draining","checks":{...}} */
    void (*metrics)(void *server, struct evbuffer *out); /* appends its Prometheus lines */
};

/* Listen and serve. The program ignores SIGPIPE (libevent writes to sockets that may be gone). 0, ERR_IO (message names
 * address and port), ERR_INVALID (memory_max less than body_max). The caller closes with web_close, before the spool
 * and the converter, and ends the turn of the spool after it. */
int web_open(struct web **out, const struct web_options *options);
int web_port(const struct web *web);
/* Can this pair be served? 0, ERR_INVALID (the message names the file). NULL or "" is fine. */
int web_check_tls(const char *certificate, const char *key);
/* Another pair for the connections to come. ERR_INVALID: the old one stays, and /health/ready says so. Without TLS
 * nothing is done. */
int web_reload_tls(struct web *web, const char *certificate, const char *key);
/* Requests a minute: of a key that has no limit of its own, and of an address without a valid one; 0 = no limit. */
void web_set_limits(struct web *web, int per_minute, int address_per_minute);
/* Proxies that are believed about whom they ask for, from now on. Copied. */
void web_set_proxies(struct web *web, const struct forwarded_proxies *proxies);
/* The path of a signed link to the pages of a fax, for who has it and until then; caller frees. */
char *web_sign_link(const struct web *web, const char *fax, bool tiff, int64_t expires_at);
/* Refuse new submissions with 503 from now on (drain); lists and status go on. */
void web_drain(struct web *web);
/* Ends connections; replies that wait for a commit are dropped. NULL is fine. */
void web_close(struct web *web);

#endif
