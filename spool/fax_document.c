/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows that tie documents to faxes. submit() writes the uploads, submit_prepared() the renditions, the end of a call
 * its copy.
 */
#include "spool/fax_document.h"

#include "db/stmt.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "spool/spool_private.h"

#include <stdlib.h>

int fax_document_add(struct spool *spool, int64_t fax, enum fax_document_role role, int position, const char *sha,
                     const json_t *info)
{
    struct stmt *stmt;
    char *text = json_object_size(info) > 0 ? json_dumps(info, JSON_COMPACT | JSON_SORT_KEYS) : xstrdup("");
    spool_assert_loop(spool);
    int error = stmt_open(&stmt, spool_db(spool),
                          "INSERT INTO fax_document (fax, role, position, document, info) VALUES (?, ?, ?, ?, ?)"
                          " ON CONFLICT (fax, role, position) DO UPDATE SET document = excluded.document,"
                          " info = excluded.info");
    if (!error) {
        stmt_bind_int(stmt, fax);
        stmt_bind_int(stmt, role);
        stmt_bind_int(stmt, position);
        stmt_bind_text(stmt, sha);
        stmt_bind_text(stmt, text);
        error = stmt_run(NULL, stmt);
    }
    free(text);
    return error;
}

int fax_documents(struct fax_document **list, struct spool *spool, int64_t fax, enum fax_document_role role)
{
    struct stmt *stmt;
    int count = 0;
    *list = NULL;
    spool_assert_loop(spool);
    int error = stmt_open(&stmt, spool_db(spool),
                          "SELECT position, document, info FROM fax_document WHERE fax = ? AND role = ?"
                          " ORDER BY position");
    if (error)
        return error;
    stmt_bind_int(stmt, fax);
    stmt_bind_int(stmt, role);
    while ((error = stmt_step(stmt)) == 1) {
        *list = xrealloc(*list, (size_t)(count + 1) * sizeof(**list));
        struct fax_document *row = &(*list)[count++];
        row->position = (int)stmt_int(stmt, "position");
        str_copy(row->sha, sizeof(row->sha), stmt_text(stmt, "document"));
        row->info = json_loads(stmt_text(stmt, "info"), 0, NULL);
        if (!row->info)
            row->info = json_object();
    }
    stmt_close(stmt);
    if (error < 0) {
        fax_documents_free(*list, count);
        *list = NULL;
        return error;
    }
    return count;
}

void fax_documents_free(struct fax_document *list, int count)
{
    for (int i = 0; i < count; i++)
        json_decref(list[i].info);
    free(list);
}
