/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The SIP user agent of a provider: libsofia-sip-ua's NUA with its media layer off, on a thread of its own.
 *
 * It listens, hands each event to whom its handle belongs, runs what other threads post, and lets calls follow the
 * messages on the wire. What the events mean is the business of trunk.c (registrations, keep-alives), dialog.c (calls)
 * and incoming.c (calls to come).
 *
 * Thread: agent_open and agent_close start-up; agent_post any; all else the agent's own.
 */
#ifndef FAXD_SIP_AGENT_H
#define FAXD_SIP_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plugins/sip/sip_setup.h"

/* What a NUA handle is bound to: the first member of its owner's struct. */
struct agent_handle;
#define NUA_HMAGIC_T    struct agent_handle
#define NUA_MAGIC_T     struct agent
#define SU_ROOT_MAGIC_T void
#include <sofia-sip/nua.h>

#define AGENT_ADDRESS_SIZE 48

struct agent;

struct agent_event {
    nua_event_t event;
    int status;
    const char *phrase; /* never NULL */
    nua_handle_t *nh;
    const sip_t *sip; /* the message, NULL when none came: then `status` is the stack's own */
};

struct agent_handle {
    void (*hear)(struct agent_handle *self, const struct agent_event *event);
};

/* A request out of any dialog came that wants a call: `event->nh` belongs to the callee from now on. */
typedef void (*agent_invite_fn)(void *context, const struct agent_event *event);

/* May this request from `source` (IP address as text) be looked at? `begins`: it is an INVITE out of any dialog. One
 * that may not costs nothing: it has no answer, and a connection that it came by is closed. ACK is never asked about.
 */
typedef bool (*agent_guard_fn)(void *context, const char *source, bool begins);

/* A message of a call on the wire; valid during the call. */
typedef void (*agent_message_fn)(void *context, bool received, const char *text, size_t size);

/* Start listening. 0, or ERR_IO with a message that names the address. The caller closes with agent_close. */
int agent_open(struct agent **out, const struct sip_setup *setup);

/* From the thread: requests pass `guard`, and what comes for new calls goes to `invite`. Before that they are answered
 * with 503. */
void agent_accept(struct agent *agent, agent_guard_fn guard, agent_invite_fn invite, void *context);

/* Ends registrations and what is left of calls, within a few seconds, and frees. Handles' owners hear no more. */
void agent_close(struct agent *agent);

/* Run `work(context)` on the agent's thread, after what was posted before. It is always run, at the latest while the
 * agent closes. */
void agent_post(struct agent *agent, void (*work)(void *context), void *context);

nua_t *agent_nua(struct agent *agent);
su_root_t *agent_root(struct agent *agent);
const struct sip_setup *agent_setup(const struct agent *agent);

/* The address that media is received at: what to bind to ("0.0.0.0" where we listen everywhere), any thread. */
const char *agent_bind_address(const struct agent *agent);

/* The address to tell a peer that is reached by `peer` (IP address as text, or "" when it is not known): as configured,
 * or the one that the route to it has. Any thread. */
void agent_own_address(const struct agent *agent, const char *peer, char address[AGENT_ADDRESS_SIZE]);

/* May a request be sent to a host by its name? Not while no name server can be reached: see name_servers.h. */
bool agent_can_ask_for_names(const struct agent *agent);

/* Where the message of the event at hand came from; "" when there is none. */
void agent_source(const struct agent *agent, char address[AGENT_ADDRESS_SIZE]);

/* Hear the messages with this Call-ID from now on, and the request of the event at hand if it has it too. Callers may
 * give several calls the same one: the last to follow hears. `context` is a call, beginning with its agent_handle,
 * which hears nua_i_terminated when the agent closes before agent_unfollow. */
void agent_follow(struct agent *agent, const char *call_id, agent_message_fn hear, void *context);
void agent_unfollow(struct agent *agent, const char *call_id, const void *context);

/* Answer a 401 or 407 of `event` with the credentials: false when they were wrong, or are not to be had. `tries` is the
 * handle's count, reset by its owner when a request was accepted. */
bool agent_authenticate(const struct agent_event *event, const char *user, const char *password, int *tries);

/* A header of a message as text, all of that name joined by ", ": those that sofia does not know by itself. NULL when
 * there is none; the caller frees. */
char *agent_header(const sip_t *sip, const char *name);

#endif
