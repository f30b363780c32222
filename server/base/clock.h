/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Time, in milliseconds. Rows, API and journals hold UTC milliseconds since the epoch; waits use the monotonic clock.
 *
 * Thread: any; clock_shift() is for tests and is set before threads start.
 */
#ifndef FAXD_BASE_CLOCK_H
#define FAXD_BASE_CLOCK_H

#include <stdint.h>

#define CLOCK_LAST_MS   INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z: the last time that has a text */
#define CLOCK_TEXT_SIZE 32                       /* room for an RFC 3339 text and its end */

/* UTC wall clock, ms since 1970. */
int64_t clock_now_ms(void);

/* Monotonic clock, ms since some start. */
int64_t clock_mono_ms(void);

/* Add `shift_ms` to both clocks from now on (tests fake time with it; no program calls it outside tests). */
void clock_shift(int64_t shift_ms);

/* RFC 3339 in UTC with milliseconds, "2026-11-21T01:02:03.123Z". Returns `text`. */
char *clock_format(char text[CLOCK_TEXT_SIZE], int64_t at_ms);

/* RFC 3339 with any offset, fraction optional, to UTC ms: 0 or ERR_INVALID (message names the text). Years 1970..9999.
 */
int clock_parse(int64_t *at_ms, const char *text);

#endif
