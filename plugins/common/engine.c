/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The FSP's side of the T.30 engine: a spawner for the provider, a control socket for each call. */
#include "config.h"

#include "plugins/common/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/fdpass.h"
#include "server/base/log.h"
#include "server/base/spawner.h"

struct engine {
    char *program;
    char calls_text[16];
    pthread_mutex_t lock; /* guards the two below; held for one datagram, or while a spawner starts */
    int spawner;          /* -1 = not running */
    pid_t pid;
};

struct engine_call {
    int control;
    char *text; /* room for one datagram and its end */
};

/* With the lock held. */
static int start_spawner(struct engine *engine)
{
    const char *extra[] = {"--calls-per-engine", engine->calls_text, NULL};

    return spawner_start(&engine->spawner, &engine->pid, engine->program, extra);
}

/* With the lock held. It leaves when its socket closes; one that does not is of no use to anybody. */
static void stop_spawner(struct engine *engine, bool dead)
{
    if (engine->spawner < 0)
        return;
    close(engine->spawner);
    engine->spawner = -1;
    if (dead)
        kill(engine->pid, SIGKILL);
    while (waitpid(engine->pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

int engine_open(struct engine **out, const char *program, int calls_per_engine)
{
    struct engine *engine = xcalloc(1, sizeof *engine);
    int error;

    engine->program = xstrdup(program);
    snprintf(engine->calls_text, sizeof engine->calls_text, "%d", calls_per_engine);
    pthread_mutex_init(&engine->lock, NULL);
    engine->spawner = -1;
    if ((error = start_spawner(engine)) != 0) {
        engine_close(engine);
        return error;
    }
    *out = engine;
    return 0;
}

void engine_close(struct engine *engine)
{
    if (!engine)
        return;
    stop_spawner(engine, false);
    pthread_mutex_destroy(&engine->lock);
    free(engine->program);
    free(engine);
}

/* Hand a job to the spawner; one that has died is started again, once. */
static int send_job(struct engine *engine, const char *text, const int *fds, int count)
{
    int error = ERR_CLOSED;
    int attempt;

    pthread_mutex_lock(&engine->lock);
    for (attempt = 0; attempt < 2 && error == ERR_CLOSED; attempt++) {
        if (engine->spawner < 0 && (error = start_spawner(engine)) != 0)
            break;
        error = fdpass_send(engine->spawner, text, strlen(text), fds, count);
        if (error == ERR_CLOSED) {
            log_warning("the engine's spawner %s has died", engine->program);
            stop_spawner(engine, true);
        }
    }
    pthread_mutex_unlock(&engine->lock);
    return error;
}

/* The job as text, with what the engine needs to know about its descriptors. The caller frees it. */
static char *job_text(const json_t *job, bool has_rtcp, bool has_journal)
{
    json_t *copy = json_copy((json_t *)job);
    char *text = NULL;

    if (copy && json_object_set_new(copy, "journal", json_boolean(has_journal)) == 0 &&
        json_object_set_new(copy, "rtcp", json_boolean(has_rtcp)) == 0)
        text = json_dumps(copy, JSON_COMPACT);
    json_decref(copy);
    return text;
}

static int hand_over(struct engine *engine, const json_t *job, int control, int media, int rtcp, int journal,
                     const int *files, int file_count)
{
    int fds[FDPASS_MAX] = {control, media};
    int count = 2, error, i;
    char *text;

    if (rtcp >= 0)
        fds[count++] = rtcp;
    if (journal >= 0)
        fds[count++] = journal;
    if (file_count < 0 || file_count > FDPASS_MAX - count)
        return err_set(ERR_TOO_BIG, "a call takes at most %d files", FDPASS_MAX - count);
    for (i = 0; i < file_count; i++)
        fds[count++] = files[i];
    if (!(text = job_text(job, rtcp >= 0, journal >= 0)))
        return err_set(ERR_INVALID, "the job is not a JSON object");
    error = send_job(engine, text, fds, count);
    free(text);
    return error;
}

int engine_start(struct engine_call **out, struct engine *engine, const json_t *job, int media, int rtcp, int journal,
                 const int *files, int file_count)
{
    struct engine_call *call;
    int pair[2];
    int error;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return err_set(ERR_IO, "cannot make a control socket: %s", strerror(errno));
    error = hand_over(engine, job, pair[1], media, rtcp, journal, files, file_count);
    close(pair[1]);
    if (error) {
        close(pair[0]);
        return error;
    }
    call = xcalloc(1, sizeof *call);
    call->control = pair[0];
    call->text = xmalloc(FDPASS_BYTES_MAX + 1);
    *out = call;
    return 0;
}

static bool is_known(const json_t *event)
{
    static const char *const names[] = {"phase", "page", "tone", "trained", "ended"};
    const char *name = json_string_value(json_object_get(event, "event"));
    size_t i;

    for (i = 0; name && i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

/* One datagram, without waiting: 0 with *event NULL when it was no event. */
static int read_event(struct engine_call *call, json_t **event)
{
    int none = 0;
    ssize_t size = fdpass_receive(call->control, call->text, FDPASS_BYTES_MAX, NULL, &none);

    *event = NULL;
    if (size == ERR_CLOSED) {
        /* An engine that ends with an order of ours unread resets the socket, and the reset overtakes its last events.
         */
        none = 0;
        size = fdpass_receive(call->control, call->text, FDPASS_BYTES_MAX, NULL, &none);
    }
    if (size < 0 && size != ERR_TOO_BIG)
        return (int)size;
    if (size > 0)
        *event = json_loadb(call->text, (size_t)size, 0, NULL);
    if (*event && is_known(*event))
        return 0;
    log_warning("the engine sent something that is no event; dropped");
    json_decref(*event);
    *event = NULL;
    return 0;
}

int engine_wait(struct engine_call *call, json_t **event, int timeout_ms)
{
    int64_t until_ms = timeout_ms < 0 ? INT64_MAX : clock_mono_ms() + timeout_ms;
    struct pollfd ready = {.fd = call->control, .events = POLLIN};
    int64_t left_ms;
    int error, count;

    for (;;) {
        left_ms = timeout_ms < 0 ? -1 : until_ms - clock_mono_ms();
        count = poll(&ready, 1, timeout_ms < 0 ? -1 : left_ms > 0 ? (int)left_ms : 0);
        if (count < 0 && errno != EINTR)
            return err_set(ERR_IO, "cannot wait for the engine: %s", strerror(errno));
        if (count == 0)
            return err_set(ERR_AGAIN, "nothing from the engine yet");
        if (count < 0)
            continue;
        if ((error = read_event(call, event)) != 0 && error != ERR_AGAIN)
            return error;
        if (*event)
            return 0;
    }
}

static int send_order(struct engine_call *call, const char *text, size_t size)
{
    if (send(call->control, text, size, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
        return 0;
    if (errno == EAGAIN || errno == EWOULDBLOCK)
        return err_set(ERR_AGAIN, "the engine does not read its orders");
    return err_set(ERR_CLOSED, "the engine is gone: %s", strerror(errno));
}

int engine_command(struct engine_call *call, const json_t *command)
{
    char *text = json_dumps(command, JSON_COMPACT);
    size_t size = text ? strlen(text) : 0;
    int error;

    if (!text)
        error = err_set(ERR_INVALID, "an order to the engine is not a JSON object");
    else if (size > ENGINE_COMMAND_MAX)
        error = err_set(ERR_TOO_BIG, "an order of %zu octets is more than the engine reads", size);
    else
        error = send_order(call, text, size);
    free(text);
    return error;
}

void engine_abort(struct engine_call *call)
{
    static const char order[] = "{\"command\":\"abort\"}";

    /* Lost only when the engine is gone, or has a whole socket of orders unread: its own limits end it then. */
    (void)send_order(call, order, sizeof order - 1);
}

void engine_call_free(struct engine_call *call)
{
    if (!call)
        return;
    close(call->control);
    free(call->text);
    free(call);
}
