/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mails leave here: rows that are due (spool/mail.h) become messages and go to the one mail server of the
 * configuration, by libcurl on the loop. Connections are kept and used again; at most `parallel` mails are under way.
 *
 * What the server refuses for good (5xx about the mail) is given up; what it puts off (4xx), what it refuses us (TLS, a
 * wrong password) and a server that is away are tried again later. Nothing is written before the end of a try: after a
 * crash it is repeated under the same Message-ID.
 *
 * Thread: loop.
 */
#ifndef FAXD_MAIL_MAILER_H
#define FAXD_MAIL_MAILER_H

#include "spool/mail.h"

#include <event2/event.h>

struct converter;
struct mailer;

enum mail_starttls { MAIL_STARTTLS_REQUIRED, MAIL_STARTTLS_OPPORTUNISTIC, MAIL_STARTTLS_OFF };

/* The configuration's section "mail"; copied. Texts may be "". */
struct mail_settings {
    const char *server; /* "smtp://host:port" or "smtps://host:port", "" = no mail is sent */
    enum mail_starttls starttls;
    bool verify; /* the server's certificate and name */
    const char *ca_file, *user, *password_file;
    const char *from, *from_name, *domain;
    bool link_only; /* no numbers, no names, no pages in mails */
    bool
        login_links; /* links lead to the pages, where people sign in; else they are signed and open for who has them */
    int link_expires_s;
    int64_t attachment_max; /* octets of a file; a larger one becomes a link */
    int parallel, timeout_s;
    const char *language;      /* of mails that name none */
    const char *public_url;    /* of the API and the pages, as seen by who reads mails */
    const char *templates;     /* folder of the administrator's templates */
    const char *installed;     /* folder of ours */
    struct mail_policy policy; /* alarm_to is "" or an address; `configured` is set here */
};

struct mailer_options {
    struct event_base *base;
    struct spool *spool;
    struct converter *converter;
    /* A signed link to a fax's pages, which the caller frees. */
    char *(*sign_link)(void *context, const char *fax, bool tiff, int64_t expires_at);
    void *context;
};

/* Are password and templates there and right? 0, ERR_IO, ERR_INVALID (the message names the key or the file). */
int mailer_check(const struct mail_settings *settings);

int mailer_new(struct mailer **out, const struct mailer_options *options);

/* Take the settings; also while mails are under way, which end as they began. Errors as mailer_check, and nothing has
 * changed then. */
int mailer_set(struct mailer *mailer, const struct mail_settings *settings);

/* Send what is due. */
void mailer_run(struct mailer *mailer);

void mailer_free(struct mailer *mailer); /* NULL is fine; what is under way is due again at the next start */

/* --- pure, for tests --- */

/* What an SMTP reply and the moment mean. `status` 0 = no reply; `of_mail`: it was about the mail (MAIL, RCPT, DATA, or
 * what came after the text), not about us. True: it is of no use to try again. */
bool mailer_is_refused(int status, bool of_mail);

#endif
