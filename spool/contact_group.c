/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Groups, and which contact is in which. How many members a group has is kept with it.
 */
#include "spool/contact_group.h"

#include "db/stmt.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/fold.h"
#include "server/base/str.h"
#include "spool/spool.h"

#include <stdio.h>

void contact_group_read(struct contact_group *group, struct stmt *stmt)
{
    *group = (struct contact_group){.id = stmt_int(stmt, "id")};
    str_copy(group->public_id, sizeof(group->public_id), stmt_text(stmt, "public_id"));
    str_copy(group->name, sizeof(group->name), stmt_text(stmt, "name"));
    group->members = (int)stmt_int(stmt, "members");
    group->created_at = stmt_int(stmt, "created_at");
}

static int one_row(struct contact_group *group, struct stmt *stmt)
{
    int error = stmt_step(stmt);
    if (error == 1)
        contact_group_read(group, stmt);
    stmt_close(stmt);
    return error == 1 ? 0 : error ? error : err_set(ERR_NOT_FOUND, "no such group");
}

static int number_of(int64_t *number, struct spool *spool, const char *sql, int64_t row)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), sql);
    if (error)
        return error;
    stmt_bind_int(stmt, row);
    error = stmt_step(stmt);
    *number = error == 1 ? stmt_int(stmt, "number") : 0;
    stmt_close(stmt);
    return error < 0 ? error : 0;
}

static int run_with_two(int64_t *changed, struct spool *spool, const char *sql, int64_t one, int64_t two)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), sql);
    if (error)
        return error;
    stmt_bind_int(stmt, one);
    stmt_bind_int(stmt, two);
    return stmt_run(changed, stmt);
}

/* ---- groups ---- */

static int check_name(struct spool *spool, const char *name, int64_t but)
{
    struct contact_group other;
    int error = contact_group_named(&other, spool, name);
    if (error == ERR_NOT_FOUND || (!error && other.id == but))
        return 0;
    return error ? error : err_set(ERR_CONFLICT, "there is a group \"%s\" already", other.name);
}

int contact_group_create(struct contact_group *group, struct spool *spool, const char *name, int64_t owner)
{
    char ulid[STR_ULID_SIZE], key[CONTACT_NAME_SIZE];
    struct stmt *stmt;
    int64_t rows;
    int error = check_name(spool, name, 0);
    if (!error)
        error = contact_group_rows(&rows, spool);
    if (!error && rows >= CONTACT_GROUPS_MAX)
        error = err_set(ERR_FULL, "there are %d groups already", CONTACT_GROUPS_MAX);
    if (!error)
        error = stmt_open(&stmt, spool_db(spool),
                          "INSERT INTO contact_group (public_id, name, name_key, owner, created_at)"
                          " VALUES (?, ?, ?, ?, ?) RETURNING " CONTACT_GROUP_COLUMNS);
    if (error)
        return error;
    int64_t now_ms = clock_now_ms();
    snprintf(group->public_id, sizeof(group->public_id), "grp_%s", str_ulid(ulid, now_ms));
    stmt_bind_text(stmt, group->public_id);
    stmt_bind_text(stmt, name);
    stmt_bind_text(stmt, fold_text(key, sizeof(key), name));
    stmt_bind_int(stmt, owner);
    stmt_bind_int(stmt, now_ms);
    return one_row(group, stmt);
}

int contact_group_find(struct contact_group *group, struct spool *spool, const char *public_id)
{
    struct stmt *stmt;
    int error =
        stmt_open(&stmt, spool_db(spool), "SELECT " CONTACT_GROUP_COLUMNS " FROM contact_group WHERE public_id = ?");
    if (error)
        return error;
    stmt_bind_text(stmt, public_id);
    return one_row(group, stmt);
}

int contact_group_named(struct contact_group *group, struct spool *spool, const char *name)
{
    char key[CONTACT_NAME_SIZE];
    struct stmt *stmt;
    int error =
        stmt_open(&stmt, spool_db(spool), "SELECT " CONTACT_GROUP_COLUMNS " FROM contact_group WHERE name_key = ?");
    if (error)
        return error;
    stmt_bind_text(stmt, fold_text(key, sizeof(key), name));
    return one_row(group, stmt);
}

int contact_group_rename(struct spool *spool, const char *public_id, const char *name)
{
    char key[CONTACT_NAME_SIZE];
    struct contact_group group;
    struct stmt *stmt;
    int error = contact_group_find(&group, spool, public_id);
    if (!error)
        error = check_name(spool, name, group.id);
    if (!error)
        error = stmt_open(&stmt, spool_db(spool), "UPDATE contact_group SET name = ?, name_key = ? WHERE id = ?");
    if (error)
        return error;
    stmt_bind_text(stmt, name);
    stmt_bind_text(stmt, fold_text(key, sizeof(key), name));
    stmt_bind_int(stmt, group.id);
    return stmt_run(NULL, stmt);
}

int contact_group_delete(struct spool *spool, const char *public_id)
{
    struct contact_group group;
    int error = contact_group_find(&group, spool, public_id);
    if (!error)
        error = run_with_two(NULL, spool, "DELETE FROM contact_group WHERE id = ? AND id > ?", group.id, 0);
    return error; /* its members' rows go with it */
}

/* ---- members ---- */

static int leave_all(struct spool *spool, int64_t contact)
{
    int error = run_with_two(NULL, spool,
                             "UPDATE contact_group SET members = members - 1 WHERE id IN"
                             " (SELECT contact_group FROM contact_member WHERE contact = ? AND contact_group > ?)",
                             contact, 0);
    if (!error)
        error =
            run_with_two(NULL, spool, "DELETE FROM contact_member WHERE contact = ? AND contact_group > ?", contact, 0);
    return error;
}

int contact_group_join(bool *joined, struct spool *spool, int64_t contact, int64_t group)
{
    int64_t changed = 0;
    int error = run_with_two(&changed, spool,
                             "INSERT INTO contact_member (contact, contact_group) VALUES (?, ?)"
                             " ON CONFLICT (contact, contact_group) DO NOTHING",
                             contact, group);
    *joined = changed > 0;
    return error;
}

int contact_group_has(bool *member, struct spool *spool, int64_t contact, int64_t group)
{
    struct stmt *stmt;
    int error =
        stmt_open(&stmt, spool_db(spool), "SELECT contact FROM contact_member WHERE contact = ? AND contact_group = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, contact);
    stmt_bind_int(stmt, group);
    error = stmt_step(stmt);
    *member = error == 1;
    stmt_close(stmt);
    return error < 0 ? error : 0;
}

int contact_group_count(int64_t *groups, struct spool *spool, int64_t contact)
{
    return number_of(groups, spool, "SELECT count(*) AS number FROM contact_member WHERE contact = ?", contact);
}

int contact_group_rows(int64_t *rows, struct spool *spool)
{
    return number_of(rows, spool, "SELECT count(*) AS number FROM contact_group WHERE id > ?", 0);
}

int contact_group_add(struct spool *spool, int64_t group, int count)
{
    return run_with_two(NULL, spool, "UPDATE contact_group SET members = members + ? WHERE id = ?", count, group);
}

static int grow(struct spool *spool, int64_t group)
{
    struct stmt *stmt;
    int64_t changed = 0;
    int error = stmt_open(&stmt, spool_db(spool),
                          "UPDATE contact_group SET members = members + 1 WHERE id = ? AND members < ?");
    if (error)
        return error;
    stmt_bind_int(stmt, group);
    stmt_bind_int(stmt, CONTACT_MEMBERS_MAX);
    error = stmt_run(&changed, stmt);
    return error || changed ? error : err_set(ERR_FULL, "a group has at most %d members", CONTACT_MEMBERS_MAX);
}

int contact_group_set(struct spool *spool, int64_t contact, const int64_t *groups, int count)
{
    bool joined;
    int error = leave_all(spool, contact);
    for (int i = 0; i < count && !error; i++) {
        error = contact_group_join(&joined, spool, contact, groups[i]);
        if (!error && joined)
            error = grow(spool, groups[i]);
    }
    int64_t number = 0;
    if (!error)
        error = contact_group_count(&number, spool, contact);
    if (!error && number > CONTACT_GROUPS_OF)
        error = err_set(ERR_FULL, "a contact is in at most %d groups", CONTACT_GROUPS_OF);
    return error;
}

/* ---- JSON ---- */

json_t *contact_group_json(const struct contact_group *group)
{
    char created[CLOCK_TEXT_SIZE];
    return json_pack("{s:s, s:s, s:i, s:s}", "id", group->public_id, "name", group->name, "members", group->members,
                     "created_at", clock_format(created, group->created_at));
}

static json_t *column_of(struct db *db, int64_t contact, const char *column)
{
    json_t *list = json_array();
    struct stmt *stmt;
    if (stmt_open(&stmt, db,
                  "SELECT g.public_id AS public_id, g.name AS name FROM contact_member m JOIN contact_group g"
                  " ON g.id = m.contact_group WHERE m.contact = ? ORDER BY g.name_key"))
        return list;
    stmt_bind_int(stmt, contact);
    while (stmt_step(stmt) == 1)
        json_array_append_new(list, json_string(stmt_text(stmt, column)));
    stmt_close(stmt);
    return list;
}

json_t *contact_group_ids(struct db *db, int64_t contact)
{
    return column_of(db, contact, "public_id");
}

json_t *contact_group_names(struct db *db, int64_t contact)
{
    return column_of(db, contact, "name");
}
