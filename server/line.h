/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines: one for each device of a provider; idle or busy, and the call on it.
 *
 * A line is owned by the table; a job is part of its line and lives from the claim (or the ring) until the attempt is
 * closed in the store. Jobs are found by their attempt id, which is also their number on the link.
 *
 * Thread: loop.
 */
#ifndef FAXD_SERVER_LINE_H
#define FAXD_SERVER_LINE_H

#include "spool/fax.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct attempt;
struct host;
struct line_table;

enum line_state {
    LINE_DOWN, /* its provider does not run, or has not named it yet */
    LINE_IDLE,
    LINE_BUSY, /* a job is on it */
    LINE_LOST, /* its worker does not answer; until the provider is restarted */
    LINE_STATE_COUNT
};

/* What a job is doing, for cancel. */
enum job_step {
    JOB_MAKING, /* outbound: the pages of this call are being made */
    JOB_ORDERED /* the host has the order, or is about to get it after the commit */
};

struct job {
    uint64_t id; /* attempt; 0 = none */
    enum fax_direction direction;
    enum job_step step;
    int64_t fax; /* row */
    char fax_id[FAX_ID_SIZE];
    char peer[64]; /* number called or caller */
    bool abort_sent;
    bool transmitting;  /* FS_TRANSMITTING or FS_RECEIVING was seen */
    int page;           /* current, for display */
    int64_t started_at; /* UTC ms */
    void *work;         /* what the direction's file keeps meanwhile (a converter job) */
};

struct line {
    struct host *host;
    const char *provider; /* borrowed from the configuration */
    char *name;           /* in its provider */
    char *id;             /* "provider/name" */
    char *number;
    char *station_id;
    char **groups;  /* NULL-ended; "default" when none is configured */
    int index;      /* in its provider */
    bool simulated; /* the provider places no real call: carries faxes of test keys, and no others unless asked */
    bool send_enabled, receive_enabled;
    bool open; /* its provider takes new calls */
    enum line_state state;
    char *unavailable; /* why its provider says that it cannot send now (no trunk is up), NULL = it can */
    struct job job;
    struct line *next_job; /* chain of the table's hash */
};

struct line_options {
    const char *provider, *name, *number, *station_id;
    const char *const *groups;
    int index;
    bool simulated, send_enabled, receive_enabled;
    struct host *host;
};

int line_table_new(struct line_table **out);
void line_table_free(struct line_table *table);

/* Add a line, state LINE_DOWN; borrowed. */
struct line *line_add(struct line_table *table, const struct line_options *options);

/* Lines in order of the configuration. */
int line_count(const struct line_table *table);
struct line *line_at(const struct line_table *table, int position);
struct line *line_by_id(const struct line_table *table, const char *id);
struct line *line_by_index(const struct line_table *table, const struct host *host, uint32_t index);
struct line *line_by_job(const struct line_table *table, uint64_t job);

/* True when a line carries faxes of the group. */
bool line_has_group(const struct line *line, const char *group);

/* Put the call of an attempt on a line that has none (asserted), or take it off. Taking off leaves the line LINE_IDLE
 * unless it is down or lost. */
void line_job_begin(struct line_table *table, struct line *line, const struct attempt *attempt, const struct fax *fax);
void line_job_end(struct line_table *table, struct line *line);

/* No call is on it, and its provider could place one. */
bool line_is_free(const struct line *line);

/* `reason` NULL: the line can send again. */
void line_set_unavailable(struct line *line, const char *reason);

/* The words of line_shown_state, by number: NULL behind the last. */
const char *line_state_word(int number);

/* "idle", "busy", ...; "unavailable" for an idle line that cannot send now. */
const char *line_shown_state(const struct line *line);

/* The object of /v1/lines, new reference. */
json_t *line_json(const struct line *line);

#endif
