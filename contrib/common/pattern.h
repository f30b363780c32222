/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers in the names of files, and in titles.
 *
 * A pattern is compared with a name without its last extension. {number} stands for a telephone number as people write
 * it, {name} for some text that is kept, {any} for text or nothing; everything else is itself.
 *
 * Thread: any.
 */
#ifndef FAXD_CONTRIB_PATTERN_H
#define FAXD_CONTRIB_PATTERN_H

#include <regex.h>
#include <stdbool.h>

struct pattern {
    regex_t regex;
    int number, name; /* which group each is, 0 = none */
};

/* 0, or ERR_INVALID with a message. Cleared with pattern_clear when it is 0. */
int pattern_compile(struct pattern *pattern, const char *text);
void pattern_clear(struct pattern *pattern);

/* True when `file` is of this pattern: `*number`, and `*name` or NULL; the caller frees both. */
bool pattern_match(char **number, char **name, const struct pattern *pattern, const char *file);

#endif
