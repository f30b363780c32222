/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What to do with a part of a message, by the names it has. What it is, is told by its octets (media_type.h); names
 * tell what belongs to no page, and what a person should be told about.
 *
 * Thread: any (pure).
 */
#ifndef FAXMAIL_PART_KIND_H
#define FAXMAIL_PART_KIND_H

enum part_kind {
    PART_DOCUMENT,   /* look at its octets */
    PART_ACCESSORY,  /* a signature, a card, an invitation: no page of the fax */
    PART_TNEF,       /* winmail.dat */
    PART_ENCRYPTED,  /* S/MIME, PGP */
    PART_EXECUTABLE, /* a program or script */
    PART_FRAGMENT    /* a piece of a message, or a pointer to something elsewhere */
};

/* `type` such as "application/pdf", `name` of the file ("" = none). */
enum part_kind part_kind_of(const char *type, const char *name);

#endif
