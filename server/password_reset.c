/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The store is opened as a faxd would, with the keys of its documents, and closed again. */
#include "server/password_reset.h"

#include "server/base/err.h"
#include "server/encryption.h"
#include "spool/password_hash.h"
#include "spool/session.h"
#include "spool/spool.h"
#include "spool/user.h"

#include <sodium.h>

static void make_password(char password[PASSWORD_RESET_SIZE])
{
    static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz"; /* 32, none mistaken for another */

    for (int i = 0; i < PASSWORD_RESET_SIZE - 1; i++)
        password[i] = i % 5 == 4 ? '-' : alphabet[randombytes_uniform(32)];
    password[PASSWORD_RESET_SIZE - 1] = '\0';
}

static int reset(struct spool *spool, const char *name, const char *password)
{
    char stored[USER_PASSWORD_SIZE];
    struct user user;
    int error = user_find_name(&user, spool, name);

    if (error == ERR_NOT_FOUND)
        return err_set(ERR_NOT_FOUND, "there is no user %s%s", name,
                       user_count(spool) == 0 ? ", nor any other: see setup.code in the state folder" : "");
    user.disabled = false;
    if (error == 0)
        error = password_hash_make(stored, password);
    if (error == 0)
        error = user_change(spool, &user);
    if (error == 0)
        error = user_set_password(spool, user.id, stored);
    if (error == 0)
        error = session_end_others(spool, user.id, 0);
    return error == 0 ? spool_turn_end(spool) : error;
}

int password_reset(char password[PASSWORD_RESET_SIZE], const struct config *config, const char *name)
{
    struct encryption encryption = {0};
    struct spool *spool = NULL;
    int error = encryption_open_alone(&encryption, &spool, config);

    if (error == 0) {
        make_password(password);
        error = reset(spool, name, password);
    }
    spool_close(spool);
    encryption_close(&encryption);
    return error;
}
