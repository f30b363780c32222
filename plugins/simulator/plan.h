/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a simulated call goes. README lists the keys for those who write tests.
 *
 * Thread: any (no state).
 */
#ifndef FAXD_PLUGINS_SIMULATOR_PLAN_H
#define FAXD_PLUGINS_SIMULATOR_PLAN_H

#include "plugins/common/settings.h"

#include <stdbool.h>

enum plan_hang { PLAN_HANG_NO, PLAN_HANG_ABORT, PLAN_HANG_DEAF };

struct plan {
    int answer_ms;  /* from dialling to the answer, or to the result where there is none */
    int page_ms;    /* line time of a page */
    int call_ms;    /* line time of the call besides its pages */
    int result;     /* index of the outcome word, 0 = success */
    int pages;      /* pages confirmed before a result that is not success */
    int packets;    /* status packets posted in one go after the answer */
    int hang;       /* enum plan_hang: after the answer */
    int hang_ms;    /* at most so long, 0 = for ever */
    int crash;      /* abort() after so many pages, -1 = not */
    bool malformed; /* the call record is not JSON */
};

/* Words of `result`, ended with NULL. */
extern const char *const plan_results[];
extern const char *const plan_hangs[];

#define PLAN_MS_MAX 86400000

/* Rows for settings_read, where the plan stands `base` octets inside what is read. */
/* clang-format off */
#define PLAN_KEYS(base) \
    {"answer_ms", SETTINGS_INT, (base) + offsetof(struct plan, answer_ms), 0, PLAN_MS_MAX, NULL}, \
    {"page_ms", SETTINGS_INT, (base) + offsetof(struct plan, page_ms), 0, PLAN_MS_MAX, NULL}, \
    {"call_ms", SETTINGS_INT, (base) + offsetof(struct plan, call_ms), 0, PLAN_MS_MAX, NULL}, \
    {"result", SETTINGS_WORD, (base) + offsetof(struct plan, result), 0, 0, plan_results}, \
    {"pages", SETTINGS_INT, (base) + offsetof(struct plan, pages), 0, 10000, NULL}, \
    {"packets", SETTINGS_INT, (base) + offsetof(struct plan, packets), 0, 10000000, NULL}, \
    {"hang", SETTINGS_WORD, (base) + offsetof(struct plan, hang), 0, 0, plan_hangs}, \
    {"hang_ms", SETTINGS_INT, (base) + offsetof(struct plan, hang_ms), 0, PLAN_MS_MAX, NULL}, \
    {"crash", SETTINGS_INT, (base) + offsetof(struct plan, crash), -1, 10000, NULL}, \
    {"malformed", SETTINGS_BOOL, (base) + offsetof(struct plan, malformed), 0, 0, NULL}
/* clang-format on */

/* A call that is answered at once and delivered at once. */
void plan_init(struct plan *plan);

/* Index of a result word, which must exist. */
int plan_result(const char *word);

/* True when a call with this result is answered by a fax machine first. */
bool plan_connects(const struct plan *plan);

/* Read a plan from settings, over what it holds. 0 or ERR_INVALID. */
int plan_read(struct plan *plan, const json_t *object, const char *where);

/* Read a plan from a dialled number such as *1*500#*5: 0 or ERR_INVALID. */
int plan_dial(struct plan *plan, const char *number);

#endif
