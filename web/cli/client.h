/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HTTP to the server: requests with JSON replies, downloads, and the event stream.
 *
 * Every function returns an exit status (verdict.h) and has said on standard error what went wrong, unless it is 0.
 * Replies are bounded, redirects are not followed, only http and https are spoken.
 *
 * Thread: one.
 */
#ifndef FAXD_CLI_CLIENT_H
#define FAXD_CLI_CLIENT_H

#include <curl/curl.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

struct client;

/* `url` such as "http://127.0.0.1:8080" (a path after it is a prefix), `key` or NULL. The caller closes. */
int client_open(struct client **out, const char *url, const char *key);
/* As it was given, without a slash at its end. Borrowed. */
const char *client_url(const struct client *client);
void client_close(struct client *client);

/* For programs whose standard error is not a person's: from now on nothing is said there, and these tell how the last
 * request ended. Its HTTP status, 0 = no reply came; why it failed, as one line without an end, "" = it did not.
 * Borrowed, until the next request. */
void client_hush(struct client *client);
long client_status(const struct client *client);
const char *client_why(const struct client *client);

/* Percent-encode one step of a path or a query's value. The caller frees with free(). */
char *client_escape(const char *text);

/* Send `method` to `path`, with `body` as JSON when not NULL. `*reply` (may be NULL) gets the JSON of a good reply,
 * NULL when it has none; the caller frees. */
int client_request(json_t **reply, struct client *client, const char *method, const char *path, const json_t *body);

/* The same with a body of another type than JSON. */
int client_send(json_t **reply, struct client *client, const char *method, const char *path, const char *type,
                const char *body, size_t size);

/* Let each request take no longer than `ms`, for those that somebody waits for at a key. */
void client_hurry(struct client *client, long ms);

/* GET a state whose reply says something also when it is 503 (health). `*reply` as above, also with that status unless
 * it is a problem document; `*good` tells whether the status was 2xx. */
int client_probe(json_t **reply, bool *good, struct client *client, const char *path);

/* POST a form. `fill` adds its parts and is called again for each try: when the connection breaks or the server is busy
 * the request is repeated with the same `idempotency_key`, which makes it one request. */
typedef int (*client_fill_fn)(curl_mime *form, void *context);
int client_post_form(json_t **reply, struct client *client, const char *path, const char *idempotency_key,
                     client_fill_fn fill, void *context);

/* GET into a file. On failure the file may have part of it. */
int client_download(struct client *client, const char *path, FILE *file);

/* GET a list as CSV (text/csv) into a file, page after page, with the first line once. */
int client_download_csv(struct client *client, const char *path, FILE *file);

/* One event of the stream: its type, and its JSON (borrowed). Return true to end the stream. */
typedef bool (*client_event_fn)(const char *type, const json_t *event, void *context);

/* Follow /v1/events/stream from now on, across broken connections, until `on_event` ends it. `on_tick` (may be NULL) is
 * called at least every `tick_ms`, also while there is no stream; true ends it. Returns 0 when one of them ended it, or
 * why the first connection failed. */
int client_follow(struct client *client, client_event_fn on_event, bool (*on_tick)(void *context), int tick_ms,
                  void *context);

#endif
