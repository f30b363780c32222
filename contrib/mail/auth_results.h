/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Authentication-Results (RFC 8601): what a mail server of ours found out about where a message comes from.
 *
 * Thread: any (pure).
 */
#ifndef FAXMAIL_AUTH_RESULTS_H
#define FAXMAIL_AUTH_RESULTS_H

#include <stdbool.h>

#define AUTH_RESULTS_MAX    8192 /* octets of a field that are read; a longer one says nothing */
#define AUTH_RESULTS_SEEN   200
#define AUTH_RESULTS_DOMAIN 256

struct words;

struct auth_results {
    bool dmarc, spf, dkim;              /* passed, and by the domain of From itself */
    char user[AUTH_RESULTS_SEEN];       /* who signed in to send it, "" = nobody */
    char envelope[AUTH_RESULTS_DOMAIN]; /* domain of the envelope sender that SPF passed for, "" = none */
    char seen[AUTH_RESULTS_SEEN];       /* "spf=fail dkim=none", for whoever has to be told */
};

/* Add what the field's `value` says of a message from `domain`. False when it is none of the servers' `ids`. What is
 * not to be understood adds nothing, and yet is theirs when its beginning says so, or does not say whose it is: a field
 * further down must not stand in for it. */
bool auth_results_add(struct auth_results *results, const char *value, const struct words *ids, const char *domain);

#endif
