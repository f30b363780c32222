/* SPDX-License-Identifier: GPL-2.0-or-later */
/* POSTs of JSON over HTTP on the loop, for webhooks and for deliveries of received faxes, signed by Standard Webhooks
 * 1.0.0.
 *
 * 2xx is success; redirects are not followed; what comes back besides the status and Retry-After is thrown away;
 * private addresses are refused unless they are allowed. No proxy of the environment is used.
 *
 * Thread: loop.
 */
#ifndef FAXD_SERVER_HTTP_POST_H
#define FAXD_SERVER_HTTP_POST_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#define HTTP_SIGNATURE_SIZE 64

struct http_poster;
struct http_post;

struct http_wish {
    const char *url, *body;
    const char *id;                  /* webhook-id */
    const char *secret, *old_secret; /* both sign; the second may be NULL or "" */
};

struct http_answer {
    int status;        /* 0 = there was none that counts */
    int retry_after_s; /* -1 = it did not say */
    const char *why;   /* "" for 2xx; borrowed */
};

/* Called once, from the loop, never from within http_post_start. The post is gone. */
typedef void (*http_done_fn)(void *context, const struct http_answer *answer);

/* At most `most` connections. 0 or ERR_INTERNAL. The caller frees after all that use it; posts are dropped. */
int http_poster_new(struct http_poster **out, struct event_base *base, bool allow_private, int most);
void http_poster_free(struct http_poster *poster);

/* Texts are copied. 0, ERR_INVALID (a secret), ERR_INTERNAL. */
int http_post_start(struct http_post **out, struct http_poster *poster, const struct http_wish *wish, http_done_fn done,
                    void *context);
void http_post_cancel(struct http_post *post); /* NULL is fine */

/* "v1,BASE64" of the HMAC-SHA256 of "ID.SECONDS.BODY" under a secret "whsec_BASE64". 0, or ERR_INVALID for a secret
 * that is not one. Pure. */
int http_sign(char signature[HTTP_SIGNATURE_SIZE], const char *secret, const char *id, int64_t seconds,
              const char *body);

#endif
