/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of contacts. Beside name and organization stands how they are folded, which is what is sorted and looked for.
 */
#include "spool/contact.h"

#include "db/stmt.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/fold.h"
#include "server/base/str.h"
#include "spool/contact_group.h"
#include "spool/nullable.h"
#include "spool/spool.h"

#include <stdio.h>

void contact_read(struct contact *contact, struct stmt *stmt)
{
    *contact = (struct contact){.id = stmt_int(stmt, "id")};
    str_copy(contact->public_id, sizeof(contact->public_id), stmt_text(stmt, "public_id"));
    str_copy(contact->name, sizeof(contact->name), stmt_text(stmt, "name"));
    str_copy(contact->organization, sizeof(contact->organization), stmt_text(stmt, "organization"));
    str_copy(contact->number, sizeof(contact->number), stmt_text(stmt, "number"));
    str_copy(contact->email, sizeof(contact->email), stmt_text(stmt, "email"));
    str_copy(contact->notes, sizeof(contact->notes), stmt_text(stmt, "notes"));
    contact->owner = stmt_int(stmt, "owner");
    contact->created_at = stmt_int(stmt, "created_at");
    contact->updated_at = stmt_int(stmt, "updated_at");
}

static int one_row(struct contact *contact, struct stmt *stmt)
{
    int error = stmt_step(stmt);
    if (error == 1)
        contact_read(contact, stmt);
    stmt_close(stmt);
    return error == 1 ? 0 : error ? error : err_set(ERR_NOT_FOUND, "no such contact");
}

/* The number of rows is kept, since counting 100,000 for each that is added would take long. */
int contact_rows(int64_t *rows, struct spool *spool)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "SELECT rows FROM row_count WHERE name = 'contact'");
    if (error)
        return error;
    error = stmt_step(stmt);
    *rows = error == 1 ? stmt_int(stmt, "rows") : 0;
    stmt_close(stmt);
    return error < 0 ? error : 0;
}

int contact_add_rows(struct spool *spool, int count)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "UPDATE row_count SET rows = rows + ? WHERE name = 'contact'");
    if (error)
        return error;
    stmt_bind_int(stmt, count);
    return stmt_run(NULL, stmt);
}

static void bind_keys(struct stmt *stmt, const struct contact *contact, char keys[2][CONTACT_NAME_SIZE])
{
    stmt_bind_text(stmt, contact->name);
    stmt_bind_text(stmt, fold_text(keys[0], CONTACT_NAME_SIZE, contact->name));
    stmt_bind_text(stmt, contact->organization);
    stmt_bind_text(stmt, fold_text(keys[1], CONTACT_NAME_SIZE, contact->organization));
    stmt_bind_text(stmt, contact->number);
    stmt_bind_text(stmt, contact->email);
    stmt_bind_text(stmt, contact->notes);
    stmt_bind_int(stmt, contact->updated_at);
}

int contact_create(struct contact *contact, struct spool *spool)
{
    int64_t rows;
    int error = contact_rows(&rows, spool);
    if (!error && rows >= CONTACTS_MAX)
        error = err_set(ERR_FULL, "at most %d contacts are kept", CONTACTS_MAX);
    if (!error)
        error = contact_add_rows(spool, 1);
    return error ? error : contact_insert(contact, spool);
}

/* Not RETURNING id: what a statement with it has changed can be undone alone, and within a long part of a turn SQLite
 * then walks, at each statement's end, over all that the part has changed. */
int contact_insert(struct contact *contact, struct spool *spool)
{
    char ulid[STR_ULID_SIZE], keys[2][CONTACT_NAME_SIZE];
    struct stmt *stmt;
    contact->created_at = contact->updated_at = clock_now_ms();
    snprintf(contact->public_id, sizeof(contact->public_id), "con_%s", str_ulid(ulid, contact->created_at));
    int error = stmt_open(&stmt, spool_db(spool),
                          "INSERT INTO contact (name, name_key, organization, organization_key, number, email, notes,"
                          " updated_at, public_id, owner, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    if (error)
        return error;
    bind_keys(stmt, contact, keys);
    stmt_bind_text(stmt, contact->public_id);
    stmt_bind_int(stmt, contact->owner);
    stmt_bind_int(stmt, contact->created_at);
    error = stmt_run(NULL, stmt);
    return error ? error : contact_find(contact, spool, contact->public_id);
}

json_t *contact_called(const struct contact *contact)
{
    return json_pack("{s:s, s:s}", "id", contact->public_id, "name", contact->name);
}

int contact_find(struct contact *contact, struct spool *spool, const char *public_id)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "SELECT " CONTACT_COLUMNS " FROM contact WHERE public_id = ?");
    if (error)
        return error;
    stmt_bind_text(stmt, public_id);
    return one_row(contact, stmt);
}

int contact_same(struct contact *contact, struct spool *spool, const char *number, const char *name)
{
    char key[CONTACT_NAME_SIZE];
    struct stmt *stmt;
    int error =
        stmt_open(&stmt, spool_db(spool),
                  "SELECT " CONTACT_COLUMNS " FROM contact WHERE number = ? AND name_key = ? ORDER BY id LIMIT 1");
    if (error)
        return error;
    stmt_bind_text(stmt, number);
    stmt_bind_text(stmt, fold_text(key, sizeof(key), name));
    return one_row(contact, stmt);
}

static int changed_any(int error, int64_t changed, const char *public_id)
{
    return error || changed ? error : err_set(ERR_NOT_FOUND, "there is no contact %.60s", public_id);
}

int contact_update(struct contact *contact, struct spool *spool)
{
    char keys[2][CONTACT_NAME_SIZE];
    struct stmt *stmt;
    int64_t changed = 0;
    int error = stmt_open(&stmt, spool_db(spool),
                          "UPDATE contact SET name = ?, name_key = ?, organization = ?, organization_key = ?,"
                          " number = ?, email = ?, notes = ?, updated_at = ? WHERE id = ?");
    if (error)
        return error;
    contact->updated_at = clock_now_ms();
    bind_keys(stmt, contact, keys);
    stmt_bind_int(stmt, contact->id);
    error = stmt_run(&changed, stmt);
    return changed_any(error, changed, contact->public_id);
}

int contact_delete(struct spool *spool, const char *public_id)
{
    struct contact contact;
    struct stmt *stmt;
    int error = contact_find(&contact, spool, public_id);
    if (!error)
        error = contact_group_set(spool, contact.id, NULL, 0);
    if (!error)
        error = contact_add_rows(spool, -1);
    if (!error)
        error = stmt_open(&stmt, spool_db(spool), "DELETE FROM contact WHERE id = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, contact.id);
    return stmt_run(NULL, stmt);
}

json_t *contact_json(const struct contact *contact, json_t *groups)
{
    char created[CLOCK_TEXT_SIZE], updated[CLOCK_TEXT_SIZE];
    return json_pack("{s:s, s:s, s:o, s:s, s:o, s:o, s:o, s:s, s:s}", "id", contact->public_id, "name", contact->name,
                     "organization", nullable_text(contact->organization), "number", contact->number, "email",
                     nullable_text(contact->email), "notes", nullable_text(contact->notes), "groups", groups,
                     "created_at", clock_format(created, contact->created_at), "updated_at",
                     clock_format(updated, contact->updated_at));
}

int contact_describe(json_t **object, struct spool *spool, const struct contact *contact)
{
    *object = contact_json(contact, contact_group_ids(spool_db(spool), contact->id));
    return *object ? 0 : err_set(ERR_INTERNAL, "contact %s cannot be shown", contact->public_id);
}
