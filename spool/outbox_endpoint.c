/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Webhook endpoints: made by API or by the configuration, disabled by a person or by a 410. */
#include "spool/outbox.h"

#include "db/stmt.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "spool/event.h"
#include "spool/spool.h"
#include "spool/subscription.h"

#include <ctype.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define URL_MAX       2000
#define EVENTS_MAX    64
#define SECRET_MIN    24 /* octets, Standard Webhooks 1.0.0 */
#define SECRET_MAX    64
#define SECRET_MADE   32
#define SECRET_PREFIX "whsec_"

#define COLUMNS                                                                                                        \
    "id, public_id, url, secret, old_secret, old_secret_until, events, enabled, from_config, disabled_reason, owner, " \
    "created_at"

static void read_row(struct outbox_endpoint *endpoint, struct stmt *stmt)
{
    *endpoint = (struct outbox_endpoint){.id = stmt_int(stmt, "id")};
    str_copy(endpoint->public_id, sizeof(endpoint->public_id), stmt_text(stmt, "public_id"));
    endpoint->url = xstrdup(stmt_text(stmt, "url"));
    endpoint->secret = xstrdup(stmt_text(stmt, "secret"));
    endpoint->old_secret =
        xstrdup(stmt_int(stmt, "old_secret_until") > clock_now_ms() ? stmt_text(stmt, "old_secret") : "");
    endpoint->events = xstrdup(stmt_text(stmt, "events"));
    endpoint->enabled = stmt_int(stmt, "enabled") != 0;
    endpoint->from_config = stmt_int(stmt, "from_config") != 0;
    endpoint->disabled_reason = xstrdup(stmt_text(stmt, "disabled_reason"));
    endpoint->owner = stmt_int(stmt, "owner");
    endpoint->created_at = stmt_int(stmt, "created_at");
}

static int one_row(struct outbox_endpoint *endpoint, struct stmt *stmt)
{
    int error = stmt_step(stmt);
    if (error == 1)
        read_row(endpoint, stmt);
    stmt_close(stmt);
    return error == 1 ? 0 : error ? error : err_set(ERR_NOT_FOUND, "no such webhook endpoint");
}

void outbox_endpoint_clear(struct outbox_endpoint *endpoint)
{
    free(endpoint->url);
    free(endpoint->secret);
    free(endpoint->old_secret);
    free(endpoint->events);
    free(endpoint->disabled_reason);
    memset(endpoint, 0, sizeof(*endpoint));
}

int outbox_endpoint_find(struct outbox_endpoint *endpoint, struct spool *spool, const char *public_id)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "SELECT " COLUMNS " FROM endpoint WHERE public_id = ?");
    if (error)
        return error;
    stmt_bind_text(stmt, public_id);
    return one_row(endpoint, stmt);
}

int outbox_endpoint_get(struct outbox_endpoint *endpoint, struct spool *spool, int64_t id)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "SELECT " COLUMNS " FROM endpoint WHERE id = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, id);
    return one_row(endpoint, stmt);
}

/* ---- checks ---- */

/* host[:port], host being a name, an IPv4 address or a bracketed IPv6 one. */
static bool is_authority(const char *text, size_t length)
{
    size_t host = 0;
    if (length > 0 && text[0] == '[') {
        host = 1 + strspn(text + 1, "0123456789abcdefABCDEF:.");
        if (host < 3 || host >= length || text[host++] != ']')
            return false;
    } else {
        while (host < length && (isalnum((unsigned char)text[host]) || strchr("-._", text[host])))
            host++;
        if (host == 0)
            return false;
    }
    if (host == length)
        return true;
    char port[8];
    int64_t number;
    if (text[host] != ':' || length - host - 1 >= sizeof(port))
        return false;
    str_copy(port, length - host, text + host + 1);
    return str_to_int(&number, port, 1, 65535) == 0;
}

int outbox_url_check(const char *url)
{
    const char *rest = url && strncmp(url, "https://", 8) == 0  ? url + 8
                       : url && strncmp(url, "http://", 7) == 0 ? url + 7
                                                                : NULL;
    if (!rest)
        return err_set(ERR_INVALID, "url: begins with https:// or http://");
    if (strlen(url) > URL_MAX)
        return err_set(ERR_INVALID, "url: at most %d octets", URL_MAX);
    for (const char *at = url; *at; at++)
        if (*at <= ' ' || *at == 127 || (unsigned char)*at > 127)
            return err_set(ERR_INVALID, "url: only printable ASCII, others percent-encoded");
    size_t length = strcspn(rest, "/?#");
    if (memchr(rest, '@', length))
        return err_set(ERR_INVALID, "url: without user name and password");
    return is_authority(rest, length) ? 0 : err_set(ERR_INVALID, "url: has no valid host and port");
}

int outbox_secret_check(const char *secret)
{
    unsigned char octets[SECRET_MAX];
    size_t size;
    if (strncmp(secret, SECRET_PREFIX, strlen(SECRET_PREFIX)) != 0 ||
        sodium_base642bin(octets, sizeof(octets), secret + strlen(SECRET_PREFIX),
                          strlen(secret) - strlen(SECRET_PREFIX), NULL, &size, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0 ||
        size < SECRET_MIN)
        return err_set(ERR_INVALID, "secret: " SECRET_PREFIX " and base64 of %d to %d octets", SECRET_MIN, SECRET_MAX);
    sodium_memzero(octets, sizeof(octets));
    return 0;
}

void outbox_secret_make(char secret[OUTBOX_SECRET_SIZE])
{
    unsigned char octets[SECRET_MADE];
    randombytes_buf(octets, sizeof(octets));
    size_t head = (size_t)snprintf(secret, OUTBOX_SECRET_SIZE, SECRET_PREFIX);
    sodium_bin2base64(secret + head, OUTBOX_SECRET_SIZE - head, octets, sizeof(octets), sodium_base64_VARIANT_ORIGINAL);
    sodium_memzero(octets, sizeof(octets));
}

static bool is_event_pattern(const char *word)
{
    size_t length = word ? strspn(word, "abcdefghijklmnopqrstuvwxyz_.") : 0;
    if (length == 0 || length > 64)
        return false;
    return word[length] == '\0' || (word[length] == '*' && word[length - 1] == '.' && word[length + 1] == '\0');
}

static int check_events(char **text, const json_t *events)
{
    if (events && !json_is_array(events) && !json_is_null(events))
        return err_set(ERR_INVALID, "events: a list of event types is needed");
    if (json_array_size(events) > EVENTS_MAX)
        return err_set(ERR_INVALID, "events: at most %d", EVENTS_MAX);
    for (size_t i = 0; i < json_array_size(events); i++)
        if (!is_event_pattern(json_string_value(json_array_get(events, i))))
            return err_set(ERR_INVALID, "events: each is a type (fax.delivered) or a group (fax.*)");
    *text = json_array_size(events) ? json_dumps(events, JSON_COMPACT) : xstrdup("[]");
    return 0;
}

/* ---- changes ---- */

static void changed(struct spool *spool)
{
    subscription_forget(spool);
    spool_mark(spool, SPOOL_CHANGE_ENDPOINT);
}

static int check_room(struct spool *spool)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "SELECT count(*) AS endpoints FROM endpoint");
    if (error)
        return error;
    error = stmt_step(stmt);
    int64_t count = error == 1 ? stmt_int(stmt, "endpoints") : 0;
    stmt_close(stmt);
    if (error < 0)
        return error;
    return count < OUTBOX_ENDPOINTS_MAX
               ? 0
               : err_set(ERR_FULL, "there are %d webhook endpoints already", OUTBOX_ENDPOINTS_MAX);
}

static int insert(struct outbox_endpoint *endpoint, struct spool *spool, const char *url, const char *secret,
                  const char *events, int64_t owner, bool from_config)
{
    char ulid[STR_ULID_SIZE], public_id[OUTBOX_ID_SIZE];
    struct stmt *stmt;
    int64_t now_ms = clock_now_ms();
    snprintf(public_id, sizeof(public_id), "whe_%s", str_ulid(ulid, now_ms));
    int error =
        stmt_open(&stmt, spool_db(spool),
                  "INSERT INTO endpoint (public_id, url, secret, events, enabled, from_config, owner, created_at)"
                  " VALUES (?, ?, ?, ?, 1, ?, ?, ?) RETURNING " COLUMNS);
    if (error)
        return error;
    stmt_bind_text(stmt, public_id);
    stmt_bind_text(stmt, url);
    stmt_bind_text(stmt, secret);
    stmt_bind_text(stmt, events);
    stmt_bind_int(stmt, from_config);
    stmt_bind_int(stmt, owner);
    stmt_bind_int(stmt, now_ms);
    return one_row(endpoint, stmt);
}

int outbox_endpoint_create(struct outbox_endpoint *endpoint, struct spool *spool, const char *url, const char *secret,
                           const json_t *events, int64_t owner, bool from_config)
{
    char made[OUTBOX_SECRET_SIZE];
    char *list = NULL;
    if (!secret) {
        outbox_secret_make(made);
        secret = made;
    }
    int error = outbox_url_check(url);
    if (!error)
        error = outbox_secret_check(secret);
    if (!error)
        error = check_room(spool);
    if (!error)
        error = check_events(&list, events);
    if (!error)
        error = insert(endpoint, spool, url, secret, list, owner, from_config);
    if (!error)
        changed(spool);
    free(list);
    return error;
}

static int delete_row(struct spool *spool, int64_t id)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "DELETE FROM endpoint WHERE id = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, id);
    changed(spool);
    return stmt_run(NULL, stmt);
}

int outbox_endpoint_delete(struct spool *spool, const char *public_id)
{
    struct outbox_endpoint endpoint;
    int error = outbox_endpoint_find(&endpoint, spool, public_id);
    if (error)
        return error;
    error = endpoint.from_config ? err_set(ERR_CONFLICT, "this endpoint stands in the configuration")
                                 : delete_row(spool, endpoint.id);
    outbox_endpoint_clear(&endpoint);
    return error;
}

static int find_changeable(struct outbox_endpoint *endpoint, struct spool *spool, const char *public_id)
{
    int error = outbox_endpoint_find(endpoint, spool, public_id);
    if (error || !endpoint->from_config)
        return error;
    outbox_endpoint_clear(endpoint);
    return err_set(ERR_CONFLICT, "this endpoint stands in the configuration");
}

static int write_target(struct spool *spool, int64_t id, const char *url, const char *events)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "UPDATE endpoint SET url = ?, events = ? WHERE id = ?");
    if (error)
        return error;
    stmt_bind_text(stmt, url);
    stmt_bind_text(stmt, events);
    stmt_bind_int(stmt, id);
    changed(spool);
    return stmt_run(NULL, stmt);
}

int outbox_endpoint_update(struct spool *spool, const char *public_id, const char *url, const json_t *events)
{
    struct outbox_endpoint endpoint;
    char *list = NULL;
    int error = find_changeable(&endpoint, spool, public_id);
    if (error)
        return error;
    if (url)
        error = outbox_url_check(url);
    if (!error && events)
        error = check_events(&list, events);
    if (!error)
        error = write_target(spool, endpoint.id, url ? url : endpoint.url, list ? list : endpoint.events);
    free(list);
    outbox_endpoint_clear(&endpoint);
    return error;
}

static int write_secret(struct spool *spool, int64_t id, const char *secret)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool),
                          "UPDATE endpoint SET old_secret = secret, old_secret_until = ?, secret = ? WHERE id = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, clock_now_ms() + OUTBOX_ROTATE_MS);
    stmt_bind_text(stmt, secret);
    stmt_bind_int(stmt, id);
    changed(spool);
    return stmt_run(NULL, stmt);
}

int outbox_endpoint_rotate(struct outbox_endpoint *endpoint, struct spool *spool, const char *public_id)
{
    char secret[OUTBOX_SECRET_SIZE];
    int error = find_changeable(endpoint, spool, public_id);
    if (error)
        return error;
    int64_t id = endpoint->id;
    outbox_endpoint_clear(endpoint);
    outbox_secret_make(secret);
    error = write_secret(spool, id, secret);
    sodium_memzero(secret, sizeof(secret));
    return error ? error : outbox_endpoint_get(endpoint, spool, id);
}

int outbox_endpoint_test(struct spool *spool, const char *public_id)
{
    struct outbox_endpoint endpoint;
    int error = outbox_endpoint_find(&endpoint, spool, public_id);
    if (error)
        return error;
    json_t *data = json_pack("{s:s}", "endpoint", endpoint.public_id);
    error = endpoint.enabled ? event_write_to(spool, "webhook_endpoint.test", data, endpoint.id)
                             : err_set(ERR_CONFLICT, "this webhook endpoint is disabled");
    json_decref(data);
    outbox_endpoint_clear(&endpoint);
    return error;
}

/* What waits for a disabled endpoint is given up: it would stand at the head of what is due. It can be replayed. */
static int give_up_deliveries(struct spool *spool, int64_t endpoint)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool),
                          "UPDATE delivery SET next_at = 0, state = 2, error = 'the endpoint was disabled'"
                          " WHERE next_at > 0 AND endpoint = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, endpoint);
    return stmt_run(NULL, stmt);
}

int outbox_endpoint_enable(struct spool *spool, int64_t id, bool enabled, const char *reason)
{
    struct stmt *stmt;
    int64_t count;
    int error = stmt_open(&stmt, spool_db(spool), "UPDATE endpoint SET enabled = ?, disabled_reason = ? WHERE id = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, enabled);
    stmt_bind_text(stmt, enabled || !reason ? "" : reason);
    stmt_bind_int(stmt, id);
    error = stmt_run(&count, stmt);
    if (!error && !count)
        error = err_set(ERR_NOT_FOUND, "no such webhook endpoint");
    if (!error && !enabled)
        error = give_up_deliveries(spool, id);
    changed(spool);
    return error;
}

/* ---- configuration ---- */

static int update_row(struct spool *spool, int64_t id, const char *secret, const char *events)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "UPDATE endpoint SET secret = ?, events = ? WHERE id = ?");
    if (error)
        return error;
    stmt_bind_text(stmt, secret);
    stmt_bind_text(stmt, events);
    stmt_bind_int(stmt, id);
    changed(spool);
    return stmt_run(NULL, stmt);
}

static int find_configured(struct outbox_endpoint *endpoint, struct spool *spool, const char *url)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "SELECT " COLUMNS " FROM endpoint WHERE from_config = 1 AND url = ?");
    if (error)
        return error;
    stmt_bind_text(stmt, url);
    return one_row(endpoint, stmt);
}

static int take_configured(struct spool *spool, const json_t *item)
{
    struct outbox_endpoint endpoint = {0};
    const char *url = json_string_value(json_object_get(item, "url"));
    const char *secret = json_string_value(json_object_get(item, "secret"));
    const json_t *events = json_object_get(item, "events");
    char *list = NULL;
    if (secret && !*secret)
        secret = NULL;
    int error = outbox_url_check(url);
    if (!error)
        error = find_configured(&endpoint, spool, url);
    if (error == ERR_NOT_FOUND) {
        error = outbox_endpoint_create(&endpoint, spool, url, secret, events, 0, true);
        goto out;
    }
    if (!error && secret)
        error = outbox_secret_check(secret);
    if (!error)
        error = check_events(&list, events);
    if (!error && ((secret && strcmp(secret, endpoint.secret) != 0) || strcmp(list, endpoint.events) != 0))
        error = update_row(spool, endpoint.id, secret ? secret : endpoint.secret, list);
out:
    outbox_endpoint_clear(&endpoint);
    free(list);
    return error;
}

static bool is_listed(const json_t *list, const char *url)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *other = json_string_value(json_object_get(json_array_get(list, i), "url"));
        if (other && strcmp(other, url) == 0)
            return true;
    }
    return false;
}

/* The first configured endpoint after `after` that the list no longer has: its id, 0, or an error. */
static int64_t next_unlisted(struct spool *spool, const json_t *list)
{
    struct stmt *stmt;
    int64_t found = 0;
    int error = stmt_open(&stmt, spool_db(spool), "SELECT id, url FROM endpoint WHERE from_config = 1 ORDER BY id");
    if (error)
        return error;
    while (!found && (error = stmt_step(stmt)) == 1)
        if (!is_listed(list, stmt_text(stmt, "url")))
            found = stmt_int(stmt, "id");
    stmt_close(stmt);
    return error < 0 ? error : found;
}

int outbox_endpoints_from_config(struct spool *spool, const json_t *list)
{
    int64_t gone;
    while ((gone = next_unlisted(spool, list)) > 0) {
        int error = delete_row(spool, gone);
        if (error)
            return error;
    }
    if (gone < 0)
        return (int)gone;
    for (size_t i = 0; i < json_array_size(list); i++) {
        int error = take_configured(spool, json_array_get(list, i));
        if (error)
            return error;
    }
    return 0;
}

/* ---- JSON ---- */

json_t *outbox_endpoint_json(const struct outbox_endpoint *endpoint, bool with_secret)
{
    char time[CLOCK_TEXT_SIZE];
    json_t *events = json_loads(endpoint->events, 0, NULL);
    json_t *object =
        json_pack("{s:s, s:s, s:o, s:b, s:b, s:s, s:s}", "id", endpoint->public_id, "url", endpoint->url, "events",
                  events ? events : json_array(), "enabled", endpoint->enabled, "from_config", endpoint->from_config,
                  "disabled_reason", endpoint->disabled_reason, "created_at", clock_format(time, endpoint->created_at));
    if (with_secret)
        json_object_set_new(object, "secret", json_string(endpoint->secret));
    return object;
}

json_t *outbox_endpoints_json(struct spool *spool)
{
    struct stmt *stmt;
    struct outbox_endpoint endpoint;
    json_t *list = json_array();
    if (stmt_open(&stmt, spool_db(spool), "SELECT " COLUMNS " FROM endpoint ORDER BY id"))
        return list;
    while (stmt_step(stmt) == 1) {
        read_row(&endpoint, stmt);
        json_array_append_new(list, outbox_endpoint_json(&endpoint, false));
        outbox_endpoint_clear(&endpoint);
    }
    stmt_close(stmt);
    return list;
}
