/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Deliveries of received faxes: one row for each method of each rule that a fax met, worked off by server/route.
 *
 * waiting -> running -> delivered, or waiting again with the time of the next try, or failed after as many days as the
 * configuration says. A row is taken before its method begins, and counts that as a try: what a crash leaves running
 * waits again with the next start, so that each method is carried out at least once, and says which try it is. A
 * delivery by e-mail is the mailer's (spool/mail.h) from the beginning; its tries are shown as the delivery's own.
 *
 * A fax is routing while one of its deliveries waits, route_failed once one has failed, routed when all have arrived.
 *
 * Thread: loop.
 */
#ifndef FAXD_SPOOL_ROUTE_DELIVERY_H
#define FAXD_SPOOL_ROUTE_DELIVERY_H

#include "spool/fax.h"
#include "spool/retry.h"
#include "spool/route_method.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define ROUTE_DELIVERY_ID_SIZE 32 /* "rtd_" + ULID and the end */
#define ROUTE_LANE_SIZE        300
#define ROUTE_REASON_MAX       1000 /* octets */

struct inbound_rule;
struct spool;

/* Stored in rows: never renumber. */
enum route_state { ROUTE_WAITING = 0, ROUTE_RUNNING = 1, ROUTE_DELIVERED = 2, ROUTE_GIVEN_UP = 3 };

/* Seconds between tries, the last repeats; and from the first moment to the last try. */
struct route_patience {
    int delay_s[RETRY_DELAYS_MAX]; /* those behind the last are 0 */
    int give_up_s;
};
void route_patience_default(struct route_patience *patience);
void route_patience_set(struct spool *spool, const struct route_patience *patience);

struct route_delivery {
    int64_t id, fax; /* rows */
    char public_id[ROUTE_DELIVERY_ID_SIZE];
    char rule[80], rule_name[128]; /* as they were */
    struct route_method method;
    bool unreadable;            /* the method is none: what was written of it cannot be read */
    char lane[ROUTE_LANE_SIZE]; /* those of one lane have one target, and wait for one another */
    enum route_state state;
    int tries;
    int64_t created_at, next_at, started_at, ended_at;
    int64_t patient_from; /* when it was made, or last tried again by hand: what the patience is counted from;
                             0 = its fax was routed again meanwhile: the try under way is its last */
    char *reason;         /* of the last try, "" = none */
};

/* The caller clears. 0 or ERR_NOT_FOUND. */
int route_delivery_get(struct route_delivery *delivery, struct spool *spool, int64_t id);
void route_delivery_clear(struct route_delivery *delivery);

/* A row for each method of a rule that the fax met, in a round of its own (route_delivery_round). */
int route_delivery_add(struct spool *spool, const struct fax *fax, const struct inbound_rule *rule, int64_t round);

/* The number of a fax's next round. What waits from an earlier one is given up, with its mails; what runs is not tried
 * again, and moves the fax no more. */
int route_delivery_round(int64_t *round, struct spool *spool, const struct fax *fax);

/* True when the fax has a delivery, of any round and state. */
bool route_delivery_any(struct spool *spool, const struct fax *fax);

/* What is due first in the lane that follows `after` ("" = the first lane): 1, 0 = there is no further lane, or an
 * error. Deliveries that run are left out. The caller clears. */
int route_delivery_next(struct route_delivery *delivery, struct spool *spool, const char *after);

/* It is about to be tried: running, one try more. */
int route_delivery_taken(struct spool *spool, struct route_delivery *delivery);

/* How a try ended. AGAIN waits as long as the patience says, which may have come to its end: then it is GIVEN_UP.
 * THEIRS: it is tried again at `next_at` by who has it, such as the mailer. The fax follows. `reason`: for people, cut
 * to ROUTE_REASON_MAX. What has arrived stays so; of what was given up meanwhile only DONE is heard. */
enum route_told { ROUTE_TOLD_DONE, ROUTE_TOLD_AGAIN, ROUTE_TOLD_THEIRS, ROUTE_TOLD_GIVEN_UP };
int route_delivery_told(struct spool *spool, int64_t delivery, enum route_told told, const char *reason,
                        int64_t next_at);

/* The mail of a delivery that was given up is sent once more: the delivery runs again, until `next_at`. One that has
 * arrived stays so. 0, ERR_NOT_FOUND, ERR_CONFLICT (it is being delivered by another mail). */
int route_delivery_resumed(struct spool *spool, int64_t delivery, const char *reason, int64_t next_at);

/* Try it again, now. 0, ERR_NOT_FOUND (the fax has no such delivery), ERR_CONFLICT (it has arrived, or runs). */
int route_delivery_retry(struct route_delivery *delivery, struct spool *spool, struct fax *fax, const char *public_id);

/* True while one of the fax's deliveries waits or runs: its documents are needed. */
int route_delivery_open(bool *open, struct spool *spool, int64_t fax);

/* The object of the API, new reference; a page of a fax's, oldest first. ERR_INVALID (cursor, limit). */
json_t *route_delivery_json(const struct route_delivery *delivery);
int route_delivery_page(json_t **page, struct spool *spool, const struct fax *fax, const char *cursor, int limit);

const char *route_state_name(enum route_state state);

int route_delivery_start(struct spool *spool); /* for spool_open.c */

#endif
