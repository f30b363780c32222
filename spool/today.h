/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a dashboard asks the store: how faxes ended since a moment, and what waits for longer than it should. Answered
 * from sums by the hour and from the ends of indices, on the reader thread.
 *
 * Thread: loop.
 */
#ifndef FAXD_SPOOL_TODAY_H
#define FAXD_SPOOL_TODAY_H

#include <jansson.h>
#include <stdint.h>

struct spool;

/* Midnight, by the time zone of the pages (spool/page_style), or the full hour before it: sums are by the hour. */
int64_t today_begin(const struct spool *spool, int64_t now_ms);

/* 0, ERR_FULL. Then done is called once (from within when the spool has no event base): error 0 and {"providers":
 * [row of spool/usage_report...], "errors": [row...], "preparing_since": UTC ms or 0, "webhooks": [{"id", "enabled",
 * "reason", "due": UTC ms or 0}...]} (borrowed). */
int today_start(struct spool *spool, int64_t since_ms, void (*done)(void *context, int error, json_t *today),
                void *context);

#endif
