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

#define RECIPIENTS_CONTACTS_MAX 1000 /* ids of contacts in one batch: each is looked up on the loop */

struct recipients {
    int count;
    char *lines; /* one JSON object each */
    size_t size;
    json_t *field_counts; /* name of a cover page's field to how many recipients bring it */
    json_t *places;       /* number to where it was first */
    json_t *contacts;     /* [id, index] of each that is named by the id of a contact, NULL = none */
};

/* Every fault of every recipient is noted; a number that is there twice is one. Never NULL. */
struct recipients *recipients_read(json_t *list, const char *pointer, struct problems *problems);
/* The number of the recipient at `index`: a fault when it is there already. */
void recipients_take_number(struct recipients *recipients, const char *number, int index, const char *pointer,
                            struct problems *problems);
void recipients_free(struct recipients *recipients); /* NULL is fine */

#endif
