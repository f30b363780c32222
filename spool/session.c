/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sessions, as keys (spool/key.c): those in use are kept in a small table in memory by the hash of their token, and any
 * end of one empties it.
 */
#include "spool/session.h"

#include "db/stmt.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "spool/spool_private.h"
#include "spool/token.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_SLOTS   256
#define USED_EVERY_MS 60000
#define ADDRESS_SIZE  48
#define AGENT_SIZE    200

#define COLUMNS "id, user_id, created_at, seen_at, expires_at"

_Static_assert(SESSION_TOKEN_SIZE == 2 * 32 + 1, "a token is 32 octets in hexadecimal");

struct session_cache {
    struct {
        char hash[TOKEN_HASH_SIZE]; /* "" = empty */
        struct session session;
    } slots[CACHE_SLOTS];
    int64_t idle_ms, life_ms;
};

static void forget(struct spool *spool)
{
    for (int i = 0; i < CACHE_SLOTS; i++)
        spool->sessions->slots[i].hash[0] = '\0';
}

static void close_sessions(struct spool *spool)
{
    free(spool->sessions);
    spool->sessions = NULL;
}

static const struct spool_hook hook = {.voided = forget, .part_undo = forget, .close = close_sessions};

int session_start(struct spool *spool)
{
    spool->sessions = xcalloc(1, sizeof(*spool->sessions));
    session_set_lengths(spool, SESSION_IDLE_MS, SESSION_LIFE_MS);
    spool_hook(spool, &hook);
    return 0;
}

void session_set_lengths(struct spool *spool, int64_t idle_ms, int64_t life_ms)
{
    spool->sessions->idle_ms = idle_ms;
    spool->sessions->life_ms = life_ms;
}

/* ---- token ---- */

/* It follows from the token, so that it need not be stored, and from nothing that is stored. */
static void make_csrf(char csrf[SESSION_CSRF_SIZE], const char *token)
{
    static const unsigned char purpose[] = "faxd csrf";
    unsigned char octets[(SESSION_CSRF_SIZE - 1) / 2];
    crypto_generichash(octets, sizeof(octets), purpose, sizeof(purpose), (const unsigned char *)token,
                       SESSION_TOKEN_SIZE - 1);
    str_hex(csrf, octets, sizeof(octets));
}

static bool is_token(const char *token)
{
    return strlen(token) == SESSION_TOKEN_SIZE - 1 && token[strspn(token, "0123456789abcdef")] == '\0';
}

/* ---- rows ---- */

static void read_row(struct session *session, struct stmt *stmt)
{
    *session = (struct session){
        .id = stmt_int(stmt, "id"),
        .user_id = stmt_int(stmt, "user_id"),
        .created_at = stmt_int(stmt, "created_at"),
        .seen_at = stmt_int(stmt, "seen_at"),
        .expires_at = stmt_int(stmt, "expires_at"),
    };
}

static int one_row(struct session *session, struct stmt *stmt)
{
    int error = stmt_step(stmt);
    if (error == 1)
        read_row(session, stmt);
    stmt_close(stmt);
    return error == 1 ? 0 : error ? error : err_set(ERR_NOT_FOUND, "no such session");
}

static int64_t end_of(const struct spool *spool, int64_t created_at, int64_t seen_at)
{
    int64_t life = created_at + spool->sessions->life_ms, idle = seen_at + spool->sessions->idle_ms;
    return idle < life ? idle : life;
}

static int insert(struct session *session, struct spool *spool, const char *hash, const char *address,
                  const char *agent)
{
    struct stmt *stmt;
    struct session given = *session;
    int error = stmt_open(&stmt, spool_db(spool),
                          "INSERT INTO session (hash, user_id, created_at, seen_at, expires_at, address, agent)"
                          " VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING " COLUMNS);
    if (error)
        return error;
    stmt_bind_text(stmt, hash);
    stmt_bind_int(stmt, given.user_id);
    stmt_bind_int(stmt, given.created_at);
    stmt_bind_int(stmt, given.seen_at);
    stmt_bind_int(stmt, given.expires_at);
    stmt_bind_text(stmt, address);
    stmt_bind_text(stmt, agent);
    return one_row(session, stmt);
}

static int drop_oldest(struct spool *spool, int64_t user_id)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool),
                          "DELETE FROM session WHERE user_id = ? AND id NOT IN (SELECT id FROM session"
                          " WHERE user_id = ? ORDER BY id DESC LIMIT ?)");
    if (error)
        return error;
    stmt_bind_int(stmt, user_id);
    stmt_bind_int(stmt, user_id);
    stmt_bind_int(stmt, SESSIONS_OF_A_USER);
    error = stmt_run(NULL, stmt);
    forget(spool);
    return error;
}

int session_create(char token[SESSION_TOKEN_SIZE], struct session *session, struct spool *spool, int64_t user_id,
                   const char *address, const char *agent)
{
    unsigned char secret[(SESSION_TOKEN_SIZE - 1) / 2];
    char hash[TOKEN_HASH_SIZE], short_address[ADDRESS_SIZE], short_agent[AGENT_SIZE];
    int64_t now_ms = clock_now_ms();
    spool_assert_loop(spool);
    randombytes_buf(secret, sizeof(secret));
    str_hex(token, secret, sizeof(secret));
    sodium_memzero(secret, sizeof(secret));
    token_hash(hash, token);
    str_copy(short_address, sizeof(short_address), address);
    str_copy(short_agent, sizeof(short_agent), agent && str_is_utf8(agent, strlen(agent)) ? agent : "");
    *session = (struct session){.user_id = user_id, .created_at = now_ms, .seen_at = now_ms};
    session->expires_at = end_of(spool, now_ms, now_ms);
    int error = insert(session, spool, hash, short_address, short_agent);
    if (!error)
        error = drop_oldest(spool, user_id);
    if (!error)
        make_csrf(session->csrf, token);
    return error;
}

/* ---- checking ---- */

static int find_hash(struct session *session, struct spool *spool, const char *hash)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "SELECT " COLUMNS " FROM session WHERE hash = ?");
    if (error)
        return error;
    stmt_bind_text(stmt, hash);
    return one_row(session, stmt);
}

static int note_use(struct spool *spool, struct session *session, int64_t now_ms)
{
    struct stmt *stmt;
    if (now_ms - session->seen_at < USED_EVERY_MS)
        return 0;
    int error = stmt_open(&stmt, spool_db(spool), "UPDATE session SET seen_at = ?, expires_at = ? WHERE id = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, now_ms);
    stmt_bind_int(stmt, end_of(spool, session->created_at, now_ms));
    stmt_bind_int(stmt, session->id);
    error = stmt_run(NULL, stmt);
    if (!error) {
        session->seen_at = now_ms;
        session->expires_at = end_of(spool, session->created_at, now_ms);
    }
    return error;
}

int session_check(struct session *session, struct spool *spool, const char *token)
{
    char hash[TOKEN_HASH_SIZE];
    spool_assert_loop(spool);
    if (!is_token(token))
        return err_set(ERR_NOT_FOUND, "no such session");
    token_hash(hash, token);
    unsigned slot = (unsigned)strtoul((char[]){hash[0], hash[1], '\0'}, NULL, 16);
    struct session *kept = &spool->sessions->slots[slot].session;
    if (strcmp(spool->sessions->slots[slot].hash, hash) != 0) {
        int error = find_hash(session, spool, hash);
        if (error)
            return error;
        make_csrf(session->csrf, token);
        str_copy(spool->sessions->slots[slot].hash, TOKEN_HASH_SIZE, hash);
        *kept = *session;
    }
    int64_t now_ms = clock_now_ms();
    /* Lengths that were made shorter hold for those who are there already. */
    if (kept->expires_at <= now_ms || end_of(spool, kept->created_at, kept->seen_at) <= now_ms)
        return err_set(ERR_NOT_FOUND, "no such session");
    /* As with keys: a disk that is full must not lock users out of reading. */
    if (note_use(spool, kept, now_ms))
        log_warning("a session of user %lld: its use was not noted: %s", (long long)kept->user_id, err_message());
    *session = *kept;
    return 0;
}

bool session_lasts(struct spool *spool, int64_t id)
{
    struct stmt *stmt;
    if (stmt_open(&stmt, spool_db(spool), "SELECT 1 AS one FROM session WHERE id = ? AND expires_at > ?"))
        return false;
    stmt_bind_int(stmt, id);
    stmt_bind_int(stmt, clock_now_ms());
    bool lasts = stmt_step(stmt) == 1;
    stmt_close(stmt);
    return lasts;
}

/* ---- ends ---- */

static int run(struct spool *spool, struct stmt *stmt)
{
    int error = stmt_run(NULL, stmt);
    forget(spool);
    return error;
}

int session_end(struct spool *spool, int64_t id)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "DELETE FROM session WHERE id = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, id);
    return run(spool, stmt);
}

int session_end_others(struct spool *spool, int64_t user_id, int64_t except)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "DELETE FROM session WHERE user_id = ? AND id <> ?");
    if (error)
        return error;
    stmt_bind_int(stmt, user_id);
    stmt_bind_int(stmt, except);
    return run(spool, stmt);
}

int session_trim(struct spool *spool, int64_t now_ms, int room)
{
    struct stmt *stmt;
    int64_t deleted = 0;
    int error = stmt_open(&stmt, spool_db(spool),
                          "SELECT 1 AS one FROM session WHERE expires_at <= ? ORDER BY expires_at LIMIT 1");
    if (error)
        return error;
    stmt_bind_int(stmt, now_ms);
    error = stmt_step(stmt);
    stmt_close(stmt);
    if (error != 1) /* nothing: no transaction for it */
        return error;
    error = stmt_open(&stmt, spool_db(spool),
                      "DELETE FROM session WHERE id IN (SELECT id FROM session WHERE expires_at <= ?"
                      " ORDER BY expires_at LIMIT ?)");
    if (error)
        return error;
    stmt_bind_int(stmt, now_ms);
    stmt_bind_int(stmt, room);
    error = stmt_run(&deleted, stmt);
    forget(spool);
    return error ? error : (int)deleted;
}
