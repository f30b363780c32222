/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fork() and exec() by hand rather than posix_spawn(): a child gets limits and a death signal, and its signals as they
 * were before we ignored some. Between the two only what is safe in a copy of a program with threads is called. */
#include <config.h> /* in quotes it would be server/config.h */

#include "server/route/route_child.h"

#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SAID_MAX       600
#define STATUS_NOT_RUN 127
#define FILES          1024
#define STATUS_UNKNOWN (-1)

struct route_child {
    struct route_child_options options;
    pid_t pid;
    int pidfd, output;
    struct event *ended, *readable, *timer;
    bool terminated;
    char said[2 * SAID_MAX + 1];
    size_t length;
};

/* --- in the child --- */

static void fail(const char *program)
{
    const char *why = strerrordesc_np(errno); /* strerror() may allocate */

    if (write(2, program, strlen(program)) > 0 && write(2, ": ", 2) > 0 && why != NULL &&
        write(2, why, strlen(why)) > 0)
        _exit(STATUS_NOT_RUN);
    _exit(STATUS_NOT_RUN);
}

static void reset_signals(void)
{
    sigset_t none;

    sigemptyset(&none);
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void be_the_program(const struct route_child_options *options, int output, pid_t parent)
{
    const struct rlimit no_core = {0, 0};
    struct rlimit files;

    reset_signals();
    setsid();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(STATUS_NOT_RUN); /* it was too late */
    umask(077);
    setrlimit(RLIMIT_CORE, &no_core);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur > FILES) { /* ours is higher than others expect */
        files.rlim_cur = FILES;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    if (dup2(options->input, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0 || chdir(options->folder) != 0)
        fail(options->folder);
    close_range(3, ~0U, 0);
    execve(options->program, (char *const *)options->argv, (char *const *)options->environment);
    fail(options->program);
}

/* --- what it says --- */

static void keep_end(struct route_child *child)
{
    if (child->length <= SAID_MAX)
        return;
    memmove(child->said, child->said + child->length - SAID_MAX, SAID_MAX);
    child->length = SAID_MAX;
}

/* 1 = it said something, 0 = nothing more now, -1 = nothing more ever. */
static int read_some(struct route_child *child)
{
    ssize_t got = read(child->output, child->said + child->length, SAID_MAX);

    if (got <= 0)
        return got < 0 && (errno == EINTR || errno == EAGAIN) ? 0 : -1;
    child->length += (size_t)got;
    keep_end(child);
    return 1;
}

static void on_readable(evutil_socket_t fd, short what, void *argument)
{
    struct route_child *child = argument;

    (void)fd;
    (void)what;
    if (read_some(child) < 0)
        event_del(child->readable);
}

/* One line of UTF-8; the first character may have been cut. */
static const char *clean(struct route_child *child)
{
    char *text = child->said;
    size_t kept = 0;

    for (size_t i = 0; i < child->length; i++) {
        unsigned char octet = (unsigned char)text[i];
        bool blank = octet <= ' ' || octet == 127;

        if (!blank)
            text[kept++] = (char)octet;
        else if (kept > 0 && text[kept - 1] != ' ')
            text[kept++] = ' ';
    }
    while (kept > 0 && text[kept - 1] == ' ')
        kept--;
    text[kept] = '\0';
    while ((*text & 0xC0) == 0x80)
        text++;
    for (char *at = text; !str_is_utf8(text, strlen(text)) && *at != '\0'; at++)
        if ((unsigned char)*at > 127)
            *at = '?';
    return text;
}

/* --- its end --- */

static void child_free(struct route_child *child)
{
    if (child->ended != NULL)
        event_free(child->ended);
    if (child->readable != NULL)
        event_free(child->readable);
    if (child->timer != NULL)
        event_free(child->timer);
    if (child->pidfd >= 0)
        close(child->pidfd);
    close(child->output);
    free(child);
}

/* The group before its leader is gone for good: until then nobody else can have its number. */
static int reap(const struct route_child *child)
{
    int status;
    pid_t ended;

    kill(-child->pid, SIGKILL);
    kill(child->pid, SIGKILL);
    do
        ended = waitpid(child->pid, &status, 0);
    while (ended < 0 && errno == EINTR);
    return ended == child->pid ? status : STATUS_UNKNOWN;
}

static void on_ended(evutil_socket_t fd, short what, void *argument)
{
    struct route_child *child = argument;
    struct route_child_end end = {.timed_out = child->terminated};

    (void)fd;
    (void)what;
    for (int i = 0; i < 100 && read_some(child) > 0; i++) /* what others of its group say meanwhile is not waited for */
        continue;
    end.status = reap(child);
    end.said = clean(child);
    child->options.done(child->options.context, &end);
    child_free(child);
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    struct route_child *child = argument;
    struct timeval grace = {ROUTE_CHILD_GRACE_S, 0};

    (void)fd;
    (void)what;
    kill(-child->pid, child->terminated ? SIGKILL : SIGTERM);
    child->terminated = true;
    evtimer_add(child->timer, &grace);
}

void route_child_kill(struct route_child *child)
{
    if (child == NULL)
        return;
    reap(child);
    child_free(child);
}

char *route_child_describe(char *text, unsigned long size, const struct route_child_end *end)
{
    char how[80];

    if (end->timed_out)
        snprintf(how, sizeof how, "it did not end in time");
    else if (WIFSIGNALED(end->status))
        snprintf(how, sizeof how, "it was ended by signal %d", WTERMSIG(end->status));
    else if (WIFEXITED(end->status))
        snprintf(how, sizeof how, "it ended with status %d", WEXITSTATUS(end->status));
    else
        snprintf(how, sizeof how, "how it ended is not known");
    snprintf(text, size, "%s%s%s", how, *end->said != '\0' ? ": " : "", end->said);
    return text;
}

/* --- its beginning --- */

static int fork_child(struct route_child *child)
{
    struct route_child_options options = child->options;
    pid_t parent = getpid();
    int pipes[2], null = -1;

    if (options.input < 0)
        options.input = null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (options.input < 0 || pipe2(pipes, O_CLOEXEC) != 0) {
        if (null >= 0)
            close(null);
        return err_set(ERR_IO, "no descriptors for a program: %s", strerror(errno));
    }
    lseek(options.input, 0, SEEK_SET);
    child->pid = fork();
    if (child->pid == 0)
        be_the_program(&options, pipes[1], parent);
    close(pipes[1]);
    if (null >= 0)
        close(null);
    if (child->pid < 0) {
        close(pipes[0]);
        return err_set(ERR_IO, "cannot start a program");
    }
    child->output = pipes[0];
    fcntl(child->output, F_SETFL, O_NONBLOCK);
    return 0;
}

int route_child_start(struct route_child **out, const struct route_child_options *options)
{
    struct route_child *child = xcalloc(1, sizeof *child);
    struct timeval timeout = {options->timeout_s, 0};
    int error;

    child->options = *options;
    child->pidfd = -1;
    error = fork_child(child);
    if (error != 0) {
        free(child);
        return error;
    }
    child->pidfd = pidfd_open(child->pid, 0);
    if (child->pidfd < 0) {
        error = err_set(ERR_IO, "cannot watch a program: %s", strerror(errno));
        route_child_kill(child);
        return error;
    }
    child->ended = event_new(options->base, child->pidfd, EV_READ, on_ended, child);
    child->readable = event_new(options->base, child->output, EV_READ | EV_PERSIST, on_readable, child);
    child->timer = evtimer_new(options->base, on_timer, child);
    event_add(child->ended, NULL);
    event_add(child->readable, NULL);
    evtimer_add(child->timer, &timeout);
    *out = child;
    return 0;
}
