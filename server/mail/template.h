/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The texts of mails: files LANGUAGE/NAME.txt in the folder that is installed, and in one of the administrator's, whose
 * files go before. A file is
 *
 *     Subject: Fax from {from}
 *     Subject: A fax has arrived
 *     Name: fax-{from}
 *
 *     A fax of {pages} pages came from {from}.
 *     Station id: {station_id}
 *
 * Of several lines Subject (and Name, of an attachment, without its ending) the first one counts whose fields all have
 * a value; the last must do without. A line of the text with a field that has none is left out. "{{" is a brace.
 *
 * All files are read and checked when they are loaded, so that nothing is missing when a mail is due.
 *
 * Thread: loop.
 */
#ifndef FAXD_MAIL_TEMPLATE_H
#define FAXD_MAIL_TEMPLATE_H

#include <stddef.h>

/* The order is that of the table in template.c. */
enum template_name {
    TEMPLATE_RECEIVED,
    TEMPLATE_RECEIPT_DELIVERED,
    TEMPLATE_RECEIPT_PARTIALLY_DELIVERED,
    TEMPLATE_RECEIPT_UNCONFIRMED,
    TEMPLATE_RECEIPT_FAILED,
    TEMPLATE_RECEIPT_EXPIRED,
    TEMPLATE_RECEIPT_CANCELED,
    TEMPLATE_WEBHOOK_DISABLED,
    TEMPLATE_ALARM,
    TEMPLATE_COUNT
};

/* A field and its value; NULL or "" = it has none. */
struct template_field {
    const char *name, *value;
};

#define TEMPLATE_FILE_MAX 65536

struct templates;

/* Read `installed` (a folder with a folder for each language, "en" among them) and `own` (the same, or not there; what
 * it does not have is taken from the first; a language that is only in it has to be whole). 0; ERR_INVALID or ERR_IO,
 * the message names file, line and fault. The caller frees. */
int templates_load(struct templates **out, const char *installed, const char *own);
void templates_free(struct templates *templates); /* NULL is fine */

/* One text by itself, for checks and tests: 0 or ERR_INVALID. Pure. */
int template_check(enum template_name name, const char *text);

/* What `fields` (ended by a NULL name) make of a template; one in a language that is not there is taken in English. The
 * caller frees all three: `subject` and `attachment` are one line each, `text` ends its lines with "\n". Values may
 * hold anything but NUL: control characters become blanks, in the text all but line breaks. */
struct template_text {
    char *subject, *attachment, *text;
};
void template_fill(struct template_text *out, const struct templates *templates, enum template_name name,
                   const char *language, const struct template_field *fields);

/* One line by the same rules, such as a subject that a routing rule brings. NULL when a field in it has no value or is
 * not known. The caller frees. Pure. */
char *template_line(const char *line, const struct template_field *fields);

/* The languages that are there, NULL-ended; valid as long as the templates. */
const char *const *templates_languages(const struct templates *templates);

#endif
