/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Outbound rules: which line groups carry faxes to which numbers, and when. All are held in memory, in their order.
 *
 * A fax whose request names no group is queued under its rule ("rto_.../0": fax.line_group), and the scheduler gives
 * each such queue to the first of the rule's groups that can send. After a failure of the line or the network the fax
 * goes on under the next number, which leaves the groups before it out.
 *
 * Thread: loop.
 */
#ifndef FAXD_SPOOL_OUTBOUND_RULE_H
#define FAXD_SPOOL_OUTBOUND_RULE_H

#include "server/base/number.h"
#include "spool/query.h"
#include "spool/window.h"

#define OUTBOUND_RULES_MAX  200
#define OUTBOUND_GROUPS_MAX 8
#define OUTBOUND_GROUP_SIZE 65
#define OUTBOUND_ID_SIZE    40
#define OUTBOUND_KEY_SIZE   48

#define OUTBOUND_DEFAULT "default" /* the group of numbers that no rule is about */

struct fax;
struct spool;

struct outbound_rule {
    int64_t id; /* row */
    char public_id[OUTBOUND_ID_SIZE];
    int position; /* 1, 2, ... */
    char name[128];
    char prefix[NUMBER_SIZE]; /* "" = every number */
    char groups[OUTBOUND_GROUPS_MAX][OUTBOUND_GROUP_SIZE];
    int group_count;
    struct window window;
    bool enabled;
    bool retired; /* deleted, but faxes may still be queued under it */
    int64_t owner;
    int64_t created_at;
};

/* Insert at its position (0 or past the end: the last one), and fill id, public_id, position. 0, ERR_FULL. The window
 * is copied: it stays the caller's. */
int outbound_rule_create(struct outbound_rule *rule, struct spool *spool);

/* Borrowed until rules change; NULL = none. */
const struct outbound_rule *outbound_rule_find(struct spool *spool, const char *public_id);

/* Write what was changed, the position too. */
int outbound_rule_update(struct outbound_rule *rule, struct spool *spool);
int outbound_rule_delete(struct spool *spool, const char *public_id);

/* All in their order, those that are disabled or retired as well; NULL behind the last. */
const struct outbound_rule *outbound_rule_at(struct spool *spool, int index);

/* How a number is to be called at a time: the first rule about it whose window is open; when all are closed, the one
 * that opens first, and then `*opens_at` is when (else 0). NULL = no rule is about it. */
const struct outbound_rule *outbound_rule_for(int64_t *opens_at, struct spool *spool, const char *number,
                                              int64_t at_ms);

/* The queue of a rule (NULL = OUTBOUND_DEFAULT), from one of its groups on. Returns `key`. */
char *outbound_rule_key(char key[OUTBOUND_KEY_SIZE], const struct outbound_rule *rule, int step);

/* The rule and the step of a queue: NULL when it is that of a group. Borrowed until rules change. */
const struct outbound_rule *outbound_rule_of_key(int *step, struct spool *spool, const char *key);

/* The group that the sender of a fax asked for, "" = none: what a fax that is made of it asks for as well. */
const char *outbound_rule_asked(const struct fax *fax);

/* Put a fax that goes by rules into the queue that they say now: sets line_group and writes it. True, when it was in
 * another one, to `*moved` (may be NULL). */
int outbound_rule_queue(bool *moved, struct spool *spool, struct fax *fax);

/* The call of the fax used this group: later ones go on from it. */
int outbound_rule_used(struct spool *spool, struct fax *fax, int step);

/* The object of /v1/routes/outbound, new reference; a page of them in their order. */
json_t *outbound_rule_json(const struct outbound_rule *rule);
int outbound_rule_page(json_t **page, struct spool *spool, const char *cursor, int limit);

int outbound_rule_start(struct spool *spool); /* for spool_open.c */

#endif
