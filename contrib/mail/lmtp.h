/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One connection of a mail server that hands in messages by LMTP (RFC 2033), with SIZE, PIPELINING, 8BITMIME,
 * ENHANCEDSTATUSCODES and SMTPUTF8.
 *
 * Thread: one; each connection has a process of its own.
 */
#ifndef FAXMAIL_LMTP_H
#define FAXMAIL_LMTP_H

#include <signal.h>

struct settings;

/* Serve until the other side has had enough, is silent for too long, or `*ending` is set by a signal, which `unblocked`
 * lets through while nothing is under way. */
void lmtp_run(int fd, const struct settings *settings, const volatile sig_atomic_t *ending, const sigset_t *unblocked);

#endif
