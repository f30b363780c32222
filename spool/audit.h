/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The audit log: who did what, when, to what. Entries are added in the turn of what they tell, so that neither is there
 * without the other, and never change: the table refuses it, and each entry's hash covers the one before it, so that a
 * change behind the server's back shows (spool/audit_verify).
 *
 * The hash of an entry is SHA-256 over the 32 octets of the hash before it (zeros before the first) and then these
 * fields, each as its length (8 octets, most significant first) and its octets: sequence, time in UTC ms, kind, id and
 * name of the actor, address, action, object, detail. Numbers are decimal texts, detail is the JSON text as stored.
 *
 * No entry holds a page, a password or a token.
 *
 * Thread: loop.
 */
#ifndef FAXD_SPOOL_AUDIT_H
#define FAXD_SPOOL_AUDIT_H

#include <stddef.h>
#include <stdint.h>

#define AUDIT_HASH_SIZE    65 /* 64 hexadecimal digits and the end */
#define AUDIT_ACTION_MAX   63
#define AUDIT_OBJECT_MAX   200
#define AUDIT_DETAIL_MAX   2000
#define AUDIT_REFUSALS_MAX 30 /* a minute */

struct spool;

/* Stored in rows: never renumber. */
enum audit_actor { AUDIT_SERVER = 0, AUDIT_KEY = 1, AUDIT_USER = 2, AUDIT_UNKNOWN = 3 };

/* Texts are borrowed; NULL reads as "". What is too long is cut, what is not UTF-8 becomes '?'. */
struct audit_entry {
    enum audit_actor actor;
    const char *actor_id, *actor_name; /* public id */
    const char *address;               /* of the client, "" = none */
    const char *action;                /* "fax.sent" */
    const char *object;                /* what was acted on: a public id, the name of a line */
    const char *detail;                /* text of a JSON object, at most AUDIT_DETAIL_MAX octets */
};

struct audit_head {
    int64_t sequence; /* of the last entry, 0 = none yet */
    char hash[AUDIT_HASH_SIZE];
};

/* Add an entry in this turn. 0 or an error of the store (then nothing was added). */
int audit_write(struct spool *spool, const struct audit_entry *entry);

/* One of the server itself. `detail` as in the struct. */
int audit_write_server(struct spool *spool, const char *action, const char *object, const char *detail);

/* The same as audit_write for what a stranger can do as often as he likes: past AUDIT_REFUSALS_MAX a minute they are
 * only counted, and an entry "access.refusals_counted" with the count comes before the next entry of another minute. */
int audit_write_refusal(struct spool *spool, const struct audit_entry *entry);

/* The same as audit_write, but for what the same actor looked at in this hour of the clock already: one entry for all
 * looks is enough. May forget and write another. */
int audit_write_look(struct spool *spool, const struct audit_entry *entry);

/* The last entry that is committed. */
void audit_head(struct audit_head *head, const struct spool *spool);

const char *audit_actor_name(enum audit_actor actor); /* "server", "key", "user", "unknown" */

/* The hash of an entry as it is stored. `previous` is a hash as text ("" = the first entry). Pure; thread: any. */
void audit_hash(char hash[AUDIT_HASH_SIZE], const char *previous, int64_t sequence, int64_t at_ms,
                const struct audit_entry *entry);

int audit_start(struct spool *spool); /* for spool_open.c */

#endif
