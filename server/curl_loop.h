/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libcurl's transfers on our loop: sockets and times that it waits for are events.
 *
 * Thread: loop.
 */
#ifndef FAXD_SERVER_CURL_LOOP_H
#define FAXD_SERVER_CURL_LOOP_H

#include <curl/curl.h>
#include <event2/event.h>

struct curl_loop;

struct curl_loop_options {
    struct event_base *base;
    long connections_max; /* of all its transfers */
    /* A transfer has ended: `private` is what CURLOPT_PRIVATE says. It may be taken out and freed. */
    void (*ended)(void *context, void *private, CURLcode code);
    /* After all that ended together were told; NULL = not told. */
    void (*idle)(void *context);
    /* The socket that a transfer waits for from now on, CURL_SOCKET_BAD = none; NULL = not told. */
    void (*socket)(void *context, void *private, curl_socket_t fd);
    void *context;
};

/* 0 or ERR_INTERNAL. The caller frees, after its transfers. */
int curl_loop_new(struct curl_loop **out, const struct curl_loop_options *options);
void curl_loop_free(struct curl_loop *loop); /* NULL is fine */

/* The handle lives on as long as the caller wants. 0 or ERR_INTERNAL. */
int curl_loop_add(struct curl_loop *loop, CURL *easy);
/* Also one that has not ended. */
void curl_loop_remove(struct curl_loop *loop, CURL *easy);

#endif
