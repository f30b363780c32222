/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the row of a mail to the message: its fax is looked up, its attachments are made by the converter, its text from
 * a template.
 *
 * Thread: loop.
 */
#ifndef FAXD_MAIL_LETTER_H
#define FAXD_MAIL_LETTER_H

#include "server/mail/mailer.h"
#include "server/mail/message.h"
#include "server/mail/template.h"

/* Borrowed until the letter is done. */
struct letter_means {
    const struct mailer_options *options;
    const struct mail_settings *settings;
    const struct templates *templates;
};

/* How it ended, once: the message (taken over by who is called), or an error (err_message() says what), with which it
 * is of use to try again or not. The letter is then freed by who is called, or later. */
typedef void (*letter_done_fn)(void *context, int error, bool for_good, struct message *message);

struct letter;

struct letter *letter_new(const struct mail *mail, letter_done_fn done, void *context);

/* Begin; `done` may be called before this returns. */
void letter_write(struct letter *letter, const struct letter_means *means);

/* Also while it is being written: `done` is not called then. NULL is fine. */
void letter_free(struct letter *letter);

#endif
