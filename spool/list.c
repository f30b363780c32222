/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of faxes. What is asked for is read on the loop; the reader thread's connection finds the rows and makes the
 * page.
 *
 * First ids alone are gone through, as spool/list_plan says, at most so many of them: a filter that few pass, of rows
 * that many have, does not hold up those who ask next. Then each fax of the page is read.
 *
 * A cursor is the row that the last page ended with: rows that are added meanwhile come before it and shift nothing.
 */
#include "spool/list.h"

#include "db/stmt.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "spool/fax_day.h"
#include "spool/fax_json.h"
#include "spool/fax_row.h"
#include "spool/list_plan.h"
#include "spool/query.h"
#include "spool/spool.h"

#include <stdlib.h>

struct list {
    struct list_plan plan;
    int limit;
    /* as it goes, on the reader thread */
    int64_t *ids; /* of the page */
    int count;
    int looked;
    int64_t last; /* row that was looked at last */
    bool more;
};

/* Go on with a walk until the page is full, or enough was looked at. */
static int go_through(struct list *list, struct stmt *stmt)
{
    int error;
    while ((error = stmt_step(stmt)) == 1) {
        bool wanted = stmt_int(stmt, "wanted") != 0;
        if ((wanted && list->count == list->limit) || list->looked == LIST_LOOKED) {
            list->more = true;
            return 0;
        }
        list->looked++;
        list->last = stmt_int(stmt, "id");
        if (wanted)
            list->ids[list->count++] = list->last;
    }
    return error;
}

static int walk_through(struct list *list, struct db *db, const struct list_found *found, int64_t first, int64_t before)
{
    struct list_walk walk = {.plan = &list->plan, .found = found, .first = first, .before = before};
    int error = list_walk_open(&walk, db);
    if (!error)
        error = go_through(list, walk.stmt);
    list_walk_close(&walk);
    return error;
}

/* Few begin so: all of them were found, and are looked at newest first, some at a time. */
static int walk_few(struct list *list, struct db *db, const struct list_found *found, int64_t first, int64_t before)
{
    int error = 0;
    for (int at = 0; at < found->count && !error && !list->more; at += LIST_SEARCH_STEP) {
        struct list_found some = *found;
        some.ids = found->ids + at;
        some.count = found->count - at < LIST_SEARCH_STEP ? found->count - at : LIST_SEARCH_STEP;
        error = walk_through(list, db, &some, first, before);
    }
    return error;
}

static int search(struct list *list, struct db *db, int64_t first, int64_t before)
{
    struct list_found found;
    int error = list_search(&found, db, list->plan.q, list->plan.contacts, first, before);
    if (!error && found.too_many)
        error = walk_through(list, db, &found, first, before);
    else if (!error)
        error = walk_few(list, db, &found, first, before);
    list_search_clear(&found);
    return error;
}

static int find(struct list *list, struct db *db)
{
    struct list_plan *plan = &list->plan;
    int64_t first = 1, until = INT64_MAX;
    int error = fax_day_range(&first, &until, db, plan->created_from, plan->created_until);
    if (error)
        return error;
    if (until > plan->before)
        until = plan->before;
    return *plan->q ? search(list, db, first, until) : walk_through(list, db, NULL, first, until);
}

/* A fax that was purged since it was found is left out. */
static int read_fax(json_t *data, struct db *db, int64_t id)
{
    struct fax fax;
    struct stmt *stmt;
    int error = stmt_open(&stmt, db, "SELECT " FAX_COLUMNS " FROM fax WHERE id = ?");
    if (error)
        return error;
    stmt_bind_int(stmt, id);
    error = fax_row_one(&fax, stmt);
    if (error)
        return error == ERR_NOT_FOUND ? 0 : error;
    json_array_append_new(data, fax_json(&fax));
    fax_clear(&fax);
    return 0;
}

static int make_page(json_t **page, const struct list *list, struct db *db)
{
    int64_t next = list->count == list->limit ? list->ids[list->count - 1] : list->last;
    json_t *data = json_array();
    int error = 0;
    for (int i = 0; i < list->count && !error; i++)
        error = read_fax(data, db, list->ids[i]);
    if (error)
        json_decref(data);
    else
        *page = query_page_text(data, list->more, list->more ? json_sprintf("%lld", (long long)next) : NULL);
    return error;
}

static int run(json_t **answer, void *question, struct db *db)
{
    struct list *list = question;
    list->ids = xcalloc((size_t)list->limit, sizeof(*list->ids));
    int error = find(list, db);
    if (!error)
        error = make_page(answer, list, db);
    free(list->ids);
    return error;
}

int list_start(struct spool *spool, const struct list_query *query,
               void (*done)(void *context, int error, json_t *page), void *context)
{
    struct list *list;
    if (query->limit < 1 || query->limit > LIST_LIMIT_MAX)
        return err_set(ERR_INVALID, "limit: 1 to %d", LIST_LIMIT_MAX);
    list = xcalloc(1, sizeof(*list));
    list->limit = query->limit;
    int error = list_plan_make(&list->plan, query);
    if (!error)
        return query_start(spool, run, list, done, context);
    free(list);
    return error;
}
