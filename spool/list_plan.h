/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the faxes of a list are found: which index leads to them, newest first, and what each of those that it leads to
 * has to be besides. The first is a condition of the statement, the second a column of it: so the planner has nothing
 * to choose, and whoever steps sees each row that was looked at, and can stop.
 *
 * Thread: any; one piece of memory, freed with free().
 */
#ifndef FAXD_SPOOL_LIST_PLAN_H
#define FAXD_SPOOL_LIST_PLAN_H

#include "spool/list_search.h"

#include <stddef.h>
#include <stdint.h>

#define LIST_PLAN_BINDS 48
#define LIST_PLAN_TEXTS 4096

struct db;
struct list_query;
struct stmt;

struct list_bind {
    const char *text; /* NULL = number */
    int64_t number;
};

/* Conditions with a placeholder for each value. */
struct list_clause {
    char sql[2048];
    struct list_bind binds[LIST_PLAN_BINDS];
    int bind_count;
};

struct list_plan {
    struct list_clause rest; /* what a row has to be */
    const char *lead;        /* the table to begin with, and the condition that an index of it answers */
    const char *lead_id;     /* its column that names the fax */
    struct list_bind lead_value;
    const char *other_lead; /* of own faxes the other way to them, NULL = none; the value twice */
    int states[32];         /* by state: one way for each */
    int state_count;
    int64_t created_from, created_until; /* 0 = open */
    int64_t before;                      /* the cursor, INT64_MAX = none */
    char q[LIST_SEARCH_MAX + 1];         /* "" = no search */
    bool contacts;                       /* q is looked for among contacts too */
    char texts[LIST_PLAN_TEXTS];
    size_t texts_used;
};

/* 0, or ERR_INVALID (message names the filter). */
int list_plan_make(struct list_plan *plan, const struct list_query *query);

/* What is gone through: rows from `first` and below `before`, and with `found` those that a search has found. */
struct list_walk {
    const struct list_plan *plan;
    const struct list_found *found; /* NULL = no search */
    int64_t first, before;
    char *sql;
    struct stmt *stmt; /* columns "id" and "wanted", newest first */
};

/* The fields above `sql` are set by the caller, who ends the walk before plan and `found` go. 0 or an error. */
int list_walk_open(struct list_walk *walk, struct db *db);
void list_walk_close(struct list_walk *walk);

/* Its text alone, for tests. The caller frees. */
char *list_walk_sql(const struct list_walk *walk);

#endif
