/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Life of a provider host as faxd sees it: adopt or start, greet, watch, restart. What its events mean for faxes is
 * server/outbound and server/inbound; this file keeps their order and acknowledges them after the commit. */
#include <config.h> /* in quotes it would be server/config.h */

#include "server/host.h"

#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/host_link.h"
#include "server/host_process.h"
#include "spool/spool.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONNECT_EVERY_MS    20
#define CONNECT_PATIENCE_MS 15000
#define BACKOFF_FIRST_MS    500
#define BACKOFF_LAST_MS     60000
#define LEAVE_PATIENCE_S    15
#define STEADY_MS           60000 /* up this long: the next failure starts with the first back-off again */

struct host {
    struct host_options options;
    const char *name;
    char *dir;
    char *config_text;
    enum host_state state;
    char reason[256];
    struct host_link *link;
    pid_t pid;
    int pidfd;
    struct event *pid_event, *timer;
    char run[HOST_RUN_SIZE];
    uint64_t seen;    /* last event number applied in this run */
    uint64_t acked;   /* last number acknowledged to the host */
    bool ack_waiting; /* an after-commit callback is on its way */
    uint64_t *jobs;   /* that the host listed in its greeting */
    int job_count, job_room;
    bool may_restart; /* false once we are leaving */
    bool stop_sent;
    int restarts, backoff_ms;
    int64_t connect_until, up_since;
};

static void arm(struct host *host, int delay_ms)
{
    struct timeval delay = {delay_ms / 1000, delay_ms % 1000 * 1000};

    evtimer_add(host->timer, &delay);
}

/* Its lines know whether they may have new calls. */
static void set_state(struct host *host, enum host_state state)
{
    host->state = state;
    for (int i = 0; i < line_count(host->options.lines); i++) {
        struct line *line = line_at(host->options.lines, i);

        if (line->host == host)
            line->open = state == HOST_UP;
    }
}

static void lines_set_down(struct host *host)
{
    for (int i = 0; i < line_count(host->options.lines); i++) {
        struct line *line = line_at(host->options.lines, i);

        if (line->host == host)
            line->state = LINE_DOWN;
    }
}

/* Calls that may still end by themselves: one on a lost line does not. */
static bool has_jobs(const struct host *host)
{
    for (int i = 0; i < line_count(host->options.lines); i++) {
        const struct line *line = line_at(host->options.lines, i);

        if (line->host == host && line->job.id != 0 && line->state != LINE_LOST)
            return true;
    }
    return false;
}

static void send_plain(struct host *host, enum link_type type)
{
    struct link_message message = {.type = type};

    if (host->link != NULL && host_link_send(host->link, &message, -1) != 0)
        log_warning("provider=%s did not take %s: %s", host->name, link_type_name(type), err_message());
}

/* It has the time of an abort to leave, and is killed then: a provider may hang in its shutdown. */
static void tell_to_leave(struct host *host)
{
    host->stop_sent = true;
    if (host->link != NULL)
        send_plain(host, LINK_STOP);
    else
        pidfd_send_signal(host->pidfd, SIGTERM, NULL, 0);
    arm(host, (host->options.provider->abort_grace_s + LEAVE_PATIENCE_S) * 1000);
}

/* A draining host whose last job is done is told to leave. */
static void stop_when_idle(struct host *host)
{
    if (host->state != HOST_DRAINING || host->stop_sent || has_jobs(host))
        return;
    tell_to_leave(host);
}

/* --- events --- */

static void acknowledge(void *context, int error)
{
    struct host *host = context;
    struct link_message message = {.type = LINK_ACK, .number = host->seen};

    host->ack_waiting = false;
    if (error != 0 || host->link == NULL || host->seen == host->acked)
        return;
    if (host_link_send(host->link, &message, -1) == 0)
        host->acked = host->seen;
    stop_when_idle(host);
}

static void on_batch(void *context)
{
    struct host *host = context;

    if (host->seen == host->acked || host->ack_waiting)
        return;
    if (host_run_set(host->options.spool, host->name, host->run, host->seen) != 0) {
        log_error("provider=%s events cannot be recorded: %s", host->name, err_message());
        return;
    }
    host->ack_waiting = true;
    spool_after_commit(host->options.spool, acknowledge, host);
    host->options.handler.idle(host->options.handler.context);
}

static void on_fault(struct host *host, const struct link_message *message)
{
    struct line *line = message->line != LINK_NO_LINE ? line_by_index(host->options.lines, host, message->line) : NULL;

    log_warning("provider=%s line=%s fault: %s", host->name, line != NULL ? line->id : "-",
                message->text != NULL ? message->text : "no reason given");
    if (line == NULL || (message->flags & LINK_FLAG_LOST) == 0)
        return;
    line->state = LINE_LOST;
    snprintf(host->reason, sizeof host->reason, "line %s does not answer", line->name);
    host_drain(host, true);
}

static void on_event(struct host *host, const struct link_message *message)
{
    struct host_handler *handler = &host->options.handler;
    struct line *line;

    if (message->number <= host->seen)
        return; /* had it: a host may replay more than it was asked for */
    host->seen = message->number;
    if (message->type == LINK_FAULT) {
        on_fault(host, message);
    } else if (message->type == LINK_RING) {
        line = line_by_index(host->options.lines, host, message->line);
        if (line != NULL)
            handler->ring(handler->context, line, message->number, message->ring);
    } else if ((line = line_by_job(host->options.lines, message->job)) == NULL || line->host != host) {
        log_debug("provider=%s %s for job=%llu, which is over", host->name, link_type_name(message->type),
                  (unsigned long long)message->job);
    } else if (message->type == LINK_STATUS) {
        handler->status(handler->context, line, message);
    } else {
        handler->ended(handler->context, line, message);
    }
}

/* --- greeting --- */

static void say_hello(struct host *host)
{
    struct link_message message = {.type = LINK_HELLO, .version = LINK_VERSION, .run = host->run};

    host->seen = 0;
    host->job_count = 0;
    host->stop_sent = false;
    if (host_run_get(host->run, &host->seen, host->options.spool, host->name) != 0)
        host->run[0] = '\0';
    message.number = host->seen;
    set_state(host, HOST_GREETING);
    if (host_link_send(host->link, &message, -1) != 0)
        log_warning("provider=%s cannot be greeted: %s", host->name, err_message());
}

static void on_welcome(struct host *host, const struct link_message *message)
{
    const char *run = message->run != NULL ? message->run : "";

    if (message->version != LINK_VERSION) {
        snprintf(host->reason, sizeof host->reason, "the host speaks version %u, we speak %d", message->version,
                 LINK_VERSION);
        host_drain(host, true);
        return;
    }
    if (strcmp(run, host->run) != 0)
        host->seen = 0; /* another run: its numbers begin anew */
    snprintf(host->run, sizeof host->run, "%s", run);
    host->acked = host->seen;
}

static void on_device(struct host *host, const struct link_message *message)
{
    struct line *line = line_by_index(host->options.lines, host, message->line);

    if (line == NULL) {
        log_warning("provider=%s names line %u, which the configuration has not", host->name, message->line);
        return;
    }
    line->state = line->job.id != 0 ? LINE_BUSY : LINE_IDLE;
}

void host_enable_lines(struct host *host)
{
    for (int i = 0; i < line_count(host->options.lines); i++) {
        struct line *line = line_at(host->options.lines, i);
        struct link_message message = {.type = LINK_LINE_ENABLE, .line = (uint32_t)line->index};

        if (line->host != host)
            continue;
        message.flags = (line->send_enabled ? LINK_FLAG_SEND : 0) | (line->receive_enabled ? LINK_FLAG_RECEIVE : 0);
        host_order(host, &message, -1);
    }
}

static void on_ready(struct host *host)
{
    host->up_since = clock_mono_ms();
    set_state(host, HOST_UP);
    host->reason[0] = '\0';
    log_info("provider=%s is up pid=%d run=%s jobs=%d", host->name, (int)host->pid, host->run, host->job_count);
    host->options.handler.ready(host->options.handler.context, host, host->jobs, host->job_count);
    if (!host_process_config_is(host->dir, host->config_text)) {
        snprintf(host->reason, sizeof host->reason, "its configuration was changed");
        host_drain(host, true);
        return;
    }
    host_enable_lines(host);
    host->options.handler.idle(host->options.handler.context);
}

/* All of them count: a call that was left out would be taken for one that never began, and placed again. */
static void add_job(struct host *host, uint64_t job)
{
    if (host->job_count == host->job_room) {
        host->job_room = host->job_room == 0 ? 64 : host->job_room * 2;
        host->jobs = xrealloc(host->jobs, (unsigned long)host->job_room * sizeof *host->jobs);
    }
    host->jobs[host->job_count++] = job;
}

static void on_message(void *context, const struct link_message *message)
{
    struct host *host = context;

    switch (message->type) {
    case LINK_WELCOME:
        on_welcome(host, message);
        break;
    case LINK_DEVICE:
        on_device(host, message);
        break;
    case LINK_JOB:
        add_job(host, message->job);
        break;
    case LINK_READY:
        if (host->state == HOST_GREETING)
            on_ready(host);
        break;
    case LINK_STATE:
        host->options.handler.trunks(host->options.handler.context, host, message->text);
        break;
    case LINK_RING:
    case LINK_STATUS:
    case LINK_ENDED:
    case LINK_FAULT:
        on_event(host, message);
        break;
    case LINK_HELLO:
    case LINK_SEND:
    case LINK_RECEIVE:
    case LINK_REJECT:
    case LINK_ABORT:
    case LINK_REPORT:
    case LINK_LINE_ENABLE:
    case LINK_ACK:
    case LINK_DRAIN:
    case LINK_STOP:
    case LINK_TEST:
        log_warning("provider=%s sent an order (%s): dropped", host->name, link_type_name(message->type));
        break;
    }
}

/* --- death --- */

static void close_process(struct host *host)
{
    if (host->pid_event != NULL)
        event_free(host->pid_event);
    host->pid_event = NULL;
    if (host->pidfd >= 0)
        close(host->pidfd);
    host->pidfd = -1;
    host_link_close(host->link);
    host->link = NULL;
}

static void decide_lost_jobs(struct host *host)
{
    for (int i = 0; i < line_count(host->options.lines); i++) {
        struct line *line = line_at(host->options.lines, i);

        if (line->host == host && line->job.id != 0)
            host->options.handler.lost(host->options.handler.context, line);
    }
}

static void schedule_restart(struct host *host)
{
    if (!host->may_restart)
        return;
    if (host->up_since != 0 && clock_mono_ms() - host->up_since > STEADY_MS)
        host->backoff_ms = 0;
    host->backoff_ms = host->backoff_ms == 0 ? BACKOFF_FIRST_MS : host->backoff_ms * 2;
    if (host->backoff_ms > BACKOFF_LAST_MS)
        host->backoff_ms = BACKOFF_LAST_MS;
    host->restarts++;
    /* A host that was asked to leave is followed at once. */
    arm(host, host->state == HOST_DRAINING ? 0 : host->backoff_ms);
}

static void on_process_end(evutil_socket_t fd, short what, void *argument)
{
    struct host *host = argument;
    bool asked = host->stop_sent;
    int status = 0;

    (void)fd;
    (void)what;
    if (host->link != NULL)
        host_link_read_rest(host->link);
    if (waitpid(host->pid, &status, WNOHANG) == host->pid && !asked)
        snprintf(host->reason, sizeof host->reason, WIFSIGNALED(status) ? "ended by signal %d" : "left with status %d",
                 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    if (asked)
        log_info("provider=%s host has left pid=%d", host->name, (int)host->pid);
    else
        log_error("provider=%s host is gone pid=%d: %s", host->name, (int)host->pid,
                  host->reason[0] != '\0' ? host->reason : "it was not our child");
    close_process(host);
    lines_set_down(host);
    host->options.handler.trunks(host->options.handler.context, host, NULL);
    decide_lost_jobs(host);
    host->pid = 0;
    schedule_restart(host);
    set_state(host, HOST_STOPPED);
    host->options.handler.idle(host->options.handler.context);
}

/* The link broke, or its process died: the process decides. One that lives on without its link is of no use. */
static void on_closed(void *context)
{
    struct host *host = context;

    log_debug("provider=%s closed its link", host->name);
    if (host->pidfd >= 0 && !host->stop_sent)
        arm(host, 5000);
}

/* --- start --- */

static int watch_process(struct host *host, pid_t pid)
{
    host->pid = pid;
    host->pidfd = pidfd_open(pid, 0);
    if (host->pidfd < 0)
        return err_set(ERR_IO, "cannot watch process %d: %s", (int)pid, strerror(errno));
    host->pid_event = event_new(host->options.base, host->pidfd, EV_READ, on_process_end, host);
    event_add(host->pid_event, NULL);
    return 0;
}

static int connect_link(struct host *host)
{
    struct host_link_handler handler = {host, on_message, on_batch, on_closed};

    return host_link_open(&host->link, host->options.base, host->dir, &handler);
}

/* What its process is started with. */
static struct host_process process_of(const struct host *host)
{
    return (struct host_process){.program = host->options.program,
                                 .name = host->name,
                                 .module = host->options.module,
                                 .dir = host->dir,
                                 .config_text = host->config_text,
                                 .log_level = host->options.log_level,
                                 .abort_grace_s = host->options.provider->abort_grace_s,
                                 .orphan_grace_s = host->options.provider->orphan_grace_s};
}

static int start_process(struct host *host)
{
    struct host_process process = process_of(host);
    pid_t pid = 0;
    int error = host_process_start(&pid, &process);

    if (error == 0)
        error = watch_process(host, pid);
    if (error != 0)
        return error;
    set_state(host, HOST_STARTING);
    host->stop_sent = false;
    host->connect_until = clock_mono_ms() + CONNECT_PATIENCE_MS;
    log_info("provider=%s host started pid=%d module=%s", host->name, (int)pid, host->options.module);
    arm(host, CONNECT_EVERY_MS);
    return 0;
}

static void fail_start(struct host *host)
{
    snprintf(host->reason, sizeof host->reason, "%s", err_message());
    log_error("provider=%s cannot be started: %s", host->name, host->reason);
    close_process(host);
    set_state(host, HOST_STOPPED);
    schedule_restart(host);
}

void host_start(struct host *host)
{
    int error = connect_link(host);

    host->may_restart = true;
    if (error == 0) {
        if (watch_process(host, host_link_peer(host->link)) != 0) {
            fail_start(host);
            return;
        }
        log_info("provider=%s adopted pid=%d", host->name, (int)host->pid);
        say_hello(host);
    } else if (error != ERR_NOT_FOUND || start_process(host) != 0) {
        fail_start(host);
    }
}

/* The one timer: connect to a host that starts, end one that lost its link or does not leave, or start it again. */
static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    struct host *host = argument;

    (void)fd;
    (void)what;
    if (host->state == HOST_STOPPED) {
        if (host->may_restart)
            host_start(host);
    } else if (host->state == HOST_STARTING && !host->stop_sent && connect_link(host) == 0) {
        say_hello(host);
    } else if (host->state == HOST_STARTING && !host->stop_sent && clock_mono_ms() < host->connect_until) {
        arm(host, CONNECT_EVERY_MS);
    } else if (host->pidfd >= 0) {
        log_error("provider=%s host pid=%d does not answer: killed", host->name, (int)host->pid);
        pidfd_send_signal(host->pidfd, SIGKILL, NULL, 0);
    }
}

/* --- interface --- */

static void add_lines(struct host *host)
{
    const struct config_provider *provider = host->options.provider;

    for (int i = 0; i < provider->line_count; i++) {
        const struct config_line *line = &provider->lines[i];
        struct line_options options = {.provider = provider->name,
                                       .name = line->name,
                                       .number = line->number,
                                       .station_id = line->station_id,
                                       .groups = (const char *const *)line->groups,
                                       .index = i,
                                       .simulated = provider->simulated,
                                       .send_enabled = line->send,
                                       .receive_enabled = line->receive,
                                       .host = host};

        line_add(host->options.lines, &options);
    }
}

static int make_folder(const char *path)
{
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return err_set(ERR_IO, "cannot create %s: %s", path, strerror(errno));
    return 0;
}

int host_new(struct host **out, const struct host_options *options)
{
    struct host *host = xcalloc(1, sizeof *host);
    char *parent = xasprintf("%s/hosts", spool_state_dir(options->spool));
    char *calls = xasprintf("%s/%s", spool_call_dir(options->spool, 0), options->provider->name);
    json_t *config;
    int error;

    host->options = *options;
    host->options.program = xstrdup(options->program);
    host->options.module = xstrdup(options->module);
    host->name = options->provider->name;
    host->dir = xasprintf("%s/%s", parent, host->name);
    host->pidfd = -1;
    config = config_provider_json(options->provider, options->engine, calls);
    json_object_set_new(config, "module", json_string(options->module));
    host->config_text = json_dumps(config, JSON_COMPACT);
    json_decref(config);
    host->timer = evtimer_new(options->base, on_timer, host);
    error = make_folder(parent);
    if (error == 0)
        error = make_folder(host->dir);
    if (error == 0)
        error = make_folder(calls); /* the same one, unless calls have their files in memory */
    free(calls);
    free(parent);
    if (error != 0) {
        host_free(host);
        return error;
    }
    add_lines(host);
    *out = host;
    return 0;
}

void host_free(struct host *host)
{
    if (host == NULL)
        return;
    close_process(host);
    event_free(host->timer);
    free((char *)host->options.program);
    free((char *)host->options.module);
    free(host->jobs);
    free(host->config_text);
    free(host->dir);
    free(host);
}

int host_order(struct host *host, const struct link_message *order, int fd)
{
    if (host->link == NULL || (host->state != HOST_UP && host->state != HOST_DRAINING))
        return err_set(ERR_CLOSED, "provider %s does not run", host->name);
    return host_link_send(host->link, order, fd);
}

bool host_is_up(const struct host *host)
{
    return host->state == HOST_UP;
}

void host_drain(struct host *host, bool restart)
{
    host->may_restart = restart;
    if (host->state == HOST_STOPPED) {
        evtimer_del(host->timer);
        return;
    }
    if (host->state == HOST_STARTING) {
        host_stop(host);
        return;
    }
    set_state(host, HOST_DRAINING);
    if (host->reason[0] != '\0')
        log_info("provider=%s takes no new calls: %s", host->name, host->reason);
    stop_when_idle(host);
}

void host_stop(struct host *host)
{
    host->may_restart = false;
    evtimer_del(host->timer);
    if (host->state == HOST_STOPPED)
        return;
    if (host->link != NULL)
        set_state(host, HOST_DRAINING);
    if (host->link != NULL || host->pidfd >= 0)
        tell_to_leave(host);
}

bool host_is_gone(const struct host *host)
{
    return host->state == HOST_STOPPED;
}

const char *host_name(const struct host *host)
{
    return host->name;
}

const char *host_run(const struct host *host)
{
    return host->link != NULL ? host->run : "";
}

const char *host_dir(const struct host *host)
{
    return host->dir;
}

static const char *state_name(enum host_state state)
{
    switch (state) {
    case HOST_STOPPED:
        return "stopped";
    case HOST_STARTING:
    case HOST_GREETING:
        return "starting";
    case HOST_UP:
        return "up";
    case HOST_DRAINING:
        return "draining";
    case HOST_STATE_COUNT:
        break;
    }
    return "unknown";
}

int host_restarts(const struct host *host)
{
    return host->restarts;
}

json_t *host_json(const struct host *host)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:i}", "name", host->name, "module",
                     host->options.provider->module, "state", state_name(host->state), "reason", host->reason, "pid",
                     (int)host->pid, "lines", host->options.provider->line_count, "restarts", host->restarts);
}
