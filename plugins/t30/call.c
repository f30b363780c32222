/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A call from its first sample to its record. The session says what happened on the line; this file says it to the FSP,
 * watches the limits, and keeps the order of the end: media closed, "ended" sent, X in the journal. */
#include "config.h"

#include "plugins/t30/call.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "plugins/common/engine.h"
#include "plugins/t30/audio.h"
#include "plugins/t30/datagram.h"
#include "plugins/t30/serial.h"
#include "plugins/t30/session.h"
#include "plugins/t30/watchdog.h"
#include "server/base/err.h"
#include "server/base/fdpass.h"
#include "server/base/journal.h"
#include "server/base/log.h"

#define NS_PER_MS     1000000
#define CHECK_NS      (INT64_C(10) * 1000 * NS_PER_MS)  /* how often a quiet call is looked at */
#define SILENCE_NS    (INT64_C(120) * 1000 * NS_PER_MS) /* wall time without a sample: the far engine hangs */
#define ENDED_WAIT_NS (INT64_C(30) * 1000 * NS_PER_MS)  /* for an FSP that does not read its socket */
#define CPU_SAMPLE    8
#define STEPS_AT_ONCE 16 /* then the other calls of the engine get their turn */

struct call {
    struct options options;
    int control, media, rtcp, journal;
    int files[OPTIONS_FILES_MAX];
    int file_count;
    struct session *session;
    struct audio *audio;       /* on a stream, else NULL */
    struct datagram *datagram; /* on datagrams, else NULL */
    struct serial *serial;     /* on a modem, else NULL */
    int64_t started_ns;
    int64_t check_ns;
    int64_t cpu_ns;
    unsigned wakes;
    bool more; /* a stream may have another chunk at once */
    bool media_ready, rtcp_ready;
    char *ended; /* the last event, while it waits for room */
    bool closed; /* the session's end was dealt with */
    bool orphan; /* the FSP is gone */
    bool done;
};

static int64_t clock_ns(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* 0, ERR_AGAIN when the FSP does not keep up, ERR_CLOSED when it is gone. */
static int send_text(int control, const char *text)
{
    int error = fdpass_send(control, text, strlen(text), NULL, 0);

    return error == 0 || error == ERR_AGAIN ? error : ERR_CLOSED;
}

/* Progress: one that the FSP has no room for is dropped; the record tells all of it again. Takes `event`. */
static void tell(struct call *call, json_t *event)
{
    char *text = json_dumps(event, JSON_COMPACT);

    if (text && !call->orphan)
        call->orphan = send_text(call->control, text) == ERR_CLOSED;
    free(text);
    json_decref(event);
}

static void on_tone(void *context, const char *tone)
{
    tell(context, json_pack("{s:s,s:s}", "event", "tone", "tone", tone));
}

static void on_trained(void *context)
{
    struct call *call = context;

    datagram_stop_tones(call->datagram);
    tell(call, json_pack("{s:s}", "event", "trained"));
}

static void on_packet(void *context, const uint8_t *ifp, int size, bool image)
{
    struct call *call = context;

    datagram_send_packet(call->datagram, ifp, size, image);
}

static void on_phase(void *context, const char *phase, const char *station_id, int rate_bps)
{
    tell(context, json_pack("{s:s,s:s,s:s,s:i}", "event", "phase", "phase", phase, "station_id", station_id, "rate_bps",
                            rate_bps));
}

static void on_page(void *context, int number)
{
    tell(context, json_pack("{s:s,s:i}", "event", "page", "page", number));
}

void call_prepare(const int *fds, int count)
{
    int i;

    for (i = 0; i < count && i < 2; i++)
        fcntl(fds[i], F_SETFL, fcntl(fds[i], F_GETFL) | O_NONBLOCK);
}

void call_refuse(int control, const char *reason)
{
    json_t *event =
        json_pack("{s:s,s:{s:s,s:s}}", "event", "ended", "record", "outcome", "internal", "message", reason);
    char *text = event ? json_dumps(event, JSON_COMPACT) : NULL;

    log_error("a job was refused: %s", reason);
    if (text)
        send_text(control, text);
    free(text);
    json_decref(event);
}

static void take_descriptors(struct call *call, const int *fds, int count)
{
    int next = 2;

    call->control = fds[0];
    call->media = fds[1];
    call->rtcp = call->options.has_rtcp ? fds[next++] : -1;
    call->journal = call->options.has_journal ? fds[next++] : -1;
    while (next < count)
        call->files[call->file_count++] = fds[next++];
}

/* The session and what joins it to its sockets. */
static int start_media(struct call *call)
{
    static const struct session_hooks stream_hooks = {.phase = on_phase, .page = on_page};
    static const struct session_hooks datagram_hooks = {
        .phase = on_phase, .page = on_page, .trained = on_trained, .packet = on_packet};
    const struct options *options = &call->options;
    bool t38 = options->datagram && options->path.mode == PATH_T38;

    call->session = session_new(options, t38 ? &options->path.t38 : NULL, call->files, call->journal,
                                options->datagram ? &datagram_hooks : &stream_hooks, call);
    if (!call->session)
        return err_set(ERR_INTERNAL, "no memory for a T.30 session");
    if (options->serial)
        call->serial = serial_new(options, call->media, call->session);
    else if (!options->datagram)
        call->audio = audio_new(options, call->media, call->session);
    if (!options->datagram)
        return 0;
    call->datagram = datagram_new(options, call->media, call->rtcp, call->session, on_tone, call);
    return call->datagram ? 0 : ERR_INVALID;
}

struct call *call_new(const struct options *options, const int *fds, int count)
{
    struct call *call;
    int i;

    if (count != options_descriptor_count(options)) {
        if (count > 0)
            call_refuse(fds[0], "the job's descriptors do not match its files");
        for (i = 0; i < count; i++)
            close(fds[i]);
        return NULL;
    }
    call = xcalloc(1, sizeof *call);
    call->options = *options;
    take_descriptors(call, fds, count);
    call->started_ns = clock_ns(CLOCK_MONOTONIC);
    call->check_ns = call->started_ns + CHECK_NS;
    if (start_media(call) == 0)
        return call;
    call_refuse(call->control, err_message());
    call_free(call);
    return NULL;
}

static void close_descriptor(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void call_free(struct call *call)
{
    if (!call)
        return;
    session_free(call->session);
    audio_free(call->audio);
    datagram_free(call->datagram);
    serial_free(call->serial);
    close_descriptor(&call->media);
    close_descriptor(&call->rtcp);
    close_descriptor(&call->control);
    close_descriptor(&call->journal);
    while (call->file_count > 0)
        close_descriptor(&call->files[--call->file_count]);
    free(call->ended);
    explicit_bzero(&call->options, sizeof call->options); /* keys of the path */
    free(call);
}

int call_control(const struct call *call)
{
    return call->control;
}

int call_media(const struct call *call)
{
    return call->media;
}

int call_rtcp(const struct call *call)
{
    return call->rtcp;
}

bool call_has_stream(const struct call *call)
{
    return call->audio != NULL;
}

void call_retry_ended(struct call *call)
{
    int error = call->orphan || !call->ended ? ERR_CLOSED : send_text(call->control, call->ended);

    if (error == ERR_AGAIN)
        return;
    if (error == 0)
        journal_write(call->journal, JOURNAL_CLOSED, 0, 0);
    call->done = true;
}

/* The session is over. The media goes first, so that the far end need not wait for an FSP; shutdown, since the FSP may
 * still hold a copy of the descriptor. */
static void finish(struct call *call, int64_t now_ns)
{
    json_t *record = session_record(call->session);
    json_t *event;

    call->closed = true;
    if (call->datagram) {
        datagram_finish(call->datagram, now_ns);
        datagram_describe(call->datagram, record);
    } else if (call->serial) {
        serial_finish(call->serial);
    } else {
        shutdown(call->media, SHUT_RDWR);
    }
    call->check_ns = now_ns + ENDED_WAIT_NS;
    event = json_pack("{s:s,s:o}", "event", "ended", "record", record);
    call->ended = event ? json_dumps(event, JSON_COMPACT) : NULL;
    json_decref(event);
    call_retry_ended(call);
}

static void check_limits(struct call *call, int64_t now_ns)
{
    int64_t elapsed_ms = session_line_ms(call->session);

    if (call->options.audio.pace > 0 || !call->audio)
        elapsed_ms = (now_ns - call->started_ns) / NS_PER_MS;
    if (elapsed_ms > call->options.limits.call_ms)
        session_end(call->session, OUTCOME_END_LIMIT, "the call took longer than its limit");
    else if (call->cpu_ns > call->options.limits.cpu_s * INT64_C(1000000000))
        session_end(call->session, OUTCOME_END_CPU, "the call took more CPU time than its limit");
    else if (call->audio && now_ns - audio_heard_ns(call->audio) > SILENCE_NS)
        session_end(call->session, OUTCOME_END_MEDIA_TIMEOUT, "no audio from the far end");
    else if (call->datagram && datagram_is_silent(call->datagram, now_ns))
        session_end(call->session, OUTCOME_END_MEDIA_TIMEOUT, "no datagrams from the far end");
    else if (call->orphan)
        session_end(call->session, OUTCOME_END_ABORTED, "the provider is gone");
}

static void work_on_stream(struct call *call, int64_t now_ns)
{
    int steps = 0;

    do
        call->more = audio_step(call->audio, now_ns);
    while (call->more && ++steps < STEPS_AT_ONCE);
}

static void work_on_datagrams(struct call *call, int64_t now_ns)
{
    if (call->media_ready)
        datagram_hear(call->datagram, now_ns);
    if (call->rtcp_ready)
        datagram_hear_rtcp(call->datagram, now_ns);
    call->media_ready = call->rtcp_ready = false;
    datagram_run(call->datagram, now_ns);
}

static void work(struct call *call, int64_t now_ns)
{
    /* A wake for one datagram costs less than looking twice at the CPU's clock, so one in so many stands for all. */
    int weight = call->datagram ? CPU_SAMPLE : 1;
    bool measured = call->wakes++ % (unsigned)weight == 0;
    int64_t before = measured ? clock_ns(CLOCK_THREAD_CPUTIME_ID) : 0;

    watchdog_step();
    if (call->datagram)
        work_on_datagrams(call, now_ns);
    else if (call->serial)
        serial_run(call->serial, now_ns);
    else
        work_on_stream(call, now_ns);
    if (measured)
        call->cpu_ns += (clock_ns(CLOCK_THREAD_CPUTIME_ID) - before) * weight;
    if (!session_is_over(call->session))
        check_limits(call, now_ns);
    if (session_is_over(call->session))
        finish(call, now_ns);
}

void call_run(struct call *call, int64_t now_ns)
{
    if (!call->closed) {
        work(call, now_ns);
        if (!call->closed && now_ns >= call->check_ns)
            call->check_ns = now_ns + CHECK_NS;
    } else if (!call->done && now_ns >= call->check_ns) {
        log_warning("the provider did not take the record of a call");
        call->done = true;
    }
}

void call_hear_media(struct call *call, int64_t now_ns)
{
    call->media_ready = true;
    call_run(call, now_ns);
}

void call_hear_rtcp(struct call *call, int64_t now_ns)
{
    call->rtcp_ready = true;
    call_run(call, now_ns);
}

static void take_path(struct call *call, const json_t *order)
{
    struct path path;

    if (path_parse(&path, order) != 0)
        session_end(call->session, OUTCOME_END_BROKEN, err_message());
    else
        datagram_set_path(call->datagram, &path, clock_ns(CLOCK_MONOTONIC));
    explicit_bzero(&path, sizeof path);
}

static void obey(struct call *call, const json_t *order)
{
    const char *command = json_string_value(json_object_get(order, "command"));

    if (call->closed)
        return;
    if (command && strcmp(command, "abort") == 0)
        session_end(call->session, OUTCOME_END_ABORTED, "aborted on request");
    else if (command && strcmp(command, "hangup") == 0 && call->datagram)
        datagram_hang_up(call->datagram, clock_ns(CLOCK_MONOTONIC));
    else if (command && strcmp(command, "hush") == 0 && call->datagram)
        datagram_hush(call->datagram, clock_ns(CLOCK_MONOTONIC));
    else if (command && strcmp(command, "path") == 0 && call->datagram)
        take_path(call, order);
    else
        log_warning("an unknown command from the provider was ignored");
}

void call_hear_control(struct call *call)
{
    char text[ENGINE_COMMAND_MAX];
    json_t *order;
    ssize_t got = recv(call->control, text, sizeof text, 0);

    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return;
    if (got <= 0) {
        call->orphan = true;
        session_end(call->session, OUTCOME_END_ABORTED, "the provider is gone");
    } else {
        order = json_loadb(text, (size_t)got, 0, NULL);
        obey(call, order);
        json_decref(order);
        explicit_bzero(text, (size_t)got); /* keys of a path */
    }
    if (!call->closed && session_is_over(call->session))
        finish(call, clock_ns(CLOCK_MONOTONIC));
    if (call->orphan)
        call->done = true;
}

static int64_t media_due_ns(const struct call *call)
{
    if (call->datagram)
        return datagram_due_ns(call->datagram);
    return call->serial ? serial_due_ns(call->serial) : audio_due_ns(call->audio);
}

int64_t call_due_ns(const struct call *call)
{
    int64_t due_ns = INT64_MAX;

    if (!call->closed)
        due_ns = media_due_ns(call);
    if (call->more && !call->closed)
        return 0;
    return due_ns < call->check_ns ? due_ns : call->check_ns;
}

bool call_may_wait(const struct call *call)
{
    return call->datagram != NULL;
}

bool call_wants_media_room(const struct call *call)
{
    if (call->closed || call->datagram)
        return false;
    return call->serial ? serial_wants_room(call->serial) : audio_wants_room(call->audio);
}

bool call_wants_media(const struct call *call)
{
    return !call->closed;
}

bool call_wants_control_room(const struct call *call)
{
    return call->closed && !call->done;
}

bool call_is_done(const struct call *call)
{
    return call->done;
}
