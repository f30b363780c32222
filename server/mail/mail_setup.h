/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The settings of the mailer with what they name: templates, the password. Shared by what is under way, so that a
 * reload pulls nothing out from under it.
 *
 * Thread: loop.
 */
#ifndef FAXD_MAIL_SETUP_H
#define FAXD_MAIL_SETUP_H

#include "server/mail/mailer.h"
#include "server/mail/template.h"

struct mail_setup {
    struct mail_settings settings; /* texts are its own */
    struct templates *templates;   /* NULL without a server */
    char *url;                     /* what libcurl wants: the server, and who we say that we are */
    char *password;                /* NULL = none */
    int users;
};

/* A copy, with what it names read. 0, ERR_IO, ERR_INVALID. The caller lets go of it. */
int mail_setup_new(struct mail_setup **out, const struct mail_settings *settings);
struct mail_setup *mail_setup_hold(struct mail_setup *setup);
void mail_setup_release(struct mail_setup *setup); /* NULL is fine */

#endif
