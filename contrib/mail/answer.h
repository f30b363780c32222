/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the sender of a message gets: a text about the faxes, as a report with a delivery status (RFC 3464) when one of
 * them did not come about.
 *
 * Thread: any.
 */
#ifndef FAXMAIL_ANSWER_H
#define FAXMAIL_ANSWER_H

#include <stddef.h>

struct delivery;
struct subject;

/* The message about the recipients that have been decided, with CRLF. `header` is the header of the original as text,
 * NULL = not given back. The caller frees with free(). */
char *answer_compose(size_t *size, const struct delivery *delivery, const struct subject *subject, const char *header);

#endif
