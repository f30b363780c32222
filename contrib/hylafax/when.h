/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Times as at(1) and sendfax take them, in the local time zone:
 *
 *   now | noon | midnight | HH | HH:MM | HHMM, with am or pm   [date]   [+ N minutes|hours|days|weeks|months]
 *   date: today, tomorrow, Monday ... Sunday, January 31 [2027], 2027-01-31
 *
 * Words may be shortened to three letters. A time of the day that has passed is tomorrow's, a date that has passed next
 * year's.
 *
 * Thread: any.
 */
#ifndef FAXD_HYLAFAX_WHEN_H
#define FAXD_HYLAFAX_WHEN_H

#include <stdint.h>

/* 0, or ERR_INVALID with a message. Times are UTC ms; `now_ms` is what "now" and "passed" mean. */
int when_parse(int64_t *at_ms, const char *text, int64_t now_ms);

/* "90", "90sec", "15 min", "2 hours", "1day" to seconds: 0 or ERR_INVALID. */
int when_parse_span(int64_t *seconds, const char *text);

#endif
