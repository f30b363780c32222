/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One SIP call: from INVITE to BYE, with its offers and answers, the switch to T.38, and the engine that it feeds.
 *
 * Two threads hold it: the agent's, on which everything of SIP happens, and the line's worker, which places or answers
 * the call, waits, runs the fax, and hangs up. What they share is behind the dialog's lock. It is counted: each holder
 * has one reference.
 *
 * Media: the worker gives the sockets; once the call stands, dialog_path tells where to begin, and the engine, when it
 * runs, is told of every change by the dialog itself.
 */
#ifndef FAXD_SIP_DIALOG_H
#define FAXD_SIP_DIALOG_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "plugins/common/engine.h"
#include "plugins/sip/agent.h"
#include "plugins/sip/caller.h"
#include "plugins/sip/trunk.h"

struct dialog;

/* What is offered first, and whether T.38 may be asked for later. */
enum dialog_media {
    DIALOG_AUDIO,     /* G.711, to stay */
    DIALOG_AUDIO_T38, /* G.711, T.38 when it is a fax */
    DIALOG_T38,       /* T.38 at once */
    DIALOG_T38_AUDIO  /* both in one offer; T.38 if the far end takes it */
};

struct dialog_plan {
    const char *number;    /* as dialled, or a SIP URI */
    const char *caller_id; /* number of ours, "" = none */
    bool caller_given;     /* it was asked for: it stands before what the trunk is set to */
    enum dialog_media media;
    uint16_t port; /* where media is received; RTCP at the next */
};

/* How a call came to its end, or that it stands. */
struct dialog_end {
    bool connected;     /* it was answered at some time */
    bool silent;        /* outbound: no response came at all */
    int status;         /* SIP status of the refusal, 0 = none */
    int q850;           /* from Reason, 0 = not told */
    bool media_refused; /* the far end would not have what was offered (488, 606, 415) */
    char reason[128];   /* in words */
};

/* ---- calls of ours; the worker's thread ---- */

/* Call by `trunk`; texts of `plan` are copied. Free with dialog_release. */
struct dialog *dialog_place(struct agent *agent, struct trunk *trunk, const struct dialog_plan *plan);

/* ---- calls that come; made by incoming.c on the agent's thread ---- */

/* The call of `event` (nua_i_invite), for `called`; one reference each for the agent and the caller of this. NULL when
 * it was refused, which has been answered. */
struct dialog *dialog_accept(struct agent *agent, struct trunk *trunk, const struct agent_event *event,
                             const struct caller *caller, const char *called);

/* Told on the agent's thread when a call that rings ends before it was answered. */
typedef void (*dialog_gone_fn)(void *context, struct dialog *dialog);
void dialog_on_gone(struct dialog *dialog, dialog_gone_fn gone, void *context);

const struct caller *dialog_caller(const struct dialog *dialog);
const char *dialog_called(const struct dialog *dialog);

/* Answer with media at `port`; `t38`: T.38 may be spoken. Any thread. */
void dialog_answer(struct dialog *dialog, uint16_t port, bool t38);

/* Refuse a call that rings, with a SIP status of 400 to 699. Any thread. */
void dialog_reject(struct dialog *dialog, int status);

/* ---- both; any thread ---- */

/* Wait until the call stands (true) or has ended (false), which `end` tells. */
bool dialog_wait(struct dialog *dialog, struct dialog_end *end);

/* How it ended, or stands. */
void dialog_get_end(struct dialog *dialog, struct dialog_end *end);

/* "path" of the engine's job, for a call that stands; a new reference. */
json_t *dialog_path(struct dialog *dialog);

/* The engine that speaks on the call, started with `path` of dialog_path; what has changed since goes to it at once.
 * NULL: it is gone. */
void dialog_attach(struct dialog *dialog, struct engine_call *engine, const json_t *path);

/* An event of the engine, "tone" or "trained". */
void dialog_hear_engine(struct dialog *dialog, const json_t *event);

/* Hang up, cancel, or refuse: whatever ends it. Returns at once. */
void dialog_hang_up(struct dialog *dialog);

/* Add what SIP knows to a call record: trunk, call_id, sip_status, sip_reason, q850, codec or t38 refusals, when the
 * call was answered (which comes before the engine's first frame), and "sip", the messages so far, which leave the
 * dialog. */
void dialog_describe(struct dialog *dialog, json_t *record);

/* Give a reference up; hangs up when the worker's goes while the call stands. */
void dialog_release(struct dialog *dialog);

#endif
