/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A socket on which lines are spoken, as SMTP and LMTP do: bounded lines, data up to a dot, timeouts.
 *
 * Thread: one.
 */
#ifndef FAXMAIL_LINE_SOCKET_H
#define FAXMAIL_LINE_SOCKET_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#define LINE_SOCKET_LINE 2048 /* a command with its end; 512 are the least (RFC 5321 4.5.3.1.4) */

struct line_socket {
    int fd, timeout_s;
    const volatile sig_atomic_t *ending; /* ends the wait for a command */
    const sigset_t *unblocked;           /* signals while waiting for one */
    char in[16384];
    size_t have, at;
    bool broken;
};

/* Takes over `fd`. */
void line_socket_open(struct line_socket *socket, int fd, int timeout_s, const volatile sig_atomic_t *ending,
                      const sigset_t *unblocked);
void line_socket_close(struct line_socket *socket);

/* A command without its CRLF. 0; ERR_TOO_BIG (it has been read and thrown away); ERR_AGAIN: nothing came in time, or
 * the program is to end; ERR_CLOSED. A line with NUL is ERR_TOO_BIG as well: there are none that are that short. */
int line_socket_read_line(struct line_socket *socket, char line[LINE_SOCKET_LINE]);

/* All up to <CRLF>.<CRLF>, and only that: a bare LF ends nothing, so that nobody can hide a command in a message. Dots
 * that were added are taken off. 0, ERR_AGAIN (too slow), ERR_CLOSED. */
int line_socket_read_data(struct line_socket *socket, void (*take)(const void *data, size_t size, void *context),
                          void *context);

/* Write a line; CRLF is added, other line ends within become spaces. */
void line_socket_write(struct line_socket *socket, const char *line);

#endif
