/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Webhooks leave here. On the route: a change of state wrote event and delivery rows in its own transaction -> the
 * spool says so after the commit -> the due ones are posted by libcurl on the loop -> outbox_result() closes or repeats
 * them.
 */
#include "server/webhook.h"

#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "server/http_post.h"
#include "server/loop.h"
#include "spool/outbox.h"
#include "spool/spool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define POSTS_MAX          32
#define POSTS_PER_ENDPOINT 4

struct webhook_sender {
    struct webhook_options options;
    struct http_poster *poster;
    struct event *due_timer;
    LIST_HEAD(post_list, post) posts;
    int count;
};

struct post {
    struct webhook_sender *sender;
    int64_t delivery, endpoint;
    char id[OUTBOX_ID_SIZE], endpoint_id[OUTBOX_ID_SIZE];
    struct http_post *http;
    LIST_ENTRY(post) link;
};

/* --- one post --- */

static void post_free(struct post *post)
{
    LIST_REMOVE(post, link);
    post->sender->count--;
    http_post_cancel(post->http);
    free(post);
}

static void on_posted(void *context, const struct http_answer *answer)
{
    struct post *post = context;
    struct webhook_sender *sender = post->sender;

    post->http = NULL;
    /* Not the URL: it may hold a secret. */
    log_info("webhook %s delivery=%s endpoint=%s status=%d%s%s",
             answer->status >= 200 && answer->status < 300 ? "delivered" : "failed", post->id, post->endpoint_id,
             answer->status, answer->status == 0 ? " error=" : "", answer->status == 0 ? answer->why : "");
    if (outbox_result(sender->options.spool, post->delivery, answer->status, answer->why, answer->retry_after_s,
                      clock_now_ms()) != 0)
        log_warning("result of a webhook not recorded delivery=%s: %s", post->id, err_message());
    post_free(post);
    event_active(sender->due_timer, EV_TIMEOUT, 0); /* once for all that have ended now */
}

static int post_start(struct webhook_sender *sender, const struct outbox_delivery *delivery,
                      const struct outbox_endpoint *endpoint)
{
    struct post *post = xcalloc(1, sizeof *post);
    const struct http_wish wish = {.url = endpoint->url,
                                   .body = delivery->body,
                                   .id = delivery->public_id,
                                   .secret = endpoint->secret,
                                   .old_secret = endpoint->old_secret};
    int error;

    post->sender = sender;
    post->delivery = delivery->id;
    post->endpoint = endpoint->id;
    memcpy(post->id, delivery->public_id, sizeof post->id);
    memcpy(post->endpoint_id, endpoint->public_id, sizeof post->endpoint_id);
    LIST_INSERT_HEAD(&sender->posts, post, link);
    sender->count++;
    error = outbox_taken(sender->options.spool, post->delivery, clock_now_ms());
    if (error == 0)
        error = http_post_start(&post->http, sender->poster, &wish, on_posted, post);
    if (error != 0)
        post_free(post);
    return error;
}

/* --- what is due --- */

static int posts_to(const struct webhook_sender *sender, int64_t endpoint)
{
    const struct post *post;
    int count = 0;

    LIST_FOREACH(post, &sender->posts, link)
    count += post->endpoint == endpoint;
    return count;
}

/* What could not even be begun counts as a try, so that it is not begun for ever. */
static void count_failure(const struct webhook_sender *sender, const struct outbox_delivery *due)
{
    char text[256];

    str_copy(text, sizeof text, err_message());
    log_error("webhook not sent delivery=%s: %s", due->public_id, text);
    if (outbox_result(sender->options.spool, due->id, 0, text, -1, clock_now_ms()) != 0)
        log_error("result of a webhook not recorded delivery=%s: %s", due->public_id, err_message());
}

static int serve_endpoint(struct webhook_sender *sender, int64_t id, int room)
{
    struct outbox_delivery due[POSTS_PER_ENDPOINT];
    struct outbox_endpoint endpoint = {0};
    int error = outbox_endpoint_get(&endpoint, sender->options.spool, id);
    int count = error == 0 ? outbox_due(due, room, sender->options.spool, id, clock_now_ms()) : error;

    for (int i = 0; i < count; i++) {
        if (post_start(sender, &due[i], &endpoint) != 0)
            count_failure(sender, &due[i]);
        outbox_delivery_clear(&due[i]);
    }
    outbox_endpoint_clear(&endpoint);
    return count;
}

void webhook_sender_run(struct webhook_sender *sender)
{
    struct outbox_waiting waiting[OUTBOX_ENDPOINTS_MAX];
    int count = outbox_waiting(waiting, OUTBOX_ENDPOINTS_MAX, sender->options.spool);
    int64_t now_ms = clock_now_ms(), next_at = 0;

    for (int i = 0; i < count; i++) {
        int room = POSTS_PER_ENDPOINT - posts_to(sender, waiting[i].endpoint);

        if (room > POSTS_MAX - sender->count)
            room = POSTS_MAX - sender->count;
        if (waiting[i].next_at > now_ms) {
            if (next_at == 0 || waiting[i].next_at < next_at)
                next_at = waiting[i].next_at;
        } else if (room > 0 && serve_endpoint(sender, waiting[i].endpoint, room) < 0) {
            count = -1;
        }
    }
    if (count < 0) {
        log_error("webhooks cannot be worked off: %s", err_message());
        next_at = now_ms + 5000;
    }
    if (next_at != 0)
        loop_timer_at(sender->due_timer, next_at);
}

static void on_due(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    webhook_sender_run(argument);
}

static void on_change(void *context, unsigned changes)
{
    if ((changes & (SPOOL_CHANGE_OUTBOX | SPOOL_CHANGE_ENDPOINT)) != 0)
        webhook_sender_run(context);
}

int webhook_sender_new(struct webhook_sender **out, const struct webhook_options *options)
{
    struct webhook_sender *sender = xcalloc(1, sizeof *sender);
    int error = http_poster_new(&sender->poster, options->base, options->allow_private, POSTS_MAX);

    if (error != 0) {
        free(sender);
        return error;
    }
    sender->options = *options;
    LIST_INIT(&sender->posts);
    sender->due_timer = evtimer_new(options->base, on_due, sender);
    spool_listen(options->spool, on_change, sender);
    *out = sender;
    return 0;
}

void webhook_sender_free(struct webhook_sender *sender)
{
    if (sender == NULL)
        return;
    while (!LIST_EMPTY(&sender->posts))
        post_free(LIST_FIRST(&sender->posts));
    http_poster_free(sender->poster);
    event_free(sender->due_timer);
    free(sender);
}
