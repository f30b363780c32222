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
#include "server/base/str.h"
#include "spool/claim.h"
#include "spool/outbound_rule.h"
#include "spool/spool.h"

#include <stdlib.h>
#include <string.h>

#define PROMOTE_MAX    1000 /* scheduled faxes that become queued in one run */
#define QUEUE_KEY_SIZE 72   /* the name of a group, or the key of a rule */
#define STARTS_MAX     64   /* calls begun in one run: one turn must not take for ever */

_Static_assert(QUEUE_KEY_SIZE >= OUTBOUND_KEY_SIZE && QUEUE_KEY_SIZE >= OUTBOUND_GROUP_SIZE, "keys fit");

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

/* --- queues --- */

/* A group of the lines, as it is at the beginning of a run. */
struct group {
    const char *name;
    bool test;   /* lines of a simulator, for faxes of test keys */
    bool usable; /* a line could send, now or after its call */
    bool free;   /* or now */
};

struct groups {
    struct group *list;
    int count, room;
};

/* What a group's lines work off: its own queue, and those of rules that have come to it. */
struct queue {
    char key[QUEUE_KEY_SIZE];
    int step; /* of its rule that the group is; -1 = not to be noted */
};

struct queues {
    struct queue *list;
    int count, room;
};

static void add_group(struct groups *groups, const char *name, const struct line *line)
{
    int at = 0;

    while (at < groups->count && (groups->list[at].test != line->simulated || strcmp(groups->list[at].name, name) != 0))
        at++;
    if (at == groups->room) {
        groups->room = groups->room > 0 ? 2 * groups->room : 16;
        groups->list = xrealloc(groups->list, (size_t)groups->room * sizeof *groups->list);
    }
    if (at == groups->count)
        groups->list[groups->count++] = (struct group){.name = name, .test = line->simulated};
    if (!can_send(line) || line->unavailable != NULL || (line->state != LINE_IDLE && line->state != LINE_BUSY))
        return;
    groups->list[at].usable = true;
    groups->list[at].free |= line_is_free(line);
}

static void find_groups(struct groups *groups, const struct line_table *lines)
{
    for (int i = 0; i < line_count(lines); i++) {
        const struct line *line = line_at(lines, i);

        for (char **group = line->groups; *group != NULL; group++)
            add_group(groups, *group, line);
    }
}

static bool is_usable(const struct groups *groups, const char *name)
{
    for (int i = 0; i < groups->count; i++)
        if (!groups->list[i].test && strcmp(groups->list[i].name, name) == 0)
            return groups->list[i].usable;
    return false;
}

/* The group that a rule's queue has come to: the first that can send, from its step on; when none of these can, any
 * other of the rule. -1 = none can. */
static int group_of(const struct groups *groups, const struct outbound_rule *rule, int step)
{
    for (int i = 0; i < rule->group_count; i++) {
        int at = (step + i) % rule->group_count;

        if (is_usable(groups, rule->groups[at]))
            return at;
    }
    return -1;
}

static void add_queue(struct queues *queues, const char *key, int step)
{
    if (queues->count == queues->room) {
        queues->room = queues->room > 0 ? 2 * queues->room : 4;
        queues->list = xrealloc(queues->list, (size_t)queues->room * sizeof *queues->list);
    }
    str_copy(queues->list[queues->count].key, QUEUE_KEY_SIZE, key);
    queues->list[queues->count++].step = step;
}

/* Faxes under a rule, or under a group of it, that does not hold any more are looked at by any group: claim_next()
 * sends them elsewhere. */
static void add_rule(struct queues *queues, const struct groups *groups, const struct outbound_rule *rule,
                     const char *group)
{
    char key[OUTBOUND_KEY_SIZE];

    for (int step = 0; step < OUTBOUND_GROUPS_MAX; step++) {
        bool gone = !rule->enabled || step >= rule->group_count;
        int at = gone ? -1 : group_of(groups, rule, step);

        if (gone)
            add_queue(queues, outbound_rule_key(key, rule, step), -1);
        else if (at >= 0 && strcmp(rule->groups[at], group) == 0)
            add_queue(queues, outbound_rule_key(key, rule, step), at > step ? at : -1);
    }
}

static void find_queues(struct queues *queues, struct scheduler *scheduler, const struct groups *groups,
                        const char *group, bool test)
{
    const struct outbound_rule *rule;

    add_queue(queues, group, -1);
    for (int i = 0; !test && (rule = outbound_rule_at(scheduler->options.spool, i)) != NULL; i++)
        add_rule(queues, groups, rule, group);
}

/* --- a run --- */

static bool comes_before(const struct fax *one, const struct fax *other)
{
    return one->priority != other->priority ? one->priority < other->priority : one->id < other->id;
}

/* The best fax of all queues, and which one it is from; empty ones are left out from then on. `*again`: there may be
 * more at the heads than was looked at. */
static int claim_best(struct fax *best, int *from, bool *again, struct scheduler *scheduler, struct queues *queues,
                      bool test)
{
    *from = -1;
    for (int i = 0; i < queues->count;) {
        struct fax fax = {0};
        int error = claim_next(&fax, scheduler->options.spool, queues->list[i].key, test);

        if (error == ERR_AGAIN)
            *again = true;
        else if (error != 0 && error != ERR_NOT_FOUND)
            return error;
        if (error != 0) {
            queues->list[i] = queues->list[--queues->count];
            continue;
        }
        if (*from < 0 || comes_before(&fax, best)) {
            if (*from >= 0)
                fax_clear(best);
            *best = fax;
            *from = i;
        } else {
            fax_clear(&fax);
        }
        i++;
    }
    return *from < 0 ? ERR_NOT_FOUND : 0;
}

static int start(struct scheduler *scheduler, struct line *line, struct fax *fax, int step)
{
    int error = step >= 0 ? outbound_rule_used(scheduler->options.spool, fax, step) : 0;

    return error == 0 ? outbound_start(scheduler->options.outbound, line, fax) : error;
}

/* Start what can be started for a group with a free line. Returns the number of calls begun, or an error. */
static int serve_group(struct scheduler *scheduler, const struct groups *groups, const char *group, bool test, int room)
{
    struct queues queues = {.list = NULL};
    int started = 0, error = 0;
    bool again = false;

    find_queues(&queues, scheduler, groups, group, test);
    while (started < room && error == 0) {
        struct fax fax = {0};
        struct line *line;
        int from;

        error = claim_best(&fax, &from, &again, scheduler, &queues, test);
        if (error != 0) {
            if (from >= 0)
                fax_clear(&fax);
            break;
        }
        line = scheduler_choose(scheduler->options.lines, group, &fax, scheduler->turn++);
        if (line != NULL)
            error = start(scheduler, line, &fax, queues.list[from].step);
        fax_clear(&fax);
        if (line == NULL)
            break;
        started += error == 0;
    }
    free(queues.list);
    if (again || started == room)
        loop_timer_at(scheduler->timer, 0);
    return error == 0 || error == ERR_NOT_FOUND ? started : error;
}

static int serve_all(struct scheduler *scheduler)
{
    struct groups groups = {.list = NULL};
    int room = STARTS_MAX, started = 0;

    find_groups(&groups, scheduler->options.lines);
    for (int i = 0; i < groups.count && room > 0 && started >= 0; i++) {
        started = 0;
        if (groups.list[i].free)
            started = serve_group(scheduler, &groups, groups.list[i].name, groups.list[i].test, room);
        room -= started;
    }
    free(groups.list);
    return started < 0 ? started : 0;
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
