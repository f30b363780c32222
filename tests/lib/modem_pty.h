/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The serial device of a modem of the bench: a pseudo-terminal with a symbolic link to it.
 *
 * The host has the device open and drives it: DTR is up. It closes it, or sets its speed to 0 baud: DTR is down. What
 * the modem says is written at its time and in order; what the host does not read is kept up to a bound, then lost.
 *
 * Thread: one (the bench, under its lock).
 */
#ifndef FAXD_TESTS_MODEM_PTY_H
#define FAXD_TESTS_MODEM_PTY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct modem_pty;

/* Make a pseudo-terminal, raw, and let `link` point to it; a symbolic link that is there is replaced, anything else is
 * left alone: ERR_CONFLICT. 0 or an err code. The caller frees with modem_pty_close. */
int modem_pty_open(struct modem_pty **out, const char *link);

/* Removes the link, if it is still ours. NULL is fine. */
void modem_pty_close(struct modem_pty *pty);

/* A descriptor that has something to read when the host wrote, and one when it opened or closed the device. */
int modem_pty_data_fd(const struct modem_pty *pty);
int modem_pty_watch_fd(const struct modem_pty *pty);

/* What the host has done with the device since the last look. */
enum modem_pty_dtr {
    MODEM_PTY_UP,
    MODEM_PTY_DOWN,
    MODEM_PTY_DROPPED /* it was down, and is up again */
};
enum modem_pty_dtr modem_pty_look(struct modem_pty *pty);

/* Read what is there, at most `size` octets: how many, 0 = none. */
size_t modem_pty_read(struct modem_pty *pty, uint8_t *octets, size_t size);

/* Throw away what the host wrote and what it has not read. */
void modem_pty_forget(struct modem_pty *pty);

/* Say something `later_ms` from now, but behind all that was said before. Not said when the host has the device closed;
 * false when there is no room, since the host does not read. */
bool modem_pty_say(struct modem_pty *pty, const uint8_t *octets, size_t count, int later_ms);

/* Write what is due. True when everything has been written, false while something waits for its time or for room. */
bool modem_pty_flush(struct modem_pty *pty);

#endif
