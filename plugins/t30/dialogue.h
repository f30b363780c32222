/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a modem and its host said to each other, with times, bounded: the first lines and the last ones are kept.
 *
 * Thread: one (a part of the front end).
 */
#ifndef FAXD_T30_DIALOGUE_H
#define FAXD_T30_DIALOGUE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define DIALOGUE_FIRST     50
#define DIALOGUE_LAST      200
#define DIALOGUE_TEXT_SIZE 24

struct dialogue_line {
    int64_t at_ms;
    bool received;
    char text[DIALOGUE_TEXT_SIZE];
};

struct dialogue {
    unsigned count; /* lines said; those between the first and the last are overwritten */
    struct dialogue_line lines[DIALOGUE_FIRST + DIALOGUE_LAST];
};

/* Keep a line; what is not printable ASCII becomes '?', what is too long is cut. */
void dialogue_add(struct dialogue *dialogue, int64_t at_ms, bool received, const char *text);

/* As "modem" of the call record (plugins/include/faxdext.h), a new array of at most 22 kB as text; `*omitted` lines are
 * not in it. */
json_t *dialogue_to_json(const struct dialogue *dialogue, unsigned *omitted);

#endif
