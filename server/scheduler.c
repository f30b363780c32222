/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The scheduler. On the route: a fax became queued, or a line idle -> scheduler_run() claims the best fax for each line
 * group with an idle line -> outbound_start(). */
#include "server/scheduler.h"

#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/number.h"
#include "server/loop.h"
#include "server/outbound.h"
#include "spool/claim.h"
#include "spool/spool.h"

#include <stdlib.h>
#include <string.h>

#define PROMOTE_MAX 1000 /* scheduled faxes that become queued in one run */
#define GROUPS_MAX  64
#define STARTS_MAX  64 /* calls begun in one run: one turn must not take for ever */

struct scheduler {
    struct scheduler_options options;
    struct event *timer;
    bool closed;
    unsigned turn;
};

/* --- choice of a line --- */

static bool can_send(const struct line *line)
{
    return line->send_enabled && line->open;
}

static bool is_own_number(const struct line *line, const struct fax *fax)
{
    char number[NUMBER_SIZE];

    return number_normalise(number, line->number) == 0 && strcmp(number, fax->destination) == 0;
}

static bool failed_last(const struct line *line, const struct fax *fax)
{
    return (fax->outcome == OUTCOME_LINE_UNAVAILABLE || fax->outcome == OUTCOME_NO_DIAL_TONE) &&
           strcmp(line->id, fax->line) == 0;
}

struct line *scheduler_choose(const struct line_table *lines, const char *group, const struct fax *fax, unsigned from)
{
    struct line *own = NULL, *failed = NULL;
    bool others = false; /* a line of the group, idle or not, that is not the called one */

    for (int i = 0; i < line_count(lines); i++) {
        struct line *line = line_at(lines, (int)((from + (unsigned)i) % (unsigned)line_count(lines)));

        if (line->simulated != fax->test || !line_has_group(line, group) || !can_send(line))
            continue;
        if (is_own_number(line, fax)) {
            own = line;
            continue;
        }
        others = true;
        if (!line_is_free(line))
            continue;
        if (!failed_last(line, fax))
            return line;
        failed = line;
    }
    if (failed != NULL)
        return failed;
    return !others && own != NULL && line_is_free(own) ? own : NULL;
}

/* --- a run --- */

/* Start what can be started for the group of this line. Returns the number of calls begun, or an error. */
static int serve_group(struct scheduler *scheduler, const char *group, bool test, int room)
{
    int started = 0;

    while (started < room) {
        struct fax fax = {0};
        struct line *line;
        int error = claim_next(&fax, scheduler->options.spool, group, test);

        if (error == ERR_NOT_FOUND)
            return started;
        if (error == ERR_AGAIN) {
            loop_timer_at(scheduler->timer, 0);
            return started;
        }
        if (error != 0)
            return error;
        line = scheduler_choose(scheduler->options.lines, group, &fax, scheduler->turn++);
        if (line == NULL) {
            fax_clear(&fax);
            return started;
        }
        error = outbound_start(scheduler->options.outbound, line, &fax);
        fax_clear(&fax);
        if (error != 0)
            return error;
        started++;
    }
    loop_timer_at(scheduler->timer, 0);
    return started;
}

/* The groups that this run has looked at. */
struct served {
    struct {
        const char *group;
        bool test;
    } groups[GROUPS_MAX];
    int count;
};

static bool serve_once(struct served *served, const char *group, bool test)
{
    for (int i = 0; i < served->count; i++)
        if (served->groups[i].test == test && strcmp(served->groups[i].group, group) == 0)
            return false;
    if (served->count < GROUPS_MAX) { /* beyond it a group is looked at for each of its lines: slower, no worse */
        served->groups[served->count].group = group;
        served->groups[served->count++].test = test;
    }
    return true;
}

static int serve_all(struct scheduler *scheduler)
{
    const struct line_table *lines = scheduler->options.lines;
    struct served served = {.count = 0};
    int room = STARTS_MAX;

    for (int i = 0; i < line_count(lines); i++) {
        const struct line *line = line_at(lines, i);

        if (!line_is_free(line) || !can_send(line))
            continue;
        for (char **group = line->groups; *group != NULL && room > 0; group++) {
            int started = 0;

            if (serve_once(&served, *group, line->simulated))
                started = serve_group(scheduler, *group, line->simulated, room);
            if (started < 0)
                return started;
            room -= started;
        }
    }
    return 0;
}

void scheduler_run(struct scheduler *scheduler)
{
    int64_t next_at = 0;
    int moved;

    if (scheduler->closed)
        return;
    moved = claim_promote(&next_at, scheduler->options.spool, clock_now_ms(), PROMOTE_MAX);
    if (moved >= 0 && next_at != 0)
        loop_timer_at(scheduler->timer, moved == PROMOTE_MAX ? 0 : next_at);
    if (moved < 0 || serve_all(scheduler) != 0) {
        log_error("queue cannot be worked off: %s", err_message());
        loop_timer_at(scheduler->timer, clock_now_ms() + 5000);
    }
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    (void)fd;
    (void)what;
    scheduler_run(argument);
}

static void on_change(void *context, unsigned changes)
{
    if ((changes & SPOOL_CHANGE_QUEUE) != 0)
        scheduler_run(context);
}

int scheduler_new(struct scheduler **out, const struct scheduler_options *options)
{
    struct scheduler *scheduler = xcalloc(1, sizeof *scheduler);

    scheduler->options = *options;
    scheduler->timer = evtimer_new(options->base, on_timer, scheduler);
    spool_listen(options->spool, on_change, scheduler);
    *out = scheduler;
    return 0;
}

void scheduler_free(struct scheduler *scheduler)
{
    if (scheduler == NULL)
        return;
    event_free(scheduler->timer);
    free(scheduler);
}

void scheduler_close(struct scheduler *scheduler)
{
    scheduler->closed = true;
    evtimer_del(scheduler->timer);
}
