/* SPDX-License-Identifier: GPL-2.0-or-later */
/* faxmail as a server: sockets from systemd or of its own, a process for each connection, so many at once.
 *
 * Thread: one.
 */
#ifndef FAXMAIL_LISTENER_H
#define FAXMAIL_LISTENER_H

struct settings;

/* Serve until SIGTERM or SIGINT; connections then finish the message that they are at. `address` is "unix:PATH" or
 * "inet:ADDRESS:PORT" on the loopback, NULL = what LISTEN_FDS gives. `file` is read again on SIGHUP. `mode` is that of
 * the socket of a path. The exit status of the program. */
int listener_run(struct settings *settings, const char *file, const char *address, unsigned mode);

#endif
