/* SPDX-License-Identifier: GPL-2.0-or-later */
/* faxd-t30, the T.30 engine: start order only.
 *
 *   faxd-t30 --spawner [--calls-per-engine N]
 *
 * is started by an FSP through plugins/common/engine with a socket as descriptor 3 (server/base/spawner.h). It warms up
 * and forks an engine for each call, or for up to N. An engine has its descriptors, closes the sandbox around itself,
 * and runs its loop. */
#include "config.h"

#include <errno.h>
#include <jansson.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "plugins/t30/call.h"
#include "plugins/t30/loop.h"
#include "plugins/t30/options.h"
#include "plugins/t30/pool.h"
#include "plugins/t30/rtp.h"
#include "plugins/t30/session.h"
#include "plugins/t30/watchdog.h"
#include "server/base/err.h"
#include "server/base/fdpass.h"
#include "server/base/log.h"
#include "server/base/sandbox.h"
#include "server/base/spawner.h"
#include "server/base/str.h"

#define CALLS_MAX         256
#define REALTIME_PRIORITY 1       /* before all ordinary work, behind all other real-time work */
#define REALTIME_LIMIT_US 2000000 /* without a pause; a page is made in a fiftieth of it */
#define CPU_ROOM_S        10      /* the call itself ends at its limit, with a record; the process only if it cannot */

/* An engine that takes calls from its spawner. */
struct engine {
    int calls_per_engine;
    bool fenced;
    char *text;
};

/* Between the end of what a modem hears and the command that it waits for are 75 ms. The clock of real-time work that
 * does not end is the process's limit. Before the sandbox, which has no way to ask. */
static void ask_for_realtime(void)
{
    const struct sched_param priority = {.sched_priority = REALTIME_PRIORITY};
    const struct rlimit limit = {.rlim_cur = REALTIME_LIMIT_US, .rlim_max = REALTIME_LIMIT_US};

    if (setrlimit(RLIMIT_RTTIME, &limit) != 0 || sched_setscheduler(0, SCHED_RR, &priority) != 0)
        log_warning("no real-time scheduling for a modem's call (%s): on a busy machine its answers may come too late; "
                    "the service needs CAP_SYS_NICE, or LimitRTPRIO=%d",
                    strerror(errno), REALTIME_PRIORITY);
}

static void close_all(const int *fds, int count)
{
    for (int i = 0; i < count; i++)
        close(fds[i]);
}

static int read_job(struct options *options, const char *text, const int *fds, int count)
{
    int error = options_parse(options, text);

    if (error && count > 0)
        call_refuse(fds[0], err_message());
    return error;
}

/* With several calls, memory is theirs together, and the CPU of each is measured by the loop. */
static int close_fences(const struct options *options, int calls)
{
    struct sandbox_limits limits = {.address_space_bytes =
                                        (unsigned long)options->limits.memory_bytes * (unsigned long)calls,
                                    .cpu_s = calls == 1 ? (unsigned)(options->limits.cpu_s + CPU_ROOM_S) : 0,
                                    .file_bytes = (unsigned long)options->limits.file_bytes};

    if (options->modem.realtime)
        ask_for_realtime();
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a full file is an error of its write */
    if (watchdog_start() != 0)
        return ERR_IO;
    return sandbox_enter(&limits);
}

/* One call in a process of its own. */
static int run_single(char *text, const int *fds, int count, void *context)
{
    struct options options;
    struct loop *loop = NULL;
    struct call *call = NULL;
    int error;

    (void)context;
    call_prepare(fds, count);
    error = read_job(&options, text, fds, count);
    if (!error && (error = loop_new(&loop)) != 0)
        call_refuse(fds[0], err_message());
    if (!error && (error = close_fences(&options, 1)) != 0)
        call_refuse(fds[0], err_message());
    if (error)
        close_all(fds, count);
    else
        call = call_new(&options, fds, count);
    if (call && (error = loop_add(loop, call)) == 0)
        error = loop_run(loop);
    loop_free(loop);
    /* No exit handlers: there is nothing to flush, and a sanitizer's leak check needs what the fences deny. */
    _exit(error ? EXIT_FAILURE : EXIT_SUCCESS);
}

/* One octet to the spawner for each call that has ended here. */
static void say_ended(int jobs, void *context)
{
    (void)context;
    send(jobs, "", 1, MSG_NOSIGNAL);
}

/* A further job for a living engine. */
static bool take_job(struct loop *loop, int jobs, void *context)
{
    struct engine *engine = context;
    struct options options;
    struct call *call = NULL;
    int fds[FDPASS_MAX];
    int count = FDPASS_MAX;
    ssize_t size = fdpass_receive(jobs, engine->text, FDPASS_BYTES_MAX, fds, &count);

    if (size == ERR_AGAIN || size == ERR_TOO_BIG)
        return true;
    if (size <= 0)
        return false; /* the spawner needs this engine no more */
    engine->text[size] = '\0';
    call_prepare(fds, count);
    if (read_job(&options, engine->text, fds, count) != 0) {
        close_all(fds, count);
    } else if (!engine->fenced && close_fences(&options, engine->calls_per_engine) != 0) {
        call_refuse(fds[0], err_message());
        close_all(fds, count);
        return false;
    } else {
        engine->fenced = true;
        call = call_new(&options, fds, count);
    }
    explicit_bzero(&options, sizeof options); /* a path may have keys */
    explicit_bzero(engine->text, (size_t)size);
    if (!call || loop_add(loop, call) != 0)
        say_ended(jobs, engine);
    return true;
}

static int run_shared(int jobs, int calls_per_engine)
{
    struct engine engine = {.calls_per_engine = calls_per_engine, .text = xmalloc(FDPASS_BYTES_MAX + 1)};
    struct loop_source source = {.fd = jobs, .ready = take_job, .ended = say_ended, .context = &engine};
    struct loop *loop = NULL;
    int error = loop_new(&loop);

    if (!error)
        error = loop_watch(loop, &source);
    if (!error)
        error = loop_run(loop);
    loop_free(loop);
    free(engine.text);
    return error ? EXIT_FAILURE : EXIT_SUCCESS;
}

static const char help_text[] =
    "Usage: faxd-t30 --spawner [--calls-per-engine N]\n"
    "The T.30 engine of faxd's modules, which start it with a socket as descriptor 3. It waits there for calls and "
    "has\n"
    "an engine of its own, sandboxed, for each.\n\n"
    "  --spawner             serve calls on descriptor 3\n"
    "  --calls-per-engine N  up to N calls in each engine, 1 (default) to 256\n"
    "  --help                print this, and leave\n"
    "  --version             print the version, and leave\n\n"
    "Exit status: 0 the socket's other end is closed; 1 wrong use, or it could not begin.\n";

static int usage(void)
{
    fputs("faxd-t30: modules of faxd start it with --spawner, and a number of calls from 1 to 256\n"
          "Try faxd-t30 --help.\n",
          stderr);
    return EXIT_FAILURE;
}

static int say(const char *text)
{
    return fputs(text, stdout) >= 0 && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    int64_t calls = 1;

    log_open("faxd-t30", LOG_LEVEL_INFO);
    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return say(help_text);
    if (argc == 2 && strcmp(argv[1], "--version") == 0)
        return say("faxd-t30 " PACKAGE_VERSION "\n");
    if (argc < 2 || strcmp(argv[1], "--spawner") != 0 || (argc != 2 && argc != 4))
        return usage();
    if (argc == 4 && (strcmp(argv[2], "--calls-per-engine") != 0 || str_to_int(&calls, argv[3], 1, CALLS_MAX) != 0))
        return usage();
    json_object_seed(0); /* else the first object reads /dev/urandom, which the sandbox does not have */
    session_setup();
    if (rtp_setup() != 0) {
        log_error("%s", err_message());
        return EXIT_FAILURE;
    }
    if (calls == 1)
        return spawner_serve(SPAWNER_FD, run_single, NULL);
    return pool_serve(SPAWNER_FD, (int)calls, run_shared);
}
