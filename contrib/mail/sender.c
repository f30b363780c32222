/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list of senders, and what makes From worth believing. */
#include "config.h"

#include "contrib/mail/sender.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "contrib/mail/mail.h"
#include "contrib/mail/settings.h"
#include "server/base/cidr.h"

static bool is_user(const struct settings *settings, const char *user)
{
    return user != NULL && user[0] != '\0' &&
           (words_have(&settings->auth_users, user) || words_have(&settings->auth_users, "*"));
}

static bool is_near(const struct settings *settings, const char *client)
{
    struct cidr one, network;
    if (client == NULL || client[0] == '\0' || cidr_parse(&one, client) < 0)
        return false;
    for (int i = 0; i < settings->trusted_networks.count; i++) {
        if (cidr_parse(&network, settings->trusted_networks.items[i]) == 0 && cidr_has(&network, &one.network))
            return true;
    }
    return false;
}

/* "user@example.com", "@example.com" or "*". */
static bool is_listed(const struct settings *settings, const char *from)
{
    const char *domain = strrchr(from, '@');
    return domain != NULL && (words_have(&settings->senders, from) || words_have(&settings->senders, domain) ||
                              words_have(&settings->senders, "*"));
}

enum sender_verdict sender_judge(char why[SENDER_WHY], const struct mail *mail, const struct settings *settings,
                                 const char *user, const char *client)
{
    const struct auth_results *results = &mail->results;
    const char *signed_in = is_user(settings, user) ? user : results->user;
    if (is_user(settings, signed_in)) {
        snprintf(why, SENDER_WHY, "user %.100s", signed_in);
        return SENDER_MAY;
    }
    if (mail->from_count != 1 || mail->from[0] == '\0') {
        snprintf(why, SENDER_WHY, "the message has %s sender in From; it needs exactly one",
                 mail->from_count > 1 ? "more than one" : "no");
        return SENDER_UNBELIEVED;
    }
    bool near = is_near(settings, client);
    const char *method = near             ? "network"
                         : results->dmarc ? "dmarc"
                         : results->dkim  ? "dkim"
                         : results->spf   ? "spf"
                                          : NULL;
    if (method == NULL) {
        snprintf(why, SENDER_WHY,
                 "nothing shows that the message comes from %.100s: neither DMARC, nor DKIM or SPF of that domain, "
                 "passed (%s)",
                 mail->from, results->seen[0] != '\0' ? results->seen : "no results of the mail server");
        return SENDER_UNBELIEVED;
    }
    bool listed = is_listed(settings, mail->from);
    snprintf(why, SENDER_WHY, listed ? "%.100s" : "%.100s may not send faxes by mail; ask who runs the fax server",
             listed ? method : mail->from);
    return listed ? SENDER_MAY : SENDER_UNKNOWN;
}

/* The same mailbox? The case of its local part is for its own server to tell, that of the domain says nothing. */
static bool is_same(const char *one, const char *other)
{
    const char *at = strrchr(one, '@'), *other_at = strrchr(other, '@');
    return at != NULL && other_at != NULL && at - one == other_at - other &&
           strncmp(one, other, (size_t)(at - one)) == 0 && strcasecmp(at, other_at) == 0;
}

bool sender_is_proved(const struct mail *mail, const struct settings *settings, const char *sender, const char *user,
                      const char *client)
{
    const struct auth_results *results = &mail->results;
    const char *at = strrchr(sender, '@');
    if ((user != NULL && user[0] != '\0') || results->user[0] != '\0' || is_near(settings, client))
        return true;
    if (at != NULL && results->envelope[0] != '\0' && strcasecmp(at + 1, results->envelope) == 0)
        return true;
    return mail->from_count == 1 && (results->dmarc || results->dkim || results->spf) && is_same(sender, mail->from);
}
