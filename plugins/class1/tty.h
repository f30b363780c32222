/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A modem's serial device: locked, opened for us alone, raw, at a speed and with flow control.
 *
 * Thread: the owner of the modem (modem.h).
 */
#ifndef FAXD_PLUGINS_CLASS1_TTY_H
#define FAXD_PLUGINS_CLASS1_TTY_H

#include <stdbool.h>

struct tty;

enum tty_flow { TTY_FLOW_HARDWARE, TTY_FLOW_SOFTWARE, TTY_FLOW_NONE };

struct tty_options {
    const char *path;
    const char *lock_dir; /* "" = no lock file */
    int speed_bps;        /* 0 = the fastest of 115200, 57600, 38400 and 19200 that the device takes */
    enum tty_flow flow;   /* towards the modem; software is the engine's to switch on, see tty.c */
};

/* 0; ERR_NOT_FOUND no such device; ERR_CONFLICT locked or in use; ERR_DENIED no permission; ERR_INVALID not a serial
 * device, or not at that speed; ERR_IO. Each with a message for an administrator. Free with tty_close. */
int tty_open(struct tty **out, const struct tty_options *options);

/* DTR goes down (HUPCL), the lock file goes. NULL is fine. */
void tty_close(struct tty *tty);

/* Non-blocking; borrowed. */
int tty_fd(const struct tty *tty);

int tty_speed_bps(const struct tty *tty);

/* Is the device still the one that was opened? A USB modem that was plugged out is not, even before a read says so. */
bool tty_is_there(const struct tty *tty);

/* Forget what has come and what has not gone. */
void tty_flush(struct tty *tty);

/* Raise DTR and RTS, or drop them; without a sound where the device has none (a pseudo-terminal). */
void tty_set_dtr(struct tty *tty, bool up);

#endif
