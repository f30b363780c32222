/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which plan a dialled number has: numbers of the settings, the test-mode numbers +12025550100 to +12025550110, scripts
 * (*...), and for every other number the default.
 *
 * Some test-mode numbers do something else on a fax's next call (busy, then delivered). A fax is known again by the
 * number and its count of pages, which is enough for tests and needs no name of the fax.
 *
 * Thread: numbers_plan any, all else start-up.
 */
#ifndef FAXD_PLUGINS_SIMULATOR_NUMBERS_H
#define FAXD_PLUGINS_SIMULATOR_NUMBERS_H

#include "plugins/simulator/plan.h"

struct numbers;

/* `scripts` is {"NUMBER": {plan}} or NULL (borrowed until the end). 0 or ERR_INVALID. Free with numbers_free. */
int numbers_new(struct numbers **out, const struct plan *otherwise, const json_t *scripts, const char *where);
void numbers_free(struct numbers *numbers);

/* The plan for a call to `number` (as typed; a leading T or P is skipped) with a document of `pages`. What is no number
 * at all, or no script, gets the result bad_address. */
void numbers_plan(struct numbers *numbers, const char *number, int pages, struct plan *plan);

#endif
