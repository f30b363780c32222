/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sessions: who has signed in with a password, until when. The cookie's token has 256 random bits and is stored as
 * SHA-256.
 *
 * Thread: loop.
 */
#ifndef FAXD_SPOOL_SESSION_H
#define FAXD_SPOOL_SESSION_H

#include <stdint.h>

struct session {
    int64_t id; /* row, 0 = none */
    int64_t user_id;
    int64_t created_at, seen_at, expires_at; /* UTC ms */
};

#endif
