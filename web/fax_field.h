/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fields of a fax request, as one table: name, type, range, where the value goes. The JSON body and the form share
 * it.
 *
 * Thread: any (pure).
 */
#ifndef FAXD_WEB_FAX_FIELD_H
#define FAXD_WEB_FAX_FIELD_H

#include "spool/submit.h"
#include "web/problem.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum field_kind {
    FIELD_TEXT,      /* low..high octets */
    FIELD_PHONE,     /* a number that can be dialled */
    FIELD_RECIPIENT, /* such a number, or "contact:" and the id of one */
    FIELD_EMAIL,     /* one address */
    FIELD_STATION,   /* a T.30 identification */
    FIELD_INT,       /* low..high */
    FIELD_BOOL,
    FIELD_WORD,      /* one of `words`, stored as its place */
    FIELD_WORD_TEXT, /* one of `words`, stored as text */
    FIELD_TIME,      /* RFC 3339 */
    FIELD_INTS,      /* list of at most `room` ints low..high */
    FIELD_WORDS,     /* list of `words`, each once */
    FIELD_TEXTS,     /* list of at most `room` texts of low..high octets */
    FIELD_MAP,       /* object of at most `room` short texts, numbers or booleans */
    FIELD_DOCUMENTS, /* these two are handled by fax_request.c */
    FIELD_COVER
};

struct field {
    const char *path; /* "retry.max_attempts" */
    enum field_kind kind;
    int low, high, room;
    const char *const *words; /* ends with NULL */
    const char *option;       /* key in submit_request.options, "a.b" for nested, or NULL: ... */
    size_t offset;            /* ... of the member in struct submit_request */
};

/* Ends with path NULL. */
extern const struct field fax_fields[];

/* NULL when there is none of that name. */
const struct field *fax_field_find(const char *path);

/* True for "contact:con_...", which parties.h looks up. */
bool fax_field_is_contact(const char *to);

/* Check `value` and put it where it belongs; texts are borrowed from it. Faults are noted under `pointer`. */
void fax_field_take(struct submit_request *request, json_t *options, const struct field *field, json_t *value,
                    const char *pointer, struct problems *problems);

/* A form's text as the JSON value that the field wants; what does not read as one stays text, for the check to refuse.
 * List and map fields get one element. New reference. */
json_t *fax_field_from_text(const struct field *field, const char *text, size_t length);

#endif
