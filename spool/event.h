/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Event rows: what happened, in order, for /v1/events, the event stream and webhooks. Kept 30 days.
 *
 * Thread: loop.
 */
#ifndef FAXD_SPOOL_EVENT_H
#define FAXD_SPOOL_EVENT_H

#include "spool/query.h"

#include <jansson.h>
#include <stdint.h>

struct spool;
struct fax;

/* Write an event row and a delivery row for each endpoint that wants it. `type` is a word of api.md ("fax.dialing");
 * the body is {"type","timestamp","sequence","data"}; data is thin: id, status, delivery, pages, attempts, error code,
 * to, client_reference (fax_json_thin), or `data` where there is no fax. `fax` or `data` may be NULL; with both, the
 * keys of `data` are added. `data` is borrowed. */
int event_write(struct spool *spool, const char *type, const struct fax *fax, json_t *data);

/* The same for one webhook endpoint only (its row), wanted or not. */
int event_write_to(struct spool *spool, const char *type, json_t *data, int64_t endpoint);

/* Called for each event after its commit: sequence, type, the body as text (borrowed), the row of the user whose it is
 * (0 = nobody's). One listener. */
typedef void (*event_fn)(void *context, int64_t sequence, const char *type, const char *body, int64_t user);
void event_listen(struct spool *spool, event_fn fn, void *context);

/* Events after `after`, at most `limit` (1..1000): all, those of one fax, or those of what one user's faxes went
 * through. */
struct event_range {
    int64_t after;
    int limit;
    int64_t fax, user; /* rows, 0 = all */
};

/* Read on the loop by an index, for few: a new array of bodies each with "id": sequence as text; `*last` = the last
 * sequence. */
int event_since(json_t **events, int64_t *last, struct spool *spool, const struct event_range *range);

/* Read on the reader thread: 0, and `done` gets a page of query_page_text(), whose cursor is there even at the end,
 * since more will come; or ERR_FULL. */
int event_list(struct spool *spool, const struct event_range *range, query_done done, void *context);

/* Delete events older than `before_ms`, at most `room`; the number deleted or an error. The spool does so by itself. */
int event_trim(struct spool *spool, int64_t before_ms, int room);

/* The body as text: {"type":...,"timestamp":...,"sequence":...,"data":DATA}, `data` being JSON text. Caller frees.
 * Pure. */
char *event_body(int64_t sequence, const char *type, int64_t at_ms, const char *data);

int event_start(struct spool *spool); /* for spool_open.c */

#endif
