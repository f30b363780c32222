/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inside of the spool, for spool/ only: what its parts keep in memory, and the moments of a turn that they follow.
 *
 * A part that holds something about the turn (documents to rename, events to announce, counts) registers a hook when it
 * is opened. Each keeps its own struct; this header only names them.
 *
 * Thread: loop.
 */
#ifndef FAXD_SPOOL_SPOOL_PRIVATE_H
#define FAXD_SPOOL_SPOOL_PRIVATE_H

#include "spool/spool.h"

#include <pthread.h>
#include <stddef.h>

#define SPOOL_HOOKS_MAX     24
#define SPOOL_LISTENERS_MAX 12

struct block_store;
struct audit_log;
struct batches;
struct contact_imports;
struct checkpoint;
struct cipher_keys;
struct counter;
struct document_counter;
struct document_store;
struct event_log;
struct inbound_rules;
struct key_cache;
struct mails;
struct queue_ages;
struct reader;
struct retention;
struct retry_policy;
struct session_cache;
struct route_patience;
struct rule_store;
struct style_store;
struct subscriptions;
struct sweep;
struct user_cache;

/* Each may be NULL. Order within a moment is the order of registration; `close` goes backwards. */
struct spool_hook {
    int (*sync)(struct spool *spool);       /* before the commit: make files durable; an error voids the turn */
    void (*committed)(struct spool *spool); /* right after it */
    void (*announce)(struct spool *spool);  /* after the callbacks and the change listeners */
    void (*voided)(struct spool *spool);    /* instead of committed */
    void (*part_begin)(struct spool *spool);
    void (*part_undo)(struct spool *spool);
    void (*close)(struct spool *spool);
};

struct spool_callback {
    void (*fn)(void *context, int error);
    void *context;
};

struct spool_callbacks {
    struct spool_callback *list;
    size_t count, room;
};

struct spool {
    struct db *db;
    struct reader *reader;
    struct checkpoint *checkpoint;
    struct event_base *base;
    char *state_dir;
    char *work_dir;
    char *call_dirs[2];                    /* see spool_call_dir */
    const struct cipher_keys *cipher_keys; /* borrowed, NULL = none */
    bool encrypt;                          /* new documents; none of the three changes while the spool is open */
    int lock_fd;
    pthread_t loop;
    int64_t min_free_bytes;
    int idempotency_ttl_s;

    bool part;
    unsigned changes, changes_before_part;
    struct spool_callbacks after;
    struct {
        spool_change_fn fn;
        void *context;
    } listeners[SPOOL_LISTENERS_MAX];
    int listener_count;
    const struct spool_hook *hooks[SPOOL_HOOKS_MAX];
    int hook_count;

    bool has_room;
    int64_t free_bytes;     /* at the last look, less what was stored since */
    int64_t claimed_bytes;  /* spool_claim_room */
    int64_t room_looked_at; /* monotonic ms, 0 = never */

    bool journals_changed; /* a journal was created in this turn: its folder is synced with the turn */
    struct block_store *blocks;
    struct audit_log *audit;
    int audit_verifications; /* under way */
    struct batches *batches;
    struct contact_imports *imports;
    struct counter *counter;
    struct document_counter *document_counter;
    struct document_store *documents;
    struct event_log *events;
    struct inbound_rules *inbound_rules;
    struct key_cache *keys;
    struct mails *mails;
    struct queue_ages *queue_ages;
    struct retention *retention;
    struct retry_policy *policy;
    struct session_cache *sessions;
    struct route_patience *route_patience;
    struct rule_store *rules;
    struct style_store *style;
    struct subscriptions *subscriptions;
    struct sweep *sweep;
    struct user_cache *users;
};

void spool_hook(struct spool *spool, const struct spool_hook *hook);

/* First line of what only the loop may call. */
void spool_assert_loop(const struct spool *spool);

/* A path below the state folder: at most size - 1 octets, "STATE/format...". 0 or ERR_TOO_BIG. */
int spool_path(char *path, size_t size, const struct spool *spool, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

#endif
