/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The MIME tree of a message as documents of a fax, in the order in which they stand, and a text.
 *
 * Of alternatives the plain text is taken, or the HTML when that is all; documents are taken wherever they stand
 * (Apple Mail puts them within one of the alternatives). What belongs to no page (signatures, cards, invitations) is
 * left out with a note; what cannot be faxed refuses the message, by name: nobody wants half of a fax.
 *
 * Thread: any; runs in the process of reader.h.
 */
#ifndef FAXMAIL_PARTS_H
#define FAXMAIL_PARTS_H

#include <gmime/gmime.h>
#include <stdbool.h>
#include <stdint.h>

struct mail;
struct settings;

#define PARTS_TEXT_MAX (1 << 20) /* octets of text of a message; what is behind is left out with a note */

struct parts {
    struct mail *mail;
    const struct settings *settings;
    int out;      /* file that documents are written to, one behind the other */
    int64_t size; /* octets in it */
    int seen;     /* parts so far */
    GString *text;
};

/* Walk from `object` (NULL = nothing there). All that is found and all that is wrong goes to parts->mail. */
void parts_walk(struct parts *parts, GMimeObject *object);

/* Add the text of `parts->text` (emptied) to the file; false when it is blank. */
struct mail_document;
bool parts_write_text(struct mail_document *document, struct parts *parts);

#endif
