/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way of a question to the reader thread and back.
 */
#include "config.h" /* open_memstream */

#include "spool/query.h"

#include "db/reader.h"
#include "db/stmt.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "spool/spool_private.h"

#include <stdlib.h>

struct query {
    query_run run;
    void *question;
    query_done done;
    void *context;
    /* the result */
    json_t *answer;
    int error;
    char *message;
};

static void query_free(struct query *query)
{
    json_decref(query->answer);
    free(query->message);
    free(query->question);
    free(query);
}

static void run(void *context, struct db *db)
{
    struct query *query = context;
    query->error = query->run(&query->answer, query->question, db);
    if (query->error)
        query->message = xstrdup(err_message()); /* the message is this thread's */
}

static void finished(void *context, int error)
{
    struct query *query = context;
    if (!error && query->error)
        error = err_set(query->error, "%s", query->message);
    query->done(query->context, error, error ? NULL : query->answer);
    query_free(query);
}

int query_start(struct spool *spool, query_run what, void *question, query_done done, void *context)
{
    spool_assert_loop(spool);
    struct query *query = xcalloc(1, sizeof(*query));
    *query = (struct query){.run = what, .question = question, .done = done, .context = context};
    int error = reader_post(spool->reader, run, finished, query);
    if (error)
        query_free(query);
    return error;
}

static json_t *page_of(const char *text, bool more, json_t *next)
{
    return json_pack("{s:o, s:b, s:o}", "text", json_string_nocheck(text ? text : ""), "has_more", more, "next_cursor",
                     next ? next : json_null());
}

json_t *query_page_text(json_t *data, bool more, json_t *next)
{
    json_t *page =
        json_pack("{s:o, s:b, s:O}", "data", data, "has_more", more, "next_cursor", next ? next : json_null());
    char *text = json_dumps(page, JSON_COMPACT | JSON_REAL_PRECISION(12));
    char *line = xasprintf("%s\n", text ? text : "");
    json_decref(page);
    page = page_of(line, more, next);
    free(line);
    free(text);
    return page;
}

json_t *query_page_written(json_t *data, bool more, json_t *next, void (*write)(FILE *out, const json_t *data))
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out) {
        write(out, data);
        fclose(out);
    }
    json_decref(data);
    json_t *page = page_of(text, more, next);
    free(text);
    return page;
}

int query_read_page(json_t **answer, const struct query_page *page, struct stmt *stmt)
{
    json_t *data = json_array(), *last = NULL;
    int count = 0, error;
    while ((error = stmt_step(stmt)) == 1 && count < page->limit) {
        json_t *object = page->object(page->context, stmt);
        if (object)
            json_array_append_new(data, object);
        if (++count == page->limit) {
            json_decref(last);
            last = page->cursor(page->context, stmt);
        }
    }
    stmt_close(stmt);
    if (error < 0)
        json_decref(data);
    else
        *answer = query_page_text(data, error == 1, error == 1 ? json_incref(last) : NULL);
    json_decref(last);
    return error < 0 ? error : 0;
}

int query_page_of_loop(json_t **page, int limit, json_t *(*object)(struct stmt *stmt), struct stmt *stmt)
{
    json_t *data = json_array();
    int64_t last = 0;
    int error;
    while ((error = stmt_step(stmt)) == 1 && json_array_size(data) < (size_t)limit) {
        last = stmt_int(stmt, "id");
        json_array_append_new(data, object(stmt));
    }
    stmt_close(stmt);
    if (error < 0) {
        json_decref(data);
        return error;
    }
    *page = json_pack("{s:o, s:b, s:o}", "data", data, "has_more", error == 1, "next_cursor",
                      error == 1 ? json_sprintf("%lld", (long long)last) : json_null());
    return 0;
}
