/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of tags. */
#include "spool/fax_tag.h"

#include "db/stmt.h"
#include "spool/spool.h"

#include <stdbool.h>
#include <string.h>

static bool is_before(const json_t *tags, size_t place)
{
    const char *tag = json_string_value(json_array_get(tags, place));
    for (size_t i = 0; i < place; i++)
        if (strcmp(json_string_value(json_array_get(tags, i)), tag) == 0)
            return true;
    return false;
}

static int add(struct spool *spool, int64_t fax, const char *tag)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "INSERT INTO fax_tag (tag, fax) VALUES (?, ?)");
    if (error)
        return error;
    stmt_bind_text(stmt, tag);
    stmt_bind_int(stmt, fax);
    return stmt_run(NULL, stmt);
}

int fax_tags_add(struct spool *spool, int64_t fax, const json_t *tags)
{
    int error = 0;
    for (size_t i = 0; i < json_array_size(tags) && !error; i++)
        if (!is_before(tags, i))
            error = add(spool, fax, json_string_value(json_array_get(tags, i)));
    return error;
}

int fax_tags_set(struct spool *spool, int64_t fax, const json_t *tags)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, spool_db(spool), "DELETE FROM fax_tag WHERE fax = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, fax);
    error = stmt_run(NULL, stmt);
    return error ? error : fax_tags_add(spool, fax, tags);
}
