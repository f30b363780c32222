/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inside of the web part, for web/ only. */
#ifndef FAXD_WEB_WEB_PRIVATE_H
#define FAXD_WEB_WEB_PRIVATE_H

#include "web/gate.h"
#include "web/link_token.h"
#include "web/web.h"

#include <event2/http.h>
#include <stdint.h>
#include <sys/queue.h>

struct limits;
struct previews;
struct renderings;
struct request;
struct streams;
struct throttle;
struct tls;
struct worker;

LIST_HEAD(request_list, request);

struct web {
    struct web_options options;
    char *address, *version;
    struct evhttp *http;
    struct gates *gates;
    struct tls *tls; /* NULL = plain HTTP */
    struct limits *limits;
    struct forwarded_proxies proxies;
    int port;
    bool draining, closing;
    struct request_list requests; /* under way */
    struct streams *streams;
    struct worker *worker;
    struct renderings *renderings;
    struct previews *previews;
    unsigned char link_secret[LINK_SECRET_SIZE];
    struct throttle *pairs, *strangers, *addresses; /* of wrong passwords: sign_in_tries.c */
    int hashing;                                    /* passwords under way */
    int64_t started_at;
    int64_t replies[6]; /* by first digit of the status */
    int64_t refused;    /* by the gate */
    int64_t decrypted;  /* octets of documents in memory for renderings under way */
};

/* The later half of a writing handler that waited (request_wait): what `handle` does is a part of the turn that stays
 * when it succeeds, and the reply leaves after the commit. The request is finished then. */
void web_write(struct request *request, void (*handle)(struct request *request));

#endif
