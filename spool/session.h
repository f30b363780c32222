/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sessions: who has signed in with a password, and until when. The token in the cookie has 256 random bits and is
 * stored as SHA-256. A session ends so long after its last use, and so long after its beginning at the latest, as
 * session_set_lengths() was told. Whether its user may still come in is asked of spool/user each time.
 *
 * Thread: loop, except the pure functions.
 */
#ifndef FAXD_SPOOL_SESSION_H
#define FAXD_SPOOL_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#define SESSION_TOKEN_SIZE 65 /* 64 hexadecimal digits and the end */
#define SESSION_CSRF_SIZE  33
#define SESSION_IDLE_MS    (12 * 3600 * INT64_C(1000)) /* unless set otherwise */
#define SESSION_LIFE_MS    (7 * 24 * 3600 * INT64_C(1000))
#define SESSIONS_OF_A_USER 20 /* a sign-in too many ends the oldest */

struct spool;

struct session {
    int64_t id; /* row, 0 = none */
    int64_t user_id;
    char csrf[SESSION_CSRF_SIZE];            /* what a writing request has to know besides the cookie */
    int64_t created_at, seen_at, expires_at; /* UTC ms */
};

/* `token` gets what the cookie holds, once. `address` and `agent` say where it was made (cut, NULL reads as ""). */
int session_create(char token[SESSION_TOKEN_SIZE], struct session *session, struct spool *spool, int64_t user_id,
                   const char *address, const char *agent);
/* The session of a token, if it goes on: 0, else ERR_NOT_FOUND. Answers from a cache in memory; that it was used is
 * written at most once a minute. */
int session_check(struct session *session, struct spool *spool, const char *token);
/* Does it go on? Asking is not a use. */
bool session_lasts(struct spool *spool, int64_t id);
/* End one; all of a user but one (0 = all). That there is none is fine. */
int session_end(struct spool *spool, int64_t id);
int session_end_others(struct spool *spool, int64_t user_id, int64_t except);
/* Delete those whose time is over, at most `room`; the number deleted or an error. The spool does so by itself. */
int session_trim(struct spool *spool, int64_t now_ms, int room);

/* For sessions from now on; shorter ones at once for those that there are, longer ones with their next use. */
void session_set_lengths(struct spool *spool, int64_t idle_ms, int64_t life_ms);

int session_start(struct spool *spool); /* for spool_open.c */

#endif
