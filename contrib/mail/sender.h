/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may send faxes by mail. From is what anybody may write; it is believed when a server of ours says so
 * (auth_results.h), or when the message comes from a network or a user of ours.
 *
 * Thread: any (pure).
 */
#ifndef FAXMAIL_SENDER_H
#define FAXMAIL_SENDER_H

#include <stdbool.h>
#include <stddef.h>

struct mail;
struct settings;

enum sender_verdict {
    SENDER_MAY,        /* why says what spoke for it: "dmarc", "user alice" */
    SENDER_UNBELIEVED, /* nothing shows that it comes from there: From may be a lie, and is not to be answered */
    SENDER_UNKNOWN     /* it comes from there, who may not send */
};

#define SENDER_WHY 400

/* `user` signed in to the mail server, `client` is the address of who handed the message in; "" or NULL = not known.
 * `why` gets a sentence. */
enum sender_verdict sender_judge(char why[SENDER_WHY], const struct mail *mail, const struct settings *settings,
                                 const char *user, const char *client);

/* Whether the envelope sender is vouched for, so that what is told to it reaches whoever sent the message, and nobody
 * whose address was put there: it is the From that is believed, or of the domain that SPF passed for, or the message
 * comes from a network or a signed-in user of ours. */
bool sender_is_proved(const struct mail *mail, const struct settings *settings, const char *sender, const char *user,
                      const char *client);

#endif
