/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Times as people somewhere read them.
 *
 * Thread: any.
 */
#ifndef FAXD_BASE_TIME_ZONE_H
#define FAXD_BASE_TIME_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True for a zone of the system's database ("Europe/Berlin"), an offset ("+01:00"), and "" (the machine's own). */
bool time_zone_is_known(const char *zone);

/* `at_ms` (UTC ms) in `zone` by a format of strftime, of which %Y %m %d %H %M %Z are used here; an unknown zone reads
 * as UTC. Returns `text`. */
char *time_zone_format(char *text, size_t size, int64_t at_ms, const char *zone, const char *format);

/* A zone that is asked often. NULL when it is not known. */
struct time_zone;
struct time_zone *time_zone_open(const char *zone);
void time_zone_close(struct time_zone *zone); /* NULL is fine */

/* How many seconds its clocks are ahead of UTC. */
int time_zone_offset(const struct time_zone *zone, int64_t at_ms);

#endif
