/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of lines, with a hash of the jobs on them: completion packets name only their job. */
#include "server/line.h"

#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/str.h"
#include "spool/attempt.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define JOB_BUCKETS 1024

struct line_table {
    struct line **lines;
    int count;
    struct line *buckets[JOB_BUCKETS];
};

int line_table_new(struct line_table **out)
{
    *out = xcalloc(1, sizeof **out);
    return 0;
}

static void line_free(struct line *line)
{
    for (char **group = line->groups; *group != NULL; group++)
        free(*group);
    free(line->groups);
    free(line->name);
    free(line->id);
    free(line->number);
    free(line->station_id);
    free(line->unavailable);
    free(line);
}

void line_table_free(struct line_table *table)
{
    if (table == NULL)
        return;
    for (int i = 0; i < table->count; i++)
        line_free(table->lines[i]);
    free(table->lines);
    free(table);
}

static char **copy_groups(const char *const *groups)
{
    static const char *const fallback[] = {"default", NULL};
    char **copy;
    int count = 0;

    if (groups == NULL || groups[0] == NULL)
        groups = fallback;
    while (groups[count] != NULL)
        count++;
    copy = xcalloc((unsigned long)count + 1, sizeof *copy);
    for (int i = 0; i < count; i++)
        copy[i] = xstrdup(groups[i]);
    return copy;
}

struct line *line_add(struct line_table *table, const struct line_options *options)
{
    struct line *line = xcalloc(1, sizeof *line);

    line->host = options->host;
    line->provider = options->provider;
    line->name = xstrdup(options->name);
    line->id = xasprintf("%s/%s", options->provider, options->name);
    line->number = xstrdup(options->number != NULL ? options->number : "");
    line->station_id = xstrdup(options->station_id != NULL ? options->station_id : "");
    line->groups = copy_groups(options->groups);
    line->index = options->index;
    line->simulated = options->simulated;
    line->send_enabled = options->send_enabled;
    line->receive_enabled = options->receive_enabled;
    line->state = LINE_DOWN;
    table->lines = xrealloc(table->lines, ((unsigned long)table->count + 1) * sizeof *table->lines);
    table->lines[table->count++] = line;
    return line;
}

int line_count(const struct line_table *table)
{
    return table->count;
}

struct line *line_at(const struct line_table *table, int position)
{
    assert(position >= 0 && position < table->count);
    return table->lines[position];
}

struct line *line_by_id(const struct line_table *table, const char *id)
{
    for (int i = 0; i < table->count; i++)
        if (strcmp(table->lines[i]->id, id) == 0)
            return table->lines[i];
    return NULL;
}

struct line *line_by_index(const struct line_table *table, const struct host *host, uint32_t index)
{
    for (int i = 0; i < table->count; i++)
        if (table->lines[i]->host == host && (uint32_t)table->lines[i]->index == index)
            return table->lines[i];
    return NULL;
}

struct line *line_by_job(const struct line_table *table, uint64_t job)
{
    for (struct line *line = table->buckets[job % JOB_BUCKETS]; line != NULL; line = line->next_job)
        if (line->job.id == job)
            return line;
    return NULL;
}

bool line_has_group(const struct line *line, const char *group)
{
    for (char **at = line->groups; *at != NULL; at++)
        if (strcmp(*at, group) == 0)
            return true;
    return false;
}

void line_job_begin(struct line_table *table, struct line *line, const struct attempt *attempt, const struct fax *fax)
{
    struct line **bucket = &table->buckets[(uint64_t)attempt->id % JOB_BUCKETS];

    assert(line->job.id == 0 && attempt->id > 0);
    line->job = (struct job){.id = (uint64_t)attempt->id,
                             .direction = fax->direction,
                             .step = JOB_ORDERED,
                             .fax = fax->id,
                             .transmitting = attempt->transmitting,
                             .started_at = attempt->started_at};
    str_copy(line->job.fax_id, sizeof line->job.fax_id, fax->public_id);
    str_copy(line->job.peer, sizeof line->job.peer, fax->direction == FAX_OUTBOUND ? fax->destination : fax->sender);
    line->next_job = *bucket;
    *bucket = line;
    if (line->state == LINE_IDLE)
        line->state = LINE_BUSY;
}

void line_job_end(struct line_table *table, struct line *line)
{
    struct line **link = &table->buckets[line->job.id % JOB_BUCKETS];

    assert(line->job.id != 0);
    while (*link != line)
        link = &(*link)->next_job;
    *link = line->next_job;
    line->next_job = NULL;
    memset(&line->job, 0, sizeof line->job);
    if (line->state == LINE_BUSY)
        line->state = LINE_IDLE;
}

bool line_is_free(const struct line *line)
{
    return line->state == LINE_IDLE && line->unavailable == NULL;
}

void line_set_unavailable(struct line *line, const char *reason)
{
    if ((reason == NULL) != (line->unavailable == NULL))
        log_info("line=%s %s%s", line->id, reason != NULL ? "cannot send now: " : "can send again",
                 reason != NULL ? reason : "");
    free(line->unavailable);
    line->unavailable = reason != NULL ? xstrdup(reason) : NULL;
}

static const char *const state_words[] = {
    [LINE_DOWN] = "down",
    [LINE_IDLE] = "idle",
    [LINE_BUSY] = "busy",
    [LINE_LOST] = "lost",
    [LINE_STATE_COUNT] = "unavailable",
};

const char *line_state_word(int number)
{
    return number <= LINE_STATE_COUNT ? state_words[number] : NULL;
}

const char *line_shown_state(const struct line *line)
{
    return state_words[line->state == LINE_IDLE && line->unavailable != NULL ? LINE_STATE_COUNT : line->state];
}

static json_t *job_json(const struct job *job)
{
    char started[CLOCK_TEXT_SIZE];

    return json_pack("{s:s, s:s, s:s, s:i, s:s}", "fax", job->fax_id, "direction",
                     job->direction == FAX_OUTBOUND ? "outbound" : "inbound", "peer", job->peer, "page", job->page,
                     "started_at", clock_format(started, job->started_at));
}

json_t *line_json(const struct line *line)
{
    json_t *groups = json_array();

    for (char **group = line->groups; *group != NULL; group++)
        json_array_append_new(groups, json_string(*group));
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:b, s:b, s:b, s:o, s:o}", "id", line->id, "provider",
                     line->provider, "name", line->name, "number", line->number, "state", line_shown_state(line),
                     "reason", line->unavailable != NULL ? json_string(line->unavailable) : json_null(), "send_enabled",
                     line->send_enabled, "receive_enabled", line->receive_enabled, "simulated", line->simulated,
                     "groups", groups, "call", line->job.id != 0 ? job_json(&line->job) : json_null());
}
