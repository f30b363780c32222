/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A question that may look at many rows: asked on the loop, answered by the reader thread's connection.
 *
 * Thread: loop; `run` on the reader thread.
 */
#ifndef FAXD_SPOOL_QUERY_H
#define FAXD_SPOOL_QUERY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define QUERY_LIMIT_MAX 1000

struct db;
struct spool;
struct stmt;

/* On the reader thread: the answer, new reference, and 0; or an error and its message. `question` is not touched by
 * anybody else meanwhile. */
typedef int (*query_run)(json_t **answer, void *question, struct db *db);

/* Called once on the loop: error 0 and the answer (borrowed), or an error and NULL. */
typedef void (*query_done)(void *context, int error, json_t *answer);

/* 0, and `done` is called later, before this returns only in tests; or ERR_FULL (too many questions wait) and it is
 * not. `question` is one piece of memory and taken over in either case; it is freed with free(). */
int query_start(struct spool *spool, query_run run, void *question, query_done done, void *context);

/* A page as it is sent, so that nobody on the loop has to write or free what may be megabytes: {"text": the JSON text
 * of
 * {"data":[...],"has_more":...,"next_cursor":...}, "has_more":..., "next_cursor":...}. `data` is taken over, as is
 * `next`, the cursor; NULL = none. */
json_t *query_page_text(json_t *data, bool more, json_t *next);

/* The same with a text that `write` makes of `data`. It is called here, on the reader thread. */
json_t *query_page_written(json_t *data, bool more, json_t *next, void (*write)(FILE *out, const json_t *data));

/* The page of a list: at most `limit` rows of a statement that asks for one more, each made an object by `object` (new
 * reference; NULL: the row is left out), with the cursor that `cursor` (new reference) makes of the last. The statement
 * is closed. The answer is of query_page_text(). */
struct query_page {
    int limit;
    json_t *(*object)(void *context, struct stmt *stmt);
    json_t *(*cursor)(void *context, struct stmt *stmt);
    void *context;
};
int query_read_page(json_t **answer, const struct query_page *page, struct stmt *stmt);

/* The same for a short look by a key, which the loop takes by itself: {"data", "has_more", "next_cursor"}, the cursor
 * being the column "id" of the last row. 0, or an error of the store and no page. */
int query_page_of_loop(json_t **page, int limit, json_t *(*object)(struct stmt *stmt), struct stmt *stmt);

#endif
