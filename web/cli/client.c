/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All HTTP of `fax`, through libcurl. */
#include "config.h"

#include "web/cli/client.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/base/clock.h"
#include "server/base/log.h"
#include "web/cli/sse.h"
#include "web/cli/text.h"
#include "web/cli/verdict.h"

#define REPLY_MAX     (16 << 20)
#define CONNECT_S     10
#define REPLY_S       120 /* a request as a whole; uploads and downloads have no end but the next */
#define STALLED_S     60  /* no octet for so long */
#define TRIES         5
#define WAIT_MAX_S    30
#define RECONNECT_MS  1000
#define STREAM_IDLE_S 90 /* the server sends a comment more often than this */

struct client {
    char *url;
    char *authorization; /* header, NULL = none */
    CURL *curl;          /* kept, with its connection */
    bool hushed;         /* nothing goes to standard error */
    long status;         /* of the last request, 0 = no reply */
    char *why;           /* the last request failed, NULL = it did not */
    long most_ms;        /* that a request may take, 0 = as usual */
};

/* What a reply collects. */
struct reply {
    char *body;
    size_t size;
    bool too_long;
    FILE *file; /* downloads: the body of a good reply goes here */
    bool file_failed;
    CURL *curl;
    long retry_after_s;
};

int client_open(struct client **out, const char *url, const char *key)
{
    if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0) {
        text_complain("the server's address is \"%s\", it has to begin with http:// or https://", url);
        return VERDICT_ERROR;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    struct client *client = xcalloc(1, sizeof *client);
    client->url = xstrdup(url);
    for (size_t length = strlen(client->url); length > 0 && client->url[length - 1] == '/'; length--)
        client->url[length - 1] = '\0';
    if (key != NULL)
        client->authorization = xasprintf("Authorization: Bearer %s", key);
    client->curl = curl_easy_init();
    *out = client;
    return client->curl != NULL ? VERDICT_OK : VERDICT_ERROR;
}

const char *client_url(const struct client *client)
{
    return client->url;
}

void client_close(struct client *client)
{
    if (client == NULL)
        return;
    if (client->curl != NULL)
        curl_easy_cleanup(client->curl);
    free(client->url);
    free(client->authorization);
    free(client->why);
    free(client);
    curl_global_cleanup();
}

void client_hush(struct client *client)
{
    client->hushed = true;
}

long client_status(const struct client *client)
{
    return client->status;
}

const char *client_why(const struct client *client)
{
    return client->why != NULL ? client->why : "";
}

/* Keep why a request failed; takes ownership. */
static void keep_why(struct client *client, char *why)
{
    free(client->why);
    client->why = why;
}

char *client_escape(const char *text)
{
    static const char hex[] = "0123456789ABCDEF";
    char *escaped = xmalloc(3 * strlen(text) + 1), *to = escaped;
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
        bool plain = (*c >= '0' && *c <= '9') || (*c >= 'A' && *c <= 'Z') || (*c >= 'a' && *c <= 'z') ||
                     strchr("-._~", *c) != NULL; /* RFC 3986 2.3 */
        if (plain) {
            *to++ = (char)*c;
        } else {
            *to++ = '%';
            *to++ = hex[*c >> 4];
            *to++ = hex[*c & 15];
        }
    }
    *to = '\0';
    return escaped;
}

static bool is_good(long status)
{
    return status >= 200 && status < 300;
}

static size_t on_body(char *data, size_t one, size_t size, void *context)
{
    struct reply *reply = context;
    long status = 0;
    (void)one;
    curl_easy_getinfo(reply->curl, CURLINFO_RESPONSE_CODE, &status);
    if (reply->file != NULL && is_good(status)) {
        reply->file_failed = fwrite(data, 1, size, reply->file) != size;
        return reply->file_failed ? 0 : size;
    }
    if (reply->size + size > REPLY_MAX) {
        reply->too_long = true;
        return 0;
    }
    reply->body = xrealloc(reply->body, reply->size + size + 1);
    memcpy(reply->body + reply->size, data, size);
    reply->size += size;
    return size;
}

static void set_common(struct client *client, CURL *curl, const char *url, struct curl_slist *headers)
{
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    if (getenv("FAXD_CA") != NULL)
        curl_easy_setopt(curl, CURLOPT_CAINFO, getenv("FAXD_CA"));
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "fax/" PACKAGE_VERSION);
    (void)client;
}

static struct curl_slist *add_header(struct curl_slist *headers, const char *header)
{
    struct curl_slist *longer = curl_slist_append(headers, header);
    return longer != NULL ? longer : headers;
}

static int unreachable(struct client *client, CURLcode code, const struct reply *reply)
{
    bool reached = reply->too_long || reply->file_failed;
    keep_why(client, reply->too_long ? xstrdup("the server's reply is too long")
                     : reply->file_failed
                         ? xstrdup("cannot write the file: no room?")
                         : xasprintf("cannot reach the server at %s: %s", client->url, curl_easy_strerror(code)));
    if (!client->hushed)
        text_complain("%s", client->why);
    return reached ? VERDICT_ERROR : VERDICT_UNREACHABLE;
}

/* Say what a problem document says: each fault with its place. */
static void say_refused(const char *detail, const char *number, long status, const json_t *problem)
{
    size_t index;
    json_t *fault;
    text_complain("the server says: %s (%s)", detail, number);
    json_array_foreach(json_object_get(problem, "errors"), index, fault)
    {
        char *place = text_at(fault, "pointer"), *text = text_at(fault, "detail");
        text_print(stderr, "  %s: %s\n", place, text);
        free(place);
        free(text);
    }
    if (status == 401)
        text_complain("is there a key? See --key-file, FAXD_KEY and --state in fax --help");
}

/* The same as one line, the faults behind each other. The caller frees. */
static char *refusal(const char *detail, const json_t *problem)
{
    char *line = xstrdup(detail);
    size_t index;
    json_t *fault;
    json_array_foreach(json_object_get(problem, "errors"), index, fault)
    {
        char *place = text_at(fault, "pointer"), *text = text_at(fault, "detail");
        char *longer = xasprintf("%s%s%s: %s", line, index == 0 ? ": " : "; ", place, text);
        free(line);
        free(place);
        free(text);
        line = longer;
    }
    return line;
}

static int refused(struct client *client, long status, const struct reply *reply)
{
    json_t *problem = reply->body != NULL ? json_loadb(reply->body, reply->size, 0, NULL) : NULL;
    char number[24], *detail = text_at(problem, "detail");
    snprintf(number, sizeof number, "%ld", status);
    if (detail[0] == '\0') {
        free(detail);
        detail = text_at(problem, "title");
    }
    keep_why(client, refusal(detail[0] != '\0' ? detail : number, problem));
    if (!client->hushed)
        say_refused(detail[0] != '\0' ? detail : "no", number, status, problem);
    int verdict = verdict_of_problem(status, problem);
    json_decref(problem);
    free(detail);
    return verdict;
}

static int take_reply(json_t **out, const struct reply *reply, long status)
{
    json_error_t where;
    if (out == NULL || reply->size == 0 || status == 204)
        return VERDICT_OK;
    *out = json_loadb(reply->body, reply->size, 0, &where);
    if (*out != NULL)
        return VERDICT_OK;
    text_complain("the server's reply is no JSON: %s", where.text);
    return VERDICT_ERROR;
}

/* Perform once what is set in client->curl. The transport's result, and the HTTP status. */
static CURLcode perform(struct client *client, struct reply *reply, long *status)
{
    CURL *curl = client->curl;
    curl_off_t wait = 0;
    reply->curl = curl;
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, reply);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)STALLED_S);
    keep_why(client, NULL);
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, status);
    client->status = code == CURLE_OK ? *status : 0;
    curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &wait);
    reply->retry_after_s = wait > 0 && wait < WAIT_MAX_S ? (long)wait : wait > 0 ? WAIT_MAX_S : 0;
    return code;
}

void client_hurry(struct client *client, long ms)
{
    client->most_ms = ms;
}

/* What a request sends, none where text is NULL. */
struct sent {
    const char *type, *text;
    size_t size;
};

/* One request. `accept` is a type of reply, NULL = whatever comes. */
static CURLcode request_once(struct client *client, struct reply *reply, long *status, const char *method,
                             const char *path, const struct sent *sent, const char *accept)
{
    char *url = xasprintf("%s%s", client->url, path), *type = xasprintf("Content-Type: %s", sent->type);
    char *wanted = xasprintf("Accept: %s", accept != NULL ? accept : "*/*");
    struct curl_slist *headers = add_header(NULL, wanted);
    if (client->authorization != NULL)
        headers = add_header(headers, client->authorization);
    if (sent->text != NULL)
        headers = add_header(headers, type);
    set_common(client, client->curl, url, headers);
    curl_easy_setopt(client->curl, CURLOPT_TIMEOUT, (long)REPLY_S);
    if (client->most_ms > 0)
        curl_easy_setopt(client->curl, CURLOPT_TIMEOUT_MS, client->most_ms);
    if (sent->text != NULL) {
        curl_easy_setopt(client->curl, CURLOPT_POSTFIELDS, sent->text);
        curl_easy_setopt(client->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)sent->size);
    } else if (strcmp(method, "POST") == 0) {
        curl_easy_setopt(client->curl, CURLOPT_POSTFIELDS, "");
        curl_easy_setopt(client->curl, CURLOPT_POSTFIELDSIZE, 0L);
    }
    if (strcmp(method, "GET") != 0)
        curl_easy_setopt(client->curl, CURLOPT_CUSTOMREQUEST, method);
    CURLcode code = perform(client, reply, status);
    curl_slist_free_all(headers);
    free(wanted);
    free(type);
    free(url);
    return code;
}

int client_send(json_t **out, struct client *client, const char *method, const char *path, const char *type,
                const char *body, size_t size)
{
    const struct sent sent = {type, body, size};
    struct reply reply = {0};
    long status = 0;
    if (out != NULL)
        *out = NULL;
    CURLcode code = request_once(client, &reply, &status, method, path, &sent, NULL);
    int verdict = code != CURLE_OK  ? unreachable(client, code, &reply)
                  : is_good(status) ? take_reply(out, &reply, status)
                                    : refused(client, status, &reply);
    free(reply.body);
    return verdict;
}

int client_request(json_t **out, struct client *client, const char *method, const char *path, const json_t *body)
{
    char *text = body != NULL ? json_dumps(body, JSON_COMPACT) : NULL;
    int verdict = client_send(out, client, method, path, "application/json", text, text != NULL ? strlen(text) : 0);
    free(text);
    return verdict;
}

/* The address in `Link: <...>; rel="next"` (RFC 8288) of the last reply; NULL when there is none. The caller frees. */
static char *next_page(struct client *client)
{
    struct curl_header *link;
    if (curl_easy_header(client->curl, "Link", 0, CURLH_HEADER, -1, &link) != CURLHE_OK)
        return NULL;
    const char *from = strchr(link->value, '<'), *to = from != NULL ? strchr(from, '>') : NULL;
    if (to == NULL || from[1] != '/' || strstr(to, "rel=\"next\"") == NULL)
        return NULL;
    return xasprintf("%.*s", (int)(to - from - 1), from + 1);
}

int client_download_csv(struct client *client, const char *path, FILE *file)
{
    const struct sent nothing = {"", NULL, 0};
    char *asked = xstrdup(path);
    int verdict = VERDICT_OK;
    for (bool first = true; asked != NULL && verdict == VERDICT_OK; first = false) {
        struct reply reply = {0};
        long status = 0;
        CURLcode code = request_once(client, &reply, &status, "GET", asked, &nothing, "text/csv");
        free(asked);
        asked = code == CURLE_OK ? next_page(client) : NULL;
        if (code != CURLE_OK)
            verdict = unreachable(client, code, &reply);
        else if (!is_good(status))
            verdict = refused(client, status, &reply);
        /* The line of heads has no quoted end of line in it. */
        const char *end = reply.body != NULL ? memchr(reply.body, '\n', reply.size) : NULL;
        size_t skipped = first || end == NULL ? 0 : (size_t)(end + 1 - reply.body);
        if (verdict == VERDICT_OK &&
            fwrite(reply.body + skipped, 1, reply.size - skipped, file) != reply.size - skipped) {
            text_complain("cannot write the file: no room?");
            verdict = VERDICT_ERROR;
        }
        free(reply.body);
    }
    free(asked);
    return verdict;
}

int client_probe(json_t **out, bool *good, struct client *client, const char *path)
{
    struct reply reply = {0};
    char *type = NULL; /* curl's */
    long status = 0;
    *out = NULL;
    CURLcode code = request_once(client, &reply, &status, "GET", path, &(const struct sent){"", NULL, 0}, NULL);
    curl_easy_getinfo(client->curl, CURLINFO_CONTENT_TYPE, &type);
    *good = code == CURLE_OK && is_good(status);
    bool is_result = *good || (status == 503 && type != NULL && strncmp(type, "application/json", 16) == 0);
    int verdict = code != CURLE_OK ? unreachable(client, code, &reply)
                  : is_result      ? take_reply(out, &reply, status)
                                   : refused(client, status, &reply);
    free(reply.body);
    return verdict;
}

static void sleep_s(long seconds)
{
    struct timespec left = {.tv_sec = seconds};
    while (nanosleep(&left, &left) != 0)
        continue;
}

/* Not known whether the server has it: worth another try with the same key. */
static bool may_try_again(CURLcode code, long status)
{
    if (code == CURLE_OK)
        return status == 409 || status == 429 || status == 502 || status == 503 || status == 504;
    return code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR || code == CURLE_GOT_NOTHING ||
           code == CURLE_PARTIAL_FILE || code == CURLE_OPERATION_TIMEDOUT;
}

/* One try of a form. The transport's result, or CURLE_READ_ERROR when the form cannot be filled. */
static CURLcode post_once(struct client *client, struct reply *reply, long *status, const char *url,
                          struct curl_slist *headers, client_fill_fn fill, void *context)
{
    set_common(client, client->curl, url, headers);
    curl_mime *form = curl_mime_init(client->curl);
    CURLcode code = CURLE_READ_ERROR;
    if (form != NULL && fill(form, context) == 0) {
        curl_easy_setopt(client->curl, CURLOPT_MIMEPOST, form);
        code = perform(client, reply, status);
    }
    curl_mime_free(form);
    return code;
}

int client_post_form(json_t **out, struct client *client, const char *path, const char *idempotency_key,
                     client_fill_fn fill, void *context)
{
    char *url = xasprintf("%s%s", client->url, path);
    char *key = xasprintf("Idempotency-Key: %s", idempotency_key);
    struct curl_slist *headers = add_header(NULL, key);
    int verdict = VERDICT_ERROR;
    if (client->authorization != NULL)
        headers = add_header(headers, client->authorization);
    headers = add_header(headers, "Expect:"); /* no wait for 100 Continue */
    *out = NULL;
    for (int try = 1; try <= TRIES; try++) {
        struct reply reply = {0};
        long status = 0;
        CURLcode code = post_once(client, &reply, &status, url, headers, fill, context);
        bool again = may_try_again(code, status) && !reply.too_long && try < TRIES;
        if (again && !client->hushed)
            text_complain("the server did not answer as hoped, trying again");
        else if (!again && code != CURLE_OK)
            verdict = unreachable(client, code, &reply);
        else if (!again)
            verdict = is_good(status) ? take_reply(out, &reply, status) : refused(client, status, &reply);
        long wait_s = reply.retry_after_s > 0 ? reply.retry_after_s : try;
        free(reply.body);
        if (!again)
            break;
        sleep_s(wait_s);
    }
    curl_slist_free_all(headers);
    free(key);
    free(url);
    return verdict;
}

int client_download(struct client *client, const char *path, FILE *file)
{
    struct reply reply = {.file = file};
    char *url = xasprintf("%s%s", client->url, path);
    struct curl_slist *headers = client->authorization != NULL ? add_header(NULL, client->authorization) : NULL;
    long status = 0;
    set_common(client, client->curl, url, headers);
    CURLcode code = perform(client, &reply, &status);
    int verdict = code != CURLE_OK  ? unreachable(client, code, &reply)
                  : is_good(status) ? VERDICT_OK
                                    : refused(client, status, &reply);
    curl_slist_free_all(headers);
    free(reply.body);
    free(url);
    return verdict;
}

/* --- the event stream --- */

struct follower {
    client_event_fn on_event;
    void *context;
    struct sse *sse;
    CURL *curl;
    struct reply refusal; /* the body when the stream is refused */
    bool ended;
};

static bool on_sse(const char *type, const char *data, const char *id, void *context)
{
    struct follower *follower = context;
    json_t *event = json_loads(data, 0, NULL);
    (void)id;
    if (json_is_object(event))
        follower->ended = follower->on_event(type, event, follower->context);
    json_decref(event);
    return follower->ended;
}

static size_t on_stream(char *data, size_t one, size_t size, void *context)
{
    struct follower *follower = context;
    long status = 0;
    curl_easy_getinfo(follower->curl, CURLINFO_RESPONSE_CODE, &status);
    if (!is_good(status))
        return on_body(data, one, size, &follower->refusal);
    return sse_feed(follower->sse, data, size) ? 0 : size;
}

static CURLcode finished_with(CURLM *multi, CURL *curl)
{
    int left = 0;
    CURLMsg *message = curl_multi_info_read(multi, &left);
    return message != NULL && message->easy_handle == curl ? message->data.result : CURLE_OK;
}

/* Run one connection until it ends; true in `*ticked_out` when on_tick ended it. */
static CURLcode run_stream(CURLM *multi, struct follower *follower, bool (*on_tick)(void *context), int tick_ms)
{
    int running = 1;
    int64_t due = clock_mono_ms() + tick_ms;
    while (running > 0 && !follower->ended) {
        if (curl_multi_perform(multi, &running) != CURLM_OK)
            return CURLE_RECV_ERROR;
        int64_t left = due - clock_mono_ms();
        if (left <= 0) {
            follower->ended = follower->ended || (on_tick != NULL && on_tick(follower->context));
            due = clock_mono_ms() + tick_ms;
        } else if (running > 0 && !follower->ended) {
            curl_multi_poll(multi, NULL, 0, (int)left, NULL);
        }
    }
    return follower->ended ? CURLE_OK : finished_with(multi, follower->curl);
}

static CURLcode connect_stream(struct client *client, struct follower *follower, long *status,
                               bool (*on_tick)(void *context), int tick_ms)
{
    CURLM *multi = curl_multi_init();
    char *url = xasprintf("%s/v1/events/stream", client->url);
    char *last = xasprintf("Last-Event-ID: %s", sse_last_id(follower->sse));
    struct curl_slist *headers = add_header(NULL, "Accept: text/event-stream");
    CURLcode code = CURLE_OUT_OF_MEMORY;
    if (client->authorization != NULL)
        headers = add_header(headers, client->authorization);
    if (sse_last_id(follower->sse)[0] != '\0')
        headers = add_header(headers, last);
    follower->curl = curl_easy_init();
    follower->refusal = (struct reply){.curl = follower->curl};
    sse_restart(follower->sse);
    if (multi != NULL && follower->curl != NULL) {
        set_common(client, follower->curl, url, headers);
        curl_easy_setopt(follower->curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
        curl_easy_setopt(follower->curl, CURLOPT_LOW_SPEED_TIME, (long)STREAM_IDLE_S);
        curl_easy_setopt(follower->curl, CURLOPT_WRITEFUNCTION, on_stream);
        curl_easy_setopt(follower->curl, CURLOPT_WRITEDATA, follower);
        curl_multi_add_handle(multi, follower->curl);
        code = run_stream(multi, follower, on_tick, tick_ms);
        curl_easy_getinfo(follower->curl, CURLINFO_RESPONSE_CODE, status);
        curl_multi_remove_handle(multi, follower->curl);
    }
    curl_easy_cleanup(follower->curl);
    curl_multi_cleanup(multi);
    curl_slist_free_all(headers);
    free(last);
    free(url);
    return code;
}

int client_follow(struct client *client, client_event_fn on_event, bool (*on_tick)(void *context), int tick_ms,
                  void *context)
{
    struct follower follower = {.on_event = on_event, .context = context};
    int verdict = VERDICT_OK;
    bool connected = false;
    follower.sse = sse_new(on_sse, &follower);
    while (!follower.ended && verdict == VERDICT_OK) {
        long status = 0;
        CURLcode code = connect_stream(client, &follower, &status, on_tick, tick_ms);
        connected = connected || is_good(status);
        if (!follower.ended && status != 0 && !is_good(status) && status != 503)
            verdict = refused(client, status, &follower.refusal);
        else if (!follower.ended && !connected && status == 0)
            verdict = unreachable(client, code, &follower.refusal);
        free(follower.refusal.body);
        if (!follower.ended && verdict == VERDICT_OK) {
            struct timespec pause = {.tv_sec = RECONNECT_MS / 1000, .tv_nsec = RECONNECT_MS % 1000 * 1000000L};
            nanosleep(&pause, NULL);
            follower.ended = on_tick != NULL && on_tick(context);
        }
    }
    sse_free(follower.sse);
    return verdict;
}
