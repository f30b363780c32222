/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Server-sent events (WHATWG HTML, 9.2.6), octets in, events out.
 *
 * Thread: any.
 */
#ifndef FAXD_CLI_SSE_H
#define FAXD_CLI_SSE_H

#include <stdbool.h>
#include <stddef.h>

#define SSE_LINE_MAX 65536 /* longer lines, and data longer than this, are dropped with their event */

struct sse;

/* An event: texts are borrowed; `id` is the last seen, "" when none. Return true to end. */
typedef bool (*sse_event_fn)(const char *type, const char *data, const char *id, void *context);

struct sse *sse_new(sse_event_fn on_event, void *context);
void sse_free(struct sse *sse);

/* The stream begins anew (another connection): what is half read is forgotten, the last id stays. */
void sse_restart(struct sse *sse);

/* Octets of the stream. True once the receiver has ended it. */
bool sse_feed(struct sse *sse, const char *data, size_t size);

/* The last id, "" when none; valid until the next feed. */
const char *sse_last_id(const struct sse *sse);

#endif
