/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looking texts up by their beginning. */
#include "spool/list_search.h"

#include "db/stmt.h"
#include "server/base/log.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAST_ALL "\xF4\x8F\xBF\xBF" /* the last character there is */
#define ID_ROOM  21

/* Numbers are stored without what people put between digits. */
static char *as_number(const char *q)
{
    char *number = xstrdup(q), *to = number;
    for (const char *from = q; *from; from++)
        if (!strchr(" -()/.", *from))
            *to++ = *from;
    *to = '\0';
    return number;
}

static bool is_number(const char *q)
{
    return q[strspn(q, "+0123456789 -()/.*#")] == '\0' && q[strcspn(q, "0123456789")] != '\0';
}

char *list_search_text(const char *text)
{
    text += strspn(text, " \t");
    char *q = xstrdup(text);
    size_t length = strlen(q);
    while (length > 0 && (q[length - 1] == ' ' || q[length - 1] == '\t'))
        q[--length] = '\0';
    for (char *c = q; *c; c++)
        *c = (char)tolower((unsigned char)*c); /* as the store's lower(): the letters of ASCII */
    return q;
}

void list_search_bounds(char *bounds[LIST_SEARCH_BINDS], const char *q)
{
    char *number = is_number(q) ? as_number(q) : xstrdup(q);
    for (int i = 0; i < LIST_SEARCH_BINDS; i += 2) {
        const char *begin = i < 4 ? number : q; /* to and from are numbers as a rule */
        bounds[i] = xstrdup(begin);
        bounds[i + 1] = xasprintf("%s" PAST_ALL, begin);
    }
    free(number);
}

void list_search_bounds_free(char *bounds[LIST_SEARCH_BINDS])
{
    for (int i = 0; i < LIST_SEARCH_BINDS; i++)
        free(bounds[i]);
}

static const char *const looks[] = {
    "SELECT id FROM fax WHERE destination >= ? AND destination < ? LIMIT ?",
    "SELECT id FROM fax WHERE sender <> '' AND lower(sender) >= ? AND lower(sender) < ? LIMIT ?",
    "SELECT id FROM fax WHERE client_reference <> '' AND lower(client_reference) >= ? AND lower(client_reference) < ?"
    " LIMIT ?",
    "SELECT id FROM fax WHERE remote_station_id <> '' AND lower(remote_station_id) >= ? AND lower(remote_station_id) < "
    "?"
    " LIMIT ?",
};

/* Also those that the cursor has passed: without an order they cannot be left out for nothing. */
static int look(struct list_found *found, struct db *db, const char *sql, char *const *bounds)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, db, sql);
    if (error)
        return error;
    stmt_bind_text(stmt, bounds[0]);
    stmt_bind_text(stmt, bounds[1]);
    stmt_bind_int(stmt, LIST_SEARCH_FEW + 1 - found->count);
    while ((error = stmt_step(stmt)) == 1)
        found->ids[found->count++] = stmt_int(stmt, "id");
    stmt_close(stmt);
    found->too_many = found->count > LIST_SEARCH_FEW;
    return error;
}

static int newest_first(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return left < right ? 1 : left > right ? -1 : 0;
}

static void sort(struct list_found *found, int64_t before)
{
    int kept = 0;
    qsort(found->ids, (size_t)found->count, sizeof(*found->ids), newest_first);
    for (int i = 0; i < found->count; i++)
        if (found->ids[i] < before && (kept == 0 || found->ids[i] != found->ids[kept - 1]))
            found->ids[kept++] = found->ids[i];
    found->count = kept;
}

int list_search(struct list_found *found, struct db *db, const char *q, int64_t before)
{
    char *bounds[LIST_SEARCH_BINDS];
    int error = 0;
    *found = (struct list_found){.ids = xcalloc(LIST_SEARCH_FEW + 1, sizeof(*found->ids))};
    list_search_bounds(bounds, q);
    for (int i = 0; i < LIST_SEARCH_BINDS / 2 && !error && !found->too_many; i++)
        error = look(found, db, looks[i], &bounds[2 * i]);
    list_search_bounds_free(bounds);
    sort(found, before);
    return error;
}

char *list_search_ids(const struct list_found *found)
{
    size_t room = 32 + (size_t)found->count * ID_ROOM, length;
    char *text = xmalloc(room);
    length = (size_t)snprintf(text, room, "fax.id IN (0");
    for (int i = 0; i < found->count; i++)
        length += (size_t)snprintf(text + length, room - length, ",%lld", (long long)found->ids[i]);
    snprintf(text + length, room - length, ")");
    return text;
}

int list_search_newest(int64_t *id, struct db *db)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, db, "SELECT id FROM fax ORDER BY id DESC LIMIT 1");
    if (error)
        return error;
    error = stmt_step(stmt);
    if (error == 1)
        *id = stmt_int(stmt, "id");
    stmt_close(stmt);
    return error < 0 ? error : 0;
}
