/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Both sides of a spawner: the small program that forks a child for each job, and the owner's way to start it. */
#include "config.h"

#include "server/base/spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/base/err.h"
#include "server/base/fdpass.h"
#include "server/base/log.h"

struct job {
    char *text; /* FDPASS_BYTES_MAX + 1 octets; ended with NUL */
    int fds[FDPASS_MAX];
    int count;
};

static void run_in_child(int socket, struct job *job, spawner_job_fn run, void *context)
{
    close(socket); /* or the owner's death would not be seen while a child lives */
    signal(SIGCHLD, SIG_DFL);
    int status = run(job->text, job->fds, job->count, context);
    free(job->text);
    exit(status);
}

static void start_job(int socket, struct job *job, spawner_job_fn run, void *context)
{
    fflush(NULL); /* or the child would write the parent's buffers a second time */
    pid_t pid = fork();
    if (pid == 0)
        run_in_child(socket, job, run, context);
    if (pid < 0)
        log_error("cannot start a job: fork: %s", strerror(errno));
    for (int i = 0; i < job->count; i++)
        close(job->fds[i]);
}

static void reap(int signal_number)
{
    int saved = errno;
    (void)signal_number;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    errno = saved;
}

void spawner_reap_children(void)
{
    struct sigaction action = {.sa_handler = reap, .sa_flags = SA_RESTART | SA_NOCLDSTOP};
    sigaction(SIGCHLD, &action, NULL);
}

int spawner_serve(int socket, spawner_job_fn run, void *context)
{
    spawner_reap_children();
    struct job job = {.text = xmalloc(FDPASS_BYTES_MAX + 1)};
    int status = EXIT_SUCCESS;
    bool serving = true;
    while (serving) {
        job.count = FDPASS_MAX;
        ssize_t got = fdpass_receive(socket, job.text, FDPASS_BYTES_MAX, job.fds, &job.count);
        if (got > 0) {
            job.text[got] = '\0';
            start_job(socket, &job, run, context);
        } else if (got == ERR_TOO_BIG) {
            log_error("a job was refused: %s", err_message());
        } else {
            serving = false;
            if (got != ERR_CLOSED) {
                log_error("no more jobs: %s", err_message());
                status = EXIT_FAILURE;
            }
        }
    }
    free(job.text);
    return status;
}

/* { program, "--spawner", extra..., NULL }; the caller frees the array, not the texts. */
static char **build_arguments(const char *program, const char *const *extra)
{
    size_t count = 0;
    while (extra && extra[count])
        count++;
    char **arguments = xcalloc(count + 3, sizeof *arguments);
    arguments[0] = (char *)program;
    arguments[1] = (char *)"--spawner";
    for (size_t i = 0; i < count; i++)
        arguments[2 + i] = (char *)extra[i];
    return arguments;
}

/* The job socket moves to its place before standard input is replaced: it may be descriptor 0 itself. Standard output
 * is given up: a call that outlives its owner must not keep open the pipe that somebody reads the owner's words from.
 */
static int plan_descriptors(posix_spawn_file_actions_t *actions, int socket)
{
    int rc = posix_spawn_file_actions_adddup2(actions, socket, SPAWNER_FD);
    if (rc == 0)
        rc = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(actions, STDERR_FILENO, STDOUT_FILENO);
    if (rc == 0)
        rc = posix_spawn_file_actions_addclosefrom_np(actions, SPAWNER_FD + 1);
    return rc;
}

/* Signals start afresh, since the host's threads block them. A session of its own keeps the terminal's Ctrl-C for faxd,
 * and the terminal out of reach of code that decodes a stranger's bytes. */
static int plan_signals(posix_spawnattr_t *attributes)
{
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(attributes, &none);
    posix_spawnattr_setsigdefault(attributes, &all);
    return posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
}

/* Ours, and that libraries are bound once, before the program forks, and not again in each child. The texts are
 * borrowed; the caller frees the list. */
static char **build_environment(void)
{
    static char bind_now[] = "LD_BIND_NOW=1";
    size_t count = 0;
    while (environ[count] != NULL)
        count++;
    char **list = xcalloc(count + 2, sizeof(*list));
    memcpy(list, environ, count * sizeof(*list));
    list[count] = bind_now;
    return list;
}

static int spawn_with_socket(pid_t *pid, const char *program, const char *const *extra, int socket)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    char **arguments = build_arguments(program, extra), **environment = build_environment();
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    int rc = plan_descriptors(&actions, socket);
    if (rc == 0)
        rc = plan_signals(&attributes);
    if (rc == 0)
        rc = posix_spawn(pid, program, &actions, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    free(environment);
    free(arguments);
    return rc == 0 ? 0 : err_set(ERR_IO, "cannot start %s: %s", program, strerror(rc));
}

int spawner_start(int *socket, pid_t *pid, const char *program, const char *const *extra)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return err_set(ERR_IO, "cannot start %s: socketpair: %s", program, strerror(errno));
    int rc = spawn_with_socket(pid, program, extra, pair[1]);
    close(pair[1]);
    if (rc == 0)
        *socket = pair[0];
    else
        close(pair[0]);
    return rc;
}
