/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the store keeps of a secret that somebody else holds: SHA-256, in hexadecimal digits. The secrets are random and
 * long, so that a slow hash would add nothing.
 *
 * Thread: any (pure).
 */
#ifndef FAXD_SPOOL_TOKEN_H
#define FAXD_SPOOL_TOKEN_H

#define TOKEN_HASH_SIZE 65

void token_hash(char hash[TOKEN_HASH_SIZE], const char *token);

#endif
