/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Digest authentication of those who call us (RFC 3261 section 22, RFC 2617): nonces of our own, each good for a short
 * time and for rising counts, so that what was overheard cannot be used again.
 *
 * Thread: one (the agent's).
 */
#ifndef FAXD_SIP_CHALLENGE_H
#define FAXD_SIP_CHALLENGE_H

#include <stdbool.h>
#include <stdint.h>

#include <sofia-sip/sip.h>

#define CHALLENGE_TEXT_SIZE 320

struct challenge;

struct challenge *challenge_new(void);
void challenge_free(struct challenge *challenge);

/* A new value for WWW-Authenticate. `stale`: the credentials were right, but for a nonce that is not good any more. */
void challenge_make(struct challenge *challenge, const char *realm, bool stale, int64_t now_ms,
                    char text[CHALLENGE_TEXT_SIZE]);

enum challenge_verdict { CHALLENGE_RIGHT, CHALLENGE_NONE, CHALLENGE_STALE, CHALLENGE_WRONG };

/* Judge the Authorization of a request at `now_ms` (monotonic): NONE when it has none for the realm; STALE for a nonce
 * that is too old, unknown, or was used with this count; WRONG for another user or password. */
enum challenge_verdict challenge_check(struct challenge *challenge, const sip_t *sip, const char *realm,
                                       const char *user, const char *password, int64_t now_ms);

#endif
