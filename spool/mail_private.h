/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of outgoing mails share; for spool/ only.
 *
 * Thread: loop.
 */
#ifndef FAXD_SPOOL_MAIL_PRIVATE_H
#define FAXD_SPOOL_MAIL_PRIVATE_H

#include "spool/mail.h"
#include "spool/spool_private.h"

struct mails {
    struct mail_policy policy; /* but for alarm_to */
    char *alarm_to;
    mail_end_fn ended;
    int64_t flood_told_at; /* when somebody was last told that requests are refused */
};

int mail_start(struct spool *spool); /* for spool_open.c */

#endif
