/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The retry rule, pure: what happens to a fax after a call (DESIGN section 6, api.md outcomes table).
 *
 * Thread: any.
 */
#ifndef FAXD_SPOOL_RETRY_H
#define FAXD_SPOOL_RETRY_H

#include "spool/fax.h"

#include <stdint.h>

/* Delays between calls in seconds by class of outcome; the last one repeats. Ends with 0 where shorter than the room.
 */
#define RETRY_DELAYS_MAX 8
enum retry_class { RETRY_BUSY, RETRY_NO_ANSWER, RETRY_LINE, RETRY_PROTOCOL, RETRY_DISCONNECTED, RETRY_CLASS_COUNT };

struct retry_policy {
    int max_attempts;  /* counted attempts in all */
    int max_uncounted; /* calls in a row that do not count (line_unavailable) before it is failed */
    int delay_s[RETRY_CLASS_COUNT][RETRY_DELAYS_MAX];
    enum fax_resume resume;
    enum fax_on_unconfirmed on_unconfirmed;
};

struct retry_facts {
    enum fax_outcome outcome;
    bool cancel_wanted;       /* the fax is canceling */
    bool end_sent;            /* last EOP left, not refused */
    bool final_confirmed;     /* and was confirmed */
    bool earlier_unconfirmed; /* an earlier call ended with its last page unconfirmed and was repeated by policy */
    int pages_total;
    int pages_confirmed;  /* of the whole document, with earlier calls */
    int attempts;         /* counted, with this one if it counts */
    int calls;            /* all, with this one */
    int same_class_calls; /* calls of this class before this one, for the delay list: all of the fax's; for
                             RETRY_LINE those in a row; for not_fax and what is repeated at once, those with that
                             very outcome */
    int64_t now_ms, expires_at;
};

struct retry_decision {
    enum fax_state next; /* a final state, or FAX_SCHEDULED / FAX_QUEUED for another call */
    enum fax_delivery delivery;
    int64_t not_before; /* with FAX_SCHEDULED */
    bool other_line;    /* rather on another line */
    const char *reason; /* static word for fax.reason: "retry", "line_unavailable", "" */
};

/* The defaults: busy 60,120,180,300 s; no answer 600,900; line 5,15,60; protocol 60,300; disconnected 300. */
void retry_policy_default(struct retry_policy *policy);

/* From a fax's options JSON ("retry" keys already taken into the fax row; "delays" here) over `base`: 0 or ERR_INVALID.
 */
int retry_policy_for(struct retry_policy *policy, const struct retry_policy *base, const struct fax *fax);

void retry_decide(struct retry_decision *decision, const struct retry_policy *policy, const struct retry_facts *facts);

enum retry_class retry_class_of(enum fax_outcome outcome);

/* True for what is repeated at once the first time, in another form (G.711, another rendition). */
bool retry_is_at_once(enum fax_outcome outcome);

/* The server's policy (from the configuration); spool uses it for every fax. Copied. */
struct spool;
void retry_set_default(struct spool *spool, const struct retry_policy *policy);

#endif
