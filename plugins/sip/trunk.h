/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A trunk: the way to a telephone network. It registers, or asks with OPTIONS whether its server is there, and knows
 * whether calls can go out by it and which addresses calls may come from.
 *
 * A trunk that neither registers nor asks is taken to be up, but for what calls find out (trunk_was_silent).
 *
 * Thread: the agent's; those marked so: any.
 */
#ifndef FAXD_SIP_TRUNK_H
#define FAXD_SIP_TRUNK_H

#include <jansson.h>
#include <stdbool.h>

#include "plugins/sip/agent.h"

#define TRUNK_URI_SIZE 512

struct trunk;

/* Something of a trunk's state has changed; on the agent's thread, no lock held. */
typedef void (*trunk_changed_fn)(void *context);

/* One trunk; nothing is sent yet. `setup` outlives it. Free with trunk_free once the agent is closed. Start-up. */
struct trunk *trunk_new(struct agent *agent, const struct sip_trunk_setup *setup, trunk_changed_fn changed,
                        void *context);
void trunk_free(struct trunk *trunk);

/* Begin to register, or to ask. */
void trunk_start(struct trunk *trunk);

/* End that: the registration is taken back. */
void trunk_stop(struct trunk *trunk);

const struct sip_trunk_setup *trunk_setup(const struct trunk *trunk);

/* May T.38 be spoken on calls of the trunk? Not where it is switched off, nor where media have to be encrypted: T.38
 * over UDPTL is plain. Any thread. */
bool trunk_speaks_t38(const struct trunk *trunk);

/* Can calls go out? Any thread. */
bool trunk_is_up(struct trunk *trunk);

/* Count a call; false when the trunk has as many as it may. Any thread. */
bool trunk_take(struct trunk *trunk);

/* How long a call that was taken has to wait before it begins, in ms: calls_per_second. Takes the next place in the
 * row. Any thread. */
int64_t trunk_turn(struct trunk *trunk);

/* It ended; `failed`: the trunk could not carry it. Any thread. */
void trunk_release(struct trunk *trunk, bool failed);

/* An INVITE had no response at all: the trunk is down until it answers to OPTIONS or REGISTER. */
void trunk_was_silent(struct trunk *trunk);

/* Can it be asked anything? Not where it has a name and no name server can be reached. Agent's thread. */
bool trunk_has_way(const struct trunk *trunk);
#define TRUNK_NO_WAY "no name server can be reached"

/* May calls come from `address` (IP as text) by this trunk? */
bool trunk_has_peer(struct trunk *trunk, const char *address);

/* Probe with OPTIONS at once; the result becomes "last_test". */
void trunk_test(struct trunk *trunk);

/* "sip:NUMBER@server;transport=tcp" of a number as dialled, by the trunk's rules; a text that is a SIP URI stays one.
 * Any thread. */
void trunk_uri(const struct trunk *trunk, const char *number, char uri[TRUNK_URI_SIZE]);

/* "<sip:proxy;lr>" or "". Any thread. */
void trunk_route(const struct trunk *trunk, char route[TRUNK_URI_SIZE]);

/* The server's address as last heard, "" before. Any thread. */
void trunk_address(struct trunk *trunk, char address[AGENT_ADDRESS_SIZE]);

/* The trunk as FaxdProviderAsk's "trunks" has it; a new object. Any thread. */
json_t *trunk_describe(struct trunk *trunk);

#endif
