/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The members of a small resource's body as one table: a POST makes a struct of them, a PATCH changes one that was
 * read. (A fax request has its own table, fax_field.h.)
 *
 * Thread: any (pure).
 */
#ifndef FAXD_WEB_MEMBER_H
#define FAXD_WEB_MEMBER_H

#include "web/problem.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum member_kind {
    MEMBER_TEXT,    /* char[high + 1]: low..high octets on one line; null is "" when low is 0 */
    MEMBER_LINES,   /* the same, with line breaks and tabs */
    MEMBER_NUMBER,  /* char[NUMBER_SIZE]: a number, normalised; null is "" when low is 0 */
    MEMBER_STATION, /* char[STR_STATION_ID_MAX + 1] */
    MEMBER_EMAIL,   /* char[MAIL_ADDRESS_MAX + 1]: an address; null is "" when low is 0 */
    MEMBER_ZONE,    /* char[65]: a time zone; null is "" */
    MEMBER_BOOL,    /* bool */
    MEMBER_WORD,    /* int: the place of one of `words` */
    MEMBER_TIME,    /* int64_t: UTC ms; null is 0 */
    MEMBER_OTHER    /* taken by `take` */
};

struct member {
    const char *name; /* NULL ends a table */
    enum member_kind kind;
    int low, high;
    size_t offset;            /* in the struct */
    bool required;            /* in a whole body */
    bool fixed;               /* cannot be changed by a PATCH */
    const char *const *words; /* ends with NULL */
    void (*take)(void *into, json_t *value, const char *pointer, struct problems *problems);
};

/* Take a body. `whole`: it makes a new thing, and what is required has to be there; else it is a PATCH. Faults are
 * added; what is faulty stays as it was. False when there are any. */
bool member_read(void *into, const struct member *members, json_t *root, bool whole, struct problems *problems);

/* One value that is text, as a cell of a file is. */
void member_take_text(void *into, const struct member *member, const char *text, const char *pointer,
                      struct problems *problems);

#endif
