/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The story of a call, on the agent's thread, in the order of time: placed or accepted, answered, switched to T.38,
 * hung up. What the worker wants is posted to that thread; what it waits for is behind the lock.
 *
 * The switch to T.38 is asked for by one re-INVITE at the right moment. The far end may ask first, at the same time
 * (491, and a second try after the pause of RFC 3261 section 14.1), or refuse (the call goes on in audio). Once the
 * modems have trained, or T.38 runs, descriptions that would end the fax are refused with 488, which changes nothing.
 */
#include "config.h"

#include "plugins/sip/dialog.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/su_uniqueid.h>

#include "plugins/sip/cause.h"
#include "plugins/sip/sip_media.h"
#include "plugins/sip/sip_trace.h"
#include "server/base/clock.h"
#include "server/base/err.h"
#include "server/base/log.h"
#include "server/base/str.h"

#define CALL_ID_SIZE    128
#define CANCEL_WAIT_MS  4000 /* for the answer to a CANCEL or BYE, before the handle goes without */
#define CALLED_WAIT_MS  3500 /* the called asks for T.38 without having heard CNG: its CED is over then */
#define GLARES_MAX      3
#define ASK_TRIES_MAX   2 /* INVITEs for T.38 that a busy far end put off */
#define RETRY_AFTER_MAX 10
#define NO_CHALLENGE    904 /* of the stack: credentials were refused */

enum dialog_state {
    DIALOG_STARTING, /* nothing was sent */
    DIALOG_CALLING,  /* our INVITE is out */
    DIALOG_RINGING,  /* theirs is in */
    DIALOG_STANDING, /* answered */
    DIALOG_OVER
};

struct dialog {
    struct agent_handle handle; /* first */
    struct agent *agent;
    struct trunk *trunk;
    const struct sip_setup *setup;
    atomic_int references;
    bool outbound;
    /* set before a second thread knows the dialog */
    char number[CALLER_NUMBER_SIZE * 2], caller_id[CALLER_NUMBER_SIZE];
    bool caller_given;
    enum dialog_media wish;
    uint16_t port;
    struct caller caller;
    char called[CALLER_NUMBER_SIZE];
    char call_id[CALL_ID_SIZE];
    pthread_mutex_t lock; /* guards what follows up to the next comment */
    pthread_cond_t changed;
    enum dialog_state state;
    struct dialog_end end;
    json_t *path;           /* NULL before the call stands */
    int64_t answered_at_ms; /* UTC, 0 = never */
    struct engine_call *engine;
    bool hung_up; /* by the far end, while it stood */
    struct sip_trace trace;
    bool t38_refused;
    /* the agent's thread only */
    nua_handle_t *nh;
    struct sip_media media;
    struct sdp offer; /* of an INVITE that rings */
    bool has_offer;
    struct sdp early; /* of a provisional response */
    bool has_early;
    bool counted;        /* by the trunk; calls of ours are counted by their worker, over all that it tries */
    bool heard;          /* a response came */
    bool trying;         /* to the INVITE that is out now, too: it may be a second one */
    bool rang;           /* more than 100 came */
    bool ending;         /* we want it to end */
    bool asking;         /* our re-INVITE is out */
    bool t38;            /* may be spoken */
    bool trained;        /* too late for T.38 */
    bool wants_answer;   /* our 200 had an offer: the ACK has the answer */
    bool unacknowledged; /* our 200 to an INVITE: none of ours may begin (RFC 3261 section 14.1) */
    bool held;           /* for that reason T.38 was not asked for when it was time */
    bool asked;          /* T.38 was asked for and answered */
    int tries, glares, asks;
    int challenge; /* status of the last 401 or 407 */
    int refresh_s; /* our own refresh of the session, 0 = none */
    dialog_gone_fn gone;
    void *gone_context;
    su_timer_t *limit;   /* of what is waited for */
    su_timer_t *request; /* when to ask for T.38 */
    su_timer_t *refresh;
};

typedef void (*timer_fn)(struct dialog *dialog);

/* ---- references ---- */

static struct dialog *dialog_new(struct agent *agent, struct trunk *trunk, bool outbound)
{
    struct dialog *dialog = xcalloc(1, sizeof(*dialog));

    dialog->agent = agent;
    dialog->trunk = trunk;
    dialog->setup = agent_setup(agent);
    dialog->outbound = outbound;
    atomic_init(&dialog->references, 2);
    pthread_mutex_init(&dialog->lock, NULL);
    pthread_cond_init(&dialog->changed, NULL);
    return dialog;
}

static void drop(struct dialog *dialog)
{
    if (atomic_fetch_sub(&dialog->references, 1) > 1)
        return;
    json_decref(dialog->path);
    sip_trace_clear(&dialog->trace);
    pthread_cond_destroy(&dialog->changed);
    pthread_mutex_destroy(&dialog->lock);
    free(dialog);
}

static void retain(struct dialog *dialog)
{
    atomic_fetch_add(&dialog->references, 1);
}

/* Run `work` on the agent's thread, which then gives its reference up. */
static void post(struct dialog *dialog, void (*work)(void *dialog))
{
    retain(dialog);
    agent_post(dialog->agent, work, dialog);
}

/* ---- timers ---- */

static void set_timer(struct dialog *dialog, su_timer_t **timer, su_timer_f work, int64_t ms)
{
    if (!*timer)
        *timer = su_timer_create(su_root_task(agent_root(dialog->agent)), 1000);
    if (*timer)
        su_timer_set_interval(*timer, work, (su_timer_arg_t *)dialog, (su_duration_t)ms);
}

static void stop_timer(su_timer_t **timer)
{
    su_timer_destroy(*timer);
    *timer = NULL;
}

/* ---- the end ---- */

static void on_ring_limit(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *argument);

/* The far end has our INVITE. */
static void hear_trying(struct dialog *dialog)
{
    if (dialog->ending || dialog->end.connected)
        return;
    if (!dialog->trying)
        set_timer(dialog, &dialog->limit, on_ring_limit, dialog->setup->ring_timeout_ms);
    dialog->heard = dialog->trying = true;
}

/* The stack keeps 100 to itself, or loses the memory of each when it is to pass them (NTATAG_PASS_100), so they are
 * seen here. */
static void on_message(void *context, bool received, const char *text, size_t size)
{
    struct dialog *dialog = context;

    if (received && dialog->state == DIALOG_CALLING && strncmp(text, "SIP/2.0 100 ", 12) == 0)
        hear_trying(dialog);
    pthread_mutex_lock(&dialog->lock);
    sip_trace_add(&dialog->trace, clock_now_ms(), received, text, size);
    pthread_mutex_unlock(&dialog->lock);
}

/* All is over: the handle goes, and with it the agent's reference. */
static void bury(struct dialog *dialog)
{
    bool rang_here = !dialog->outbound;
    dialog_gone_fn gone;

    if (!dialog->nh && dialog->state == DIALOG_OVER)
        return;
    stop_timer(&dialog->limit);
    stop_timer(&dialog->request);
    stop_timer(&dialog->refresh);
    if (dialog->nh) {
        nua_handle_bind(dialog->nh, NULL);
        nua_handle_destroy(dialog->nh);
        dialog->nh = NULL;
    }
    if (dialog->counted)
        trunk_release(dialog->trunk, false);
    dialog->counted = false;
    agent_unfollow(dialog->agent, dialog->call_id, dialog);
    pthread_mutex_lock(&dialog->lock);
    dialog->state = DIALOG_OVER;
    pthread_cond_broadcast(&dialog->changed);
    pthread_mutex_unlock(&dialog->lock);
    gone = dialog->gone;
    dialog->gone = NULL;
    if (gone && rang_here)
        gone(dialog->gone_context, dialog);
    drop(dialog);
}

static void set_end(struct dialog *dialog, int status, int q850, const char *reason)
{
    pthread_mutex_lock(&dialog->lock);
    if (!dialog->end.status && status)
        dialog->end.status = status;
    if (!dialog->end.q850 && q850)
        dialog->end.q850 = q850;
    if (!dialog->end.reason[0] && reason)
        str_copy(dialog->end.reason, sizeof(dialog->end.reason), reason);
    pthread_mutex_unlock(&dialog->lock);
}

/* An order of one word, if there is an engine. With the lock held. */
static void tell_engine(struct dialog *dialog, const char *order)
{
    json_t *command = json_pack("{s:s}", "command", order);

    if (dialog->engine)
        engine_command(dialog->engine, command); /* one that does not read ends by its own limits */
    json_decref(command);
}

/* The worker need not wait for the last messages. */
static void say_over(struct dialog *dialog)
{
    pthread_mutex_lock(&dialog->lock);
    if (dialog->state == DIALOG_STANDING && !dialog->hung_up) {
        dialog->hung_up = true;
        tell_engine(dialog, "hangup");
    }
    dialog->state = DIALOG_OVER;
    pthread_cond_broadcast(&dialog->changed);
    pthread_mutex_unlock(&dialog->lock);
}

static int q850_of(const sip_t *sip)
{
    char *text = sip && sip->sip_reason ? sip_header_as_string(NULL, (sip_header_t const *)sip->sip_reason) : NULL;
    int cause = text ? cause_parse_reason(text) : 0;

    su_free(NULL, text);
    return cause;
}

static void on_wait_limit(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *argument)
{
    (void)magic, (void)timer;
    bury((struct dialog *)argument);
}

/* End it, whatever it is; the far end's last answer is waited for, not for ever. */
static void end_now(struct dialog *dialog)
{
    if (!dialog->nh || dialog->ending)
        return;
    dialog->ending = true;
    stop_timer(&dialog->request);
    stop_timer(&dialog->refresh);
    set_timer(dialog, &dialog->limit, on_wait_limit, CANCEL_WAIT_MS);
    if (dialog->end.connected)
        nua_bye(dialog->nh, TAG_END());
    else if (dialog->outbound)
        nua_cancel(dialog->nh, TAG_END());
    else
        nua_respond(dialog->nh, SIP_480_TEMPORARILY_UNAVAILABLE, TAG_END());
    say_over(dialog);
}

static void end_posted(void *context)
{
    struct dialog *dialog = context;

    if (dialog->state == DIALOG_STARTING)
        bury(dialog);
    else
        end_now(dialog);
    drop(dialog);
}

void dialog_hang_up(struct dialog *dialog)
{
    post(dialog, end_posted);
}

void dialog_release(struct dialog *dialog)
{
    post(dialog, end_posted);
    drop(dialog);
}

/* ---- the path and the engine ---- */

static bool same_path(const json_t *one, const json_t *other)
{
    return one && other && json_equal(one, other);
}

static void tell_path(struct dialog *dialog)
{
    json_t *command = json_copy(dialog->path);

    json_object_set_new(command, "command", json_string("path"));
    if (engine_command(dialog->engine, command))
        log_warning("a change of media did not reach the engine: %s", err_message());
    json_decref(command);
}

/* What was agreed goes to whom it concerns. */
static void use_media(struct dialog *dialog)
{
    json_t *path = sip_media_path(&dialog->media);

    pthread_mutex_lock(&dialog->lock);
    if (same_path(path, dialog->path)) {
        json_decref(path);
    } else {
        json_decref(dialog->path);
        dialog->path = path;
        if (dialog->engine)
            tell_path(dialog);
    }
    pthread_mutex_unlock(&dialog->lock);
}

json_t *dialog_path(struct dialog *dialog)
{
    json_t *path;

    pthread_mutex_lock(&dialog->lock);
    path = json_incref(dialog->path);
    pthread_mutex_unlock(&dialog->lock);
    return path;
}

void dialog_attach(struct dialog *dialog, struct engine_call *engine, const json_t *path)
{
    pthread_mutex_lock(&dialog->lock);
    dialog->engine = engine;
    if (engine && !same_path(path, dialog->path))
        tell_path(dialog);
    if (dialog->hung_up)
        tell_engine(dialog, "hangup");
    pthread_mutex_unlock(&dialog->lock);
}

/* ---- the call stands ---- */

static void on_request(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *argument);
static void set_refresh(struct dialog *dialog, const sip_t *sip);

/* The address that the event at hand came from, for media behind NAT. */
static void note_source(struct dialog *dialog)
{
    char address[AGENT_ADDRESS_SIZE];

    agent_source(dialog->agent, address);
    if (address[0])
        str_copy(dialog->media.signalling, sizeof(dialog->media.signalling), address);
}

static bool asks_for_t38(const struct dialog *dialog)
{
    int who = dialog->setup->t38_request;

    if (!dialog->t38 || dialog->media.agreed != SIP_MEDIA_AUDIO)
        return false;
    return who == SIP_T38_BOTH || who == (dialog->outbound ? SIP_T38_CALLER : SIP_T38_CALLED);
}

/* Answered: time that is paid for begins. With the lock held. */
static void note_answer(struct dialog *dialog)
{
    dialog->end.connected = true;
    if (!dialog->answered_at_ms)
        dialog->answered_at_ms = clock_now_ms();
}

static void stand(struct dialog *dialog)
{
    stop_timer(&dialog->limit);
    use_media(dialog);
    pthread_mutex_lock(&dialog->lock);
    note_answer(dialog);
    if (dialog->state != DIALOG_OVER)
        dialog->state = DIALOG_STANDING;
    pthread_cond_broadcast(&dialog->changed);
    pthread_mutex_unlock(&dialog->lock);
    if (!dialog->outbound && asks_for_t38(dialog))
        set_timer(dialog, &dialog->request, on_request, CALLED_WAIT_MS);
}

/* ---- asking for T.38 ---- */

static void send_invite(struct dialog *dialog, const char *text)
{
    nua_invite(dialog->nh, SIPTAG_CONTENT_TYPE_STR("application/sdp"), SIPTAG_PAYLOAD_STR(text), TAG_END());
    dialog->asking = true;
}

static void ask(struct dialog *dialog, enum sip_media_kind kind)
{
    char text[SDP_TEXT_SIZE];

    if (dialog->asking || dialog->ending || !dialog->nh)
        return;
    if (sip_media_offer(&dialog->media, kind, text) != 0)
        return;
    /* By a second offer the modems may be talking already. */
    if (kind == SIP_MEDIA_IMAGE && dialog->glares == 0 && dialog->asks == 0) {
        pthread_mutex_lock(&dialog->lock);
        tell_engine(dialog, "hush");
        pthread_mutex_unlock(&dialog->lock);
    }
    send_invite(dialog, text);
}

static void on_request(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *argument)
{
    struct dialog *dialog = (struct dialog *)argument;

    (void)magic, (void)timer;
    dialog->held = dialog->unacknowledged;
    if (!dialog->held && asks_for_t38(dialog) && !dialog->trained && !dialog->asked)
        ask(dialog, SIP_MEDIA_IMAGE);
}

/* A tone of a fax was heard: CNG by the called, CED or the preamble by the caller. */
static void hear_tone(struct dialog *dialog)
{
    int wait_ms = dialog->outbound && dialog->setup->t38_request == SIP_T38_BOTH ? dialog->setup->t38_wait_ms : 0;

    if (asks_for_t38(dialog) && !dialog->asked)
        set_timer(dialog, &dialog->request, on_request, wait_ms);
}

static void tone_posted(void *context)
{
    struct dialog *dialog = context;

    if (dialog->state == DIALOG_STANDING)
        hear_tone(dialog);
    drop(dialog);
}

static void trained_posted(void *context)
{
    struct dialog *dialog = context;

    dialog->trained = true;
    stop_timer(&dialog->request);
    drop(dialog);
}

void dialog_hear_engine(struct dialog *dialog, const json_t *event)
{
    const char *name = json_string_value(json_object_get(event, "event"));

    if (name && strcmp(name, "tone") == 0)
        post(dialog, tone_posted);
    else if (name && strcmp(name, "trained") == 0)
        post(dialog, trained_posted);
}

/* RFC 3261 section 14.1: who has the Call-ID waits for longer. */
static int64_t glare_pause_ms(const struct dialog *dialog)
{
    uint32_t random;

    su_randmem(&random, sizeof(random));
    return dialog->outbound ? 2100 + random % 191 * 10 : random % 201 * 10;
}

static int retry_after_s(const sip_t *sip)
{
    return sip && sip->sip_retry_after ? (int)sip->sip_retry_after->af_delta : -1;
}

static void refuse_t38(struct dialog *dialog, int status, const char *phrase)
{
    char reason[96];

    dialog->asked = true;
    pthread_mutex_lock(&dialog->lock);
    dialog->t38_refused = true;
    pthread_mutex_unlock(&dialog->lock);
    if (dialog->setup->t38_fallback)
        return;
    snprintf(reason, sizeof(reason), "the far end declined T.38: %d %.60s", status, phrase);
    pthread_mutex_lock(&dialog->lock);
    dialog->end.media_refused = true;
    pthread_mutex_unlock(&dialog->lock);
    set_end(dialog, status, 0, reason);
    end_now(dialog);
}

/* A re-INVITE of ours was refused: the call stands, but for what says that there is none. */
static void hear_refusal(struct dialog *dialog, const struct agent_event *event)
{
    int pause_s = retry_after_s(event->sip);
    bool was_image = dialog->media.offered == SIP_MEDIA_IMAGE;

    dialog->media.offered = SIP_MEDIA_NONE;
    if (event->status == 408 || event->status == 481) {
        set_end(dialog, event->status, 0, "the far end does not know the call any more");
        end_now(dialog);
    } else if (!was_image || dialog->media.agreed == SIP_MEDIA_IMAGE) {
        return; /* a refresh, or T.38 came from the other side meanwhile */
    } else if (event->status == 491 && dialog->glares++ < GLARES_MAX) {
        set_timer(dialog, &dialog->request, on_request, glare_pause_ms(dialog));
    } else if ((event->status == 500 || event->status == 503) && pause_s >= 0 && pause_s <= RETRY_AFTER_MAX &&
               dialog->asks++ < ASK_TRIES_MAX) {
        set_timer(dialog, &dialog->request, on_request, (int64_t)pause_s * 1000 + 100);
    } else {
        refuse_t38(dialog, event->status, event->phrase);
    }
}

static void hear_reinvite_answer(struct dialog *dialog, const struct agent_event *event)
{
    bool wanted_image = dialog->media.offered == SIP_MEDIA_IMAGE;
    const sip_payload_t *body = event->sip ? event->sip->sip_payload : NULL;
    enum sip_media_kind kind = SIP_MEDIA_NONE;
    struct sdp answer;

    dialog->tries = 0;
    note_source(dialog);
    if (body && sdp_parse(&answer, body->pl_data, body->pl_len) == 0)
        kind = sip_media_take_answer(&dialog->media, &answer);
    dialog->media.offered = SIP_MEDIA_NONE;
    set_refresh(dialog, event->sip);
    if (kind != SIP_MEDIA_NONE) {
        dialog->asked = dialog->asked || wanted_image;
        use_media(dialog);
    } else if (wanted_image) {
        /* Answered, but with a port of 0: the audio line is gone by that answer, so it is asked for anew. */
        refuse_t38(dialog, event->status, "the far end answered without T.38");
        if (!dialog->ending)
            ask(dialog, SIP_MEDIA_AUDIO);
    }
}

/* ---- our INVITE ---- */

static void connect_outbound(struct dialog *dialog, const struct agent_event *event)
{
    const sip_payload_t *body = event->sip ? event->sip->sip_payload : NULL;
    enum sip_media_kind kind = SIP_MEDIA_NONE;
    struct sdp answer;

    if (body && sdp_parse(&answer, body->pl_data, body->pl_len) == 0)
        kind = sip_media_take_answer(&dialog->media, &answer);
    else if (!body && dialog->has_early)
        kind = sip_media_take_answer(&dialog->media, &dialog->early);
    dialog->tries = 0;
    pthread_mutex_lock(&dialog->lock);
    note_answer(dialog); /* BYE ends it */
    pthread_mutex_unlock(&dialog->lock);
    if (dialog->ending) {
        nua_bye(dialog->nh, TAG_END());
        return;
    }
    if (kind == SIP_MEDIA_NONE) {
        pthread_mutex_lock(&dialog->lock);
        dialog->end.media_refused = true;
        pthread_mutex_unlock(&dialog->lock);
        set_end(dialog, 0, 0, "the far end answered with media that were not offered");
        end_now(dialog);
        return;
    }
    set_refresh(dialog, event->sip);
    stand(dialog);
}

static void fail_outbound(struct dialog *dialog, const struct agent_event *event)
{
    bool refused = event->status == 488 || event->status == 606 || event->status == 415;
    bool no_answer_to_challenge = event->status == NO_CHALLENGE && dialog->challenge;

    pthread_mutex_lock(&dialog->lock);
    dialog->end.media_refused = refused;
    dialog->end.silent = !dialog->heard && !event->sip;
    pthread_mutex_unlock(&dialog->lock);
    if (no_answer_to_challenge)
        set_end(dialog, dialog->challenge, 0, "the trunk refuses user and password");
    else
        set_end(dialog, event->status, q850_of(event->sip), event->phrase);
    bury(dialog);
}

static void on_ring_limit(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *argument)
{
    struct dialog *dialog = (struct dialog *)argument;

    (void)magic, (void)timer;
    pthread_mutex_lock(&dialog->lock);
    dialog->end.silent = !dialog->heard;
    pthread_mutex_unlock(&dialog->lock);
    if (!dialog->heard)
        set_end(dialog, 0, 0, "the trunk did not answer the call");
    else if (!dialog->rang || !dialog->trying)
        set_end(dialog, 503, 0, "the trunk took the call and did nothing with it");
    else
        set_end(dialog, 480, 0, "the number rang and nobody answered");
    end_now(dialog);
}

/* The far end has answered an INVITE in a way that led to the next: that one is to be answered as soon. */
static void expect_response(struct dialog *dialog)
{
    dialog->heard = true;
    dialog->trying = false;
    set_timer(dialog, &dialog->limit, on_ring_limit, dialog->setup->response_timeout_ms);
}

static void hear_provisional(struct dialog *dialog, const struct agent_event *event)
{
    const sip_payload_t *body = event->sip ? event->sip->sip_payload : NULL;

    if (!event->sip || dialog->ending || dialog->end.connected)
        return; /* of the stack itself, or to an INVITE within the call, which has no limit of ours */
    if (event->sip->sip_status && event->sip->sip_status->st_status >= 300) {
        expect_response(dialog); /* 302, 422, ...: the stack has sent another INVITE */
        return;
    }
    if (!dialog->rang)
        dialog->trying = false; /* the time to ring begins here */
    hear_trying(dialog);
    dialog->rang = true;
    note_source(dialog);
    if (body && sdp_parse(&dialog->early, body->pl_data, body->pl_len) == 0)
        dialog->has_early = true;
}

/* A challenge is answered; false when that is of no use. The stack itself says 904 when the answer would be the one
 * that was just refused. */
static bool meet_challenge(struct dialog *dialog, const struct agent_event *event)
{
    const struct sip_trunk_setup *trunk = trunk_setup(dialog->trunk);

    if (event->status != 401 && event->status != 407)
        return false;
    dialog->challenge = event->status;
    if (!agent_authenticate(event, trunk->auth_user, trunk->password, &dialog->tries))
        return false;
    if (event->event == nua_r_invite && !dialog->end.connected)
        expect_response(dialog);
    return true;
}

static void hear_invite_response(struct dialog *dialog, const struct agent_event *event)
{
    if (event->status < 200) {
        hear_provisional(dialog, event);
        return;
    }
    dialog->heard = dialog->heard || event->sip != NULL;
    if (!dialog->ending && meet_challenge(dialog, event))
        return;
    note_source(dialog);
    if (dialog->asking) {
        dialog->asking = false;
        if (event->status < 300)
            hear_reinvite_answer(dialog, event);
        else
            hear_refusal(dialog, event);
    } else if (event->status < 300) {
        connect_outbound(dialog, event);
    } else if (!dialog->end.connected) {
        fail_outbound(dialog, event);
    }
}

/* ---- session timer ---- */

static void on_refresh(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *argument)
{
    struct dialog *dialog = (struct dialog *)argument;
    char text[SDP_TEXT_SIZE];

    (void)magic;
    if (!dialog->asking && !dialog->unacknowledged && !dialog->ending && sip_media_repeat(&dialog->media, text) == 0)
        send_invite(dialog, text);
    su_timer_set_interval(timer, on_refresh, argument, (su_duration_t)dialog->refresh_s * 1000);
}

/* sofia refreshes a session with UPDATE, which carries no description. With a far end that has no UPDATE it would
 * repeat the INVITE that began the call, and with it the audio: there we do it ourselves and first, with what is spoken
 * now.
 */
static void set_refresh(struct dialog *dialog, const sip_t *sip)
{
    const sip_session_expires_t *expires = sip ? sip->sip_session_expires : NULL;
    bool ours, update;

    if (!expires || expires->x_delta < 20 || !dialog->nh)
        return;
    update = sip->sip_allow && sip_is_allowed(sip->sip_allow, sip_method_update, NULL);
    nua_set_hparams(dialog->nh, NUTAG_UPDATE_REFRESH(update), TAG_END());
    ours = expires->x_refresher && strcasecmp(expires->x_refresher, sip->sip_request ? "uas" : "uac") == 0;
    if (!ours || update) {
        stop_timer(&dialog->refresh);
        return;
    }
    dialog->refresh_s = (int)(expires->x_delta * 2 / 5);
    set_timer(dialog, &dialog->refresh, on_refresh, (int64_t)dialog->refresh_s * 1000);
}

/* ---- placing ---- */

static enum sip_media_kind first_offer(enum dialog_media wish)
{
    switch (wish) {
    case DIALOG_T38:
        return SIP_MEDIA_IMAGE;
    case DIALOG_T38_AUDIO:
        return SIP_MEDIA_BOTH;
    case DIALOG_AUDIO:
    case DIALOG_AUDIO_T38:
        break;
    }
    return SIP_MEDIA_AUDIO;
}

/* "<sip:caller@domain>" for From. */
static void write_from(const struct dialog *dialog, const char *own, char from[TRUNK_URI_SIZE])
{
    const struct sip_trunk_setup *setup = trunk_setup(dialog->trunk);
    const char *user = dialog->caller_given  ? dialog->caller_id
                       : setup->caller_id[0] ? setup->caller_id
                       : setup->user[0]      ? setup->user
                                             : dialog->caller_id;
    const char *domain = setup->domain[0] ? setup->domain : setup->registers ? setup->server : own;
    char plain[CALLER_NUMBER_SIZE], host[256];
    size_t used = 0;
    int port;

    for (; *user && used + 1 < sizeof(plain); user++)
        if (strchr(" ()/", *user) == NULL && *user > ' ' && *user <= '~' && strchr("<>\"@;:?\\", *user) == NULL)
            plain[used++] = *user;
    plain[used] = '\0';
    if (domain == own)
        str_copy(host, sizeof(host), own);
    else if (sip_split_host(domain, host, sizeof(host), &port, 0))
        host[0] = '\0';
    snprintf(from, TRUNK_URI_SIZE, strchr(host, ':') ? "<sip:%s%s[%s]>" : "<sip:%s%s%s>",
             plain[0] ? plain : "anonymous", "@", host);
}

static void place_posted(void *context)
{
    struct dialog *dialog = context;
    const struct sip_trunk_setup *setup = trunk_setup(dialog->trunk);
    char uri[TRUNK_URI_SIZE], route[TRUNK_URI_SIZE], from[TRUNK_URI_SIZE], identity[TRUNK_URI_SIZE + 32];
    char text[SDP_TEXT_SIZE], own[AGENT_ADDRESS_SIZE], peer[AGENT_ADDRESS_SIZE], to[TRUNK_URI_SIZE + 2];

    if (!trunk_has_way(dialog->trunk)) {
        pthread_mutex_lock(&dialog->lock);
        dialog->end.silent = true;
        pthread_mutex_unlock(&dialog->lock);
        set_end(dialog, 0, 0, TRUNK_NO_WAY);
        bury(dialog);
        return;
    }
    trunk_address(dialog->trunk, peer);
    agent_own_address(dialog->agent, peer, own);
    sip_media_init(&dialog->media, dialog->setup, setup->srtp, own, dialog->port);
    dialog->t38 = dialog->wish != DIALOG_AUDIO;
    trunk_uri(dialog->trunk, dialog->number, uri);
    trunk_route(dialog->trunk, route);
    write_from(dialog, own, from);
    snprintf(to, sizeof(to), "<%s>", uri);
    snprintf(identity, sizeof(identity), "P-Asserted-Identity: %s", from);
    dialog->nh =
        nua_handle(agent_nua(dialog->agent), &dialog->handle, NUTAG_URL(uri), SIPTAG_TO_STR(to), SIPTAG_FROM_STR(from),
                   SIPTAG_CALL_ID_STR(dialog->call_id), TAG_IF(route[0], NUTAG_INITIAL_ROUTE_STR(route)),
                   TAG_IF(setup->user[0], NUTAG_M_USERNAME(setup->user)), TAG_END());
    if (!dialog->nh || sip_media_offer(&dialog->media, first_offer(dialog->wish), text)) {
        set_end(dialog, 484, 0, "the number cannot be put into a SIP address");
        bury(dialog);
        return;
    }
    agent_follow(dialog->agent, dialog->call_id, on_message, dialog);
    pthread_mutex_lock(&dialog->lock);
    dialog->state = DIALOG_CALLING;
    pthread_mutex_unlock(&dialog->lock);
    nua_invite(dialog->nh, SIPTAG_CONTENT_TYPE_STR("application/sdp"), SIPTAG_PAYLOAD_STR(text),
               TAG_IF(setup->identity == SIP_IDENTITY_ASSERTED, SIPTAG_HEADER_STR(identity)), TAG_END());
    set_timer(dialog, &dialog->limit, on_ring_limit, dialog->setup->response_timeout_ms);
}

static void hear(struct agent_handle *self, const struct agent_event *event);

struct dialog *dialog_place(struct agent *agent, struct trunk *trunk, const struct dialog_plan *plan)
{
    struct dialog *dialog = dialog_new(agent, trunk, true);
    uint64_t random[2];

    dialog->handle.hear = hear;
    str_copy(dialog->number, sizeof(dialog->number), plan->number);
    str_copy(dialog->caller_id, sizeof(dialog->caller_id), plan->caller_id);
    dialog->caller_given = plan->caller_given;
    dialog->wish = plan->media;
    dialog->port = plan->port;
    su_randmem(random, sizeof(random));
    snprintf(dialog->call_id, sizeof(dialog->call_id), "%016llx%016llx", (unsigned long long)random[0],
             (unsigned long long)random[1]);
    agent_post(agent, place_posted, dialog);
    return dialog;
}

/* ---- a call comes ---- */

/* To the request of the event at hand; outside of an event, to the INVITE that rings. */
static void respond(struct dialog *dialog, int status, const char *phrase, const char *text)
{
    nua_t *nua = agent_nua(dialog->agent);

    nua_respond(dialog->nh, status, phrase, TAG_IF(nua_current_request(nua), NUTAG_WITH_THIS(nua)),
                TAG_IF(text, SIPTAG_CONTENT_TYPE_STR("application/sdp")), TAG_IF(text, SIPTAG_PAYLOAD_STR(text)),
                TAG_END());
}

static bool has_sdp(const sip_t *sip)
{
    return sip->sip_payload && sip->sip_payload->pl_len > 0;
}

static bool is_sdp(const sip_t *sip)
{
    return sip->sip_content_type && sip->sip_content_type->c_type &&
           strcasecmp(sip->sip_content_type->c_type, "application/sdp") == 0;
}

static void on_unanswered(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *argument)
{
    struct dialog *dialog = (struct dialog *)argument;

    (void)magic, (void)timer;
    set_end(dialog, 480, 0, "the call rang and was not answered");
    end_now(dialog);
}

struct dialog *dialog_accept(struct agent *agent, struct trunk *trunk, const struct agent_event *event,
                             const struct caller *caller, const char *called)
{
    const sip_t *sip = event->sip;
    struct dialog *dialog;
    char own[AGENT_ADDRESS_SIZE], peer[AGENT_ADDRESS_SIZE];

    dialog = dialog_new(agent, trunk, false);
    dialog->handle.hear = hear;
    dialog->caller = *caller;
    str_copy(dialog->called, sizeof(dialog->called), called);
    str_copy(dialog->call_id, sizeof(dialog->call_id), sip->sip_call_id ? sip->sip_call_id->i_id : "");
    agent_source(agent, peer);
    agent_own_address(agent, peer, own);
    sip_media_init(&dialog->media, dialog->setup, trunk_setup(trunk)->srtp, own, 0);
    str_copy(dialog->media.signalling, sizeof(dialog->media.signalling), peer);
    dialog->has_offer =
        has_sdp(sip) && sdp_parse(&dialog->offer, sip->sip_payload->pl_data, sip->sip_payload->pl_len) == 0;
    dialog->nh = event->nh;
    nua_handle_bind(dialog->nh, &dialog->handle);
    agent_follow(agent, dialog->call_id, on_message, dialog);
    dialog->state = DIALOG_RINGING;
    if (has_sdp(sip) && (!is_sdp(sip) || !dialog->has_offer ||
                         sip_media_judge(&dialog->media, &dialog->offer,
                                         dialog->setup->t38_allowed && trunk_speaks_t38(trunk)) == SIP_MEDIA_NONE)) {
        if (!is_sdp(sip))
            respond(dialog, SIP_415_UNSUPPORTED_MEDIA, NULL);
        else
            respond(dialog, dialog->has_offer ? 488 : 400, dialog->has_offer ? "Not Acceptable Here" : "Bad SDP", NULL);
        bury(dialog);
        drop(dialog);
        return NULL;
    }
    dialog->counted = trunk_take(trunk);
    if (!dialog->counted) {
        respond(dialog, SIP_486_BUSY_HERE, NULL);
        bury(dialog);
        drop(dialog);
        return NULL;
    }
    set_refresh(dialog, sip);
    respond(dialog, SIP_180_RINGING, NULL);
    set_timer(dialog, &dialog->limit, on_unanswered, dialog->setup->ring_timeout_ms);
    return dialog;
}

void dialog_on_gone(struct dialog *dialog, dialog_gone_fn gone, void *context)
{
    dialog->gone = gone;
    dialog->gone_context = context;
}

const struct caller *dialog_caller(const struct dialog *dialog)
{
    return &dialog->caller;
}

const char *dialog_called(const struct dialog *dialog)
{
    return dialog->called;
}

static void answer_posted(void *context)
{
    struct dialog *dialog = context;
    enum sip_media_kind kind = SIP_MEDIA_AUDIO;
    char text[SDP_TEXT_SIZE];
    int err;

    if (dialog->state != DIALOG_RINGING || dialog->ending) {
        drop(dialog);
        return;
    }
    dialog->media.port = dialog->port;
    if (dialog->has_offer)
        kind = sip_media_judge(&dialog->media, &dialog->offer, dialog->t38);
    if (dialog->has_offer)
        err = kind == SIP_MEDIA_NONE ? ERR_INVALID : sip_media_answer(&dialog->media, &dialog->offer, kind, text);
    else
        err = sip_media_offer(&dialog->media, SIP_MEDIA_AUDIO, text);
    if (err) {
        set_end(dialog, 488, 0, "the caller offers no media that this line takes");
        respond(dialog, SIP_488_NOT_ACCEPTABLE, NULL);
        bury(dialog);
    } else {
        dialog->wants_answer = !dialog->has_offer;
        respond(dialog, SIP_200_OK, text);
        dialog->unacknowledged = true;
        if (dialog->has_offer)
            stand(dialog);
    }
    drop(dialog);
}

void dialog_answer(struct dialog *dialog, uint16_t port, bool t38)
{
    dialog->port = port;
    dialog->t38 = t38 && trunk_speaks_t38(dialog->trunk);
    post(dialog, answer_posted);
}

struct rejection {
    struct dialog *dialog;
    int status;
};

static void reject_posted(void *context)
{
    struct rejection *rejection = context;
    struct dialog *dialog = rejection->dialog;

    if (dialog->state == DIALOG_RINGING && !dialog->ending) {
        respond(dialog, rejection->status, sip_status_phrase(rejection->status), NULL);
        bury(dialog);
    }
    drop(dialog);
    free(rejection);
}

void dialog_reject(struct dialog *dialog, int status)
{
    struct rejection *rejection = xcalloc(1, sizeof(*rejection));

    rejection->dialog = dialog;
    rejection->status = status;
    retain(dialog);
    agent_post(dialog->agent, reject_posted, rejection);
}

/* ---- what the far end wants in mid-call ---- */

static bool is_from_peer(struct dialog *dialog)
{
    char address[AGENT_ADDRESS_SIZE];

    agent_source(dialog->agent, address);
    return strcmp(address, dialog->media.signalling) == 0 || trunk_has_peer(dialog->trunk, address);
}

/* An INVITE or UPDATE in mid-call with a description. */
static void hear_offer(struct dialog *dialog, const sip_t *sip)
{
    enum sip_media_kind kind, now = dialog->media.agreed;
    char text[SDP_TEXT_SIZE];
    struct sdp offer;

    if (!is_sdp(sip)) {
        respond(dialog, SIP_415_UNSUPPORTED_MEDIA, NULL);
        return;
    }
    if (sdp_parse(&offer, sip->sip_payload->pl_data, sip->sip_payload->pl_len)) {
        respond(dialog, 400, "Bad SDP", NULL);
        return;
    }
    kind = sip_media_judge(&dialog->media, &offer, dialog->t38 && (now == SIP_MEDIA_IMAGE || !dialog->trained));
    if (kind == SIP_MEDIA_NONE || (now == SIP_MEDIA_IMAGE && kind != SIP_MEDIA_IMAGE) ||
        sip_media_answer(&dialog->media, &offer, kind, text)) {
        respond(dialog, SIP_488_NOT_ACCEPTABLE, NULL); /* all stays as it was (RFC 3261 section 14.2) */
        return;
    }
    if (kind == SIP_MEDIA_IMAGE) {
        dialog->asked = true;
        stop_timer(&dialog->request);
    }
    set_refresh(dialog, sip);
    respond(dialog, SIP_200_OK, text);
    dialog->unacknowledged = dialog->unacknowledged || sip->sip_request->rq_method == sip_method_invite;
    use_media(dialog);
}

static void hear_reinvite(struct dialog *dialog, const struct agent_event *event)
{
    char text[SDP_TEXT_SIZE];

    if (!is_from_peer(dialog)) {
        respond(dialog, SIP_403_FORBIDDEN, NULL);
    } else if (dialog->ending || !dialog->end.connected) {
        respond(dialog, SIP_481_NO_TRANSACTION, NULL);
    } else if (has_sdp(event->sip)) {
        hear_offer(dialog, event->sip);
    } else if (sip_media_repeat(&dialog->media, text) == 0) {
        dialog->wants_answer = dialog->unacknowledged = true;
        set_refresh(dialog, event->sip);
        respond(dialog, SIP_200_OK, text);
    }
}

static void hear_update(struct dialog *dialog, const struct agent_event *event)
{
    if (!is_from_peer(dialog)) {
        respond(dialog, SIP_403_FORBIDDEN, NULL);
    } else if (has_sdp(event->sip) && dialog->end.connected) {
        hear_offer(dialog, event->sip);
    } else {
        set_refresh(dialog, event->sip);
        respond(dialog, SIP_200_OK, NULL);
    }
}

/* The answer to an offer of ours that went with a 200. A change of media in it cannot be refused any more, so what does
 * not fit is left aside and the fax goes on as it is. */
static void hear_answer_in_ack(struct dialog *dialog, const struct agent_event *event)
{
    enum sip_media_kind kind = SIP_MEDIA_NONE;
    struct sdp answer;

    if (!dialog->wants_answer || dialog->ending)
        return;
    dialog->wants_answer = false;
    if (event->sip && has_sdp(event->sip) &&
        sdp_parse(&answer, event->sip->sip_payload->pl_data, event->sip->sip_payload->pl_len) == 0)
        kind = sip_media_take_answer(&dialog->media, &answer);
    if (dialog->end.connected) {
        if (kind != SIP_MEDIA_NONE)
            use_media(dialog);
        return;
    }
    if (kind != SIP_MEDIA_NONE) {
        stand(dialog);
        return;
    }
    pthread_mutex_lock(&dialog->lock);
    note_answer(dialog);
    pthread_mutex_unlock(&dialog->lock);
    set_end(dialog, 0, 0, "the caller did not answer our offer of media");
    end_now(dialog);
}

static void hear_ack(struct dialog *dialog, const struct agent_event *event)
{
    dialog->unacknowledged = false;
    hear_answer_in_ack(dialog, event);
    if (dialog->held && !dialog->ending)
        set_timer(dialog, &dialog->request, on_request, 0);
}

static void hear_bye(struct dialog *dialog, const struct agent_event *event)
{
    set_end(dialog, 0, q850_of(event->sip), "the far end hung up");
    say_over(dialog);
}

static void hear_cancel(struct dialog *dialog, const struct agent_event *event)
{
    (void)event;
    set_end(dialog, 487, 0, "the caller hung up before the answer");
    say_over(dialog);
}

/* A response of ours that was not acknowledged, an UPDATE without answer, ...: sofia ends such a call itself. */
static void hear_terminated(struct dialog *dialog, const struct agent_event *event)
{
    set_end(dialog, dialog->end.connected ? 0 : event->status, 0, event->phrase);
    say_over(dialog);
    bury(dialog);
}

static void hear(struct agent_handle *self, const struct agent_event *event)
{
    struct dialog *dialog = (struct dialog *)self;

    switch (event->event) {
    case nua_r_invite:
        hear_invite_response(dialog, event);
        break;
    case nua_i_invite:
        hear_reinvite(dialog, event);
        break;
    case nua_i_update:
        hear_update(dialog, event);
        break;
    case nua_i_ack:
        hear_ack(dialog, event);
        break;
    case nua_i_bye:
        hear_bye(dialog, event);
        break;
    case nua_i_cancel:
        hear_cancel(dialog, event);
        break;
    case nua_i_terminated:
        hear_terminated(dialog, event);
        break;
    case nua_r_bye:
    case nua_r_update:
    case nua_r_prack:
        if (meet_challenge(dialog, event))
            return;
        if (event->event == nua_r_bye && event->status >= 200)
            bury(dialog);
        break;
    default:
        break;
    }
}

/* ---- the worker's view ---- */

bool dialog_wait(struct dialog *dialog, struct dialog_end *end)
{
    bool stands;

    pthread_mutex_lock(&dialog->lock);
    while (dialog->state != DIALOG_STANDING && dialog->state != DIALOG_OVER)
        pthread_cond_wait(&dialog->changed, &dialog->lock);
    stands = dialog->state == DIALOG_STANDING || dialog->path != NULL;
    *end = dialog->end;
    pthread_mutex_unlock(&dialog->lock);
    return stands;
}

void dialog_get_end(struct dialog *dialog, struct dialog_end *end)
{
    pthread_mutex_lock(&dialog->lock);
    *end = dialog->end;
    pthread_mutex_unlock(&dialog->lock);
}

void dialog_describe(struct dialog *dialog, json_t *record)
{
    pthread_mutex_lock(&dialog->lock);
    json_object_set_new(record, "trunk", json_string(trunk_setup(dialog->trunk)->name));
    json_object_set_new(record, "call_id", json_string(dialog->call_id));
    if (dialog->end.status)
        json_object_set_new(record, "sip_status", json_integer(dialog->end.status));
    if (dialog->end.reason[0])
        json_object_set_new(record, "sip_reason", json_string(dialog->end.reason));
    if (dialog->end.q850)
        json_object_set_new(record, "q850", json_integer(dialog->end.q850));
    if (dialog->t38_refused)
        json_object_set_new(record, "t38_refused", json_true());
    if (dialog->answered_at_ms) {
        json_object_set_new(record, "connected", json_true());
        json_object_set_new(record, "answered_at_ms", json_integer(dialog->answered_at_ms));
    }
    sip_trace_give(&dialog->trace, dialog->answered_at_ms, record);
    pthread_mutex_unlock(&dialog->lock);
}
