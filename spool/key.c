/* SPDX-License-Identifier: GPL-2.0-or-later */
/* API keys. Each request checks one, so valid ones are kept in a small table in memory, by the hash of their token; any
 * change of a key empties it.
 */
#include "spool/key.h"

#include "db/stmt.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "spool/nullable.h"
#include "spool/spool_private.h"
#include "spool/token.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECRET_SIZE   32 /* characters of 5 bits */
#define CACHE_SLOTS   256
#define KEYS_MAX      10000
#define USED_EVERY_MS 60000

#define COLUMNS                                                                                                        \
    "id, public_id, name, scopes, test, created_at, expires_at, revoked_at, last_used_at, user_id, "                   \
    "allow_from, per_minute, old_until, "                                                                              \
    "(SELECT account.public_id FROM account WHERE account.id = api_key.user_id) AS user_public_id"

struct key_cache {
    struct {
        char hash[TOKEN_HASH_SIZE]; /* "" = empty */
        int64_t until;              /* of a token that was rotated away; 0 = it is the key's own */
        struct key key;
    } slots[CACHE_SLOTS];
};

static const struct {
    unsigned scope;
    const char *word;
} scopes[] = {
    {KEY_FAX_SEND, "fax:send"},           {KEY_FAX_READ, "fax:read"},         {KEY_FAX_CANCEL, "fax:cancel"},
    {KEY_DOCUMENT_READ, "document:read"}, {KEY_INBOX_MANAGE, "inbox:manage"}, {KEY_CONFIG, "config:*"},
    {KEY_AUDIT_READ, "audit:read"},
};

static void forget(struct spool *spool)
{
    for (int i = 0; i < CACHE_SLOTS; i++)
        spool->keys->slots[i].hash[0] = '\0';
}

static void close_keys(struct spool *spool)
{
    free(spool->keys);
    spool->keys = NULL;
}

static const struct spool_hook hook = {.voided = forget, .part_undo = forget, .close = close_keys};

int key_start(struct spool *spool)
{
    spool->keys = xcalloc(1, sizeof(*spool->keys));
    spool_hook(spool, &hook);
    return 0;
}

static void read_row(struct key *key, struct stmt *stmt)
{
    *key = (struct key){.id = stmt_int(stmt, "id")};
    str_copy(key->public_id, sizeof(key->public_id), stmt_text(stmt, "public_id"));
    str_copy(key->name, sizeof(key->name), stmt_text(stmt, "name"));
    key->scopes = (unsigned)stmt_int(stmt, "scopes");
    key->test = stmt_int(stmt, "test") != 0;
    key->created_at = stmt_int(stmt, "created_at");
    key->expires_at = stmt_int(stmt, "expires_at");
    key->revoked_at = stmt_int(stmt, "revoked_at");
    key->last_used_at = stmt_int(stmt, "last_used_at");
    key->user_id = stmt_int(stmt, "user_id");
    str_copy(key->user, sizeof(key->user), stmt_text(stmt, "user_public_id"));
    key_rule_from_text(&key->rule, stmt_text(stmt, "allow_from"));
    key->rule.per_minute = (int)stmt_int(stmt, "per_minute");
    key->old_until = stmt_int(stmt, "old_until");
}

static int one_row(struct key *key, struct stmt *stmt)
{
    int error = stmt_step(stmt);
    if (error == 1)
        read_row(key, stmt);
    stmt_close(stmt);
    return error == 1 ? 0 : error ? error : err_set(ERR_NOT_FOUND, "no such key");
}

/* ---- making ---- */

static void make_token(char token[KEY_TOKEN_SIZE], bool test)
{
    static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz"; /* 32, none mistaken for another */
    char secret[SECRET_SIZE + 1];
    for (int i = 0; i < SECRET_SIZE; i++)
        secret[i] = alphabet[randombytes_uniform(32)];
    secret[SECRET_SIZE] = '\0';
    snprintf(token, KEY_TOKEN_SIZE, "fxk_%s_%s", test ? "test" : "live", secret);
    sodium_memzero(secret, sizeof(secret));
}

static int count_rows(struct spool *spool, const char *sql, int64_t now_ms)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), sql);
    if (error)
        return error;
    stmt_bind_int(stmt, now_ms);
    error = stmt_step(stmt);
    int count = error == 1 ? (int)stmt_int(stmt, "keys") : 0;
    stmt_close(stmt);
    return error < 0 ? error : count;
}

int key_count(struct spool *spool)
{
    return count_rows(
        spool, "SELECT count(*) AS keys FROM api_key WHERE revoked_at = 0 AND (expires_at = 0 OR expires_at > ?)",
        clock_now_ms());
}

static int insert(struct key *key, struct spool *spool, const char *hash)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool),
                          "INSERT INTO api_key (public_id, name, scopes, test, hash, created_at, expires_at)"
                          " VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING " COLUMNS);
    if (error)
        return error;
    struct key given = *key;
    stmt_bind_text(stmt, given.public_id);
    stmt_bind_text(stmt, given.name);
    stmt_bind_int(stmt, given.scopes);
    stmt_bind_int(stmt, given.test);
    stmt_bind_text(stmt, hash);
    stmt_bind_int(stmt, given.created_at);
    stmt_bind_int(stmt, given.expires_at);
    return one_row(key, stmt);
}

int key_create(char token[KEY_TOKEN_SIZE], struct key *key, struct spool *spool, const char *name, unsigned wanted,
               bool test, int64_t expires_at)
{
    char ulid[STR_ULID_SIZE], hash[TOKEN_HASH_SIZE];
    spool_assert_loop(spool);
    if (!name || strlen(name) >= sizeof(key->name) || !str_is_utf8(name, strlen(name)))
        return err_set(ERR_INVALID, "name: at most %zu octets of UTF-8", sizeof(key->name) - 1);
    if (!wanted || (wanted & ~(unsigned)KEY_ALL))
        return err_set(ERR_INVALID, "scopes: at least one known scope is needed");
    int rows = count_rows(spool, "SELECT count(*) AS keys FROM api_key WHERE created_at <= ?", INT64_MAX);
    if (rows < 0)
        return rows;
    if (rows >= KEYS_MAX)
        return err_set(ERR_FULL, "there are %d keys already", KEYS_MAX);
    *key = (struct key){.scopes = wanted, .test = test, .created_at = clock_now_ms(), .expires_at = expires_at};
    snprintf(key->public_id, sizeof(key->public_id), "key_%s", str_ulid(ulid, key->created_at));
    str_copy(key->name, sizeof(key->name), name);
    make_token(token, test);
    token_hash(hash, token);
    return insert(key, spool, hash);
}

/* ---- checking ---- */

static int find_by(struct key *key, struct spool *spool, const char *sql, const char *hash)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), sql);
    if (error)
        return error;
    stmt_bind_text(stmt, hash);
    return one_row(key, stmt);
}

/* `*until` is when the token ends before its key does, 0 = it does not. */
static int find_hash(struct key *key, int64_t *until, struct spool *spool, const char *hash)
{
    int error = find_by(key, spool, "SELECT " COLUMNS " FROM api_key WHERE hash = ?", hash);
    *until = 0;
    if (error != ERR_NOT_FOUND)
        return error;
    error = find_by(key, spool, "SELECT " COLUMNS " FROM api_key WHERE old_hash = ? AND old_until > 0", hash);
    if (!error)
        *until = key->old_until;
    return error;
}

static int note_use(struct spool *spool, struct key *key, int64_t now_ms)
{
    struct stmt *stmt;
    if (now_ms - key->last_used_at < USED_EVERY_MS)
        return 0;
    int error = stmt_open(&stmt, spool_db(spool), "UPDATE api_key SET last_used_at = ? WHERE id = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, now_ms);
    stmt_bind_int(stmt, key->id);
    error = stmt_run(NULL, stmt);
    if (!error)
        key->last_used_at = now_ms;
    return error;
}

int key_check(struct key *key, struct spool *spool, const char *token)
{
    char hash[TOKEN_HASH_SIZE];
    spool_assert_loop(spool);
    if (strncmp(token, "fxk_", 4) != 0 || strlen(token) >= KEY_TOKEN_SIZE)
        return err_set(ERR_NOT_FOUND, "no such key");
    token_hash(hash, token);
    unsigned slot = (unsigned)strtoul((char[]){hash[0], hash[1], '\0'}, NULL, 16);
    struct key *kept = &spool->keys->slots[slot].key;
    if (strcmp(spool->keys->slots[slot].hash, hash) != 0) {
        int64_t until;
        int error = find_hash(key, &until, spool, hash);
        if (error)
            return error;
        str_copy(spool->keys->slots[slot].hash, TOKEN_HASH_SIZE, hash);
        spool->keys->slots[slot].until = until;
        key->token_until = until;
        *kept = *key;
    }
    int64_t now_ms = clock_now_ms(), until = spool->keys->slots[slot].until;
    if (until && until <= now_ms)
        return err_set(ERR_NOT_FOUND, "no such key");
    if (kept->revoked_at || (kept->expires_at && kept->expires_at <= now_ms))
        return err_set(ERR_NOT_FOUND, "no such key");
    /* A disk that is full must not lock users out of reading. */
    if (note_use(spool, kept, now_ms))
        log_warning("key %s: its use was not noted: %s", kept->public_id, err_message());
    *key = *kept;
    return 0;
}

int key_find(struct key *key, struct spool *spool, const char *public_id)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "SELECT " COLUMNS " FROM api_key WHERE public_id = ?");
    if (error)
        return error;
    stmt_bind_text(stmt, public_id);
    return one_row(key, stmt);
}

int key_revoke(struct spool *spool, const char *public_id)
{
    struct stmt *stmt;
    int64_t changed;
    int error = stmt_open(&stmt, spool_db(spool),
                          "UPDATE api_key SET revoked_at = CASE WHEN revoked_at = 0 THEN ? ELSE revoked_at END"
                          " WHERE public_id = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, clock_now_ms());
    stmt_bind_text(stmt, public_id);
    error = stmt_run(&changed, stmt);
    forget(spool);
    return error || changed ? error : err_set(ERR_NOT_FOUND, "no such key");
}

int key_revoke_user(struct spool *spool, int64_t user_id)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool),
                          "UPDATE api_key SET revoked_at = ? WHERE user_id = ? AND user_id > 0 AND revoked_at = 0");
    if (error)
        return error;
    stmt_bind_int(stmt, clock_now_ms());
    stmt_bind_int(stmt, user_id);
    error = stmt_run(NULL, stmt);
    forget(spool);
    return error;
}

int key_give(struct key *key, struct spool *spool, const struct user *user)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "UPDATE api_key SET user_id = ? WHERE id = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, user->id);
    stmt_bind_int(stmt, key->id);
    error = stmt_run(NULL, stmt);
    forget(spool);
    if (!error) {
        key->user_id = user->id;
        str_copy(key->user, sizeof(key->user), user->public_id);
    }
    return error;
}

/* ---- rules and rotation ---- */

int key_bind(struct key *key, struct spool *spool, const struct key_rule *rule)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "UPDATE api_key SET allow_from = ?, per_minute = ? WHERE id = ?");
    if (error)
        return error;
    char *text = key_rule_text(rule);
    stmt_bind_text(stmt, text);
    stmt_bind_int(stmt, rule->per_minute);
    stmt_bind_int(stmt, key->id);
    error = stmt_run(NULL, stmt);
    free(text);
    forget(spool);
    if (!error)
        key->rule = *rule;
    return error;
}

int key_change(struct key *key, struct spool *spool)
{
    struct key given = *key;
    struct stmt *stmt;
    if (key->revoked_at)
        return err_set(ERR_CONFLICT, "a revoked key is not changed any more");
    int error = stmt_open(&stmt, spool_db(spool),
                          "UPDATE api_key SET name = ?, scopes = ?, expires_at = ?, allow_from = ?, per_minute = ?"
                          " WHERE id = ? RETURNING " COLUMNS);
    if (error)
        return error;
    char *text = key_rule_text(&given.rule);
    stmt_bind_text(stmt, given.name);
    stmt_bind_int(stmt, given.scopes);
    stmt_bind_int(stmt, given.expires_at);
    stmt_bind_text(stmt, text);
    stmt_bind_int(stmt, given.rule.per_minute);
    stmt_bind_int(stmt, given.id);
    error = one_row(key, stmt);
    free(text);
    forget(spool);
    return error;
}

static int replace_hash(struct key *key, struct spool *spool, const char *hash, int64_t old_until)
{
    struct stmt *stmt;
    int error =
        stmt_open(&stmt, spool_db(spool),
                  "UPDATE api_key SET old_hash = hash, old_until = ?, hash = ? WHERE id = ? RETURNING " COLUMNS);
    if (error)
        return error;
    stmt_bind_int(stmt, old_until);
    stmt_bind_text(stmt, hash);
    stmt_bind_int(stmt, key->id);
    return one_row(key, stmt);
}

int key_rotate(char token[KEY_TOKEN_SIZE], struct key *key, struct spool *spool, const char *public_id, int overlap_s)
{
    char hash[TOKEN_HASH_SIZE];
    int64_t now_ms = clock_now_ms();
    spool_assert_loop(spool);
    int error = key_find(key, spool, public_id);
    if (error)
        return error;
    if (key->revoked_at || (key->expires_at && key->expires_at <= now_ms))
        return err_set(ERR_CONFLICT, "key %s is %s: make another", public_id, key->revoked_at ? "revoked" : "expired");
    make_token(token, key->test);
    token_hash(hash, token);
    error = replace_hash(key, spool, hash, overlap_s > 0 ? now_ms + overlap_s * 1000ll : 0);
    forget(spool);
    return error;
}

/* ---- JSON ---- */

json_t *key_json(const struct key *key)
{
    json_t *words = json_array();
    for (size_t i = 0; i < sizeof(scopes) / sizeof(*scopes); i++)
        if (key->scopes & scopes[i].scope)
            json_array_append_new(words, json_string(scopes[i].word));
    return json_pack("{s:s, s:s, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:i, s:o}", "id", key->public_id, "name",
                     key->name, "scopes", words, "test", key->test, "created_at", nullable_time(key->created_at),
                     "expires_at", nullable_time(key->expires_at), "revoked_at", nullable_time(key->revoked_at),
                     "last_used_at", nullable_time(key->last_used_at), "user",
                     *key->user ? json_string(key->user) : json_null(), "allow_from", key_rule_networks(&key->rule),
                     "per_minute", key->rule.per_minute, "old_token_until",
                     nullable_time(key->old_until > clock_now_ms() ? key->old_until : 0));
}

json_t *keys_json(struct spool *spool)
{
    struct stmt *stmt;
    struct key key;
    json_t *list = json_array();
    if (stmt_open(&stmt, spool_db(spool), "SELECT " COLUMNS " FROM api_key ORDER BY id DESC"))
        return list;
    while (stmt_step(stmt) == 1) {
        read_row(&key, stmt);
        json_array_append_new(list, key_json(&key));
    }
    stmt_close(stmt);
    return list;
}

static unsigned scope_of(const char *word)
{
    for (size_t i = 0; word && i < sizeof(scopes) / sizeof(*scopes); i++)
        if (strcmp(scopes[i].word, word) == 0)
            return scopes[i].scope;
    return 0;
}

int key_scopes_parse(unsigned *out, const json_t *list)
{
    *out = 0;
    if (!json_is_array(list))
        return err_set(ERR_INVALID, "scopes: a list of words is needed");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *word = json_string_value(json_array_get(list, i));
        unsigned scope = scope_of(word);
        if (!scope)
            return err_set(ERR_INVALID, "scopes: %.40s is not known", word ? word : "what is not a text");
        *out |= scope;
    }
    return *out ? 0 : err_set(ERR_INVALID, "scopes: at least one is needed");
}
