/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The spool: what is true about faxes, on disk. It owns the database, the documents and the turn.
 *
 * The spool is the meeting point (DESIGN section 2): web/ changes it, it says "changed", server/ acts. Everything that
 * a turn of the loop writes is one transaction; loop.c calls spool_turn_end() after each turn, which syncs and renames
 * the turn's documents, commits, and only then runs what waited for the commit (HTTP replies, orders to hosts, acks).
 *
 * State folder: faxd.db, documents/XX/<sha256>, documents/tmp/, journals/<attempt>, hosts/<provider>/, lock.
 *
 * Thread: loop, but for functions that say otherwise. First lines assert it.
 */
#ifndef FAXD_SPOOL_SPOOL_H
#define FAXD_SPOOL_SPOOL_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

struct cipher_keys;
struct spool;

struct spool_options {
    const char *state_dir;                 /* created 0700 when absent */
    const struct cipher_keys *cipher_keys; /* to read documents with; borrowed, must outlive the spool; NULL = none */
    bool encrypt;                          /* documents are stored encrypted; wants cipher_keys */
    const char *call_dir;    /* where files of calls lie in plain under encryption, in memory; NULL = STATE/hosts */
    const char *work_dir;    /* for spool_work_dir; NULL = /tmp */
    int64_t min_free_bytes;  /* below it new work is refused (ERR_FULL); 0 = 64 MiB */
    int idempotency_ttl_s;   /* 0 = 72 h */
    struct event_base *base; /* for the reader thread's completions; NULL in unit tests (then lists run inline) */
};

/* Open or create; takes the flock on the state folder (ERR_CONFLICT names it when another faxd has it), migrates the
 * schema, sweeps what a crash left between files and rows. ERR_DENIED when documents are encrypted with a key that is
 * not there. The caller closes with spool_close. */
int spool_open(struct spool **out, const struct spool_options *options);

/* Commits an open turn, stops threads, closes. NULL is fine. */
void spool_close(struct spool *spool);

/* End of a loop turn: sync, commit, then run the after-commit callbacks in order, then the change and event listeners.
 * What these write is committed by the next call, and the call repeats itself until nothing is open. 0; or ERR_IO /
 * ERR_FULL / ERR_INTERNAL when the commit failed: the turn is void, its callbacks got the error, and the caller has to
 * restart the program (memory and store may differ). Costs nothing when nothing was written. */
int spool_turn_end(struct spool *spool);

/* Run fn(context, 0) after this turn's commit, or fn(context, error) when it fails. When no transaction is open it is
 * still called from spool_turn_end, so that callers need not care. */
void spool_after_commit(struct spool *spool, void (*fn)(void *context, int error), void *context);

/* A part of a turn that can be undone alone (one HTTP request): begin, then end with keep = true or false. Nest not. */
int spool_part_begin(struct spool *spool);
int spool_part_end(struct spool *spool, bool keep);

/* What changed in the turn just committed; listeners look the details up themselves. */
enum spool_change {
    SPOOL_CHANGE_PREPARE = 1u << 0,    /* a fax waits to be prepared */
    SPOOL_CHANGE_QUEUE = 1u << 1,      /* a fax became queued or scheduled, or a number became free */
    SPOOL_CHANGE_CANCEL = 1u << 2,     /* a fax in a call is to be canceled */
    SPOOL_CHANGE_OUTBOX = 1u << 3,     /* a webhook delivery is due */
    SPOOL_CHANGE_ENDPOINT = 1u << 4,   /* webhook endpoints were changed */
    SPOOL_CHANGE_FULL = 1u << 5,       /* disk room went below or above the mark */
    SPOOL_CHANGE_UNPREPARED = 1u << 6, /* a fax that was being prepared was canceled or has expired */
    SPOOL_CHANGE_MAIL = 1u << 7,       /* a mail is due */
    SPOOL_CHANGE_ROUTE = 1u << 8       /* a delivery of a received fax waits */
};

typedef void (*spool_change_fn)(void *context, unsigned changes);

/* Several listeners (at most 12), called in order after a commit. */
void spool_listen(struct spool *spool, spool_change_fn fn, void *context);

/* For the rest of spool/: note a change of this turn. */
void spool_mark(struct spool *spool, unsigned changes);

const char *spool_state_dir(const struct spool *spool);

/* Folders with one folder for each provider, for the files of its calls, which hosts and engines need in plain: number
 * 0 is where they are made, number 1 where they may be from before encryption was turned on or off, NULL = nowhere. */
const char *spool_call_dir(const struct spool *spool, int number);

/* Folder in which other programs, whoever they run as, may make folders with plain files of a document for a moment:
 * /tmp, or one in memory under encryption. */
const char *spool_work_dir(const struct spool *spool);

/* True when new documents are stored encrypted. Thread: any. */
bool spool_encrypts(const struct spool *spool);

/* False when the disk has less than min_free_bytes, not counting what is claimed; looked at when documents are put, at
 * most once a second. */
bool spool_has_room(struct spool *spool);

/* So much is about to be written, or (negative) is written or will not be: many large requests at once must not share
 * the same room. */
void spool_claim_room(struct spool *spool, int64_t bytes);

/* What the disk has left for us, for /metrics. */
int64_t spool_free_bytes(struct spool *spool);

/* For the rest of spool/: so much was written since somebody looked. */
void spool_used_room(struct spool *spool, int64_t bytes);

/* For the rest of spool/ only. */
struct db;
struct db *spool_db(struct spool *spool);

#endif
