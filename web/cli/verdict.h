/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exit statuses of `fax`, by class of outcome, so that scripts can decide without reading text.
 *
 * Thread: any.
 */
#ifndef FAXD_CLI_VERDICT_H
#define FAXD_CLI_VERDICT_H

#include <jansson.h>
#include <stdbool.h>

enum verdict {
    VERDICT_OK = 0,          /* done; delivered */
    VERDICT_ERROR = 1,       /* wrong usage, or the server failed or refused */
    VERDICT_CALL = 2,        /* busy, no answer, no line: a person may try again */
    VERDICT_ADDRESS = 3,     /* bad number, rejected, blacklisted, not a fax machine */
    VERDICT_PROTOCOL = 4,    /* the call was made, the fax failed in it, perhaps after some pages */
    VERDICT_UNCONFIRMED = 5, /* sent, but the last confirmation was lost */
    VERDICT_ENDED = 6,       /* canceled or expired */
    VERDICT_DOCUMENT = 7,    /* the document cannot be read or converted */
    VERDICT_UNREACHABLE = 8  /* no server there */
};

/* True when a fax of this status changes no more, but for where a received one is handed on to. */
bool verdict_is_final(const char *status);

/* The exit status that a fax object stands for: VERDICT_OK while it is not final. */
enum verdict verdict_of_fax(const json_t *fax);

/* The exit status of a refused request: its HTTP status and problem document (RFC 9457; may be NULL). */
enum verdict verdict_of_problem(long http_status, const json_t *problem);

#endif
