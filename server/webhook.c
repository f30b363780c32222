/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Webhooks leave here. On the route: a change of state wrote event and delivery rows in its own transaction -> the
 * spool says so after the commit -> the due ones are posted by libcurl on the loop -> outbox_result() closes or repeats
 * them.
 */
#include "server/webhook.h"

#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/private_address.h"
#include "server/base/str.h"
#include "server/loop.h"
#include "spool/outbox.h"
#include "spool/spool.h"

#include <curl/curl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>

#define POSTS_MAX          32
#define POSTS_PER_ENDPOINT 4
#define TIMEOUT_S          15L
#define ANSWER_MAX         65536 /* octets of an answer that are read, to keep the connection; nobody looks at them */
#define SECRET_PREFIX      "whsec_"
#define SECRET_MAX         64 /* octets, decoded */

struct webhook_sender {
    struct webhook_options options;
    CURLM *multi;
    struct event *curl_timer, *due_timer;
    LIST_HEAD(post_list, post) posts;
    int count;
};

struct post {
    struct webhook_sender *sender;
    int64_t delivery, endpoint;
    char id[OUTBOX_ID_SIZE], endpoint_id[OUTBOX_ID_SIZE];
    char *url, *body;
    CURL *easy;
    struct curl_slist *headers;
    size_t answered;
    bool refused; /* a private address */
    char error[CURL_ERROR_SIZE];
    LIST_ENTRY(post) link;
};

/* --- signature --- */

int webhook_sign(char signature[WEBHOOK_SIGNATURE_SIZE], const char *secret, const char *id, int64_t seconds,
                 const char *body)
{
    unsigned char key[SECRET_MAX], hash[crypto_auth_hmacsha256_BYTES];
    char lead[OUTBOX_ID_SIZE + 32];
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
    sodium_bin2base64(signature + 3, WEBHOOK_SIGNATURE_SIZE - 3, hash, sizeof hash, sodium_base64_VARIANT_ORIGINAL);
    return 0;
}

/* Both secrets sign while an endpoint changes from one to the other, so that its owner may change his side at leisure.
 */
static int signature_header(char *header, size_t size, const struct outbox_endpoint *endpoint, const char *id,
                            int64_t seconds, const char *body)
{
    char now[WEBHOOK_SIGNATURE_SIZE], before[WEBHOOK_SIGNATURE_SIZE] = "";
    bool two = endpoint->old_secret != NULL && endpoint->old_secret[0] != '\0';
    int error = webhook_sign(now, endpoint->secret, id, seconds, body);

    if (error == 0 && two)
        error = webhook_sign(before, endpoint->old_secret, id, seconds, body);
    snprintf(header, size, "webhook-signature: %s%s%s", now, two ? " " : "", before);
    return error;
}

/* --- one post --- */

static void post_free(struct post *post)
{
    struct webhook_sender *sender = post->sender;

    LIST_REMOVE(post, link);
    sender->count--;
    if (post->easy != NULL) {
        curl_multi_remove_handle(sender->multi, post->easy);
        curl_easy_cleanup(post->easy);
    }
    curl_slist_free_all(post->headers);
    free(post->url);
    free(post->body);
    free(post);
}

static size_t on_answer(char *data, size_t size, size_t count, void *context)
{
    struct post *post = context;

    (void)data;
    post->answered += size * count;
    return post->answered > ANSWER_MAX ? 0 : size * count;
}

/* The address that a name stands for is known here, and nowhere earlier. */
static curl_socket_t on_open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct post *post = context;

    (void)purpose;
    if (!post->sender->options.allow_private && private_address_is(&address->addr)) {
        post->refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static int set_headers(struct post *post, const struct outbox_endpoint *endpoint)
{
    char header[256];
    int64_t seconds = clock_now_ms() / 1000;
    int error;

    snprintf(header, sizeof header, "webhook-id: %s", post->id);
    post->headers = curl_slist_append(NULL, header);
    snprintf(header, sizeof header, "webhook-timestamp: %lld", (long long)seconds);
    curl_slist_append(post->headers, header);
    error = signature_header(header, sizeof header, endpoint, post->id, seconds, post->body);
    curl_slist_append(post->headers, header);
    curl_slist_append(post->headers, "Content-Type: application/json");
    curl_slist_append(post->headers, "Expect:"); /* no round trip before a small body */
    return error;
}

static void set_easy(struct post *post)
{
    CURL *easy = post->easy;

    curl_easy_setopt(easy, CURLOPT_PRIVATE, post);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, post->error);
    curl_easy_setopt(easy, CURLOPT_URL, post->url);
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

/* Takes the texts of `delivery` over. */
static int post_start(struct webhook_sender *sender, struct outbox_delivery *delivery,
                      const struct outbox_endpoint *endpoint)
{
    struct post *post = xcalloc(1, sizeof *post);
    int error;

    post->sender = sender;
    post->delivery = delivery->id;
    post->endpoint = endpoint->id;
    memcpy(post->id, delivery->public_id, sizeof post->id);
    memcpy(post->endpoint_id, endpoint->public_id, sizeof post->endpoint_id);
    post->url = xstrdup(endpoint->url);
    post->body = delivery->body;
    delivery->body = NULL;
    LIST_INSERT_HEAD(&sender->posts, post, link);
    sender->count++;
    error = outbox_taken(sender->options.spool, post->delivery, clock_now_ms());
    if (error == 0)
        error = set_headers(post, endpoint);
    if (error == 0 && (post->easy = curl_easy_init()) == NULL)
        error = err_set(ERR_INTERNAL, "libcurl gave no handle");
    if (error == 0) {
        set_easy(post);
        if (curl_multi_add_handle(sender->multi, post->easy) != CURLM_OK)
            error = err_set(ERR_INTERNAL, "libcurl took no transfer");
    }
    if (error != 0)
        post_free(post);
    return error;
}

static void post_end(struct post *post, CURLcode code)
{
    struct webhook_sender *sender = post->sender;
    long status = 0;
    curl_off_t retry_after = 0;
    const char *text = post->error[0] != '\0' ? post->error : curl_easy_strerror(code);
    int64_t now_ms = clock_now_ms();

    curl_easy_getinfo(post->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(post->easy, CURLINFO_RETRY_AFTER, &retry_after);
    if (post->refused)
        text = "the address is private: see allow_private_webhooks";
    if (code != CURLE_OK && !(code == CURLE_WRITE_ERROR && post->answered > ANSWER_MAX))
        status = 0; /* broken off: whatever it said is not an answer */
    else if (status < 200 || status > 299)
        text = status >= 300 && status < 400 ? "redirects are not followed" : "not accepted";
    /* Not the URL: it may hold a secret. */
    log_info("webhook %s delivery=%s endpoint=%s status=%ld%s%s",
             status >= 200 && status < 300 ? "delivered" : "failed", post->id, post->endpoint_id, status,
             status == 0 ? " error=" : "", status == 0 ? text : "");
    if (outbox_result(sender->options.spool, post->delivery, (int)status, status >= 200 && status < 300 ? "" : text,
                      retry_after <= 0        ? -1
                      : retry_after < INT_MAX ? (int)retry_after
                                              : INT_MAX,
                      now_ms) != 0)
        log_warning("result of a webhook not recorded delivery=%s: %s", post->id, err_message());
    post_free(post);
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

/* --- libcurl on the loop --- */

static void end_finished(struct webhook_sender *sender)
{
    CURLMsg *message;
    int left;
    bool ended = false;

    while ((message = curl_multi_info_read(sender->multi, &left)) != NULL) {
        struct post *post = NULL;

        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&post);
        post_end(post, message->data.result);
        ended = true;
    }
    if (ended)
        webhook_sender_run(sender);
}

static void on_socket_event(evutil_socket_t fd, short what, void *argument)
{
    struct webhook_sender *sender = argument;
    int running;

    curl_multi_socket_action(
        sender->multi, fd,
        ((what & EV_READ) != 0 ? CURL_CSELECT_IN : 0) | ((what & EV_WRITE) != 0 ? CURL_CSELECT_OUT : 0), &running);
    end_finished(sender);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *socket_context)
{
    struct webhook_sender *sender = context;
    struct event *event = socket_context;

    (void)easy;
    if (event != NULL)
        event_free(event);
    event = NULL;
    if (what != CURL_POLL_REMOVE) {
        event = event_new(sender->options.base, fd,
                          (short)(((what & CURL_POLL_IN) != 0 ? EV_READ : 0) |
                                  ((what & CURL_POLL_OUT) != 0 ? EV_WRITE : 0) | EV_PERSIST),
                          on_socket_event, sender);
        event_add(event, NULL);
    }
    curl_multi_assign(sender->multi, fd, event);
    return 0;
}

static void on_curl_timer(evutil_socket_t fd, short what, void *argument)
{
    struct webhook_sender *sender = argument;
    int running;

    (void)fd;
    (void)what;
    curl_multi_socket_action(sender->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    end_finished(sender);
}

static int on_timeout_wish(CURLM *multi, long wait_ms, void *context)
{
    struct webhook_sender *sender = context;
    struct timeval delay = {wait_ms / 1000, wait_ms % 1000 * 1000};

    (void)multi;
    if (wait_ms < 0)
        evtimer_del(sender->curl_timer);
    else
        evtimer_add(sender->curl_timer, &delay);
    return 0;
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
    struct webhook_sender *sender;

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || sodium_init() < 0)
        return err_set(ERR_INTERNAL, "libcurl or libsodium cannot be used");
    sender = xcalloc(1, sizeof *sender);
    sender->options = *options;
    LIST_INIT(&sender->posts);
    sender->curl_timer = evtimer_new(options->base, on_curl_timer, sender);
    sender->due_timer = evtimer_new(options->base, on_due, sender);
    sender->multi = curl_multi_init();
    curl_multi_setopt(sender->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(sender->multi, CURLMOPT_SOCKETDATA, sender);
    curl_multi_setopt(sender->multi, CURLMOPT_TIMERFUNCTION, on_timeout_wish);
    curl_multi_setopt(sender->multi, CURLMOPT_TIMERDATA, sender);
    curl_multi_setopt(sender->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)POSTS_MAX);
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
    curl_multi_cleanup(sender->multi);
    event_free(sender->curl_timer);
    event_free(sender->due_timer);
    free(sender);
    curl_global_cleanup();
}
