/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of cover pages. A template is small, and stored with the turn that takes it: nothing is left over by a crash.
 */
#include "spool/cover_page.h"

#include "db/stmt.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "spool/spool.h"

#include <string.h>

static int count(int *rows, struct spool *spool)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "SELECT count(*) AS rows FROM cover_page");
    if (error)
        return error;
    error = stmt_step(stmt);
    *rows = error == 1 ? (int)stmt_int(stmt, "rows") : 0;
    stmt_close(stmt);
    return error < 0 ? error : 0;
}

int cover_page_create(struct spool *spool, const char *name, const char *template, int64_t owner)
{
    int64_t now_ms = clock_now_ms();
    struct stmt *stmt;
    int rows, error = count(&rows, spool);
    if (error)
        return error;
    if (rows >= COVER_PAGES_MAX)
        return err_set(ERR_FULL, "there are %d cover pages already: delete one that is not needed", COVER_PAGES_MAX);
    error = stmt_open(&stmt, spool_db(spool),
                      "INSERT INTO cover_page (name, template, owner, created_at, updated_at) VALUES (?, ?, ?, ?, ?)");
    if (error)
        return error;
    stmt_bind_text(stmt, name);
    stmt_bind_text(stmt, template);
    stmt_bind_int(stmt, owner);
    stmt_bind_int(stmt, now_ms);
    stmt_bind_int(stmt, now_ms);
    error = stmt_run(NULL, stmt);
    return error == ERR_CONFLICT ? err_set(ERR_CONFLICT, "there is a cover page \"%s\" already", name) : error;
}

int cover_page_find(struct cover *cover, struct spool *spool, const char *name)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool),
                          "SELECT name, template, created_at, updated_at FROM cover_page WHERE name = ?");
    if (error)
        return error;
    stmt_bind_text(stmt, name);
    error = stmt_step(stmt);
    if (error == 1) {
        *cover = (struct cover){.created_at = stmt_int(stmt, "created_at"), .updated_at = stmt_int(stmt, "updated_at")};
        str_copy(cover->name, sizeof(cover->name), stmt_text(stmt, "name"));
        cover->data = xstrdup(stmt_text(stmt, "template"));
        cover->size = strlen(cover->data);
    }
    stmt_close(stmt);
    return error == 1 ? 0 : error ? error : err_set(ERR_NOT_FOUND, "there is no cover page \"%.64s\"", name);
}

/* Run a statement that has to meet one row. */
static int run(struct stmt *stmt, const char *name)
{
    int64_t rows = 0;
    int error = stmt_run(&rows, stmt);
    return error || rows ? error : err_set(ERR_NOT_FOUND, "there is no cover page \"%.64s\"", name);
}

int cover_page_change(struct spool *spool, const char *name, const char *template)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "UPDATE cover_page SET template = ?, updated_at = ? WHERE name = ?");
    if (error)
        return error;
    stmt_bind_text(stmt, template);
    stmt_bind_int(stmt, clock_now_ms());
    stmt_bind_text(stmt, name);
    return run(stmt, name);
}

int cover_page_delete(struct spool *spool, const char *name)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "DELETE FROM cover_page WHERE name = ?");
    if (error)
        return error;
    stmt_bind_text(stmt, name);
    return run(stmt, name);
}

json_t *cover_page_names(struct spool *spool)
{
    json_t *names;
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "SELECT name FROM cover_page ORDER BY name");
    if (error)
        return NULL;
    names = json_array();
    while ((error = stmt_step(stmt)) == 1)
        json_array_append_new(names, json_string(stmt_text(stmt, "name")));
    stmt_close(stmt);
    if (error) {
        json_decref(names);
        return NULL;
    }
    return names;
}
