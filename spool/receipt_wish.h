/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The receipt that the sender of a fax asked for: object "receipt" in the options of the fax.
 *
 * Thread: any (pure).
 */
#ifndef FAXD_SPOOL_RECEIPT_WISH_H
#define FAXD_SPOOL_RECEIPT_WISH_H

#include "spool/mail.h"

/* Stored in rows of identities: never renumber. */
enum receipt_on { RECEIPT_ON_ALWAYS = 0, RECEIPT_ON_DELIVERED = 1, RECEIPT_ON_FAILED = 2 };

struct receipt_wish {
    char email[MAIL_ADDRESS_MAX + 1];
    enum receipt_on on;
    bool first_page, attach;
    char language[MAIL_LANGUAGE_MAX + 1]; /* "" = the default */
};

/* Out of a fax's options (JSON text): false when there is no wish in it. */
bool receipt_wish_read(struct receipt_wish *wish, const char *options);

/* The words, NULL-ended, in the order of the enum. */
extern const char *const receipt_on_words[];

#endif
