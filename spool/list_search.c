/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looking texts up by their beginning. */
#include "config.h" /* open_memstream */

#include "spool/list_search.h"

#include "db/stmt.h"
#include "server/base/err.h"
#include "server/base/fold.h"
#include "server/base/log.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAST_ALL "\xF4\x8F\xBF\xBF" /* the last character there is */
#define ID_ROOM  21

int list_search_text(char q[LIST_SEARCH_MAX + 1], const char *text)
{
    text += strspn(text, " \t");
    size_t length = strlen(text);
    while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t'))
        length--;
    if (length > LIST_SEARCH_MAX)
        return ERR_INVALID;
    for (size_t i = 0; i < length; i++)
        q[i] = (char)tolower((unsigned char)text[i]); /* as the store's lower(): the letters of ASCII */
    q[length] = '\0';
    return 0;
}

/* ---- ranges ---- */

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

static void set_bounds(struct list_found *found, const char *q)
{
    char *number = is_number(q) ? as_number(q) : xstrdup(q);
    for (int i = 0; i < LIST_SEARCH_BOUNDS; i += 2) {
        const char *begin = i < 4 ? number : q; /* to and from are numbers as a rule */
        found->bounds[i] = xstrdup(begin);
        found->bounds[i + 1] = xasprintf("%s" PAST_ALL, begin);
    }
    free(number);
}

/* ---- contacts ---- */

static const char *const contact_looks[] = {
    "SELECT number FROM contact WHERE name_key >= ? AND name_key < ? ORDER BY name_key LIMIT ?",
    "SELECT number FROM contact WHERE organization_key <> '' AND organization_key >= ? AND organization_key < ?"
    " ORDER BY organization_key LIMIT ?",
};

static void add_number(struct list_found *found, const char *number)
{
    for (int i = 0; i < found->number_count; i++)
        if (strcmp(found->numbers[i], number) == 0)
            return;
    char *copy = found->numbers[found->number_count++] = xstrdup(number);
    for (; *copy; copy++)
        *copy = (char)tolower((unsigned char)*copy);
}

static int look_at_contacts(struct list_found *found, struct db *db, const char *sql, const char *from, const char *end)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, db, sql);
    if (error)
        return error;
    stmt_bind_text(stmt, from);
    stmt_bind_text(stmt, end);
    stmt_bind_int(stmt, LIST_SEARCH_CONTACTS - found->number_count);
    while ((error = stmt_step(stmt)) == 1)
        add_number(found, stmt_text(stmt, "number"));
    stmt_close(stmt);
    return error;
}

static int find_contacts(struct list_found *found, struct db *db, const char *q)
{
    char from[LIST_SEARCH_MAX + 1], end[LIST_SEARCH_MAX + 16];
    int error = 0;
    found->numbers = xcalloc(LIST_SEARCH_CONTACTS, sizeof(*found->numbers));
    fold_text(from, sizeof(from), q);
    fold_range_end(end, sizeof(end), from);
    for (size_t i = 0; i < sizeof(contact_looks) / sizeof(*contact_looks) && !error && *from; i++)
        error = look_at_contacts(found, db, contact_looks[i], from, end);
    return error;
}

/* ---- faxes ---- */

static const char *const looks[] = {
    "SELECT id FROM fax WHERE destination >= ? AND destination < ? LIMIT ?",
    "SELECT id FROM fax WHERE sender <> '' AND lower(sender) >= ? AND lower(sender) < ? LIMIT ?",
    "SELECT id FROM fax WHERE client_reference <> '' AND lower(client_reference) >= ? AND lower(client_reference) < ?"
    " LIMIT ?",
    "SELECT id FROM fax WHERE remote_station_id <> '' AND lower(remote_station_id) >= ?"
    " AND lower(remote_station_id) < ? LIMIT ?",
};

static const char *const number_looks[] = {
    "SELECT id FROM fax WHERE destination = ? LIMIT ?",
    "SELECT id FROM fax WHERE sender <> '' AND lower(sender) = ? LIMIT ?",
};

/* Also those that the cursor has passed: without an order they cannot be left out for nothing. `end` NULL = exactly
 * `from`. */
static int look(struct list_found *found, struct db *db, const char *sql, const char *from, const char *end)
{
    struct stmt *stmt;
    int error = stmt_open(&stmt, db, sql);
    if (error)
        return error;
    stmt_bind_text(stmt, from);
    if (end)
        stmt_bind_text(stmt, end);
    stmt_bind_int(stmt, LIST_SEARCH_FEW + 1 - found->count);
    while ((error = stmt_step(stmt)) == 1)
        found->ids[found->count++] = stmt_int(stmt, "id");
    stmt_close(stmt);
    found->too_many = found->count > LIST_SEARCH_FEW;
    return error;
}

static int look_for_contacts(struct list_found *found, struct db *db)
{
    int error = 0;
    for (int i = 0; i < 2 * found->number_count && !error && !found->too_many; i++)
        error = look(found, db, number_looks[i % 2], found->numbers[i / 2], NULL);
    return error;
}

static int newest_first(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return left < right ? 1 : left > right ? -1 : 0;
}

static void sort(struct list_found *found, int64_t first, int64_t before)
{
    int kept = 0;
    if (found->count)
        qsort(found->ids, (size_t)found->count, sizeof(*found->ids), newest_first);
    for (int i = 0; i < found->count; i++)
        if (found->ids[i] >= first && found->ids[i] < before && (kept == 0 || found->ids[i] != found->ids[kept - 1]))
            found->ids[kept++] = found->ids[i];
    found->count = kept;
}

int list_search(struct list_found *found, struct db *db, const char *q, bool contacts, int64_t first, int64_t before)
{
    int error = 0;
    *found = (struct list_found){.ids = xcalloc(LIST_SEARCH_FEW + 1, sizeof(*found->ids))};
    set_bounds(found, q);
    if (contacts)
        error = find_contacts(found, db, q);
    for (int i = 0; i < LIST_SEARCH_BOUNDS && !error && !found->too_many; i += 2)
        error = look(found, db, looks[i / 2], found->bounds[i], found->bounds[i + 1]);
    if (!error && !found->too_many)
        error = look_for_contacts(found, db);
    if (found->too_many)
        found->count = 0;
    sort(found, first, before);
    return error;
}

void list_search_clear(struct list_found *found)
{
    for (int i = 0; i < LIST_SEARCH_BOUNDS; i++)
        free(found->bounds[i]);
    for (int i = 0; i < found->number_count; i++)
        free(found->numbers[i]);
    free(found->numbers);
    free(found->ids);
    *found = (struct list_found){0};
}

/* ---- as a condition ---- */

static void print_list(FILE *out, const char *column, int count)
{
    fprintf(out, " OR %s IN (", column);
    for (int i = 0; i < count; i++)
        fputs(i ? ", ?" : "?", out);
    fputc(')', out);
}

char *list_search_condition(const struct list_found *found)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return xstrdup("");
    fputs(" AND ((destination >= ? AND destination < ?) OR (lower(sender) >= ? AND lower(sender) < ?)"
          " OR (lower(client_reference) >= ? AND lower(client_reference) < ?)"
          " OR (lower(remote_station_id) >= ? AND lower(remote_station_id) < ?)",
          out);
    if (found->number_count) {
        print_list(out, "destination", found->number_count);
        print_list(out, "lower(sender)", found->number_count);
    }
    fputc(')', out);
    fclose(out);
    return text;
}

void list_search_bind(struct stmt *stmt, const struct list_found *found)
{
    for (int i = 0; i < LIST_SEARCH_BOUNDS; i++)
        stmt_bind_text(stmt, found->bounds[i]);
    for (int i = 0; i < 2 * found->number_count; i++)
        stmt_bind_text(stmt, found->numbers[i % found->number_count]);
}

char *list_search_ids(const int64_t *ids, int count)
{
    size_t room = 32 + (size_t)count * ID_ROOM, length;
    char *text = xmalloc(room);
    length = (size_t)snprintf(text, room, "fax.id IN (0");
    for (int i = 0; i < count; i++)
        length += (size_t)snprintf(text + length, room - length, ",%lld", (long long)ids[i]);
    snprintf(text + length, room - length, ")");
    return text;
}
