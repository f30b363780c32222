/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libcurl's multi interface between our events. */
#include "server/curl_loop.h"

#include "server/base/err.h"
#include "server/base/log.h"

#include <stdbool.h>
#include <stdlib.h>

struct curl_loop {
    struct curl_loop_options options;
    CURLM *multi;
    struct event *timer;
};

static void end_finished(struct curl_loop *loop)
{
    CURLMsg *message;
    int left;
    bool ended = false;

    while ((message = curl_multi_info_read(loop->multi, &left)) != NULL) {
        void *private = NULL;
        CURLcode code = message->data.result; /* the message goes with its handle */

        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&private);
        loop->options.ended(loop->options.context, private, code);
        ended = true;
    }
    if (ended && loop->options.idle != NULL)
        loop->options.idle(loop->options.context);
}

static void on_socket_event(evutil_socket_t fd, short what, void *argument)
{
    struct curl_loop *loop = argument;
    int running;

    curl_multi_socket_action(
        loop->multi, fd,
        ((what & EV_READ) != 0 ? CURL_CSELECT_IN : 0) | ((what & EV_WRITE) != 0 ? CURL_CSELECT_OUT : 0), &running);
    end_finished(loop);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *socket_context)
{
    struct curl_loop *loop = context;
    struct event *event = socket_context;

    if (loop->options.socket != NULL) {
        void *private = NULL;

        curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&private);
        if (private != NULL)
            loop->options.socket(loop->options.context, private, what == CURL_POLL_REMOVE ? CURL_SOCKET_BAD : fd);
    }
    if (event != NULL)
        event_free(event);
    event = NULL;
    if (what != CURL_POLL_REMOVE) {
        event = event_new(loop->options.base, fd,
                          (short)(((what & CURL_POLL_IN) != 0 ? EV_READ : 0) |
                                  ((what & CURL_POLL_OUT) != 0 ? EV_WRITE : 0) | EV_PERSIST),
                          on_socket_event, loop);
        event_add(event, NULL);
    }
    curl_multi_assign(loop->multi, fd, event);
    return 0;
}

static void on_curl_timer(evutil_socket_t fd, short what, void *argument)
{
    struct curl_loop *loop = argument;
    int running;

    (void)fd;
    (void)what;
    curl_multi_socket_action(loop->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    end_finished(loop);
}

static int on_timeout_wish(CURLM *multi, long wait_ms, void *context)
{
    struct curl_loop *loop = context;
    struct timeval delay = {wait_ms / 1000, wait_ms % 1000 * 1000};

    (void)multi;
    if (wait_ms < 0)
        evtimer_del(loop->timer);
    else
        evtimer_add(loop->timer, &delay);
    return 0;
}

int curl_loop_new(struct curl_loop **out, const struct curl_loop_options *options)
{
    struct curl_loop *loop;

    *out = NULL;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return err_set(ERR_INTERNAL, "libcurl cannot be used");
    loop = xcalloc(1, sizeof *loop);
    loop->options = *options;
    loop->timer = evtimer_new(options->base, on_curl_timer, loop);
    loop->multi = curl_multi_init();
    if (loop->timer == NULL || loop->multi == NULL) {
        curl_loop_free(loop);
        return err_set(ERR_INTERNAL, "libcurl cannot be used");
    }
    curl_multi_setopt(loop->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(loop->multi, CURLMOPT_SOCKETDATA, loop);
    curl_multi_setopt(loop->multi, CURLMOPT_TIMERFUNCTION, on_timeout_wish);
    curl_multi_setopt(loop->multi, CURLMOPT_TIMERDATA, loop);
    curl_multi_setopt(loop->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, options->connections_max);
    *out = loop;
    return 0;
}

void curl_loop_free(struct curl_loop *loop)
{
    if (loop == NULL)
        return;
    if (loop->multi != NULL)
        curl_multi_cleanup(loop->multi);
    if (loop->timer != NULL)
        event_free(loop->timer);
    free(loop);
}

int curl_loop_add(struct curl_loop *loop, CURL *easy)
{
    return curl_multi_add_handle(loop->multi, easy) == CURLM_OK ? 0 : err_set(ERR_INTERNAL, "libcurl took no transfer");
}

void curl_loop_remove(struct curl_loop *loop, CURL *easy)
{
    curl_multi_remove_handle(loop->multi, easy);
}
