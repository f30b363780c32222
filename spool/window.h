/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A part of the week, by the clock of a place: "08:00 to 18:00, Monday to Friday, in Berlin".
 *
 * Thread: any; a window belongs to one.
 */
#ifndef FAXD_SPOOL_WINDOW_H
#define FAXD_SPOOL_WINDOW_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define WINDOW_ZONE_SIZE 65
#define WINDOW_TEXT_SIZE 200

struct time_zone;

struct window {
    int from_min, to_min; /* minutes of the day; `to` before `from`: ends on the next day; equal: the whole day */
    unsigned days;        /* on which it begins: bit 0 Monday ... bit 6 Sunday */
    char zone[WINDOW_ZONE_SIZE];
    struct time_zone *place; /* NULL: always open */
};

/* From {"from":"08:00","to":"18:00","days":[1,2,3,4,5],"time_zone":"Europe/Berlin"}; without days every day, without a
 * time zone the machine's own. 0, or ERR_INVALID with a message that names the member. The caller clears. */
int window_read(struct window *window, const json_t *object);
void window_clear(struct window *window);

/* New reference, null for one that is always open. */
json_t *window_json(const struct window *window);

bool window_is_open(const struct window *window, int64_t at_ms);

/* When it is open next, `at_ms` itself when it is open then. */
int64_t window_next(const struct window *window, int64_t at_ms);

/* "08:00 to 18:00 (Europe/Berlin)", at most size - 1 octets. Returns `text`. */
char *window_describe(char *text, size_t size, const struct window *window);

#endif
