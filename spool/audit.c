/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Adding to the audit log. The head of the chain is kept in memory, follows the turn like the counts (spool/fax_count)
 * and is read from the table once, at start.
 */
#include "spool/audit.h"

#include "db/stmt.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "spool/spool_private.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE_MS      60000
#define HOUR_MS        3600000
#define SEEN_SLOTS     8192 /* looks remembered; one may take the place of an older one, which costs an entry more */
#define ACTOR_NAME_MAX 127

struct audit_log {
    struct audit_head head; /* of this turn */
    struct audit_head committed, before_part;
    int64_t refusal_minute; /* of the entries counted below */
    int refusals;           /* in that minute, written or not */
    uint64_t seen[SEEN_SLOTS];
    unsigned char seen_key[crypto_shorthash_KEYBYTES];
};

/* ---- with the turn ---- */

static void committed(struct spool *spool)
{
    spool->audit->committed = spool->audit->head;
}

/* What was seen in a turn that is void has no entry. */
static void forget_seen(struct audit_log *log)
{
    memset(log->seen, 0, sizeof(log->seen));
}

static void voided(struct spool *spool)
{
    spool->audit->head = spool->audit->committed;
    forget_seen(spool->audit);
}

static void part_begin(struct spool *spool)
{
    spool->audit->before_part = spool->audit->head;
}

static void part_undo(struct spool *spool)
{
    if (spool->audit->head.sequence != spool->audit->before_part.sequence)
        forget_seen(spool->audit);
    spool->audit->head = spool->audit->before_part;
}

static void close_audit(struct spool *spool)
{
    free(spool->audit);
    spool->audit = NULL;
}

static const struct spool_hook hook = {
    .committed = committed,
    .voided = voided,
    .part_begin = part_begin,
    .part_undo = part_undo,
    .close = close_audit,
};

static int read_head(struct audit_head *head, struct spool *spool)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1");
    if (error)
        return error;
    error = stmt_step(stmt);
    if (error == 1) {
        head->sequence = stmt_int(stmt, "sequence");
        str_copy(head->hash, sizeof(head->hash), stmt_text(stmt, "hash"));
    }
    stmt_close(stmt);
    return error < 0 ? error : 0;
}

int audit_start(struct spool *spool)
{
    struct audit_log *log = xcalloc(1, sizeof(*log));
    spool->audit = log;
    spool_hook(spool, &hook);
    crypto_shorthash_keygen(log->seen_key);
    int error = read_head(&log->head, spool);
    log->committed = log->head;
    return error;
}

void audit_head(struct audit_head *head, const struct spool *spool)
{
    spool_assert_loop(spool);
    *head = spool->audit->committed;
}

/* ---- the chain ---- */

const char *audit_actor_name(enum audit_actor actor)
{
    switch (actor) {
    case AUDIT_SERVER:
        return "server";
    case AUDIT_KEY:
        return "key";
    case AUDIT_USER:
        return "user";
    case AUDIT_UNKNOWN:
        return "unknown";
    }
    return "unknown";
}

static void add_field(crypto_hash_sha256_state *state, const char *text)
{
    uint64_t length = strlen(text);
    unsigned char octets[8];
    for (int i = 7; i >= 0; i--) {
        octets[i] = length & 0xff;
        length >>= 8;
    }
    crypto_hash_sha256_update(state, octets, sizeof(octets));
    crypto_hash_sha256_update(state, (const unsigned char *)text, strlen(text));
}

static void add_number(crypto_hash_sha256_state *state, int64_t number)
{
    char text[24];
    snprintf(text, sizeof(text), "%" PRId64, number);
    add_field(state, text);
}

void audit_hash(char hash[AUDIT_HASH_SIZE], const char *previous, int64_t sequence, int64_t at_ms,
                const struct audit_entry *entry)
{
    unsigned char octets[crypto_hash_sha256_BYTES] = {0};
    crypto_hash_sha256_state state;
    /* A hash that is none, because somebody changed it, reads as zeros: the chain is broken there either way. */
    if (sodium_hex2bin(octets, sizeof(octets), previous, strlen(previous), NULL, NULL, NULL) != 0)
        memset(octets, 0, sizeof(octets));
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, octets, sizeof(octets));
    add_number(&state, sequence);
    add_number(&state, at_ms);
    add_number(&state, entry->actor);
    add_field(&state, entry->actor_id);
    add_field(&state, entry->actor_name);
    add_field(&state, entry->address);
    add_field(&state, entry->action);
    add_field(&state, entry->object);
    add_field(&state, entry->detail);
    crypto_hash_sha256_final(&state, octets);
    str_hex(hash, octets, sizeof(octets));
}

/* ---- adding ---- */

/* The texts of an entry as they are stored. */
struct stored {
    char actor_id[64], actor_name[ACTOR_NAME_MAX + 1], address[64];
    char action[AUDIT_ACTION_MAX + 1], object[AUDIT_OBJECT_MAX + 1], detail[AUDIT_DETAIL_MAX + 1];
};

static const char *take(char *to, size_t size, const char *from)
{
    str_copy(to, size, from);
    if (!str_is_utf8(to, strlen(to)))
        for (char *c = to; *c; c++)
            if ((unsigned char)*c >= 0x80)
                *c = '?';
    return to;
}

static void store_texts(struct stored *stored, struct audit_entry *as, const struct audit_entry *entry)
{
    as->actor = entry->actor;
    as->actor_id = take(stored->actor_id, sizeof(stored->actor_id), entry->actor_id);
    as->actor_name = take(stored->actor_name, sizeof(stored->actor_name), entry->actor_name);
    as->address = take(stored->address, sizeof(stored->address), entry->address);
    as->action = take(stored->action, sizeof(stored->action), entry->action);
    as->object = take(stored->object, sizeof(stored->object), entry->object);
    /* Half of a JSON text would be none. */
    bool fits = entry->detail && *entry->detail && strlen(entry->detail) <= AUDIT_DETAIL_MAX;
    as->detail = take(stored->detail, sizeof(stored->detail), fits ? entry->detail : "{}");
}

static int insert(struct spool *spool, int64_t sequence, int64_t at_ms, const struct audit_entry *entry,
                  const char *hash)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool),
                          "INSERT INTO audit (sequence, at, actor_kind, actor, actor_name, address, action, object,"
                          " detail, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    if (error)
        return error;
    stmt_bind_int(stmt, sequence);
    stmt_bind_int(stmt, at_ms);
    stmt_bind_int(stmt, entry->actor);
    stmt_bind_text(stmt, entry->actor_id);
    stmt_bind_text(stmt, entry->actor_name);
    stmt_bind_text(stmt, entry->address);
    stmt_bind_text(stmt, entry->action);
    stmt_bind_text(stmt, entry->object);
    stmt_bind_text(stmt, entry->detail);
    stmt_bind_text(stmt, hash);
    return stmt_run(NULL, stmt);
}

static int append(struct spool *spool, const struct audit_entry *given)
{
    struct audit_log *log = spool->audit;
    struct audit_head next = {.sequence = log->head.sequence + 1};
    struct audit_entry entry;
    struct stored stored;
    int64_t now_ms = clock_now_ms();
    store_texts(&stored, &entry, given);
    audit_hash(next.hash, log->head.hash, next.sequence, now_ms, &entry);
    int error = insert(spool, next.sequence, now_ms, &entry, next.hash);
    if (!error)
        log->head = next;
    return error;
}

/* The refusals of a minute that is over and had more than are written. */
static int close_minute(struct spool *spool, int64_t minute)
{
    struct audit_log *log = spool->audit;
    char detail[40];
    int more = log->refusals - AUDIT_REFUSALS_MAX;
    if (minute == log->refusal_minute)
        return 0;
    log->refusal_minute = minute;
    log->refusals = 0;
    if (more <= 0)
        return 0;
    snprintf(detail, sizeof(detail), "{\"count\":%d}", more);
    return audit_write_server(spool, "access.refusals_counted", "", detail);
}

int audit_write(struct spool *spool, const struct audit_entry *entry)
{
    spool_assert_loop(spool);
    int error = close_minute(spool, clock_mono_ms() / MINUTE_MS);
    return error ? error : append(spool, entry);
}

int audit_write_server(struct spool *spool, const char *action, const char *object, const char *detail)
{
    const struct audit_entry entry = {.actor = AUDIT_SERVER, .action = action, .object = object, .detail = detail};
    return audit_write(spool, &entry);
}

int audit_write_refusal(struct spool *spool, const struct audit_entry *entry)
{
    spool_assert_loop(spool);
    int error = close_minute(spool, clock_mono_ms() / MINUTE_MS);
    if (error || ++spool->audit->refusals > AUDIT_REFUSALS_MAX)
        return error;
    return append(spool, entry);
}

/* Where a look is remembered, and as what: 0 = it cannot be. */
static uint64_t *slot_of(uint64_t *hash, struct audit_log *log, const struct audit_entry *entry)
{
    char text[AUDIT_OBJECT_MAX + 200];
    unsigned char octets[crypto_shorthash_BYTES];
    int length = snprintf(text, sizeof(text), "%lld %s %s %s", (long long)(clock_now_ms() / HOUR_MS), entry->action,
                          entry->actor_id, entry->object);
    if (length >= (int)sizeof(text))
        length = 0;
    crypto_shorthash(octets, (const unsigned char *)text, (unsigned long long)length, log->seen_key);
    memcpy(hash, octets, sizeof(*hash));
    if (length == 0)
        *hash = 0;
    return &log->seen[*hash % SEEN_SLOTS];
}

int audit_write_look(struct spool *spool, const struct audit_entry *entry)
{
    uint64_t hash;
    spool_assert_loop(spool);
    uint64_t *slot = slot_of(&hash, spool->audit, entry);
    if (hash != 0 && *slot == hash)
        return 0;
    int error = audit_write(spool, entry);
    if (!error)
        *slot = hash;
    return error;
}
