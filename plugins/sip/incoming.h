/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The door: which INVITE becomes a call that rings, and what the others hear.
 *
 * A call is taken from the addresses of a trunk only, at no more than so many a second from each, with credentials
 * where the trunk wants them. Strangers hear 403.
 *
 * Thread: the agent's, but for new and free.
 */
#ifndef FAXD_SIP_INCOMING_H
#define FAXD_SIP_INCOMING_H

#include "plugins/sip/agent.h"
#include "plugins/sip/dialog.h"
#include "plugins/sip/trunk.h"

struct incoming;

struct incoming_options {
    struct agent *agent;
    struct trunk **trunks;
    int trunk_count;
    /* A call wants in: a line for it, or -1 when none is free. The reference of `dialog` goes with the line. */
    int (*ring)(void *context, struct dialog *dialog);
    void *context;
};

/* The agent's calls come here from now on. Free with incoming_free once the agent is closed. */
struct incoming *incoming_new(const struct incoming_options *options);
void incoming_free(struct incoming *incoming);

#endif
