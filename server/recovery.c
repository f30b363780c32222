/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is true after a crash. On the route only when something died: it hands open attempts back to outbound and
 * inbound, with a call that goes on or with nothing but the journal. */
#include <config.h> /* in quotes it would be server/config.h */

#include "server/recovery.h"

#include "server/base/err.h"
#include "server/base/journal.h"
#include "server/base/log.h"
#include "server/call_file.h"
#include "server/host.h"
#include "server/inbound.h"
#include "server/outbound.h"
#include "spool/attempt.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#define LOOK_AGAIN_MS 100
#define HELD_WARNING  600 /* looks until the log tells that a journal is still held: a minute */

struct open_call {
    struct attempt attempt;
    enum fax_direction direction;
    bool dead; /* no host has it: only the journal is waited for */
    int looks;
    TAILQ_ENTRY(open_call) link;
};

struct recovery {
    struct recovery_options options;
    TAILQ_HEAD(open_call_list, open_call) calls;
    int count;
    struct event *timer;
};

/* --- the list --- */

static void arm(struct recovery *recovery)
{
    struct timeval delay = {0, LOOK_AGAIN_MS * 1000};

    if (recovery->count > 0 && !evtimer_pending(recovery->timer, NULL))
        evtimer_add(recovery->timer, &delay);
}

static void add(struct recovery *recovery, const struct attempt *attempt, enum fax_direction direction, bool dead)
{
    struct open_call *call = xcalloc(1, sizeof *call);

    call->attempt = *attempt;
    call->direction = direction;
    call->dead = dead;
    TAILQ_INSERT_TAIL(&recovery->calls, call, link);
    recovery->count++;
    arm(recovery);
}

static void drop(struct recovery *recovery, struct open_call *call)
{
    TAILQ_REMOVE(&recovery->calls, call, link);
    recovery->count--;
    free(call);
}

/* --- the verdict --- */

static void decide(struct recovery *recovery, struct open_call *call, bool ordered)
{
    struct attempt attempt;
    int error = attempt_get(&attempt, recovery->options.spool, call->attempt.id); /* as it is now */

    if (error == 0 && attempt.ended_at == 0)
        error = call->direction == FAX_OUTBOUND ? outbound_decide(recovery->options.outbound, &attempt, ordered)
                                                : inbound_decide(recovery->options.inbound, &attempt);
    if (error != 0)
        log_error("open call cannot be decided attempt=%lld line=%s/%s: %s", (long long)call->attempt.id,
                  call->attempt.provider, call->attempt.line, err_message());
    drop(recovery, call);
}

static bool is_held(struct recovery *recovery, struct open_call *call)
{
    char path[CALL_FILE_PATH_SIZE];

    if (attempt_journal_path(path, sizeof path, recovery->options.spool, call->attempt.id) != 0)
        return false;
    if (!journal_is_held(path))
        return false;
    if (++call->looks == HELD_WARNING)
        log_warning("a process still has a call whose host is gone attempt=%lld line=%s/%s",
                    (long long)call->attempt.id, call->attempt.provider, call->attempt.line);
    return true;
}

/* A call that waits for its host is dead as well once that host cannot be had. */
static bool is_dead(const struct recovery *recovery, const struct open_call *call)
{
    const struct host *host;

    if (call->dead)
        return true;
    host = recovery->options.host_of(recovery->options.context, call->attempt.provider);
    return host == NULL || host_is_gone(host);
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    struct recovery *recovery = argument;
    struct open_call *call, *next;

    (void)fd;
    (void)what;
    for (call = TAILQ_FIRST(&recovery->calls); call != NULL; call = next) {
        next = TAILQ_NEXT(call, link);
        if (is_dead(recovery, call) && !is_held(recovery, call))
            decide(recovery, call, true);
    }
    arm(recovery);
}

/* --- from outside --- */

int recovery_new(struct recovery **out, const struct recovery_options *options)
{
    struct recovery *recovery = xcalloc(1, sizeof *recovery);

    recovery->options = *options;
    TAILQ_INIT(&recovery->calls);
    recovery->timer = evtimer_new(options->base, on_timer, recovery);
    *out = recovery;
    return 0;
}

void recovery_free(struct recovery *recovery)
{
    if (recovery == NULL)
        return;
    while (!TAILQ_EMPTY(&recovery->calls))
        drop(recovery, TAILQ_FIRST(&recovery->calls));
    event_free(recovery->timer);
    free(recovery);
}

/* The host had told the end of this received call, and its pages were on their way in. */
static bool was_told(struct recovery *recovery, const struct attempt *attempt)
{
    char path[CALL_FILE_PATH_SIZE];

    return call_file_path(path, recovery->options.spool, attempt->provider, CALL_FILE_END, attempt->id) == 0 &&
           access(path, F_OK) == 0;
}

static void take_up(void *context, const struct attempt *attempt, enum fax_direction direction)
{
    struct recovery *recovery = context;
    bool configured = recovery->options.host_of(recovery->options.context, attempt->provider) != NULL;
    bool told = direction == FAX_INBOUND && was_told(recovery, attempt);

    log_info("open call found attempt=%lld line=%s/%s", (long long)attempt->id, attempt->provider, attempt->line);
    add(recovery, attempt, direction, told || !configured);
}

int recovery_begin(struct recovery *recovery)
{
    return attempt_each_open(recovery->options.spool, take_up, recovery);
}

static bool is_listed(uint64_t job, const uint64_t *jobs, int count)
{
    for (int i = 0; i < count; i++)
        if (jobs[i] == job)
            return true;
    return false;
}

/* The call runs on: put it back on its line. */
static int put_back(struct recovery *recovery, const struct open_call *call, const struct host *host)
{
    struct line *line = line_by_index(recovery->options.lines, host, (uint32_t)call->attempt.line_index);
    struct fax fax = {0};
    int error;

    if (line == NULL || line->job.id != 0)
        return err_set(ERR_CONFLICT, "line %d of the provider is not there, or busy", call->attempt.line_index);
    error = fax_get(&fax, recovery->options.spool, call->attempt.fax);
    if (error == 0) {
        line_job_begin(recovery->options.lines, line, &call->attempt, &fax);
        log_info("call goes on fax=%s line=%s attempt=%lld", fax.public_id, line->id, (long long)call->attempt.id);
    }
    fax_clear(&fax);
    return error;
}

static void adopt(struct recovery *recovery, struct open_call *call, const struct host *host)
{
    if (put_back(recovery, call, host) == 0) {
        drop(recovery, call);
        return;
    }
    log_error("call cannot be taken up attempt=%lld provider=%s: %s", (long long)call->attempt.id,
              call->attempt.provider, err_message());
    call->dead = true; /* it is aborted with the host's other strangers; its journal will tell */
}

/* A host may have calls that the store knows as ended, or not at all: nobody waits for them. */
static void abort_strangers(struct recovery *recovery, struct host *host, const uint64_t *jobs, int count)
{
    for (int i = 0; i < count; i++) {
        struct link_message abort = {.type = LINK_ABORT, .job = jobs[i]};
        struct attempt attempt;

        if (line_by_job(recovery->options.lines, jobs[i]) != NULL)
            continue;
        if (attempt_get(&attempt, recovery->options.spool, (int64_t)jobs[i]) == 0 && attempt.ended_at != 0)
            continue; /* ended, and only its acknowledgement is missing */
        log_warning("provider=%s has an unknown call job=%llu: aborted", host_name(host), (unsigned long long)jobs[i]);
        if (host_order(host, &abort, -1) != 0)
            log_warning("provider=%s cannot be told: %s", host_name(host), err_message());
    }
}

void recovery_ready(struct recovery *recovery, struct host *host, const uint64_t *jobs, int count)
{
    struct open_call *call, *next;

    for (call = TAILQ_FIRST(&recovery->calls); call != NULL; call = next) {
        next = TAILQ_NEXT(call, link);
        if (call->dead || strcmp(call->attempt.provider, host_name(host)) != 0)
            continue;
        if (strcmp(call->attempt.run, host_run(host)) != 0)
            call->dead = true; /* an earlier host had it */
        else if (is_listed((uint64_t)call->attempt.id, jobs, count))
            adopt(recovery, call, host);
        else
            decide(recovery, call, false);
    }
    abort_strangers(recovery, host, jobs, count);
    arm(recovery);
}

void recovery_lost(struct recovery *recovery, struct line *line)
{
    enum fax_direction direction = line->job.direction;
    struct attempt attempt;
    int error = attempt_get(&attempt, recovery->options.spool, (int64_t)line->job.id);

    if (error != 0)
        log_error("lost call cannot be found fax=%s line=%s: %s", line->job.fax_id, line->id, err_message());
    if (direction == FAX_OUTBOUND)
        outbound_lost(recovery->options.outbound, line);
    else
        inbound_lost(recovery->options.inbound, line);
    if (error == 0)
        add(recovery, &attempt, direction, true);
}

int recovery_count(const struct recovery *recovery)
{
    return recovery->count;
}
