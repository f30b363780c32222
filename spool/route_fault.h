/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the readers of routing rules tell what is wrong with one: a request collects faults for its reply, the
 * configuration for its report.
 *
 * Thread: any.
 */
#ifndef FAXD_SPOOL_ROUTE_FAULT_H
#define FAXD_SPOOL_ROUTE_FAULT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct route_faults {
    /* `pointer` is a JSON pointer into the rule, `message` a sentence that says the fix. */
    void (*tell)(void *context, const char *pointer, const char *code, const char *message);
    void *context;
    int count;
};

void route_fault(struct route_faults *faults, const char *pointer, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* A member of an object at `base` ("/match"): "" and NULL when it is absent or null. Text on one line, low..high octets
 * of UTF-8, borrowed; a fault gives NULL as well. */
const char *route_take_text(struct route_faults *faults, const json_t *object, const char *base, const char *name,
                            size_t low, size_t high);
/* The place of the text among `words` (ends with NULL), `otherwise` when absent. */
int route_take_word(struct route_faults *faults, const json_t *object, const char *base, const char *name,
                    const char *const *words, int otherwise);
int64_t route_take_int(struct route_faults *faults, const json_t *object, const char *base, const char *name,
                       int64_t low, int64_t high, int64_t otherwise);
/* 1, 0, or -1 when absent. */
int route_take_bool(struct route_faults *faults, const json_t *object, const char *base, const char *name);

/* Every key of the object is one of `names` (ends with NULL). */
void route_check_names(struct route_faults *faults, const json_t *object, const char *base, const char *const *names);

#endif
