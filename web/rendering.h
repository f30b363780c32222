/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the converter makes while a request waits for it, and what it made a moment ago for others.
 *
 * Thread: loop.
 */
#ifndef FAXD_WEB_RENDERING_H
#define FAXD_WEB_RENDERING_H

#include <jansson.h>
#include <stdbool.h>

struct renderings;
struct request;
struct web;

/* Results that were replied lately are kept in memory: RENDERINGS_BYTES of them at most, for RENDERINGS_AGE_S. */
#define RENDERINGS_BYTES (64 << 20)
#define RENDERINGS_AGE_S 900

struct renderings *renderings_new(void);
void renderings_free(struct renderings *renderings); /* NULL is fine */

/* Drop all that is kept: pages were deleted, and nothing of them may be shown any more. */
void renderings_forget(struct renderings *renderings);

/* Reply from memory: true when it is there. `tag` names octets and variant, and begins with the document's hash. */
bool rendering_reply_kept(struct request *request, const char *tag, const char *type);

/* Have `job` done with `inputs` (borrowed), and `then`, unless it is NULL, with its result; reply with what comes out.
 * It is kept under `tag` unless that is "". Takes `job` and `then` over. */
void rendering_reply(struct request *request, const int *inputs, int count, json_t *job, json_t *then, const char *type,
                     const char *tag);

#endif
