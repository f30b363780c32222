/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Block rules in memory, found by what they match: a look-up costs a few steps for each digit of a number, however many
 * rules there are.
 *
 * Thread: any; a table belongs to one.
 */
#ifndef FAXD_SPOOL_BLOCK_TABLE_H
#define FAXD_SPOOL_BLOCK_TABLE_H

#include "server/base/number.h"
#include "spool/fax.h"

#define BLOCK_ID_SIZE     40
#define BLOCK_REASON_SIZE 201

/* Stored in rows: never renumber. Of the kinds the last two are about what the far machine calls itself, which is known
 * when a call has been answered. */
enum block_kind {
    BLOCK_NUMBER = 0,
    BLOCK_PREFIX = 1,
    BLOCK_ANONYMOUS = 2,
    BLOCK_STATION = 3,
    BLOCK_STATION_PREFIX = 4
};

/* Quarantine: the fax is received, and put aside as junk. */
enum block_action { BLOCK_DENY = 0, BLOCK_ALLOW = 1, BLOCK_QUARANTINE = 2 };

struct block_rule {
    int64_t id; /* row */
    char public_id[BLOCK_ID_SIZE];
    enum fax_direction direction;
    enum block_action action;
    enum block_kind kind;
    char value[NUMBER_SIZE]; /* normalised (inbound_station() for station ids); a prefix of "" is every number; "" for
                              * BLOCK_ANONYMOUS */
    char reason[BLOCK_REASON_SIZE];
    int64_t expires_at; /* 0 = never */
    int64_t hits, last_hit_at;
    int64_t owner; /* api key's row */
    int64_t created_at;
};

struct block_table;

struct block_table *block_table_new(void);
void block_table_free(struct block_table *table); /* NULL is fine */

/* A copy is kept. What it matches and whether it allows tells a rule from the others. */
void block_table_add(struct block_table *table, const struct block_rule *rule);
void block_table_remove(struct block_table *table, int64_t id);

/* The rule that decides about a number (normalised; "" = withheld), NULL = none does. The number itself comes before
 * prefixes and a longer prefix before a shorter; of rules that match the same, the one that allows, then the one that
 * denies. Rules that have expired by `now_ms` are as if they were not there. Borrowed until the table changes. */
const struct block_rule *block_table_find(const struct block_table *table, enum fax_direction direction,
                                          const char *number, int64_t now_ms);

/* The same for the station id of a machine that has called (as inbound_station() gives it; "" = it said none). */
const struct block_rule *block_table_find_station(const struct block_table *table, const char *id, int64_t now_ms);

#endif
