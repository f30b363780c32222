/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all lists have in common: the reply with a page, its link to the next one, and answers of the spool's queries.
 *
 * Thread: loop.
 */
#ifndef FAXD_WEB_PAGE_H
#define FAXD_WEB_PAGE_H

#include <jansson.h>

struct request;
struct spool;

/* Where `page` says that there is more: the header Link, this request's query with another cursor. */
void page_link(struct request *request, const json_t *page);

/* The reply is a page of the spool's query_page_text() (borrowed), with its Link. */
void page_send(struct request *request, const json_t *page);

/* A list without filters that the spool has in memory: checks the query, and the reply is the page that `read` makes
 * with its Link. `read` gives 0 and a new page, or ERR_INVALID. */
void page_read(struct request *request, int (*read)(json_t **page, struct spool *spool, const char *cursor, int limit));

/* For query_done and list_start: the reply is the page (borrowed) with its Link, and the request (the context) is
 * finished. */
void page_reply(void *context, int error, json_t *page);

/* A question was asked with page_reply (or the like) and this request: wait for it, or tell why it was not taken. */
void page_wait(struct request *request, int result);

#endif
