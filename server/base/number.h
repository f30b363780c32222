/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Telephone numbers as people type them and as lines dial them.
 *
 * Thread: any.
 */
#ifndef FAXD_BASE_NUMBER_H
#define FAXD_BASE_NUMBER_H

#include <stdbool.h>

#define NUMBER_SIZE 64 /* room for a normalised number and its end; E.164 allows 15 digits, private plans more */

/* Normalise `text` into `number`: an optional `tel:` (RFC 3966, parameters refused) is taken off, visual separators
 * ( space - . ( ) / ) are dropped, a leading + is kept, digits, * and # are kept.
 * +15551234567 and 1002 come back as they are. 0, or ERR_INVALID / ERR_TOO_BIG with a message that names the character
 * or the fault: letters, a + not in front, nothing left, more than 15 digits after +, more than 40 in all. */
int number_normalise(char number[NUMBER_SIZE], const char *text);

/* The same for what numbers may begin with, where "+" alone and nothing at all are fine as well. */
int number_prefix(char prefix[NUMBER_SIZE], const char *text);

/* Does a caller id say that there is none: "", "anonymous", "private" and such? */
bool number_is_withheld(const char *text);

#endif
