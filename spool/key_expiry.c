/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sweep calls this each minute. A key that is made for a shorter time than the warning is told of at once. */
#include "spool/key_expiry.h"

#include "db/stmt.h"
#include "server/base/clock.h"
#include "server/base/str.h"
#include "spool/event.h"
#include "spool/key.h"
#include "spool/spool_private.h"

#include <jansson.h>

#define DAY_MS 86400000ll

/* Row and public id of the next one: 1, 0 when there is none, or an error. */
static int find_due(struct key *key, struct spool *spool, int64_t now_ms)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool),
                          "SELECT id, name, public_id, expires_at FROM api_key WHERE expires_at > 0 AND warned_at = 0"
                          " AND expires_at > ? AND expires_at <= ? AND revoked_at = 0 ORDER BY expires_at LIMIT 1");
    if (error)
        return error;
    stmt_bind_int(stmt, now_ms);
    stmt_bind_int(stmt, now_ms + KEY_EXPIRY_DAYS * DAY_MS);
    error = stmt_step(stmt);
    if (error == 1) {
        *key = (struct key){.id = stmt_int(stmt, "id"), .expires_at = stmt_int(stmt, "expires_at")};
        str_copy(key->public_id, sizeof(key->public_id), stmt_text(stmt, "public_id"));
        str_copy(key->name, sizeof(key->name), stmt_text(stmt, "name"));
    }
    stmt_close(stmt);
    return error;
}

static int warn_of(struct spool *spool, const struct key *key, int64_t now_ms)
{
    char at[CLOCK_TEXT_SIZE];
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "UPDATE api_key SET warned_at = ? WHERE id = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, now_ms);
    stmt_bind_int(stmt, key->id);
    error = stmt_run(NULL, stmt);
    if (error)
        return error;
    json_t *data = json_pack("{s:s, s:s, s:s}", "id", key->public_id, "name", key->name, "expires_at",
                             clock_format(at, key->expires_at));
    error = event_write(spool, "api_key.expiring", NULL, data);
    json_decref(data);
    return error;
}

int key_expiry_warn(struct spool *spool, int room)
{
    int64_t now_ms = clock_now_ms();
    struct key key;
    int done = 0, result = 1;
    spool_assert_loop(spool);
    while (done < room && (result = find_due(&key, spool, now_ms)) == 1) {
        result = warn_of(spool, &key, now_ms);
        if (result)
            return result;
        done++;
    }
    return result < 0 ? result : done;
}
