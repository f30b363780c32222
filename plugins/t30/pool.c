/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A spawner that keeps count of its engines' calls. It reads no job, only passes it on. */
#include "config.h"

#include "plugins/t30/pool.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/base/err.h"
#include "server/base/fdpass.h"
#include "server/base/log.h"
#include "server/base/spawner.h"

#define ENGINES_MAX 4096 /* two descriptors each; a job beyond is refused */

struct pool {
    int owner;
    int calls_per_engine;
    pool_engine_fn engine;
    int count;
    struct pollfd *polls; /* polls[0] is the owner, polls[i + 1] engine i */
    int *calls;           /* of engine i */
};

static void remove_engine(struct pool *pool, int index)
{
    close(pool->polls[index + 1].fd);
    pool->count--;
    pool->polls[index + 1] = pool->polls[pool->count + 1];
    pool->calls[index] = pool->calls[pool->count];
}

/* In the child: everything of the spawner goes, the job at hand too (it comes again over `jobs`), or the ends of other
 * calls would not be seen. */
static _Noreturn void become_engine(struct pool *pool, int jobs)
{
    pool_engine_fn engine = pool->engine;
    int calls = pool->calls_per_engine;

    free(pool->polls);
    free(pool->calls);
    if (jobs != SPAWNER_FD && dup2(jobs, SPAWNER_FD) < 0)
        _exit(EXIT_FAILURE);
    closefrom(SPAWNER_FD + 1);
    signal(SIGCHLD, SIG_DFL);
    _exit(engine(SPAWNER_FD, calls));
}

/* A new engine without calls: its index, or -1. */
static int start_engine(struct pool *pool)
{
    int pair[2];
    pid_t pid;

    if (pool->count == ENGINES_MAX || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return -1;
    fflush(NULL);
    pid = fork();
    if (pid == 0)
        become_engine(pool, pair[1]);
    close(pair[1]);
    if (pid < 0) {
        close(pair[0]);
        return -1;
    }
    pool->polls[pool->count + 1] = (struct pollfd){.fd = pair[0], .events = POLLIN};
    pool->calls[pool->count] = 0;
    return pool->count++;
}

static int find_room(const struct pool *pool)
{
    int i;

    for (i = 0; i < pool->count; i++)
        if (pool->calls[i] < pool->calls_per_engine)
            return i;
    return -1;
}

/* Hand a job to an engine with room; one that died meanwhile is removed and the next is tried. */
static void place_job(struct pool *pool, const char *text, size_t size, const int *fds, int count)
{
    int index, error;

    for (;;) {
        index = find_room(pool);
        if (index < 0)
            index = start_engine(pool);
        if (index < 0) {
            log_error("cannot start an engine: %s", strerror(errno));
            return;
        }
        error = fdpass_send(pool->polls[index + 1].fd, text, size, fds, count);
        if (error == 0) {
            pool->calls[index]++;
            return;
        }
        remove_engine(pool, index);
        if (error != ERR_CLOSED) {
            log_error("cannot hand a call to an engine: %s", err_message());
            return;
        }
    }
}

/* Take one job from the owner: false when there will be no more. */
static bool take_job(struct pool *pool, char *text)
{
    int fds[FDPASS_MAX];
    int count = FDPASS_MAX, i;
    ssize_t size = fdpass_receive(pool->owner, text, FDPASS_BYTES_MAX, fds, &count);

    if (size == ERR_TOO_BIG || size == ERR_AGAIN)
        return true;
    if (size <= 0)
        return false;
    place_job(pool, text, (size_t)size, fds, count);
    explicit_bzero(text, (size_t)size); /* what the next engine need not know: a path may have keys */
    for (i = 0; i < count; i++)
        close(fds[i]);
    return true;
}

/* An engine says that a call has ended, or has itself. */
static void hear_engine(struct pool *pool, int index)
{
    char octet;
    ssize_t got = recv(pool->polls[index + 1].fd, &octet, 1, MSG_DONTWAIT);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0 || --pool->calls[index] <= 0)
        remove_engine(pool, index);
}

int pool_serve(int socket, int calls_per_engine, pool_engine_fn engine)
{
    struct pool pool = {.owner = socket, .calls_per_engine = calls_per_engine, .engine = engine};
    char *text = xmalloc(FDPASS_BYTES_MAX);
    bool serving = true;
    int i;

    spawner_reap_children();
    pool.polls = xcalloc(ENGINES_MAX + 1, sizeof *pool.polls);
    pool.calls = xcalloc(ENGINES_MAX, sizeof *pool.calls);
    pool.polls[0] = (struct pollfd){.fd = socket, .events = POLLIN};
    while (serving) {
        if (poll(pool.polls, (nfds_t)pool.count + 1, -1) < 0)
            continue;
        for (i = pool.count - 1; i >= 0; i--) /* downwards: removing moves the last one into the gap */
            if (pool.polls[i + 1].revents)
                hear_engine(&pool, i);
        if (pool.polls[0].revents)
            serving = take_job(&pool, text);
    }
    for (i = 0; i < pool.count; i++)
        close(pool.polls[i + 1].fd);
    free(pool.polls);
    free(pool.calls);
    free(text);
    return EXIT_SUCCESS;
}
