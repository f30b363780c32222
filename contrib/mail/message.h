/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A message (RFC 5322, MIME) in a file, read by GMime.
 *
 * Thread: any; runs in the process of reader.h.
 */
#ifndef FAXMAIL_MESSAGE_H
#define FAXMAIL_MESSAGE_H

struct mail;
struct settings;

#define MESSAGE_LOOP_HEADER "X-Faxmail-Answer" /* in each answer of ours */

/* Once in the life of the program: GMime, and the character sets of mail, whose modules cannot be loaded behind the
 * fence. */
void message_init(void);

/* Read what is in `in` into `mail` (mail_init() was called); documents go to `out`, which is empty. Whatever is wrong
 * with the message is in mail->refusal. */
void message_read(struct mail *mail, const struct settings *settings, int in, int out);

#endif
