/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The stored form of a password: argon2id. It takes a tenth of a second and 64 MiB, on purpose.
 *
 * Thread: any (pure); not the loop.
 */
#ifndef FAXD_SPOOL_PASSWORD_HASH_H
#define FAXD_SPOOL_PASSWORD_HASH_H

#include "spool/user.h"

#include <stdbool.h>
#include <stddef.h>

/* What libsodium calls interactive; fixed here, so that nobody's form costs what others do. */
#define PASSWORD_HASH_OPS    2
#define PASSWORD_HASH_MEMORY ((size_t)64 << 20)

/* 0 or ERR_AGAIN (no memory). */
int password_hash_make(char stored[USER_PASSWORD_SIZE], const char *password);
bool password_hash_fits(const char *stored, const char *password);
/* The stored form that no password fits, to be compared with where there is none. */
const char *password_hash_nobody(void);

#endif
