/* SPDX-License-Identifier: GPL-2.0-or-later */
/* faxmail as a command of a mail server: one message on standard input, the result as exit status (sysexits.h) and,
 * when it is not 0, a line of text on standard output that begins with an enhanced status code.
 *
 * Thread: one.
 */
#ifndef FAXMAIL_PIPE_H
#define FAXMAIL_PIPE_H

struct delivery;

/* Deliver what descriptor `from` has; the exit status. */
int pipe_run(struct delivery *delivery, int from);

/* The same, but nothing is sent: prints what would become of the message, as JSON. */
int pipe_check(struct delivery *delivery, int from);

#endif
