/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way of a question to the reader thread and back.
 */
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

int query_read_page(json_t **answer, const struct query_page *page, struct stmt *stmt)
{
    json_t *data = json_array(), *last = NULL, *cursor;
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
    cursor = error == 1 && last ? json_incref(last) : json_null();
    json_decref(last);
    if (error < 0) {
        json_decref(cursor);
        json_decref(data);
        return error;
    }
    *answer = json_pack("{s:o, s:b, s:o}", "data", data, "has_more", error == 1, "next_cursor", cursor);
    return 0;
}
