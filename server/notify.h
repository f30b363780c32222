/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What faxd tells the service manager that started it: datagrams to the socket that $NOTIFY_SOCKET names, as systemd
 * wants them of a service of Type=notify (sd_notify(3)). Without that variable nothing is sent.
 *
 * Thread: loop.
 */
#ifndef FAXD_SERVER_NOTIFY_H
#define FAXD_SERVER_NOTIFY_H

#include <event2/event.h>

/* "READY=1" and so on, several of them with newlines between. A manager that does not listen is a line in the log, and
 * no reason to stop. */
void notify_send(const char *text);

/* faxd leaves, and that may take this long: the manager's own patience is made to last. */
void notify_stopping(int patience_s);

/* Where the manager watches ($WATCHDOG_USEC, for this process), make a timer on the loop that tells it twice in each of
 * its periods that the loop turns. `*timer` is the caller's, to be freed with event_free(); NULL where nobody watches.
 * 0 or ERR_INTERNAL. */
int notify_watchdog_new(struct event **timer, struct event_base *base);

#endif
