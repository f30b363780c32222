/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Method email: a mail of the mailer's (spool/mail.h), queued in the transaction that says so. From then on it has the
 * delivery, and tells of each of its tries. */
#include <config.h> /* in quotes it would be server/config.h */

#include "server/route/route_private.h"

#include "server/base/err.h"
#include "spool/mail.h"

#include <stdlib.h>

static int on_mail_end(struct spool *spool, int64_t delivery, enum mail_told told, const char *reason, int64_t next_at)
{
    switch (told) {
    case MAIL_TOLD_DONE:
        return route_delivery_told(spool, delivery, ROUTE_TOLD_DONE, reason, 0);
    case MAIL_TOLD_AGAIN:
        return route_delivery_told(spool, delivery, ROUTE_TOLD_THEIRS, reason, next_at);
    case MAIL_TOLD_RESUMED:
        return route_delivery_resumed(spool, delivery, reason, next_at);
    case MAIL_TOLD_GIVEN_UP:
        break;
    }
    return route_delivery_told(spool, delivery, ROUTE_TOLD_GIVEN_UP, reason, 0);
}

void route_mail_listen(struct spool *spool)
{
    mail_on_end(spool, on_mail_end);
}

/* What the mail is to be like; the caller frees. */
static char *options_of(const struct route_work *work)
{
    static const char *const names[] = {"format", "language", "subject"};
    json_t *options = json_object();
    char *text;

    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
        if (*route_text(work, names[i]) != '\0')
            json_object_set_new(options, names[i], json_string(route_text(work, names[i])));
    text = json_dumps(options, JSON_COMPACT);
    json_decref(options);
    return text;
}

void route_mail_begin(struct route_work *work)
{
    char *options = options_of(work);
    struct mail mail = {.kind = MAIL_ROUTED,
                        .fax = work->fax.id,
                        .to = (char *)route_text(work, "to"), /* borrowed: only read */
                        .options = options,
                        .delivery = work->delivery.id,
                        .topic = ""};

    if (mail_queue(&mail, work->routes->options.spool) != 0)
        route_end(work, ROUTE_TOLD_AGAIN, "%s", err_message());
    else
        route_leave(work);
    free(options);
}
