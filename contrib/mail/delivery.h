/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One message to its recipients: read, judged, sent as faxes, answered. What becomes of each recipient is told to the
 * mail server by the callers (pipe and LMTP).
 *
 * A queue of its own is not kept. Nothing is accepted before faxd and the server that takes answers are there; when one
 * of them goes away in between, the mail server tries again, and the Idempotency-Key makes the fax the same one.
 *
 * Thread: one.
 */
#ifndef FAXMAIL_DELIVERY_H
#define FAXMAIL_DELIVERY_H

#include <jansson.h>
#include <stdbool.h>

#include "contrib/mail/address.h"
#include "contrib/mail/mail.h"

struct incoming;
struct settings;

enum outcome {
    OUTCOME_ACCEPTED, /* a fax, and its sender was told */
    OUTCOME_ANSWERED, /* no fax, and the sender was told */
    OUTCOME_DROPPED,  /* no fax, and nobody to tell: in the log alone */
    OUTCOME_REFUSED,  /* no fax; the mail server has to tell (5xx): only of an envelope sender that is proved */
    OUTCOME_LATER     /* the mail server has to try again (4xx, 75) */
};

struct recipient {
    const char *address; /* borrowed */
    struct address_number number;
    enum outcome outcome;
    char status[MAIL_STATUS_SIZE]; /* RFC 3463 */
    char *text;                    /* a sentence; never NULL after delivery_run() */
    json_t *fax;                   /* accepted, else NULL */
};

struct delivery {
    const struct settings *settings;
    const char *sender; /* envelope, "" = null */
    const char *user;   /* who signed in, "" = not known */
    const char *client; /* address of who handed it in, "" = not known */
    struct recipient *recipients;
    int count;
    bool together; /* all recipients share one result: nothing is answered while one has to be tried again */
    bool dry;      /* nothing is sent, neither fax nor answer */
    struct mail mail;
    char *answer; /* the message that was sent, or would be; NULL = none */
};

/* Fills the recipients' results; the caller clears in any case. */
void delivery_run(struct delivery *delivery, const struct incoming *incoming);
void delivery_clear(struct delivery *delivery);

#endif
