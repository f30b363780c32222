/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The mail server that takes answers, by SMTP.
 *
 * Thread: one.
 */
#ifndef FAXMAIL_SMARTHOST_H
#define FAXMAIL_SMARTHOST_H

#include <stddef.h>

struct settings;
struct smarthost;

struct smarthost *smarthost_open(const struct settings *settings);
void smarthost_close(struct smarthost *smarthost);

/* Is it there? 0, or ERR_AGAIN with a message. */
int smarthost_probe(struct smarthost *smarthost);

/* Send `size` octets (a message with CRLF) to `to`, with the null return path: nothing answers an answer. 0; ERR_AGAIN;
 * ERR_DENIED when it will never take it. */
int smarthost_send(struct smarthost *smarthost, const char *to, const char *message, size_t size);

#endif
