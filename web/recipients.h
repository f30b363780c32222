/* SPDX-License-Identifier: GPL-2.0-or-later */
/* To whom a batch goes: read from the request, and written as the lines that spool/batch.h wants.
 *
 * Thread: any (pure).
 */
#ifndef FAXD_WEB_RECIPIENTS_H
#define FAXD_WEB_RECIPIENTS_H

#include "web/problem.h"

#include <jansson.h>
#include <stddef.h>

struct recipients {
    int count;
    char *lines; /* one JSON object each */
    size_t size;
    json_t *field_counts; /* name of a cover page's field to how many recipients bring it */
};

/* Every fault of every recipient is noted; a number that is there twice is one. Never NULL. */
struct recipients *recipients_read(json_t *list, const char *pointer, struct problems *problems);
void recipients_free(struct recipients *recipients); /* NULL is fine */

#endif
