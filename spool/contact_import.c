/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The steps of an import. Room is looked for before it is accepted and not taken: who fills it meanwhile makes a list a
 * little longer than it should be, and no import fails in the midst.
 */
#include "spool/contact_import.h"

#include "db/stmt.h"
#include "server/base/err.h"
#include "server/base/fold.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "spool/audit.h"
#include "spool/contact.h"
#include "spool/contact_group.h"
#include "spool/spool_private.h"

#include <event2/event.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define LOOK_SLICE  200 /* lines; some 3 ms */
#define WRITE_SLICE 60
#define PAUSE_MS    1
#define FAILED_MS   1000

/* A group that the list names. */
struct named {
    char key[CONTACT_NAME_SIZE], name[CONTACT_NAME_SIZE];
    int64_t id; /* 0 = it is new */
    int members, joined;
};

struct import {
    STAILQ_ENTRY(import) entry;
    char *lines;
    size_t at;     /* of the next line */
    int64_t owner; /* key */
    int64_t row;   /* 0 = it is not accepted yet */
    bool resumed;  /* by a start */
    json_t *fresh; /* contacts that will be new: number and key of the name */
    struct named *groups;
    int group_count;
    struct contact_imported imported;
    int error; /* what ends it */
    char *message;
    struct spool *spool;
    contact_import_done done;
    void *context;
};

STAILQ_HEAD(import_list, import);

struct contact_imports {
    struct spool *spool;
    struct event *timer; /* NULL without a loop */
    struct import_list list;
    int count;
};

static void import_free(struct import *import)
{
    json_decref(import->fresh);
    free(import->groups);
    free(import->lines);
    free(import->message);
    free(import);
}

/* ---- lines ---- */

/* The line at `*at`, which is moved behind it; NULL at the end. New reference. */
static json_t *next_line(const struct import *import, size_t *at)
{
    const char *begin = import->lines + *at;
    size_t length = strcspn(begin, "\n");
    json_t *line = length ? json_loadb(begin, length, 0, NULL) : NULL;
    *at += length + (begin[length] == '\n');
    return line;
}

static void take(char *to, size_t size, const json_t *line, const char *name)
{
    const char *text = json_string_value(json_object_get(line, name));
    if (text)
        str_copy(to, size, text);
}

/* What the line says, over what there is. */
static void take_all(struct contact *contact, const json_t *line)
{
    take(contact->name, sizeof(contact->name), line, "name");
    take(contact->number, sizeof(contact->number), line, "number");
    take(contact->organization, sizeof(contact->organization), line, "organization");
    take(contact->email, sizeof(contact->email), line, "email");
    take(contact->notes, sizeof(contact->notes), line, "notes");
}

/* ---- looking: is there room? ---- */

/* A group of the list, looked up once; NULL with its error. */
static struct named *find_group(int *error, struct import *import, const char *name)
{
    char key[CONTACT_NAME_SIZE];
    struct contact_group group;
    int at = 0;
    fold_text(key, sizeof(key), name);
    while (at < import->group_count && strcmp(import->groups[at].key, key) != 0)
        at++;
    struct named *named = &import->groups[at];
    *error = 0;
    if (at < import->group_count)
        return named;
    if (at == CONTACT_GROUPS_MAX)
        *error = err_set(ERR_FULL, "the file names more than %d groups", CONTACT_GROUPS_MAX);
    else
        *error = contact_group_named(&group, import->spool, name);
    if (*error && *error != ERR_NOT_FOUND)
        return NULL;
    *named = (struct named){.id = *error ? 0 : group.id, .members = *error ? 0 : group.members};
    str_copy(named->key, sizeof(named->key), key);
    str_copy(named->name, sizeof(named->name), name);
    import->imported.groups_created += *error != 0;
    import->group_count++;
    *error = 0;
    return named;
}

static int look_at_groups(struct import *import, int64_t contact, const json_t *groups)
{
    int error = 0, joined = 0;
    int64_t members = 0;
    for (size_t i = 0; i < json_array_size(groups) && !error; i++) {
        bool member = false;
        struct named *named = find_group(&error, import, json_string_value(json_array_get(groups, i)));
        if (!error && contact && named->id)
            error = contact_group_has(&member, import->spool, contact, named->id);
        if (error || member)
            continue;
        joined++;
        if (named->members + ++named->joined > CONTACT_MEMBERS_MAX)
            error = err_set(ERR_FULL, "a group has at most %d members", CONTACT_MEMBERS_MAX);
    }
    if (!error && contact && joined)
        error = contact_group_count(&members, import->spool, contact);
    if (!error && members + joined > CONTACT_GROUPS_OF)
        error = err_set(ERR_FULL, "a contact is in at most %d groups", CONTACT_GROUPS_OF);
    return error;
}

/* It is new unless it is there, or a line before brings it. */
static bool is_fresh(struct import *import, const struct contact *contact)
{
    char key[CONTACT_NAME_SIZE], *name;
    bool fresh;
    fold_text(key, sizeof(key), contact->name);
    name = xasprintf("%s %s", contact->number, key);
    fresh = !json_object_get(import->fresh, name);
    if (fresh)
        json_object_set_new(import->fresh, name, json_true());
    free(name);
    return fresh;
}

static int look_at_line(struct import *import, const json_t *line)
{
    struct contact contact = {0}, known = {0};
    take_all(&contact, line);
    int error = contact_same(&known, import->spool, contact.number, contact.name);
    if (error && error != ERR_NOT_FOUND)
        return error;
    if (error && is_fresh(import, &contact))
        import->imported.created++;
    else
        import->imported.updated++;
    return look_at_groups(import, error ? 0 : known.id, json_object_get(line, "groups"));
}

static int check_counts(struct import *import)
{
    int64_t contacts = 0, groups = 0;
    int error = contact_rows(&contacts, import->spool);
    if (!error)
        error = contact_group_rows(&groups, import->spool);
    if (!error && contacts + import->imported.created > CONTACTS_MAX)
        error = err_set(ERR_FULL, "at most %d contacts are kept", CONTACTS_MAX);
    if (!error && groups + import->imported.groups_created > CONTACT_GROUPS_MAX)
        error = err_set(ERR_FULL, "there are at most %d groups", CONTACT_GROUPS_MAX);
    return error;
}

/* There is room: from now on it will be done. */
static int accept_list(struct import *import)
{
    struct stmt *stmt;
    int error = check_counts(import);
    if (!error)
        error = stmt_open(&stmt, spool_db(import->spool),
                          "INSERT INTO contact_import (lines, position, owner) VALUES (?, 0, ?) RETURNING id");
    if (error)
        return error;
    stmt_bind_text(stmt, import->lines);
    stmt_bind_int(stmt, import->owner);
    error = stmt_step(stmt);
    if (error == 1)
        import->row = stmt_int(stmt, "id");
    stmt_close(stmt);
    import->at = 0;
    return error < 0 ? error : 0;
}

static int look(struct import *import)
{
    int error = 0;
    for (int i = 0; i < LOOK_SLICE && !error; i++) {
        json_t *line = next_line(import, &import->at);
        if (!line)
            return accept_list(import);
        import->imported.line = (int)json_integer_value(json_object_get(line, "line"));
        error = look_at_line(import, line);
        json_decref(line);
    }
    return error;
}

/* ---- writing ---- */

static int store_contact(int *created, struct import *import, struct contact *contact, const json_t *line)
{
    struct contact wanted = {0};
    take_all(&wanted, line);
    int error = contact_same(contact, import->spool, wanted.number, wanted.name);
    if (error && error != ERR_NOT_FOUND)
        return error;
    if (!error) {
        take_all(contact, line);
        return contact_update(contact, import->spool);
    }
    ++*created;
    *contact = wanted;
    contact->owner = import->owner;
    return contact_insert(contact, import->spool);
}

static int join_group(struct import *import, int64_t contact, const char *name)
{
    struct contact_group group;
    bool joined = false;
    int error = contact_group_named(&group, import->spool, name);
    if (error == ERR_NOT_FOUND)
        error = contact_group_create(&group, import->spool, name, import->owner);
    if (!error)
        error = contact_group_join(&joined, import->spool, contact, group.id);
    return error || !joined ? error : contact_group_add(import->spool, group.id, 1);
}

static int write_line(int *created, struct import *import, const json_t *line)
{
    const json_t *groups = json_object_get(line, "groups");
    struct contact contact;
    int error = store_contact(created, import, &contact, line);
    for (size_t i = 0; i < json_array_size(groups) && !error; i++) {
        error = join_group(import, contact.id, json_string_value(json_array_get(groups, i)));
        if (error != ERR_FULL)
            continue;
        log_warning("contacts: %s: %s", contact.public_id, err_message()); /* somebody made groups meanwhile */
        error = 0;
    }
    return error;
}

static int write_position(struct import *import, size_t at, bool over)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(import->spool),
                          over ? "DELETE FROM contact_import WHERE id = ?"
                               : "UPDATE contact_import SET position = ? WHERE id = ?");
    if (error)
        return error;
    if (!over)
        stmt_bind_int(stmt, (int64_t)at);
    stmt_bind_int(stmt, import->row);
    return stmt_run(NULL, stmt);
}

/* `*at` = how far it is. */
static int write_slice(size_t *at, bool *over, struct import *import)
{
    int error = 0, created = 0;
    for (int i = 0; i < WRITE_SLICE && !error && !*over; i++) {
        json_t *line = next_line(import, at);
        *over = !line;
        if (line)
            error = write_line(&created, import, line);
        json_decref(line);
    }
    if (!error && created)
        error = contact_add_rows(import->spool, created);
    if (!error)
        error = write_position(import, *at, *over);
    if (!error && *over && import->resumed)
        error = audit_write_server(import->spool, "contact.imported", "", "{\"resumed\":true}");
    return error;
}

/* ---- the work ---- */

/* After the commit of what ended it. */
static void on_end(void *context, int error)
{
    struct import *import = context;
    if (!error && import->error)
        error = err_set(import->error, "%s", import->message);
    if (import->done)
        import->done(import->context, error, &import->imported);
    import_free(import);
}

static void end(struct contact_imports *imports, struct import *import, int error)
{
    STAILQ_REMOVE(&imports->list, import, import, entry);
    imports->count--;
    import->error = error;
    if (error)
        import->message = xstrdup(err_message());
    spool_after_commit(imports->spool, on_end, import);
}

/* In a part of the turn; what the disk does not take is tried again. */
static int work_on(struct contact_imports *imports, struct import *import)
{
    size_t at = import->at;
    bool over = false;
    int error = spool_part_begin(imports->spool);
    if (error)
        return error;
    if (!import->row) {
        error = look(import);
        if (spool_part_end(imports->spool, !error) && !error)
            error = ERR_IO;
        if (error)
            end(imports, import, error); /* nothing is written yet */
        return 0;
    }
    error = write_slice(&at, &over, import);
    int kept = spool_part_end(imports->spool, !error);
    if (error || kept)
        return error ? error : kept;
    import->at = at;
    if (over)
        end(imports, import, 0);
    return 0;
}

int contact_import_run(struct spool *spool)
{
    struct contact_imports *imports = spool->imports;
    spool_assert_loop(spool);
    struct import *import = STAILQ_FIRST(&imports->list);
    if (!import)
        return 0;
    int error = work_on(imports, import);
    return error ? error : !STAILQ_EMPTY(&imports->list);
}

static void wait_for(struct contact_imports *imports, int ms)
{
    struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    if (imports->timer)
        evtimer_add(imports->timer, &wait);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
    struct contact_imports *imports = context;
    (void)fd, (void)what;
    int more = contact_import_run(imports->spool);
    if (more < 0)
        log_warning("contacts: an import waits: %s", err_message());
    if (more)
        wait_for(imports, more < 0 ? FAILED_MS : PAUSE_MS);
}

static void add(struct contact_imports *imports, struct import *import)
{
    import->spool = imports->spool;
    STAILQ_INSERT_TAIL(&imports->list, import, entry);
    if (imports->count++ == 0)
        wait_for(imports, PAUSE_MS);
}

int contact_import(struct spool *spool, char *lines, int64_t owner, contact_import_done done, void *context)
{
    struct import *import;
    spool_assert_loop(spool);
    if (spool->imports->count >= CONTACT_IMPORTS_MAX) {
        free(lines);
        return err_set(ERR_FULL, "%d imports are under way already", CONTACT_IMPORTS_MAX);
    }
    import = xcalloc(1, sizeof(*import));
    *import = (struct import){.lines = lines, .owner = owner, .done = done, .context = context};
    import->fresh = json_object();
    import->groups = xcalloc(CONTACT_GROUPS_MAX + 1, sizeof(*import->groups));
    add(spool->imports, import);
    return 0;
}

/* ---- start and end ---- */

static int resume(struct contact_imports *imports)
{
    struct stmt *stmt;
    int error =
        stmt_open(&stmt, spool_db(imports->spool), "SELECT id, lines, position, owner FROM contact_import ORDER BY id");
    if (error)
        return error;
    while ((error = stmt_step(stmt)) == 1) {
        struct import *import = xcalloc(1, sizeof(*import));
        *import = (struct import){.row = stmt_int(stmt, "id"), .owner = stmt_int(stmt, "owner"), .resumed = true};
        import->lines = xstrdup(stmt_text(stmt, "lines"));
        import->at = (size_t)stmt_int(stmt, "position");
        add(imports, import);
    }
    stmt_close(stmt);
    return error;
}

static void close_imports(struct spool *spool)
{
    struct contact_imports *imports = spool->imports;
    struct import *import;
    if (imports->timer)
        event_free(imports->timer);
    while ((import = STAILQ_FIRST(&imports->list)) != NULL) {
        STAILQ_REMOVE_HEAD(&imports->list, entry);
        on_end(import, err_set(ERR_CLOSED, "the server ends"));
    }
    free(imports);
    spool->imports = NULL;
}

static const struct spool_hook hook = {.close = close_imports};

int contact_import_start(struct spool *spool)
{
    struct contact_imports *imports = xcalloc(1, sizeof(*imports));
    spool->imports = imports;
    imports->spool = spool;
    STAILQ_INIT(&imports->list);
    spool_hook(spool, &hook);
    if (spool->base) {
        imports->timer = evtimer_new(spool->base, on_timer, imports);
        if (!imports->timer)
            return err_set(ERR_INTERNAL, "cannot make the timer of imports");
    }
    return resume(imports);
}
