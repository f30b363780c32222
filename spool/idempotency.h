/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Idempotency-Key: the reply of a POST, stored in the same transaction as what it made, 72 h.
 *
 * Thread: loop. (All of a request runs in one turn, so "still running" cannot be seen but for requests whose body is
 * still being hashed; the caller keeps those.)
 */
#ifndef FAXD_SPOOL_IDEMPOTENCY_H
#define FAXD_SPOOL_IDEMPOTENCY_H

#include <stdint.h>

struct spool;

struct idempotency_reply {
    int status;
    char *body;     /* the caller frees */
    char *location; /* "" = none; the caller frees */
};

/* 0 and the stored reply; ERR_NOT_FOUND; ERR_CONFLICT when the key was used with another body (SHA-256 hex differs). */
int idempotency_find(struct idempotency_reply *reply, struct spool *spool, int64_t owner, const char *key,
                     const char *body_sha);
/* `keep_until_ms` 0 = as long as the options of spool_open say. */
int idempotency_store(struct spool *spool, int64_t owner, const char *key, const char *body_sha, int status,
                      const char *body, const char *location, int64_t keep_until_ms);
/* Delete those whose time is over, at most `room`; the number deleted or an error. The spool does so by itself. */
int idempotency_trim(struct spool *spool, int64_t now_ms, int room);

#endif
