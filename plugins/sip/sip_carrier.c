/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a job of the host meets a call on the network. The worker tries the trunks one after the other within one job,
 * so that a trunk that is out of order costs no attempt; when the call stands, the engine runs on its sockets. */
#include "config.h"

#include "plugins/sip/sip_carrier.h"

#include <stdlib.h>
#include <string.h>

#include "plugins/sip/agent.h"
#include "plugins/sip/cause.h"
#include "plugins/sip/dialog.h"
#include "plugins/sip/incoming.h"
#include "plugins/sip/ports.h"
#include "plugins/sip/sip_lines.h"
#include "plugins/sip/sip_setup.h"
#include "plugins/sip/trunk.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"

#define RING_AGAIN_MS 4000
#define TELL_MS       1000 /* between two words to the host about calls that began and ended */

struct sip_carrier {
    struct fsp *fsp;
    struct sip_setup setup;
    struct agent *agent;
    struct trunk **trunks;
    struct ports *ports;
    struct sip_lines *lines;
    struct incoming *incoming; /* the agent's thread */
    su_timer_t *ring_timer;    /* likewise */
    su_timer_t *tell_timer;    /* likewise */
    bool telling;              /* likewise: it is set */
};

/* ---- start and stop ---- */

static void on_trunk_changed(void *context)
{
    struct sip_carrier *carrier = context;

    provider_changed(&carrier->fsp->provider);
}

static void on_tell(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *argument)
{
    struct sip_carrier *carrier = (struct sip_carrier *)argument;

    (void)magic, (void)timer;
    carrier->telling = false;
    on_trunk_changed(carrier);
}

static void tell_posted(void *context)
{
    struct sip_carrier *carrier = context;

    if (!carrier->telling && carrier->tell_timer)
        carrier->telling = su_timer_set_interval(carrier->tell_timer, on_tell, (su_timer_arg_t *)carrier, TELL_MS) == 0;
}

/* A call began or ended: the host shall know, but not of each of hundreds alone. */
static void tell_calls(struct sip_carrier *carrier)
{
    agent_post(carrier->agent, tell_posted, carrier);
}

static void on_ring(void *context, int line)
{
    struct sip_carrier *carrier = context;

    provider_ring(&carrier->fsp->provider, line);
}

static void on_ring_timer(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *argument)
{
    struct sip_carrier *carrier = (struct sip_carrier *)argument;

    (void)magic;
    if (sip_lines_ring_again(carrier->lines))
        su_timer_set_interval(timer, on_ring_timer, argument, RING_AGAIN_MS);
}

static int ring_line(void *context, struct dialog *dialog)
{
    struct sip_carrier *carrier = context;
    int line = sip_lines_ring(carrier->lines, dialog);

    tell_calls(carrier);
    if (line >= 0 && carrier->ring_timer)
        su_timer_set_interval(carrier->ring_timer, on_ring_timer, (su_timer_arg_t *)carrier, RING_AGAIN_MS);
    return line;
}

static void start_posted(void *context)
{
    struct sip_carrier *carrier = context;
    struct incoming_options options = {.agent = carrier->agent,
                                       .trunks = carrier->trunks,
                                       .trunk_count = carrier->setup.trunk_count,
                                       .ring = ring_line,
                                       .context = carrier};

    carrier->ring_timer = su_timer_create(su_root_task(agent_root(carrier->agent)), RING_AGAIN_MS);
    carrier->tell_timer = su_timer_create(su_root_task(agent_root(carrier->agent)), TELL_MS);
    carrier->incoming = incoming_new(&options);
    for (int i = 0; i < carrier->setup.trunk_count; i++)
        trunk_start(carrier->trunks[i]);
}

static void start_carrier(void *self)
{
    struct sip_carrier *carrier = self;

    agent_post(carrier->agent, start_posted, carrier);
}

static void stop_posted(void *context)
{
    struct sip_carrier *carrier = context;

    su_timer_destroy(carrier->ring_timer);
    su_timer_destroy(carrier->tell_timer);
    carrier->ring_timer = carrier->tell_timer = NULL;
    for (int i = 0; i < carrier->setup.trunk_count; i++)
        trunk_stop(carrier->trunks[i]);
}

static void close_carrier(void *self)
{
    struct sip_carrier *carrier = self;

    if (carrier->agent) {
        agent_post(carrier->agent, stop_posted, carrier);
        agent_close(carrier->agent);
    }
    incoming_free(carrier->incoming);
    for (int i = 0; carrier->trunks && i < carrier->setup.trunk_count; i++)
        trunk_free(carrier->trunks[i]);
    free(carrier->trunks);
    ports_free(carrier->ports);
    sip_lines_free(carrier->lines);
    sip_setup_clear(&carrier->setup);
    free(carrier);
}

/* ---- lines ---- */

static void enable(void *self, int line, bool receive, bool send)
{
    sip_lines_enable(((struct sip_carrier *)self)->lines, line, receive, send);
}

static bool take(void *self, int line)
{
    return sip_lines_take(((struct sip_carrier *)self)->lines, line);
}

static void release(void *self, int line)
{
    static const int statuses[] = {[SIP_REJECT_DECLINE] = 603, [SIP_REJECT_BUSY] = 486, [SIP_REJECT_IGNORE] = 0};
    struct sip_carrier *carrier = self;

    sip_lines_release(carrier->lines, line, statuses[carrier->setup.reject]);
    tell_calls(carrier);
}

static void cancel(void *self, int line)
{
    sip_lines_cancel(((struct sip_carrier *)self)->lines, line);
}

static json_t *ring_info(void *self, int line)
{
    return sip_lines_ring_info(((struct sip_carrier *)self)->lines, line);
}

static const char *station_id(void *self, int line)
{
    return ((struct sip_carrier *)self)->setup.station_ids[line];
}

/* ---- the fax on a call that stands ---- */

/* A fax in progress: what the engine's events and record meet. */
struct talk {
    struct dialog *dialog;
    json_t *path;
    const struct sip_setup *setup;
};

static void on_engine(void *context, struct engine_call *engine)
{
    struct talk *talk = context;

    dialog_attach(talk->dialog, engine, talk->path);
}

static void on_event(void *context, const json_t *event)
{
    dialog_hear_engine(((struct talk *)context)->dialog, event);
}

static void on_record(void *context, json_t *record)
{
    struct talk *talk = context;
    struct dialog_end end;

    dialog_get_end(talk->dialog, &end);
    if (end.media_refused && !talk->setup->t38_fallback)
        json_object_set_new(record, "outcome", json_string("t38_negotiation_failed"));
    dialog_describe(talk->dialog, record);
}

/* Closes the pair. */
static BOOL run_fax(struct sip_carrier *carrier, struct job *job, struct call_files *files, struct dialog *dialog,
                    const struct ports_pair *pair, bool sends, const char *station)
{
    struct talk talk = {.dialog = dialog, .path = dialog_path(dialog), .setup = &carrier->setup};
    struct call_plan plan = {.engine = carrier->fsp->engine,
                             .sends = sends,
                             .station_id = station,
                             .media = pair->media,
                             .rtcp = pair->rtcp,
                             .path = talk.path,
                             .on_event = on_event,
                             .on_engine = on_engine,
                             .on_record = on_record,
                             .context = &talk};
    BOOL done = call_run(job, &plan, files);

    json_decref(talk.path);
    return done;
}

/* ---- sending ---- */

/* How a number is called by a trunk: what is offered first. */
static enum dialog_media choose_media(const struct sip_carrier *carrier, const struct trunk *trunk,
                                      const char *transport)
{
    const struct sip_trunk_setup *setup = trunk_setup(trunk);

    if (!carrier->setup.t38_allowed || strcmp(transport, "g711") == 0 || !trunk_speaks_t38(trunk))
        return DIALOG_AUDIO;
    if (setup->t38 == SIP_TRUNK_T38_FIRST || carrier->setup.t38_first == SIP_FIRST_ONLY)
        return DIALOG_T38;
    return carrier->setup.t38_first == SIP_FIRST_BOTH ? DIALOG_T38_AUDIO : DIALOG_AUDIO_T38;
}

/* What one trunk made of the call. */
enum attempt { ATTEMPT_DONE, ATTEMPT_NEXT_TRUNK, ATTEMPT_AS_AUDIO };

struct sending {
    struct sip_carrier *carrier;
    struct job *job;
    struct call_files *files;
    const char *number, *station;
    struct ports_pair pair;
    struct dialog_end end; /* of the last try */
    BOOL done;
    bool ran;
};

static void silent_posted(void *trunk)
{
    trunk_was_silent(trunk);
}

/* The call did not come to stand: what next? */
static enum attempt judge(struct sending *sending, struct trunk *trunk, enum dialog_media media)
{
    const struct dialog_end *end = &sending->end;

    if (sip_lines_is_cancelled(sending->carrier->lines, job_line(sending->job)))
        return ATTEMPT_DONE;
    if (end->media_refused && media == DIALOG_T38)
        return sending->carrier->setup.t38_fallback ? ATTEMPT_AS_AUDIO : ATTEMPT_DONE;
    if (end->silent)
        agent_post(sending->carrier->agent, silent_posted, trunk);
    return end->silent || cause_try_next_trunk(end->status, end->q850) ? ATTEMPT_NEXT_TRUNK : ATTEMPT_DONE;
}

static enum attempt try_trunk(struct sending *sending, struct trunk *trunk, enum dialog_media media)
{
    struct sip_carrier *carrier = sending->carrier;
    const char *caller_id = job_options(sending->job)->caller_id;
    struct dialog_plan plan = {.number = sending->number,
                               .caller_id = caller_id[0] ? caller_id : sending->station,
                               .caller_given = caller_id[0] != '\0',
                               .media = media,
                               .port = sending->pair.port};
    struct dialog *dialog = dialog_place(carrier->agent, trunk, &plan);
    int line = job_line(sending->job);
    enum attempt attempt = ATTEMPT_DONE;

    if (!sip_lines_set_call(carrier->lines, line, dialog))
        dialog_hang_up(dialog);
    if (dialog_wait(dialog, &sending->end)) {
        sending->ran = true;
        sending->done = run_fax(carrier, sending->job, sending->files, dialog, &sending->pair, true, sending->station);
        sending->pair.media = sending->pair.rtcp = -1;
    } else {
        dialog_describe(dialog, job_record(sending->job));
        attempt = judge(sending, trunk, media);
    }
    sip_lines_set_call(carrier->lines, line, NULL);
    dialog_release(dialog);
    return attempt;
}

/* By `trunk`, in G.711 after all if it will not have T.38. False: the next trunk is to be tried. */
static bool send_by(struct sending *sending, struct trunk *trunk)
{
    enum dialog_media media = choose_media(sending->carrier, trunk, job_options(sending->job)->transport);
    enum attempt attempt = try_trunk(sending, trunk, media);

    if (attempt == ATTEMPT_AS_AUDIO)
        attempt = try_trunk(sending, trunk, DIALOG_AUDIO);
    trunk_release(trunk, attempt == ATTEMPT_NEXT_TRUNK);
    tell_calls(sending->carrier);
    return attempt != ATTEMPT_NEXT_TRUNK;
}

/* All trunks that are up, in their order: true when one of them was tried. */
static bool try_trunks(struct sending *sending)
{
    struct sip_carrier *carrier = sending->carrier;
    bool tried = false;

    for (int i = 0; i < carrier->setup.trunk_count; i++) {
        struct trunk *trunk = carrier->trunks[i];

        if (!trunk_is_up(trunk) || !trunk_take(trunk))
            continue;
        tried = true;
        job_wait(sending->job, trunk_turn(trunk)); /* an abort ends it, and then the call */
        tell_calls(carrier);
        if (send_by(sending, trunk))
            break;
        log_info("trunk %s could not carry a call: %s line=%d", trunk_setup(trunk)->name, sending->end.reason,
                 job_line(sending->job));
    }
    return tried;
}

static BOOL finish_unconnected(struct sending *sending, bool tried)
{
    const struct dialog_end *end = &sending->end;
    json_t *record = job_record(sending->job);

    json_object_set_new(record, "connected", json_boolean(end->connected));
    if (sip_lines_is_cancelled(sending->carrier->lines, job_line(sending->job)))
        return job_finish(sending->job, "aborted", "the call was aborted before the far end answered");
    if (!tried)
        return job_finish(sending->job, "line_unavailable", "no trunk is up, or all are full");
    if (end->silent)
        return job_finish(sending->job, "line_unavailable", "no trunk answered the call");
    if (end->media_refused && sending->carrier->setup.t38_allowed)
        return job_finish(sending->job, "t38_negotiation_failed", end->reason);
    return job_finish(sending->job, cause_outcome(end->status, end->q850), end->reason);
}

static BOOL send_files(void *self, struct job *job, struct call_files *files, const char *number, const char *station)
{
    struct sip_carrier *carrier = self;
    struct sending sending = {.carrier = carrier, .job = job, .files = files, .number = number, .station = station};
    bool tried;

    if (!sip_lines_may_send(carrier->lines, job_line(job)))
        return job_finish(job, "line_unavailable", "the line is disabled for sending");
    sip_lines_overtake(carrier->lines, job_line(job), carrier->setup.full == SIP_FULL_BUSY ? 486 : 503);
    job_say(job, FS_DIALING, 0);
    if (ports_take(carrier->ports, &sending.pair)) {
        log_error("%s line=%d", err_message(), job_line(job));
        return job_finish(job, "line_unavailable", err_message());
    }
    tried = try_trunks(&sending);
    ports_close(&sending.pair);
    return sending.ran ? sending.done : finish_unconnected(&sending, tried);
}

/* ---- receiving ---- */

static BOOL answer(struct sip_carrier *carrier, struct job *job, struct call_files *files, struct dialog *dialog)
{
    const struct caller *caller = dialog_caller(dialog);
    struct ports_pair pair;
    struct dialog_end end;
    BOOL done;

    job_set_caller(job, caller->number, dialog_called(dialog));
    if (ports_take(carrier->ports, &pair)) {
        log_error("%s line=%d", err_message(), job_line(job));
        dialog_reject(dialog, 503);
        return job_finish(job, "internal", err_message());
    }
    dialog_answer(dialog, pair.port, carrier->setup.t38_allowed);
    if (!sip_lines_set_call(carrier->lines, job_line(job), dialog))
        dialog_hang_up(dialog);
    if (dialog_wait(dialog, &end)) {
        job_say(job, FS_ANSWERED, 0);
        done = run_fax(carrier, job, files, dialog, &pair, false, station_id(carrier, job_line(job)));
        json_object_set_new(job_record(job), "caller_id", json_string(caller->number));
    } else {
        ports_close(&pair);
        dialog_describe(dialog, job_record(job));
        json_object_set_new(job_record(job), "connected", json_boolean(end.connected));
        if (sip_lines_is_cancelled(carrier->lines, job_line(job)))
            done = job_finish(job, "aborted", "the call was aborted before it was answered");
        else
            done = job_finish(job, end.connected ? "disconnected" : "no_answer", end.reason);
    }
    sip_lines_set_call(carrier->lines, job_line(job), NULL);
    return done;
}

static BOOL receive_files(void *self, struct job *job, struct call_files *files)
{
    struct sip_carrier *carrier = self;
    struct dialog *dialog = sip_lines_answer(carrier->lines, job_line(job));
    BOOL done;

    if (!dialog) {
        json_object_set_new(job_record(job), "connected", json_false());
        return job_finish(job, "no_answer", "the caller hung up before the answer");
    }
    done = answer(carrier, job, files, dialog);
    dialog_release(dialog);
    return done;
}

/* ---- questions of the host ---- */

static json_t *describe_trunks(struct sip_carrier *carrier)
{
    json_t *list = json_array(), *answer = json_object();
    bool any_up = false;

    for (int i = 0; i < carrier->setup.trunk_count; i++) {
        json_array_append_new(list, trunk_describe(carrier->trunks[i]));
        any_up = any_up || trunk_is_up(carrier->trunks[i]);
    }
    json_object_set_new(answer, "trunks", list);
    if (!any_up) {
        json_object_set_new(answer, "lines", json_string("unavailable"));
        json_object_set_new(answer, "lines_reason", json_string("no trunk is up"));
    }
    return answer;
}

static void test_posted(void *trunk)
{
    trunk_test(trunk);
}

static json_t *test_trunk(struct sip_carrier *carrier, const char *name)
{
    for (int i = 0; name && i < carrier->setup.trunk_count; i++) {
        if (strcmp(carrier->setup.trunks[i].name, name) == 0) {
            agent_post(carrier->agent, test_posted, carrier->trunks[i]);
            return json_pack("{s:b}", "started", 1);
        }
    }
    return json_pack("{s:s}", "error", "no trunk has this name");
}

static json_t *ask(void *self, const json_t *question)
{
    const char *what = json_string_value(json_object_get(question, "ask"));

    if (what && strcmp(what, "trunks") == 0)
        return describe_trunks(self);
    if (what && strcmp(what, "test") == 0)
        return test_trunk(self, json_string_value(json_object_get(question, "trunk")));
    return NULL;
}

/* ---- opening ---- */

static void make_trunks(struct sip_carrier *carrier)
{
    carrier->trunks = xcalloc((unsigned long)carrier->setup.trunk_count, sizeof(*carrier->trunks));
    for (int i = 0; i < carrier->setup.trunk_count; i++)
        carrier->trunks[i] = trunk_new(carrier->agent, &carrier->setup.trunks[i], on_trunk_changed, carrier);
}

int sip_carrier_open(struct fsp *fsp, enum sip_carrier_kind kind)
{
    struct sip_carrier *carrier = xcalloc(1, sizeof(*carrier));
    int err = sip_setup_read(&carrier->setup, fsp->settings, kind == SIP_CARRIER_T38);

    carrier->fsp = fsp;
    carrier->lines = sip_lines_new(fsp->settings->line_count, on_ring, carrier);
    if (!err)
        err = agent_open(&carrier->agent, &carrier->setup);
    if (err) {
        close_carrier(carrier);
        return err;
    }
    carrier->ports = ports_new(agent_bind_address(carrier->agent), carrier->setup.port_low, carrier->setup.port_high);
    make_trunks(carrier);
    fsp->carrier = (struct carrier){.self = carrier,
                                    .close = close_carrier,
                                    .start = start_carrier,
                                    .enable = enable,
                                    .take = take,
                                    .release = release,
                                    .send = send_files,
                                    .receive = receive_files,
                                    .cancel = cancel,
                                    .ring_info = ring_info,
                                    .station_id = station_id,
                                    .ask = ask};
    return 0;
}
