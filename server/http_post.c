/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every POST of ours has in common. */
#include "server/http_post.h"

#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/private_address.h"
#include "server/base/str.h"
#include "server/curl_loop.h"

#include <curl/curl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>

#define TIMEOUT_S     15L
#define ANSWER_MAX    65536 /* octets of an answer that are read, to keep the connection; nobody looks at them */
#define ID_SIZE       64
#define SECRET_PREFIX "whsec_"
#define SECRET_MAX    64 /* octets, decoded */

struct http_poster {
    bool allow_private;
    struct curl_loop *curl;
    LIST_HEAD(http_post_list, http_post) posts;
};

struct http_post {
    struct http_poster *poster;
    char *body;
    CURL *easy;
    struct curl_slist *headers;
    size_t answered;
    bool refused; /* a private address */
    char error[CURL_ERROR_SIZE];
    http_done_fn done;
    void *context;
    LIST_ENTRY(http_post) link;
};

/* --- signature --- */

int http_sign(char signature[HTTP_SIGNATURE_SIZE], const char *secret, const char *id, int64_t seconds,
              const char *body)
{
    unsigned char key[SECRET_MAX], hash[crypto_auth_hmacsha256_BYTES];
    char lead[ID_SIZE + 32];
    crypto_auth_hmacsha256_state state;
    size_t prefix = strlen(SECRET_PREFIX), size = 0;
    int length;

    if (strncmp(secret, SECRET_PREFIX, prefix) != 0 ||
        sodium_base642bin(key, sizeof key, secret + prefix, strlen(secret) - prefix, NULL, &size, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0)
        return err_set(ERR_INVALID, "the webhook's secret is not whsec_ and base64");
    length = snprintf(lead, sizeof lead, "%s.%lld.", id, (long long)seconds);
    crypto_auth_hmacsha256_init(&state, key, size);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)lead, (unsigned long long)length);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)body, strlen(body));
    crypto_auth_hmacsha256_final(&state, hash);
    sodium_memzero(key, sizeof key);
    memcpy(signature, "v1,", 3);
    sodium_bin2base64(signature + 3, HTTP_SIGNATURE_SIZE - 3, hash, sizeof hash, sodium_base64_VARIANT_ORIGINAL);
    return 0;
}

/* Both secrets sign while one is changed for the other, so that the receiver may change his side at leisure. */
static int signature_header(char *header, size_t size, const struct http_wish *wish, int64_t seconds)
{
    char now[HTTP_SIGNATURE_SIZE], before[HTTP_SIGNATURE_SIZE] = "";
    bool two = wish->old_secret != NULL && wish->old_secret[0] != '\0';
    int error = http_sign(now, wish->secret, wish->id, seconds, wish->body);

    if (error == 0 && two)
        error = http_sign(before, wish->old_secret, wish->id, seconds, wish->body);
    snprintf(header, size, "webhook-signature: %s%s%s", now, two ? " " : "", before);
    return error;
}

/* --- one post --- */

void http_post_cancel(struct http_post *post)
{
    if (post == NULL)
        return;
    LIST_REMOVE(post, link);
    if (post->easy != NULL) {
        curl_loop_remove(post->poster->curl, post->easy);
        curl_easy_cleanup(post->easy);
    }
    curl_slist_free_all(post->headers);
    free(post->body);
    free(post);
}

static size_t on_answer(char *data, size_t size, size_t count, void *context)
{
    struct http_post *post = context;

    (void)data;
    post->answered += size * count;
    return post->answered > ANSWER_MAX ? 0 : size * count;
}

/* The address that a name stands for is known here, and nowhere earlier. */
static curl_socket_t on_open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct http_post *post = context;

    (void)purpose;
    if (!post->poster->allow_private && private_address_is(&address->addr)) {
        post->refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static int set_headers(struct http_post *post, const struct http_wish *wish)
{
    char header[256];
    int64_t seconds = clock_now_ms() / 1000;
    int error;

    snprintf(header, sizeof header, "webhook-id: %s", wish->id);
    post->headers = curl_slist_append(NULL, header);
    snprintf(header, sizeof header, "webhook-timestamp: %lld", (long long)seconds);
    curl_slist_append(post->headers, header);
    error = signature_header(header, sizeof header, wish, seconds);
    curl_slist_append(post->headers, header);
    curl_slist_append(post->headers, "Content-Type: application/json");
    curl_slist_append(post->headers, "Expect:"); /* no round trip before a small body */
    return error;
}

static void set_easy(struct http_post *post, const char *url)
{
    CURL *easy = post->easy;

    curl_easy_setopt(easy, CURLOPT_PRIVATE, post);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, post->error);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* no environment decides where our events go */
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, post->body);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(post->body));
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, post->headers);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "faxd");
    curl_easy_setopt(easy, CURLOPT_TIMEOUT, TIMEOUT_S);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_answer);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, post);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, post);
}

int http_post_start(struct http_post **out, struct http_poster *poster, const struct http_wish *wish, http_done_fn done,
                    void *context)
{
    struct http_post *post = xcalloc(1, sizeof *post);
    int error;

    post->poster = poster;
    post->body = xstrdup(wish->body);
    post->done = done;
    post->context = context;
    LIST_INSERT_HEAD(&poster->posts, post, link);
    error = set_headers(post, wish);
    if (error == 0 && (post->easy = curl_easy_init()) == NULL)
        error = err_set(ERR_INTERNAL, "libcurl gave no handle");
    if (error == 0) {
        set_easy(post, wish->url);
        error = curl_loop_add(poster->curl, post->easy);
    }
    if (error != 0)
        http_post_cancel(post);
    else
        *out = post;
    return error;
}

static void post_end(struct http_post *post, CURLcode code)
{
    struct http_answer answer = {.retry_after_s = -1};
    http_done_fn done = post->done;
    void *context = post->context;
    char why[CURL_ERROR_SIZE];
    long status = 0;
    curl_off_t retry_after = 0;
    const char *text = post->error[0] != '\0' ? post->error : curl_easy_strerror(code);

    curl_easy_getinfo(post->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(post->easy, CURLINFO_RETRY_AFTER, &retry_after);
    if (post->refused)
        text = "the address is private: see allow_private_webhooks";
    if (code != CURLE_OK && !(code == CURLE_WRITE_ERROR && post->answered > ANSWER_MAX))
        status = 0; /* broken off: whatever it said is not an answer */
    else if (status < 200 || status > 299)
        text = status >= 300 && status < 400 ? "redirects are not followed" : "not accepted";
    else
        text = "";
    if (retry_after > 0)
        answer.retry_after_s = retry_after < INT_MAX ? (int)retry_after : INT_MAX;
    answer.status = (int)status;
    str_copy(why, sizeof why, text);
    answer.why = why;
    http_post_cancel(post);
    done(context, &answer);
}

static void on_ended(void *context, void *private, CURLcode code)
{
    (void)context;
    post_end(private, code);
}

/* --- the poster --- */

int http_poster_new(struct http_poster **out, struct event_base *base, bool allow_private, int most)
{
    struct curl_loop_options options = {.base = base, .connections_max = most, .ended = on_ended};
    struct http_poster *poster;
    int error;

    if (sodium_init() < 0)
        return err_set(ERR_INTERNAL, "libsodium cannot be used");
    poster = xcalloc(1, sizeof *poster);
    poster->allow_private = allow_private;
    LIST_INIT(&poster->posts);
    error = curl_loop_new(&poster->curl, &options);
    if (error != 0)
        free(poster);
    else
        *out = poster;
    return error;
}

void http_poster_free(struct http_poster *poster)
{
    if (poster == NULL)
        return;
    while (!LIST_EMPTY(&poster->posts))
        http_post_cancel(LIST_FIRST(&poster->posts));
    curl_loop_free(poster->curl);
    free(poster);
}
