/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a mail address says about where a fax goes:
 *
 *     +15551234567@fax.example              the number alone, with - . ( ) space as people write them
 *     FAX=+15551234567@fax.example          RFC 3192
 *     /FAX=+1-555-1234567/T33S=1387/@...    with a subaddress (T.33), for whom it is within the house
 *
 * also with the local part in quotes.
 *
 * Thread: any (pure).
 */
#ifndef FAXMAIL_ADDRESS_H
#define FAXMAIL_ADDRESS_H

#include "server/base/number.h"
#include "server/base/str.h"

#define ADDRESS_MAX 320 /* 64 of the local part, @, 255 of the domain (RFC 5321 4.5.3.1) */

struct words;

struct address_number {
    char number[NUMBER_SIZE];
    char subaddress[STR_STATION_ID_MAX + 1]; /* "" = none */
};

/* `domains` are those whose mail becomes faxes. 0; ERR_NOT_FOUND when the domain is none of them; ERR_INVALID,
 * ERR_TOO_BIG, ERR_UNSUPPORTED with a sentence for whoever wrote the address. */
int address_parse(struct address_number *address, const char *text, const struct words *domains);

#endif
