/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "spool/token.h"

#include "server/base/str.h"

#include <sodium.h>
#include <string.h>

void token_hash(char hash[TOKEN_HASH_SIZE], const char *token)
{
    unsigned char octets[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(octets, (const unsigned char *)token, strlen(token));
    str_hex(hash, octets, sizeof(octets));
}
