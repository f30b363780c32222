/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Client of faxd-convert. The spool asks it to prepare, cut and verify, web/ for pages and PDFs.
 *
 * A job's life: waiting in one of two queues; sent to the spawner with its descriptors and one end of a result socket;
 * started, when the child has sent a pidfd of itself, by which it can be killed without a chance to hit another
 * process; done, with a result or with the end of the socket. A socket that ends before "started" means that the
 * spawner died with the job in hand: the job is sent again to a new one.
 */
#include "config.h"

#include "spool/converter.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/fdpass.h"
#include "server/base/log.h"
#include "server/base/spawner.h"

#define PARALLEL_MAX   64
#define EXTRA_PLACES   4     /* for jobs that are waited for */
#define JOB_TEXT_MAX   49152 /* the fields of a cover page, escaped */
#define SENDS_MAX      4     /* a job whose spawner dies under it, or cannot be started, is tried so often */
#define RESTART_MIN_MS 1000  /* between two starts of the spawner */

enum priority { PERSON, BACKGROUND, PRIORITIES }; /* a person or a line waits for it */

enum job_state { WAITING, SENT, STARTED };

struct converter_job {
    TAILQ_ENTRY(converter_job) link;
    struct converter *converter;
    enum priority priority;
    int end_signal; /* SIGTERM for a job that has to clean up behind another program */
    enum job_state state;
    char *text;
    int inputs[CONVERTER_INPUTS_MAX], count, output; /* -1 once sent for good */
    int sends;
    int result; /* our end of the socket, -1 = none */
    int child;  /* pidfd, -1 = not known yet */
    struct event *readable, *timeout;
    json_t *answer; /* what the child said, until its socket ends */
    converter_done_fn done;
    converter_progress_fn progress;
    void *context;
};

TAILQ_HEAD(job_list, converter_job);

struct converter {
    struct event_base *base;
    char *program;
    int parallel, timeout_s;
    struct job_list waiting[PRIORITIES];
    int waiting_count[PRIORITIES];
    struct job_list running;
    int running_count;
    struct event *kick; /* dispatches from the loop, also later after a failed start */
    int spawner;        /* socket, -1 = none */
    pid_t spawner_pid;
    bool spawner_used;          /* it has taken a job */
    int64_t spawner_started_ms; /* monotonic */
};

static void kick_after(struct converter *converter, int64_t delay_ms)
{
    struct timeval delay = {.tv_sec = delay_ms / 1000, .tv_usec = delay_ms % 1000 * 1000};
    evtimer_add(converter->kick, &delay);
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void close_files(struct converter_job *job)
{
    for (int i = 0; i < job->count; i++)
        close_fd(&job->inputs[i]);
    close_fd(&job->output);
}

static void free_event(struct event **event)
{
    if (*event != NULL)
        event_free(*event);
    *event = NULL;
}

/* A child that was sent off tells of itself in its first message. That may lie in the socket; a later one cannot be
 * sent any more, and the child ends by itself. */
static void find_child(struct converter_job *job)
{
    static char text[FDPASS_BYTES_MAX];
    int count = 1;
    if (job->state != SENT || job->result < 0)
        return;
    shutdown(job->result, SHUT_RD);
    if (fdpass_receive(job->result, text, sizeof text, &job->child, &count) <= 0 || count != 1)
        job->child = -1;
}

/* Let go of a child: of its socket, and of its life unless it is over. */
static void drop_child(struct converter_job *job, bool kill_it)
{
    if (kill_it)
        find_child(job);
#ifdef SYS_pidfd_send_signal
    if (kill_it && job->child >= 0 && syscall(SYS_pidfd_send_signal, job->child, job->end_signal, NULL, 0) != 0 &&
        errno != ESRCH)
        log_warning("cannot end a conversion: %s", strerror(errno));
#endif
    free_event(&job->readable);
    free_event(&job->timeout);
    close_fd(&job->result);
    close_fd(&job->child);
}

static void unlink_job(struct converter_job *job)
{
    struct converter *converter = job->converter;
    if (job->state == WAITING) {
        TAILQ_REMOVE(&converter->waiting[job->priority], job, link);
        converter->waiting_count[job->priority]--;
    } else {
        TAILQ_REMOVE(&converter->running, job, link);
        converter->running_count--;
        kick_after(converter, 0);
    }
}

static void free_job(struct converter_job *job)
{
    drop_child(job, true);
    close_files(job);
    json_decref(job->answer);
    free(job->text);
    free(job);
}

/* The job is over; its done function may queue others. */
static void finish(struct converter_job *job, int error, json_t *result)
{
    converter_done_fn done = job->done;
    void *context = job->context;
    unlink_job(job);
    free_job(job);
    done(context, error, result);
    json_decref(result);
}

static void finish_failed(struct converter_job *job, const char *message)
{
    finish(job, 0, json_pack("{s:s, s:s}", "error", "conversion_failed", "message", message));
}

static void on_timeout(evutil_socket_t fd, short what, void *context)
{
    (void)fd, (void)what;
    struct converter_job *job = context;
    log_warning("a conversion took more than %d s and was ended", job->converter->timeout_s);
    finish_failed(job, "the document takes too long to convert: send it in parts");
}

/* Back to the head of its queue: it was the first of its kind. */
static void send_again(struct converter_job *job)
{
    struct converter *converter = job->converter;
    unlink_job(job);
    drop_child(job, false);
    job->state = WAITING;
    TAILQ_INSERT_HEAD(&converter->waiting[job->priority], job, link);
    converter->waiting_count[job->priority]++;
}

static void on_end(struct converter_job *job)
{
    json_t *answer = job->answer;
    job->answer = NULL;
    if (answer != NULL) {
        finish(job, 0, answer);
    } else if (job->state == SENT && job->sends < SENDS_MAX) {
        send_again(job);
    } else if (job->state == SENT) {
        finish(job, err_set(ERR_CLOSED, "%s ends without starting a conversion", job->converter->program), NULL);
    } else {
        log_warning("the converter crashed on a document");
        finish_failed(job, "the converter crashed on this document");
    }
}

static void take_progress(struct converter_job *job, const json_t *message)
{
    struct timeval limit = {.tv_sec = job->converter->timeout_s};
    json_int_t done = json_integer_value(json_object_get(message, "progress"));
    json_int_t total = json_integer_value(json_object_get(message, "total"));
    json_int_t parts = json_integer_value(json_object_get(message, "parts"));

    evtimer_add(job->timeout, &limit);
    if (job->progress != NULL && done >= 0 && done <= INT_MAX && total >= -1 && total <= INT_MAX && parts >= 1 &&
        parts <= CONVERTER_INPUTS_MAX)
        job->progress(job->context, (int)done, (int)total, (int)parts);
}

/* Libraries put line ends and parts of the document into their words, and people read them. */
static void clean_words(json_t *message)
{
    const char *words = json_string_value(json_object_get(message, "message"));
    if (words == NULL)
        return;
    char *plain = xstrdup(words);
    size_t length = 0;
    for (const unsigned char *at = (const unsigned char *)words; *at != '\0'; at++)
        plain[length++] = *at < ' ' || *at == 0x7f ? ' ' : (char)*at;
    while (length > 0 && plain[length - 1] == ' ')
        length--;
    json_object_set_new(message, "message", json_stringn(plain, length));
    free(plain);
}

/* One message of the child. Only the last object that is neither "started" nor "progress" counts. */
static void on_message(struct converter_job *job, const char *text, size_t size, int child)
{
    json_t *message = json_loadb(text, size, 0, NULL);
    if (job->state == SENT) {
        job->state = STARTED;
        job->child = child;
        close_files(job);
    } else if (child >= 0) {
        close(child);
    }
    if (json_object_get(message, "progress") != NULL) {
        take_progress(job, message);
    } else if (json_is_object(message) && json_object_get(message, "started") == NULL) {
        clean_words(message);
        json_decref(job->answer);
        job->answer = json_incref(message);
    }
    json_decref(message);
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
    (void)what;
    static char text[FDPASS_BYTES_MAX];
    struct converter_job *job = context;
    int child = -1, count = 1;
    ssize_t got = fdpass_receive(fd, text, sizeof text, &child, &count);
    if (got == ERR_AGAIN)
        return;
    if (got > 0)
        on_message(job, text, (size_t)got, count == 1 ? child : -1);
    else
        on_end(job);
}

static void stop_spawner(struct converter *converter)
{
    if (converter->spawner < 0)
        return;
    close_fd(&converter->spawner);
    /* It leaves by itself when its socket ends; if that takes longer than this moment it is helped, since it holds
     * nothing and its children have sockets of their own. Its number is its own until it is waited for. */
    if (waitpid(converter->spawner_pid, NULL, WNOHANG) == 0) {
        kill(converter->spawner_pid, SIGKILL);
        while (waitpid(converter->spawner_pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
}

/* 0; ERR_AGAIN when it is too early for another try (kick is set); ERR_IO. */
static int start_spawner(struct converter *converter)
{
    int64_t now = clock_mono_ms(), wait = converter->spawner_started_ms + RESTART_MIN_MS - now;
    if (converter->spawner >= 0)
        return 0;
    if (converter->spawner_started_ms != 0 && wait > 0) {
        kick_after(converter, wait);
        return ERR_AGAIN;
    }
    converter->spawner_started_ms = now;
    converter->spawner_used = false;
    int error = spawner_start(&converter->spawner, &converter->spawner_pid, converter->program, NULL);
    if (error == 0)
        fcntl(converter->spawner, F_SETFL, O_NONBLOCK);
    else
        converter->spawner = -1;
    return error;
}

/* Both events of a job that goes out; the socket's other end in `*theirs`. */
static int open_result(struct converter_job *job, int *theirs)
{
    struct converter *converter = job->converter;
    struct timeval limit = {.tv_sec = converter->timeout_s};
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return err_set(ERR_IO, "cannot start a conversion: %s", strerror(errno));
    fcntl(pair[0], F_SETFL, O_NONBLOCK);
    job->result = pair[0];
    *theirs = pair[1];
    job->readable = event_new(converter->base, job->result, EV_READ | EV_PERSIST, on_readable, job);
    job->timeout = evtimer_new(converter->base, on_timeout, job);
    if (job->readable == NULL || job->timeout == NULL || event_add(job->readable, NULL) != 0 ||
        evtimer_add(job->timeout, &limit) != 0)
        return err_set(ERR_FULL, "no memory to start a conversion");
    return 0;
}

static int send_job(struct converter_job *job)
{
    struct converter *converter = job->converter;
    int theirs = -1;
    int error = open_result(job, &theirs);
    if (error == 0) {
        int fds[CONVERTER_INPUTS_MAX + 2];
        memcpy(fds, job->inputs, (size_t)job->count * sizeof fds[0]);
        fds[job->count] = job->output;
        fds[job->count + 1] = theirs;
        error = fdpass_send(converter->spawner, job->text, strlen(job->text), fds, job->count + 2);
    }
    close_fd(&theirs);
    if (error != 0) {
        drop_child(job, false);
        return error;
    }
    TAILQ_REMOVE(&converter->waiting[job->priority], job, link);
    converter->waiting_count[job->priority]--;
    job->state = SENT;
    job->sends++;
    converter->spawner_used = true;
    TAILQ_INSERT_TAIL(&converter->running, job, link);
    converter->running_count++;
    return 0;
}

/* Start or send failed: a dead spawner is replaced and the job tried again, other failures end the job. */
static void dispatch_failed(struct converter_job *job, int error)
{
    struct converter *converter = job->converter;
    if (error == ERR_AGAIN) {
        if (!evtimer_pending(converter->kick, NULL))
            kick_after(converter, RESTART_MIN_MS);
        return;
    }
    stop_spawner(converter);
    /* That it died after an earlier job says nothing about this one. */
    bool died_before = error == ERR_CLOSED && converter->spawner_used;
    if (died_before || ++job->sends < SENDS_MAX) {
        kick_after(converter, 0);
        return;
    }
    log_error("conversions cannot be started: %s", err_message());
    finish(job, error, NULL);
    kick_after(converter, 0);
}

/* Large documents may take all places for minutes: whoever is waited for has some beside them. */
static struct converter_job *next_job(const struct converter *converter)
{
    struct converter_job *job = TAILQ_FIRST(&converter->waiting[PERSON]);
    if (job != NULL)
        return converter->running_count < converter->parallel + EXTRA_PLACES ? job : NULL;
    job = TAILQ_FIRST(&converter->waiting[BACKGROUND]);
    return converter->running_count < converter->parallel ? job : NULL;
}

static void dispatch(evutil_socket_t fd, short what, void *context)
{
    (void)fd, (void)what;
    struct converter *converter = context;
    for (;;) {
        struct converter_job *job = next_job(converter);
        if (job == NULL)
            return;
        int error = start_spawner(converter);
        if (error == 0)
            error = send_job(job);
        if (error != 0) {
            dispatch_failed(job, error);
            return;
        }
    }
}

int converter_open(struct converter **out, struct event_base *base, const char *program, int parallel)
{
    if (parallel < 1 || parallel > PARALLEL_MAX)
        return err_set(ERR_INVALID, "conversions at once have to be 1 to %d", PARALLEL_MAX);
    struct converter *converter = xcalloc(1, sizeof *converter);
    converter->base = base;
    converter->program = xstrdup(program);
    converter->parallel = parallel;
    converter->timeout_s = CONVERTER_TIMEOUT_S;
    converter->spawner = -1;
    TAILQ_INIT(&converter->waiting[PERSON]);
    TAILQ_INIT(&converter->waiting[BACKGROUND]);
    TAILQ_INIT(&converter->running);
    converter->kick = evtimer_new(base, dispatch, converter);
    if (converter->kick == NULL) {
        converter_close(converter);
        return err_set(ERR_FULL, "no memory for the converter");
    }
    *out = converter;
    return 0;
}

static void cancel_all(struct job_list *list)
{
    struct converter_job *job;
    while ((job = TAILQ_FIRST(list)) != NULL)
        converter_cancel(job);
}

void converter_close(struct converter *converter)
{
    if (converter == NULL)
        return;
    cancel_all(&converter->waiting[PERSON]);
    cancel_all(&converter->waiting[BACKGROUND]);
    cancel_all(&converter->running);
    stop_spawner(converter);
    free_event(&converter->kick);
    free(converter->program);
    free(converter);
}

void converter_set_timeout(struct converter *converter, int seconds)
{
    converter->timeout_s = seconds;
}

static bool is_op(const json_t *job, const char *name)
{
    const char *op = json_string_value(json_object_get(job, "op"));
    return op != NULL && strcmp(op, name) == 0;
}

static enum priority priority_of(const json_t *job)
{
    static const char *const waited_for[] = {"png", "pdf", "info", "measure", "cut", "receipt"};
    for (size_t i = 0; i < sizeof waited_for / sizeof waited_for[0]; i++) {
        if (is_op(job, waited_for[i]))
            return PERSON;
    }
    return BACKGROUND;
}

/* The job's text, which the caller frees with free(). */
static int copy_text(char **text, const json_t *job)
{
    char *dump = json_is_object(job) ? json_dumps(job, JSON_COMPACT) : NULL;
    if (dump == NULL)
        return err_set(ERR_INVALID, "a conversion has to be a JSON object");
    if (strlen(dump) > JOB_TEXT_MAX) {
        free(dump);
        return err_set(ERR_TOO_BIG, "the options of a conversion are longer than %d octets", JOB_TEXT_MAX);
    }
    *text = dump;
    return 0;
}

static int hold_files(struct converter_job *entry, const int *inputs, int count, int output)
{
    bool held = true;
    for (int i = 0; i < count; i++) {
        entry->inputs[i] = fcntl(inputs[i], F_DUPFD_CLOEXEC, 3);
        held = held && entry->inputs[i] >= 0;
    }
    entry->count = count;
    entry->output = fcntl(output, F_DUPFD_CLOEXEC, 3);
    return held && entry->output >= 0 ? 0
                                      : err_set(ERR_IO, "cannot hold the files of a conversion: %s", strerror(errno));
}

int converter_run(struct converter_job **out, struct converter *converter, const json_t *job, const int *inputs,
                  int count, int output, converter_done_fn done, void *context)
{
    char *text = NULL;
    enum priority priority = priority_of(job);
    if (count < 1 || count > CONVERTER_INPUTS_MAX)
        return err_set(ERR_INVALID, "a conversion has 1 to %d inputs", CONVERTER_INPUTS_MAX);
    if (converter->waiting_count[priority] >= CONVERTER_QUEUE_MAX)
        return err_set(ERR_AGAIN, "%d conversions wait already", CONVERTER_QUEUE_MAX);
    int error = copy_text(&text, job);
    if (error != 0)
        return error;
    struct converter_job *entry = xcalloc(1, sizeof *entry);
    *entry = (struct converter_job){.converter = converter, .priority = priority, .state = WAITING, .text = text};
    entry->end_signal = is_op(job, "external") ? SIGTERM : SIGKILL;
    entry->done = done;
    entry->context = context;
    entry->result = entry->child = -1;
    error = hold_files(entry, inputs, count, output);
    if (error != 0) {
        free_job(entry);
        return error;
    }
    TAILQ_INSERT_TAIL(&converter->waiting[priority], entry, link);
    converter->waiting_count[priority]++;
    if (next_job(converter) != NULL)
        kick_after(converter, 0);
    if (out != NULL)
        *out = entry;
    return 0;
}

void converter_watch(struct converter_job *job, converter_progress_fn progress)
{
    job->progress = progress;
}

void converter_cancel(struct converter_job *job)
{
    if (job == NULL)
        return;
    unlink_job(job);
    free_job(job);
}

void converter_count(const struct converter *converter, int *waiting, int *running)
{
    *waiting = converter->waiting_count[PERSON] + converter->waiting_count[BACKGROUND];
    *running = converter->running_count;
}
