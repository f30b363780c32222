/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two tables of chains: by what a rule matches, and by its row. They do not grow: with as many rules as there may be a
 * chain has one or two.
 */
#include "spool/block_table.h"

#include "server/base/log.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS 16384

struct entry {
    struct block_rule rule;
    struct entry *next; /* of those that match alike, or nearly so */
    struct entry *next_by_id;
};

struct block_table {
    struct entry *by_value[SLOTS], *by_id[SLOTS];
};

/* FNV-1a. Whoever makes rules may make chains long; they are the administrator's. */
static unsigned slot_of(enum fax_direction direction, enum block_kind kind, const char *value, size_t length)
{
    uint32_t hash = 2166136261u;

    hash = (hash ^ (unsigned)direction) * 16777619u;
    hash = (hash ^ (unsigned)kind) * 16777619u;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)value[i]) * 16777619u;
    return (hash ^ hash >> 16) % SLOTS;
}

struct block_table *block_table_new(void)
{
    return xcalloc(1, sizeof(struct block_table));
}

void block_table_free(struct block_table *table)
{
    if (!table)
        return;
    for (int i = 0; i < SLOTS; i++) {
        struct entry *entry;
        while ((entry = table->by_value[i]) != NULL) {
            table->by_value[i] = entry->next;
            free(entry);
        }
    }
    free(table);
}

void block_table_add(struct block_table *table, const struct block_rule *rule)
{
    unsigned slot = slot_of(rule->direction, rule->kind, rule->value, strlen(rule->value));
    struct entry *entry = xcalloc(1, sizeof(*entry));

    entry->rule = *rule;
    entry->next = table->by_value[slot];
    table->by_value[slot] = entry;
    entry->next_by_id = table->by_id[rule->id % SLOTS];
    table->by_id[rule->id % SLOTS] = entry;
}

void block_table_remove(struct block_table *table, int64_t id)
{
    struct entry **link = &table->by_id[id % SLOTS], *entry;

    while (*link && (*link)->rule.id != id)
        link = &(*link)->next_by_id;
    entry = *link;
    if (!entry)
        return;
    *link = entry->next_by_id;
    const struct block_rule *rule = &entry->rule;
    link = &table->by_value[slot_of(rule->direction, rule->kind, rule->value, strlen(rule->value))];
    while (*link != entry)
        link = &(*link)->next;
    *link = entry->next;
    free(entry);
}

static bool matches(const struct block_rule *rule, enum fax_direction direction, enum block_kind kind,
                    const char *value, size_t length, int64_t now_ms)
{
    return rule->direction == direction && rule->kind == kind && strlen(rule->value) == length &&
           memcmp(rule->value, value, length) == 0 && (!rule->expires_at || rule->expires_at > now_ms);
}

static const struct block_rule *find(const struct block_table *table, enum fax_direction direction,
                                     enum block_kind kind, const char *value, size_t length, int64_t now_ms)
{
    const struct entry *entry = table->by_value[slot_of(direction, kind, value, length)];
    const struct block_rule *found = NULL;

    for (; entry; entry = entry->next) {
        if (!matches(&entry->rule, direction, kind, value, length, now_ms))
            continue;
        if (entry->rule.action == BLOCK_ALLOW)
            return &entry->rule;
        if (!found || entry->rule.action == BLOCK_DENY)
            found = &entry->rule;
    }
    return found;
}

/* The whole text first, then what it begins with, the longest first. */
static const struct block_rule *find_closest(const struct block_table *table, enum fax_direction direction,
                                             enum block_kind whole, enum block_kind prefix, const char *text,
                                             int64_t now_ms)
{
    size_t length = strlen(text);
    const struct block_rule *found = find(table, direction, whole, text, length, now_ms);

    for (;; length--) {
        if (!found)
            found = find(table, direction, prefix, text, length, now_ms);
        if (found || length == 0)
            return found;
    }
}

const struct block_rule *block_table_find(const struct block_table *table, enum fax_direction direction,
                                          const char *number, int64_t now_ms)
{
    if (*number == '\0')
        return find(table, direction, BLOCK_ANONYMOUS, "", 0, now_ms);
    return find_closest(table, direction, BLOCK_NUMBER, BLOCK_PREFIX, number, now_ms);
}

const struct block_rule *block_table_find_station(const struct block_table *table, const char *id, int64_t now_ms)
{
    return find_closest(table, FAX_INBOUND, BLOCK_STATION, BLOCK_STATION_PREFIX, id, now_ms);
}
