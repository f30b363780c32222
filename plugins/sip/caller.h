/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who calls whom, from the texts of SIP headers.
 *
 * The texts are a stranger's: at most CALLER_TEXT_MAX octets of each are looked at, what comes out is bounded, valid
 * UTF-8 and free of control characters. Numbers are given as a + (when it was there) and digits, without visual
 * separators; a user part that is no number is given as it is.
 *
 * Thread: any (no state).
 */
#ifndef FAXD_SIP_CALLER_H
#define FAXD_SIP_CALLER_H

#include <stdbool.h>

#define CALLER_TEXT_MAX    2048
#define CALLER_NUMBER_SIZE 64
#define CALLER_NAME_SIZE   128

/* Values of the headers of an INVITE; NULL for one that is absent or not to be trusted. Several headers of a name may
 * be joined by commas, the first in front. */
struct caller_headers {
    const char *asserted_identity; /* P-Asserted-Identity, RFC 3325 */
    const char *remote_party_id;   /* Remote-Party-ID, with privacy and party */
    const char *from;
    const char *privacy;      /* Privacy, RFC 3323 */
    const char *diversion;    /* Diversion, RFC 5806 */
    const char *history_info; /* History-Info, RFC 7044 */
};

struct caller {
    char number[CALLER_NUMBER_SIZE];      /* "" = unknown or withheld */
    char name[CALLER_NAME_SIZE];          /* display name; "" = none */
    bool withheld;                        /* the caller wants to be unknown; number and name are "" */
    char diverted_by[CALLER_NUMBER_SIZE]; /* who was called and passed the call on last; "" = nobody or unknown */
};

/* Fill `caller` from the best header that tells a number: P-Asserted-Identity, Remote-Party-ID (of the calling party),
 * From. Privacy id, user or full, privacy of a Remote-Party-ID, and an anonymous From that nothing better stands beside
 * mean withheld. */
void caller_identify(struct caller *caller, const struct caller_headers *headers);

/* The number that a request URI, or a header with an address (To, P-Called-Party-ID, Diversion, ...), is about: of
 * `sip:`, `sips:` and `tel:` URIs, alone or as "Name" <URI>;parameters; the first of several. "" when there is none,
 * the text is not in order or NULL. */
void caller_number(char number[CALLER_NUMBER_SIZE], const char *text);

/* The display name of such a header, "" when there is none. */
void caller_name(char name[CALLER_NAME_SIZE], const char *text);

#endif
