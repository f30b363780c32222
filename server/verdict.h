/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the end of a call means, from all that is known of it: the host's word, the call record, the journal. Pure.
 *
 * The journal wins over the rest, since it was written by the engine at the moment itself, in the order that keeps it
 * true (DESIGN section 4): EOP without its confirmation is unconfirmed, the final confirmation is delivered, anything
 * else resumes after the last confirmed page.
 *
 * Thread: any.
 */
#ifndef FAXD_SERVER_VERDICT_H
#define FAXD_SERVER_VERDICT_H

#include "server/base/journal.h"
#include "server/link/link.h"
#include "spool/attempt.h"

#include <jansson.h>
#include <stdbool.h>

struct verdict_facts {
    const struct link_message *ended; /* LINK_ENDED, or NULL when the provider died with the call */
    const json_t *record;             /* its call record, parsed, or NULL */
    struct journal_state journal;
    int pages_in_file; /* of the file that this call sends */
    bool transmitting; /* FS_TRANSMITTING or FS_RECEIVING was seen */
};

/* A sent call. Texts in `*result` are borrowed from the facts or static; pages_confirmed counts this call's file. */
void verdict_send(struct attempt_result *result, const struct verdict_facts *facts);

/* A received call: FAX_RECEIVED, FAX_PARTIALLY_RECEIVED or FAX_RECEIVE_FAILED as far as the call goes (the file may
 * still prove worse), FAX_REJECTED when it was never to be answered. `*pages` = whole pages that the file must hold,
 * -1 when only the file can tell. */
enum fax_state verdict_receive(struct attempt_result *result, int *pages, const struct verdict_facts *facts);

#endif
