/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Argon2id as libsodium writes it, with salt and cost in the text. */
#include "spool/password_hash.h"

#include "server/base/err.h"

#include <sodium.h>
#include <string.h>

_Static_assert(crypto_pwhash_STRBYTES <= USER_PASSWORD_SIZE, "the stored form has room");

int password_hash_make(char stored[USER_PASSWORD_SIZE], const char *password)
{
    memset(stored, 0, USER_PASSWORD_SIZE);
    if (crypto_pwhash_str(stored, password, strlen(password), PASSWORD_HASH_OPS, PASSWORD_HASH_MEMORY) != 0)
        return err_set(ERR_AGAIN, "there is no memory for a password now");
    return 0;
}

bool password_hash_fits(const char *stored, const char *password)
{
    return crypto_pwhash_str_verify(stored, password, strlen(password)) == 0;
}

const char *password_hash_nobody(void)
{
    /* Of 32 random octets that were thrown away. */
    return "$argon2id$v=19$m=65536,t=2,p=1$FdmpB0IvF/9egWosxw04yg$4qshgHxONY"
           "rSPxhNv70xtgdN6HHlw+JhaSqU3Msxj80";
}
