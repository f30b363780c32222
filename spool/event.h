/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Event rows: what happened, in order, for /v1/events, the event stream and webhooks. Kept 30 days.
 *
 * Thread: loop.
 */
#ifndef FAXD_SPOOL_EVENT_H
#define FAXD_SPOOL_EVENT_H

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

/* Events after `cursor`, at most `limit` (1..1000), optionally of one fax (row id, 0 = all), read on the loop by
 * primary key: a new array of bodies each with "id": sequence as text; `*last` = the last sequence. */
int event_since(json_t **events, int64_t *last, struct spool *spool, int64_t cursor, int limit, int64_t fax);

/* The same for what one user's faxes went through, by an index. */
int event_since_of(json_t **events, int64_t *last, struct spool *spool, int64_t cursor, int limit, int64_t user);

/* Delete events older than `before_ms`, at most `room`; the number deleted or an error. The spool does so by itself. */
int event_trim(struct spool *spool, int64_t before_ms, int room);

/* The body as text: {"type":...,"timestamp":...,"sequence":...,"data":DATA}, `data` being JSON text. Caller frees.
 * Pure. */
char *event_body(int64_t sequence, const char *type, int64_t at_ms, const char *data);

int event_start(struct spool *spool); /* for spool_open.c */

#endif
