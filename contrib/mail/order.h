/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A message and its options as a request for a fax.
 *
 * Thread: one.
 */
#ifndef FAXMAIL_ORDER_H
#define FAXMAIL_ORDER_H

#include <stdbool.h>

#include "contrib/mail/address.h"
#include "contrib/mail/faxes.h"

#define ORDER_KEY_SIZE 80

struct mail;
struct settings;
struct subject;

/* What stays the same for each recipient. */
struct order {
    const struct mail *mail;
    const struct settings *settings;
    const struct subject *subject;
    int documents;          /* file that they are in */
    const char *receipt_to; /* "" = nobody */
    char *note;             /* of the cover page, NULL = none */
    const char *cover;      /* NULL = none */
    bool with_body;
};

/* Decide where the text of the message goes. 0, or ERR_INVALID with a sentence: there is nothing to fax. The caller
 * clears in any case. */
int order_init(struct order *order, const struct mail *mail, const struct settings *settings,
               const struct subject *subject, int documents, const char *receipt_to);
void order_clear(struct order *order);

/* The same for the same message to the same number, so that it becomes one fax however often it comes. Returns `key`.
 */
char *order_key(char key[ORDER_KEY_SIZE], const struct mail *mail, const struct address_number *number);

/* An address that faxd sends receipts to: ASCII, without a quoted local part. */
bool order_may_have_receipt(const char *address);

/* The form's fields. New reference. */
json_t *order_fields(const struct order *order, const struct address_number *number, const char *reference);

#endif
