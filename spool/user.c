/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of users. Each request by a session or by a user's key asks for one, so those asked for are kept in a small
 * table in memory, by row; any change empties it.
 */
#include "spool/user.h"

#include "db/stmt.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "spool/key.h"
#include "spool/nullable.h"
#include "spool/session.h"
#include "spool/spool_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_SLOTS 256
#define PAGE_MAX    200

#define COLUMNS                                                                                                        \
    "id, public_id, name, display_name, email, role, disabled, created_at, last_login_at, failures, locked_until"
#define SQL_ADMIN "1"

_Static_assert(USER_ADMIN == 1 && USER_OPERATOR == 2 && USER_SENDER == 4 && USER_READER == 8, "roles are stored");

struct user_cache {
    struct user slots[CACHE_SLOTS]; /* id 0 = empty */
};

static const struct {
    unsigned role;
    const char *word;
} roles[] = {
    {USER_ADMIN, "admin"},
    {USER_OPERATOR, "operator"},
    {USER_SENDER, "sender"},
    {USER_READER, "reader"},
};

const char *user_role_name(unsigned role)
{
    for (size_t i = 0; i < sizeof(roles) / sizeof(*roles); i++)
        if (roles[i].role == role)
            return roles[i].word;
    return "";
}

unsigned user_role_from_name(const char *word)
{
    for (size_t i = 0; word && i < sizeof(roles) / sizeof(*roles); i++)
        if (strcmp(roles[i].word, word) == 0)
            return roles[i].role;
    return 0;
}

/* ---- the cache ---- */

static void forget(struct spool *spool)
{
    for (int i = 0; i < CACHE_SLOTS; i++)
        spool->users->slots[i].id = 0;
}

static void close_users(struct spool *spool)
{
    free(spool->users);
    spool->users = NULL;
}

static const struct spool_hook hook = {.voided = forget, .part_undo = forget, .close = close_users};

int user_start(struct spool *spool)
{
    spool->users = xcalloc(1, sizeof(*spool->users));
    spool_hook(spool, &hook);
    return 0;
}

/* ---- reading ---- */

static void read_row(struct user *user, struct stmt *stmt)
{
    *user = (struct user){.id = stmt_int(stmt, "id")};
    str_copy(user->public_id, sizeof(user->public_id), stmt_text(stmt, "public_id"));
    str_copy(user->name, sizeof(user->name), stmt_text(stmt, "name"));
    str_copy(user->display_name, sizeof(user->display_name), stmt_text(stmt, "display_name"));
    str_copy(user->email, sizeof(user->email), stmt_text(stmt, "email"));
    user->role = (enum user_role)stmt_int(stmt, "role");
    user->disabled = stmt_int(stmt, "disabled") != 0;
    user->created_at = stmt_int(stmt, "created_at");
    user->last_login_at = stmt_int(stmt, "last_login_at");
    user->failures = (int)stmt_int(stmt, "failures");
    user->locked_until = stmt_int(stmt, "locked_until");
}

static int one_row(struct user *user, struct stmt *stmt)
{
    int error = stmt_step(stmt);
    if (error == 1)
        read_row(user, stmt);
    stmt_close(stmt);
    return error == 1 ? 0 : error ? error : err_set(ERR_NOT_FOUND, "no such user");
}

int user_get(struct user *user, struct spool *spool, int64_t id)
{
    struct stmt *stmt;
    spool_assert_loop(spool);
    if (id <= 0)
        return err_set(ERR_NOT_FOUND, "no such user");
    struct user *kept = &spool->users->slots[(uint64_t)id % CACHE_SLOTS];
    if (kept->id != id) {
        int error = stmt_open(&stmt, spool_db(spool), "SELECT " COLUMNS " FROM account WHERE id = ?");
        if (error)
            return error;
        stmt_bind_int(stmt, id);
        error = one_row(user, stmt);
        if (error)
            return error;
        *kept = *user;
    }
    *user = *kept;
    return 0;
}

int user_find(struct user *user, struct spool *spool, const char *public_id)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "SELECT " COLUMNS " FROM account WHERE public_id = ?");
    if (error)
        return error;
    stmt_bind_text(stmt, public_id);
    return one_row(user, stmt);
}

int user_find_name(struct user *user, struct spool *spool, const char *name)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "SELECT " COLUMNS " FROM account WHERE lower(name) = lower(?)");
    if (error)
        return error;
    stmt_bind_text(stmt, name);
    return one_row(user, stmt);
}

int user_password(char password[USER_PASSWORD_SIZE], struct spool *spool, int64_t id)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "SELECT password FROM account WHERE id = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, id);
    error = stmt_step(stmt);
    if (error == 1)
        str_copy(password, USER_PASSWORD_SIZE, stmt_text(stmt, "password"));
    stmt_close(stmt);
    return error == 1 ? 0 : error ? error : err_set(ERR_NOT_FOUND, "no such user");
}

static int count(struct spool *spool, const char *sql, int64_t value)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), sql);
    if (error)
        return error;
    stmt_bind_int(stmt, value);
    error = stmt_step(stmt);
    int found = error == 1 ? (int)stmt_int(stmt, "found") : 0;
    stmt_close(stmt);
    return error < 0 ? error : found;
}

int user_count(struct spool *spool)
{
    return count(spool, "SELECT count(*) AS found FROM account WHERE id > ?", 0);
}

/* ---- writing ---- */

/* Letters that need no escape wherever a name may come to stand, and that no two names can differ by in secret. */
bool user_is_name(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@+-";
    return name && *name && strlen(name) < USER_NAME_SIZE && name[strspn(name, letters)] == '\0';
}

static int check(const struct user *user)
{
    if (!user_is_name(user->name))
        return err_set(ERR_INVALID, "name: " USER_NAME_RULE);
    if (!str_is_utf8(user->display_name, strlen(user->display_name)))
        return err_set(ERR_INVALID, "display_name: not UTF-8");
    if (!str_is_utf8(user->email, strlen(user->email)))
        return err_set(ERR_INVALID, "email: not UTF-8");
    if (!*user_role_name(user->role))
        return err_set(ERR_INVALID, "role: admin, operator, sender or reader");
    return 0;
}

static int insert(struct user *user, struct spool *spool, const char *password)
{
    struct stmt *stmt;
    struct user given = *user;
    int error = stmt_open(&stmt, spool_db(spool),
                          "INSERT INTO account (public_id, name, display_name, email, role, password, disabled,"
                          " created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING " COLUMNS);
    if (error)
        return error;
    stmt_bind_text(stmt, given.public_id);
    stmt_bind_text(stmt, given.name);
    stmt_bind_text(stmt, given.display_name);
    stmt_bind_text(stmt, given.email);
    stmt_bind_int(stmt, given.role);
    stmt_bind_text(stmt, password);
    stmt_bind_int(stmt, given.disabled);
    stmt_bind_int(stmt, given.created_at);
    error = one_row(user, stmt);
    return error == ERR_CONFLICT ? err_set(ERR_CONFLICT, "the name %s is taken", given.name) : error;
}

int user_create(struct user *user, struct spool *spool, const char *password)
{
    char ulid[STR_ULID_SIZE];
    spool_assert_loop(spool);
    int error = check(user);
    if (error)
        return error;
    int users = user_count(spool);
    if (users < 0)
        return users;
    if (users >= USERS_MAX)
        return err_set(ERR_FULL, "there are %d users already", USERS_MAX);
    user->created_at = clock_now_ms();
    snprintf(user->public_id, sizeof(user->public_id), "usr_%s", str_ulid(ulid, user->created_at));
    return insert(user, spool, password);
}

static bool is_admin(const struct user *user)
{
    return user->role == USER_ADMIN && !user->disabled;
}

/* Somebody has to be left who can let others in. For a user who is about not to be an admin any more. */
static int check_admins(struct spool *spool, int64_t id)
{
    struct user user;
    int error = user_get(&user, spool, id);
    if (error || !is_admin(&user))
        return error;
    int others = count(spool,
                       "SELECT count(*) AS found FROM account WHERE role = " SQL_ADMIN " AND disabled = 0"
                       " AND id <> ?",
                       id);
    return others > 0 ? 0 : others < 0 ? others : err_set(ERR_DENIED, "%s is the last admin", user.name);
}

static int changed_one(struct spool *spool, struct stmt *stmt)
{
    int64_t changed = 0;
    int error = stmt_run(&changed, stmt);
    forget(spool);
    return error || changed ? error : err_set(ERR_NOT_FOUND, "no such user");
}

int user_change(struct spool *spool, const struct user *user)
{
    struct stmt *stmt;
    spool_assert_loop(spool);
    int error = check(user);
    if (!error && !is_admin(user))
        error = check_admins(spool, user->id);
    if (!error)
        error = stmt_open(&stmt, spool_db(spool),
                          "UPDATE account SET name = ?, display_name = ?, email = ?, role = ?, disabled = ?"
                          " WHERE id = ?");
    if (error)
        return error;
    stmt_bind_text(stmt, user->name);
    stmt_bind_text(stmt, user->display_name);
    stmt_bind_text(stmt, user->email);
    stmt_bind_int(stmt, user->role);
    stmt_bind_int(stmt, user->disabled);
    stmt_bind_int(stmt, user->id);
    error = changed_one(spool, stmt);
    return error == ERR_CONFLICT ? err_set(ERR_CONFLICT, "the name %s is taken", user->name) : error;
}

int user_set_password(struct spool *spool, int64_t id, const char *password)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool),
                          "UPDATE account SET password = ?, failures = 0, locked_until = 0 WHERE id = ?");
    if (error)
        return error;
    stmt_bind_text(stmt, password);
    stmt_bind_int(stmt, id);
    return changed_one(spool, stmt);
}

int user_delete(struct spool *spool, const struct user *user)
{
    struct stmt *stmt;
    spool_assert_loop(spool);
    int error = check_admins(spool, user->id);
    if (error)
        return error;
    int faxes = count(spool,
                      "SELECT count(*) AS found FROM (SELECT 1 AS one FROM fax WHERE user_id = ? AND user_id > 0"
                      " LIMIT 1) AS first_of_them",
                      user->id);
    if (faxes)
        return faxes < 0 ? faxes : err_set(ERR_CONFLICT, "faxes belong to %s", user->name);
    faxes = count(spool,
                  "SELECT count(*) AS found FROM (SELECT 1 AS one FROM fax WHERE assigned = ? AND assigned > 0"
                  " LIMIT 1) AS first_of_them",
                  user->id);
    if (faxes)
        return faxes < 0 ? faxes : err_set(ERR_CONFLICT, "faxes are assigned to %s", user->name);
    error = key_revoke_user(spool, user->id);
    if (!error)
        error = session_end_others(spool, user->id, 0);
    if (!error)
        error = stmt_open(&stmt, spool_db(spool), "DELETE FROM account WHERE id = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, user->id);
    return changed_one(spool, stmt);
}

int user_signed_in(struct spool *spool, int64_t id, int64_t at_ms)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool),
                          "UPDATE account SET last_login_at = ?, failures = 0, locked_until = 0 WHERE id = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, at_ms);
    stmt_bind_int(stmt, id);
    return changed_one(spool, stmt);
}

int user_failed(struct spool *spool, int64_t id, int64_t locked_until)
{
    struct stmt *stmt;
    int error =
        stmt_open(&stmt, spool_db(spool), "UPDATE account SET failures = failures + 1, locked_until = ? WHERE id = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, locked_until);
    stmt_bind_int(stmt, id);
    return changed_one(spool, stmt);
}

/* ---- JSON ---- */

json_t *user_json(const struct user *user)
{
    return json_pack("{s:s, s:s, s:o, s:o, s:s, s:b, s:o, s:o, s:o}", "id", user->public_id, "name", user->name,
                     "display_name", nullable_text(user->display_name), "email", nullable_text(user->email), "role",
                     user_role_name(user->role), "disabled", user->disabled, "created_at",
                     nullable_time(user->created_at), "last_login_at", nullable_time(user->last_login_at),
                     "locked_until", nullable_time(user->locked_until > clock_now_ms() ? user->locked_until : 0));
}

static json_t *called_json(const struct user *user)
{
    return json_pack("{s:s, s:s}", "id", user->public_id, "display_name",
                     *user->display_name ? user->display_name : user->name);
}

static int read_page(json_t **page, struct stmt *stmt, int limit, json_t *(*object)(const struct user *user))
{
    struct user user = {0};
    json_t *data = json_array();
    int error;
    while ((error = stmt_step(stmt)) == 1 && json_array_size(data) < (size_t)limit) {
        read_row(&user, stmt);
        json_array_append_new(data, object(&user));
    }
    if (error < 0) {
        json_decref(data);
        return error;
    }
    *page = json_pack("{s:o, s:b, s:o}", "data", data, "has_more", error == 1, "next_cursor",
                      error == 1 ? json_sprintf("%lld", (long long)user.id) : json_null());
    return 0;
}

/* `sql` is a constant that asks for the users below an id. */
static int run_page(json_t **page, struct spool *spool, const char *sql, const char *cursor, int limit,
                    json_t *(*object)(const struct user *user))
{
    struct stmt *stmt;
    int64_t before = INT64_MAX;
    *page = NULL;
    if (limit < 1 || limit > PAGE_MAX)
        return err_set(ERR_INVALID, "limit: 1 to %d", PAGE_MAX);
    if (cursor && *cursor && str_to_int(&before, cursor, 1, INT64_MAX))
        return err_set(ERR_INVALID, "cursor: not one of ours");
    int error = stmt_open(&stmt, spool_db(spool), sql);
    if (error)
        return error;
    stmt_bind_int(stmt, before);
    stmt_bind_int(stmt, limit + 1);
    error = read_page(page, stmt, limit, object);
    stmt_close(stmt);
    return error;
}

int user_page(json_t **page, struct spool *spool, const char *cursor, int limit)
{
    return run_page(page, spool, "SELECT " COLUMNS " FROM account WHERE id < ? ORDER BY id DESC LIMIT ?", cursor, limit,
                    user_json);
}

int user_assignable(json_t **page, struct spool *spool, const char *cursor, int limit)
{
    return run_page(page, spool,
                    "SELECT " COLUMNS " FROM account WHERE id < ? AND disabled = 0 ORDER BY id DESC LIMIT ?", cursor,
                    limit, called_json);
}
