/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon: its parts put together, started, drained, stopped.
 *
 * Thread: loop.
 */
#ifndef FAXD_SERVER_DAEMON_H
#define FAXD_SERVER_DAEMON_H

#include "server/config.h"
#include "server/loop.h"

struct daemon;

struct daemon_options {
    const struct config *config; /* borrowed; must outlive the daemon */
    struct loop *loop;
    const char *version;
    /* Once: the web listens, and each provider is up or known not to come up. */
    void (*ready)(void *context);
    void *context;
};

/* What only the parts can tell of a configuration: are its files there? 0, ERR_INVALID (the message names the key). */
int daemon_check(const struct config *config);

/* Open the store, recover, start hosts, listen. 0, or the first error; nothing runs then. */
int daemon_open(struct daemon **out, const struct daemon_options *options);

/* Closes the parts; hosts and their calls are left alone. NULL is fine. */
void daemon_close(struct daemon *daemon);

struct spool *daemon_spool(struct daemon *daemon);
int daemon_port(const struct daemon *daemon);

/* Take no new work; when the calls under way have ended, or after drain_timeout, end the hosts and leave the loop. */
void daemon_drain(struct daemon *daemon);

/* The same without patience: calls are aborted now. */
void daemon_stop(struct daemon *daemon);

/* The longest that leaving may take from now on, in seconds: what is left of drain_timeout, and the end of the hosts.
 */
int daemon_patience_s(const struct daemon *daemon);

/* Take over what may change while we run: retry rules, retention, webhook endpoints, what lines may do, the
 * certificate of TLS, rate limits. The log tells
 * what else differs and has to wait for a restart. */
void daemon_reload(struct daemon *daemon, const struct config *config);

#endif
