/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How many calls a second each source may begin: a bucket of tokens for each address, of the addresses heard last.
 *
 * Thread: one (the agent's).
 */
#ifndef FAXD_SIP_SOURCE_LIMIT_H
#define FAXD_SIP_SOURCE_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#define SOURCE_LIMIT_SOURCES 256

struct source_limit;

/* `rate` a second, and as many at once. Free with source_limit_free. */
struct source_limit *source_limit_new(int rate);
void source_limit_free(struct source_limit *limit);

/* May `address` (text) begin a call at `now_ms` (monotonic)? Counts it if so. When all places are taken, the source
 * that was quiet for longest loses its own. */
bool source_limit_take(struct source_limit *limit, const char *address, int64_t now_ms);

#endif
